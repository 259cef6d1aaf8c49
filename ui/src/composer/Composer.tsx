import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type Ref } from "react";
import type { Attachment, ImageInput, Mode, Task } from "@/api/types";
import { useCell } from "@/app/cell";
import { useCommand } from "@/app/commands";
import { keys, matches } from "@/app/keys";
import { classes } from "@/components/classes";
import { CodiconIcon } from "@/components/CodiconIcon";
import { IconButton } from "@/components/IconButton";
import { asked } from "@/socket/live";
import { shortPath } from "@/events/words";
import { emptyDraft, loadDraft, storeDraft, type Draft } from "./draft";
import { FilePicker } from "./FilePicker";
import { BudgetChip, ModeChip, ModelChip } from "./SettingChips";

export interface ComposerHandle {
  focus: () => void;
  fill: (text: string) => void;
}

export interface Choice {
  mode: Mode;
  modelId: string | null;
  budget: number | null;
}

interface Props {
  ref?: Ref<ComposerHandle>;
  /** Names the draft: a task's id, or the workspace's for a task that is not there yet. */
  draftKey: string;
  workspace: string | null;
  task: Task | null;
  choice: Choice;
  onChoice: (change: Partial<Choice>) => void;
  /** Resolves to false when it could not be sent; the draft then stays. */
  onSend: (draft: Draft) => Promise<boolean>;
  onInterrupt: () => void;
  place: string;
  /** Why nothing can be written now; null when it can. */
  closed: string | null;
  /** What was written can be sent; until then it waits in the field. */
  ready: boolean;
}

