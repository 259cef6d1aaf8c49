import type { Task } from "@/api/types";
import { cell } from "@/app/cell";

/** The task whose deletion waits for a yes. */
export const toDelete = cell<Task | null>(null);
