import { useState } from "react";
import { useWorkspaces } from "@/api/queries";
import type { RuntimeStatus, Workspace } from "@/api/types";
import { overlay } from "@/app/overlay";
import { select } from "@/app/selection";
import { Chip } from "@/components/Chip";
import { Menu, MenuItem, MenuLabel, MenuLine } from "@/components/Menu";
import { placeWords } from "./place";

const icons: Record<Workspace["runtime"], string> = {
  local: "folder",
  docker: "package",
  daytona: "cloud",
  remote: "server",
};

/** Where the work happens: the workspace, its place in words, and the way to another one. */
export function WorkspaceMenu({ workspace, status }: { workspace: Workspace | null; status?: RuntimeStatus }) {
  const all = useWorkspaces().data ?? [];
  const [open, setOpen] = useState(false);
  const place = workspace ? status?.place || placeWords[workspace.runtime] : "";
  return (
    <Menu
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Chip
          icon={workspace ? icons[workspace.runtime] : "folder"}
          aria-label={workspace ? `Workspace ${workspace.name}: ${place}` : "Open a folder"}
          title={workspace ? `${workspace.path}\n${place}` : undefined}
          className="max-w-7 shrink-0 @sm:max-w-24 @xl:max-w-36 @3xl:max-w-80"
        >
          {workspace?.name ?? "No folder"}
          {place && <span className="hidden text-faint @3xl:inline"> · {place}</span>}
        </Chip>
      }
    >
      {workspace && (
        <div className="px-2 pt-1 pb-1.5">
          <div className="text-fg">{place}</div>
          <div className="text-sm break-all text-mute">{workspace.path}</div>
        </div>
      )}
      <MenuLine />
      <MenuLabel>Workspaces</MenuLabel>
      {all.map((one) => (
        <MenuItem
          key={one.id}
          checked={one.id === workspace?.id}
          hint={one.exists ? undefined : "The folder is gone"}
          onSelect={() => select(one.id)}
        >
          {one.name}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem icon="folder-opened" onSelect={() => overlay.set("folder")}>
        Open a workspace…
      </MenuItem>
    </Menu>
  );
}
