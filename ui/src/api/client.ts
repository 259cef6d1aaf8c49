import { keep, signOut, token } from "./session";
import type { Problem, Session } from "./types";

/** An answer that was no success, or no answer at all; always with a sentence for the user. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "ProblemError";
  }
}

export function unreachable(): Problem {
  return {
    type: "about:blank",
    title: "Twinseat's backend does not answer",
    status: 0,
    detail: `Nothing answers at ${location.host}. It may have been closed, or it is starting again.`,
    remedy: "This page tries again by itself. If it stays like this, start Twinseat again.",
    code: "backend-unreachable",
    errors: null,
  };
}

/** What went wrong, as a problem, whatever was thrown. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof ProblemError) return thrown.problem;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return { ...unreachable(), title: "Something went wrong in this page", detail, remedy: null, code: "page-error" };
}

type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

async function refusal(response: Response): Promise<ProblemError> {
  const fallback: Problem = {
    type: "about:blank",
    title: response.statusText || "The request failed",
    status: response.status,
    detail: `The backend answered ${response.status} without saying why.`,
    remedy: null,
    code: "unknown",
    errors: null,
  };
  const body: unknown = await response.json().catch(() => null);
  return new ProblemError(body && typeof body === "object" ? { ...fallback, ...(body as Partial<Problem>) } : fallback);
}

async function send(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const bearer = token.get();
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  // One key a call: a POST repeated by the browser or by a retry below is carried out once.
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
  const payload = body === undefined ? null : JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body: payload, signal: signal ?? null, credentials: "omit" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ProblemError(unreachable());
  }
  if (response.status === 401 && bearer && bearer === token.get()) signOut();
  if (!response.ok) throw await refusal(response);
  return response;
}

async function json<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, path, body, signal);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** `path` with the query's set values. */
export function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** The API. Every call rejects with `ProblemError`. */
export const api = {
  get: <T>(path: string, query: Query = {}, signal?: AbortSignal) =>
    json<T>("GET", withQuery(path, query), undefined, signal),
  text: async (path: string, query: Query = {}, signal?: AbortSignal) =>
    (await send("GET", withQuery(path, query), undefined, signal)).text(),
  post: <T>(path: string, body: unknown = {}) => json<T>("POST", path, body),
  patch: <T>(path: string, body: unknown) => json<T>("PATCH", path, body),
  put: <T>(path: string, body: unknown) => json<T>("PUT", path, body),
  delete: <T>(path: string) => json<T>("DELETE", path),
};

/** Trades a single-use code for a session. */
export async function signIn(code: string): Promise<void> {
  keep(await api.post<Session>("/api/session", { code }));
}
