import { keys } from "@/app/keys";
import { Dialog } from "@/components/Dialog";
import { Kbd } from "@/components/Tooltip";

/** Placeholder: the help sheet replaces it. */
export default function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1">
        {Object.values(keys).map(({ combo, label }) => (
          <div key={label} className="contents">
            <dt>{label}</dt>
            <dd>
              <Kbd keys={combo} />
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
