import type { Workspace } from "@/api/types";

/** Where a workspace runs, in words, until its runtime says it better. */
export const placeWords: Record<Workspace["runtime"], string> = {
  local: "Local, not contained",
  docker: "Docker, contained",
  daytona: "Daytona",
  remote: "Remote",
};
