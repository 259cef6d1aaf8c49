import type { Workspace } from "@/api/types";
import { OpenFolder } from "@/folders/OpenFolder";
import { useRef, useState } from "react";
import { Screen, type Frame } from "./Screen";

interface Props extends Frame {
  busy: boolean;
  onNext: (workspace: Workspace | null) => void;
}

export function FolderStep({ onNext, busy, ...frame }: Props) {
  const submit = useRef<(() => void) | null>(null);
  const [state, setState] = useState({ ready: false, busy: false });
  return (
    <Screen
      {...frame}
      title="What shall it work on?"
      why="You and the agent work on the same files. Nothing in the folder runs until you say that you trust it."
      next="Open"
      ready={state.ready}
      busy={state.busy || busy}
      onNext={() => submit.current?.()}
      skip={{ label: "Later", onSkip: () => onNext(null) }}
    >
      <OpenFolder submitRef={submit} onState={setState} onOpened={onNext} />
    </Screen>
  );
}
