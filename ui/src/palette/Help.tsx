import { keys, type KeyName } from "@/app/keys";
import { Dialog } from "@/components/Dialog";
import { Kbd } from "@/components/Tooltip";

const groups: { title: string; names: KeyName[] }[] = [
  { title: "Anywhere in the chat", names: ["palette", "help", "settings", "tasks", "newTask", "composer", "editor"] },
  { title: "The task", names: ["menu", "rename", "pause", "plan", "review", "newest"] },
  { title: "Writing", names: ["send", "newline", "interrupt", "attach", "mode", "model", "budget"] },
  { title: "A question from the agent", names: ["approval", "approve", "reject"] },
];

/** Every key on one sheet. Keys named nowhere above still show, under the last heading. */
export default function Help({ onClose }: { onClose: () => void }) {
  const named = new Set(groups.flatMap(({ names }) => names));
  const rest = (Object.keys(keys) as KeyName[]).filter((name) => !named.has(name));
  const all = rest.length ? [...groups, { title: "More", names: rest }] : groups;
  return (
    <Dialog title="Keys" onClose={onClose} className="w-150">
      <p className="mb-4 text-mute">
        They work while the focus is in the chat. In the editor, VS Code keeps all of its own.
      </p>
      <div className="grid gap-x-8 gap-y-5 sm:grid-cols-2">
        {all.map(({ title, names }) => (
          <section key={title}>
            <h3 className="mb-1 font-semibold text-strong">{title}</h3>
            <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1">
              {names.map((name) => (
                <div key={name} className="contents">
                  <dt>{keys[name].label}</dt>
                  <dd className="text-right">
                    <Kbd keys={keys[name].combo} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
