import { memo } from "react";
import { classes } from "./classes";

// Codicons © Microsoft, CC BY 4.0. Only the ones used here are bundled: to use another one, add it to this list.
const sources = import.meta.glob<string>(
  "../../node_modules/@vscode/codicons/src/icons/{add,arrow-down,arrow-left,arrow-right,arrow-up,attach,beaker,book,check,checklist,chevron-down,chevron-right,circle-large,circle-slash,close,cloud,code,comment,copy,debug-continue,debug-disconnect,debug-pause,debug-restart,debug-stop,diff,discard,edit,ellipsis,error,eye,eye-closed,file,files,folder,folder-opened,gear,git-branch,git-commit,graph,info,key,record-keys,lightbulb,list-unordered,loading,lock,menu,new-file,package,pass,pass-filled,play,question,refresh,repo-clone,robot,rocket,search,send,server,shield,symbol-event,terminal,tools,trash,unlock,warning,workspace-untrusted}.svg",
  { query: "?raw", import: "default", eager: true },
);

const shapes = new Map(
  Object.entries(sources).map(([path, svg]) => [
    path.slice(path.lastIndexOf("/") + 1, -".svg".length),
    {
      box: /viewBox="([^"]*)"/.exec(svg)?.[1] ?? "0 0 16 16",
      paths: svg.replace(/^[^]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, ""),
    },
  ]),
);

export const iconNames = [...shapes.keys()];

interface Props {
  name: string;
  /** Edge in pixels; 16 is what the shapes are drawn for. */
  size?: number;
  spin?: boolean;
  className?: string;
  /** Without one the icon is decoration and hidden from screen readers. */
  label?: string;
}

export const CodiconIcon = memo(function CodiconIcon({ name, size = 16, spin, className, label }: Props) {
  return (
    <svg
      viewBox={shapes.get(name)?.box}
      width={size}
      height={size}
      fill="currentColor"
      className={classes("shrink-0", spin && "animate-turn", className)}
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
      dangerouslySetInnerHTML={{ __html: shapes.get(name)?.paths ?? "" }}
    />
  );
});
