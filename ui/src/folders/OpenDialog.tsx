import { useRef, useState } from "react";
import { select } from "@/app/selection";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { OpenFolder } from "./OpenFolder";

/** Opens another folder or repository from the cockpit. */
export default function OpenDialog({ onClose }: { onClose: () => void }) {
  const submit = useRef<(() => void) | null>(null);
  const [state, setState] = useState({ ready: false, busy: false });
  return (
    <Dialog
      title="Open a workspace"
      onClose={onClose}
      className="w-115"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form="open" look="primary" disabled={!state.ready} busy={state.busy}>
            Open
          </Button>
        </>
      }
    >
      <form
        id="open"
        onSubmit={(event) => {
          event.preventDefault();
          if (state.ready && !state.busy) submit.current?.();
        }}
      >
        <OpenFolder
          submitRef={submit}
          onState={setState}
          onOpened={(workspace) => {
            select(workspace.id);
            onClose();
          }}
        />
      </form>
    </Dialog>
  );
}
