import { Dialog } from "@/components/Dialog";

/** Placeholder: the settings replace it. */
export default function Settings({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Settings" onClose={onClose}>
      Nothing here yet.
    </Dialog>
  );
}
