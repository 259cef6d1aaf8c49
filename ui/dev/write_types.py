"""Writes src/api/types.ts from app/schemas.py, so that the shapes of the API are named in one place.

Run from the repository's root after every change of the schemas: `python ui/dev/write_types.py`.
`--check` writes nothing and exits 1 when the file is out of date.
"""

import sys
import types
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAliasType, Union, get_args, get_origin

from pydantic import BaseModel

TARGET = Path(__file__).resolve().parents[1] / "src" / "api" / "types.ts"


def expression(annotation: object, aliases: dict[tuple[object, ...], str]) -> str:
    """The TypeScript type of one annotation."""
    origin = get_origin(annotation)
    if origin is Literal:
        values = get_args(annotation)
        return aliases.get(values) or " | ".join(f'"{value}"' for value in values)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(expression(part, aliases) for part in get_args(annotation)))
    if origin is list:
        inner = expression(get_args(annotation)[0], aliases)
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<string, {expression(get_args(annotation)[1], aliases)}>"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__
    simple: dict[object, str] = {
        str: "string",
        int: "number",
        float: "number",
        bool: "boolean",
        datetime: "string",
        type(None): "null",
        Any: "unknown",
    }
    return simple[annotation]


def render() -> str:
    """The whole file. A field with a default may be left out of a request, but is always in an answer."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from app import schemas

    members = vars(schemas)
    aliases: dict[tuple[object, ...], str] = {}
    lines = ["// Written by ui/dev/write_types.py from app/schemas.py. Do not edit.", ""]
    for name, member in members.items():
        if isinstance(member, TypeAliasType) or name in {"Any", "Literal"}:
            continue
        if get_origin(member) is Literal:
            aliases[get_args(member)] = name
            lines += [f"export type {name} = " + " | ".join(f'"{value}"' for value in get_args(member)) + ";", ""]
        elif isinstance(member, type) and issubclass(member, BaseModel) and member.__module__ == schemas.__name__:
            if not member.model_fields:
                continue
            request = name.startswith("New") or name.endswith("Patch") or name in REQUESTS
            if summary := (member.__doc__ or "").strip():
                lines.append("/** " + " ".join(summary.split()) + " */")
            lines.append(f"export interface {name} {{")
            for field, info in member.model_fields.items():
                if info.description:
                    lines.append(f"  /** {info.description} */")
                optional = "?" if request and not info.is_required() else ""
                lines.append(f"  {field}{optional}: {expression(info.annotation, aliases)};")
            lines += ["}", ""]
    return "\n".join(lines)


REQUESTS = {
    "Attachment",
    "Clone",
    "DiffInEditor",
    "GitDecision",
    "ImageInput",
    "OpenInEditor",
    "Probe",
    "Rejection",
    "SecretValue",
    "SignIn",
    "TrustDecision",
}

if __name__ == "__main__":
    text = render()
    if "--check" in sys.argv:
        sys.exit(TARGET.read_text() != text)
    TARGET.write_text(text)