const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export function Composer({
  ref,
  draftKey,
  workspace,
  task,
  choice,
  onChoice,
  onSend,
  onInterrupt,
  place,
  closed,
  ready,
}: Props) {
  const [draft, setDraft] = useState(() => loadDraft(draftKey));
  const [sending, setSending] = useState(false);
  /** Null while closed; what follows the @ otherwise. */
  const [picking, setPicking] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const working = task !== null && (task.state === "running" || task.state === "waiting");
  const empty = !draft.text.trim();
  const stops = working && empty;

  const change = useCallback(
    (part: Partial<Draft>) =>
      setDraft((old) => {
        const next = { ...old, ...part };
        storeDraft(draftKey, next);
        return next;
      }),
    [draftKey],
  );
  const focus = useCallback(() => field.current?.focus(), []);
  useImperativeHandle(ref, () => ({
    focus,
    fill: (text) => {
      change({ text });
      focus();
    },
  }));

  // The page is for writing first; whoever holds the focus already keeps it.
  useEffect(() => {
    if (document.activeElement !== document.body) return;
    focus();
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length);
  }, [focus]);

  // Grows with its text, to a third of the window.
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = "0";
    element.style.height = `${Math.min(element.scrollHeight, innerHeight / 3)}px`;
  }, [draft.text]);

  const attach = useCallback(
    (attachment: Attachment) => {
      setDraft((old) => {
        const rest = old.attachments.filter(
          ({ path, from_line }) => path !== attachment.path || from_line !== attachment.from_line,
        );
        const next = { ...old, text: old.text.replace(/(^|\s)@[^\s]*$/, "$1"), attachments: [...rest, attachment] };
        storeDraft(draftKey, next);
        return next;
      });
      setPicking(null);
      focus();
    },
    [draftKey, focus],
  );

  // A selection that the user sent over from the editor.
  const ask = useCell(asked);
  useEffect(() => {
    if (!ask || ask.workspace !== workspace) return;
    asked.set(null);
    queueMicrotask(() => attach({ path: ask.path, from_line: ask.from, to_line: ask.to, text: ask.text }));
  }, [ask, workspace, attach]);

  useCommand("composer", { title: "Go to the message field", icon: "edit", key: "composer" }, focus);
  useCommand("attach", { title: "Attach a file", icon: "attach", key: "attach", enabled: workspace !== null }, () =>
    setPicking(""),
  );

  const send = async () => {
    if (empty || sending || closed !== null || !ready) return;
    setSending(true);
    const sent = draft;
    setDraft(emptyDraft);
    setPicking(null);
    if (await onSend({ ...sent, text: sent.text.trim() })) storeDraft(draftKey, emptyDraft);
    else setDraft((now) => (now.text ? now : sent));
    setSending(false);
    focus();
  };

  const typed = (text: string) => {
    change({ text });
    const caret = field.current?.selectionStart ?? text.length;
    setPicking(workspace ? (/(?:^|\s)@([^\s@]*)$/.exec(text.slice(0, caret))?.[1] ?? null) : null);
  };

  const paste = async (files: FileList) => {
    const images = [...files].filter(({ type }) => IMAGE_TYPES.includes(type));
    const read = await Promise.all(images.map(readImage));
    change({ images: [...draft.images, ...read] });
  };

  return (
    <div className="@container shrink-0 px-3 pt-1 pb-3">
      <div className="relative mx-auto max-w-200 rounded-lg border border-edge bg-raised focus-within:border-focus">
        {picking !== null && workspace && (
          <FilePicker
            workspace={workspace}
            query={picking}
            onPick={(path) => attach({ path })}
            onClose={() => {
              setPicking(null);
              focus();
            }}
            field={field}
          />
        )}
        {(draft.attachments.length > 0 || draft.images.length > 0) && (
          <ul aria-label="Attached" className="flex flex-wrap gap-1 px-2 pt-2">
            {draft.attachments.map((one) => (
              <Attached
                key={`${one.path}:${one.from_line ?? ""}`}
                icon="file"
                words={shortPath(one.path) + (one.from_line ? `:${one.from_line}–${one.to_line ?? one.from_line}` : "")}
                onRemove={() => change({ attachments: draft.attachments.filter((other) => other !== one) })}
              />
            ))}
            {draft.images.map((one, index) => (
              <Attached
                key={index}
                icon="file"
                words={`Image ${index + 1}`}
                onRemove={() => change({ images: draft.images.filter((other) => other !== one) })}
              />
            ))}
          </ul>
        )}
        <textarea
          ref={field}
          rows={1}
          aria-label="Message to the agent"
          aria-keyshortcuts="Enter Escape"
          placeholder={
            closed !== null
              ? closed
              : working
                ? "Add to the work; it waits in line"
                : task
                  ? "Message the agent, or type @ to add context"
                  : "What shall it do? Type @ to add context"
          }
          disabled={closed !== null}
          maxLength={200_000}
          className="block max-h-[33vh] min-h-9 w-full resize-none bg-transparent px-2.5 pt-2 pb-1 text-fg outline-none"
          value={draft.text}
          onChange={(event) => typed(event.target.value)}
          onPaste={(event) => {
            if (![...event.clipboardData.files].some(({ type }) => IMAGE_TYPES.includes(type))) return;
            event.preventDefault();
            void paste(event.clipboardData.files);
          }}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return;
            if (matches(event, keys.send.combo)) {
              event.preventDefault();
              void send();
            } else if (event.key === "Escape") {
              event.preventDefault();
              if (picking !== null) setPicking(null);
              else if (working) onInterrupt();
            }
          }}
        />
        <div className="flex min-w-0 items-center gap-0.5 px-1.5 pb-1.5">
          <IconButton
            icon="add"
            label="Attach a file"
            keys={keys.attach.combo}
            disabled={!workspace}
            pressed={picking !== null}
            onClick={() => setPicking(picking === null ? "" : null)}
          />
          <ModeChip mode={choice.mode} onChange={(mode) => onChoice({ mode })} />
          <ModelChip
            modelId={choice.modelId}
            modelName={task?.model_name}
            onChange={(modelId) => onChoice({ modelId })}
          />
          <BudgetChip budget={choice.budget} onChange={(budget) => onChoice({ budget })} />
          <span className="ml-1 hidden min-w-0 flex-1 truncate text-sm text-faint @[380px]:block">{place}</span>
          <span className="flex-1 @[380px]:hidden" />
          <IconButton
            icon={stops ? "debug-stop" : working ? "send" : "send"}
            label={stops ? "Stop the agent" : working ? "Send; it waits in line" : "Send"}
            keys={stops ? keys.interrupt.combo : keys.send.combo}
            disabled={!stops && (empty || closed !== null || !ready)}
            className={classes(
              "size-6.5! bg-accent text-on-accent! hover:bg-accent-hover! disabled:bg-hover disabled:text-faint! disabled:opacity-100!",
            )}
            onClick={() => (stops ? onInterrupt() : void send())}
          />
        </div>
      </div>
    </div>
  );
}

function Attached({ icon, words, onRemove }: { icon: string; words: string; onRemove: () => void }) {
  return (
    <li className="inline-flex max-w-full items-center gap-1 rounded-sm border border-line bg-hover pl-1.5 text-sm">
      <CodiconIcon name={icon} size={14} className="text-mute" />
      <span className="truncate">{words}</span>
      <IconButton icon="close" label={`Remove ${words}`} className="size-5!" onClick={onRemove} />
    </li>
  );
}

async function readImage(file: File): Promise<ImageInput> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return { media_type: file.type as ImageInput["media_type"], data: btoa(binary) };
}
