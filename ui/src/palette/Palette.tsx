import { useCell } from "@/app/cell";
import { commands } from "@/app/commands";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";

/** Placeholder: the command palette replaces it. */
export default function Palette({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Commands" onClose={onClose}>
      <div className="grid">
        {useCell(commands).map((command) => (
          <Button
            key={command.id}
            look="ghost"
            onClick={() => {
              onClose();
              command.run();
            }}
          >
            {command.title}
          </Button>
        ))}
      </div>
    </Dialog>
  );
}
