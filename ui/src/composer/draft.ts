import type { Attachment, ImageInput } from "@/api/types";

/** What is typed but not sent. */
export interface Draft {
  text: string;
  attachments: Attachment[];
  images: ImageInput[];
}

export const emptyDraft: Draft = { text: "", attachments: [], images: [] };

/** The draft's name for a task that is not there yet. Without a workspace it is taken over by the first one known. */
export const newDraft = (workspace: string | null): string => `new ${workspace ?? ""}`;

/** Kept for this tab, one a task. Images stay out of it: they are larger than a tab may store. */
export function loadDraft(key: string): Draft {
  try {
    const early = `twinseat.draft.${newDraft(null)}`;
    const words = sessionStorage.getItem(early);
    if (words !== null && key.startsWith("new ") && key !== newDraft(null)) {
      sessionStorage.removeItem(early);
      sessionStorage.setItem(`twinseat.draft.${key}`, words);
    }
    const stored = JSON.parse(sessionStorage.getItem(`twinseat.draft.${key}`) ?? "null") as Partial<Draft> | null;
    return stored ? { ...emptyDraft, ...stored, images: [] } : emptyDraft;
  } catch {
    return emptyDraft;
  }
}

export function storeDraft(key: string, draft: Draft): void {
  const name = `twinseat.draft.${key}`;
  if (!draft.text && !draft.attachments.length) sessionStorage.removeItem(name);
  else sessionStorage.setItem(name, JSON.stringify({ text: draft.text, attachments: draft.attachments }));
}
