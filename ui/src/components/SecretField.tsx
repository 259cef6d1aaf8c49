import { useState, type ReactNode } from "react";
import { IconButton } from "./IconButton";
import { TextField } from "./TextField";

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  hint?: ReactNode;
  autoFocus?: boolean;
}

/** A field for a key: hidden unless asked for, and kept from the browser's password store. */
export function SecretField({ label, value, onChange, placeholder, hint, autoFocus }: Props) {
  const [shown, setShown] = useState(false);
  return (
    <TextField
      label={label}
      type={shown ? "text" : "password"}
      autoComplete="new-password"
      placeholder={placeholder}
      value={value}
      hint={hint}
      autoFocus={autoFocus}
      className="[&_input]:font-mono"
      onChange={(event) => onChange(event.target.value)}
      end={
        <IconButton
          icon={shown ? "eye-closed" : "eye"}
          label={shown ? "Hide the key" : "Show the key"}
          className="size-5!"
          onClick={() => setShown(!shown)}
        />
      }
    />
  );
}
