import { CodiconIcon } from "./CodiconIcon";

export function Spinner({ size = 16, label }: { size?: number; label?: string }) {
  return <CodiconIcon name="loading" size={size} spin label={label} />;
}
