import { problemOf } from "@/api/client";
import { useDeleteTask } from "@/api/queries";
import { useCell } from "@/app/cell";
import { say } from "@/app/notices";
import { select, selection } from "@/app/selection";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { toDelete } from "./toDelete";

export function DeleteTask() {
  const task = useCell(toDelete);
  const remove = useDeleteTask();
  if (!task) return null;
  const close = () => toDelete.set(null);
  const confirm = () =>
    remove.mutate(task.id, {
      onSuccess: () => {
        close();
        if (selection.get().task === task.id) select(task.workspace_id);
      },
      onError: (error) => say(problemOf(error).detail),
    });
  return (
    <Dialog
      title="Delete this task?"
      onClose={close}
      actions={
        <>
          <Button onClick={close}>Keep it</Button>
          <Button look="danger" icon="trash" busy={remove.isPending} onClick={confirm}>
            Delete
          </Button>
        </>
      }
    >
      <p>“{task.title}” and its history are removed for good. The files in the workspace stay as they are.</p>
    </Dialog>
  );
}
