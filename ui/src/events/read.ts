/** Careful reading of JSON that others wrote: a field of the wrong type is an absent one, never an exception. */

export type Json = Record<string, unknown>;

export const object = (value: unknown): Json =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Json) : {};

export const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

export const text = (value: unknown): string => (typeof value === "string" ? value : "");

export const number = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** The text of an upstream content list (`[{type: "text", text}]`), or of a plain string. */
export function contentText(value: unknown): string {
  if (typeof value === "string") return value;
  return list(value)
    .map((part) => text(object(part).text))
    .filter(Boolean)
    .join("\n");
}
