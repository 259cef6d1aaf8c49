"""N file edits, then finish: the first creates a file, each later one replaces its only line."""

from app.demo.chat import Call, Chat, Turn

DEFAULT = 50


def next_turn(chat: Chat, number: int | None) -> Turn:
    """Step `i` turns `edit i-1` into `edit i`."""
    total = number or DEFAULT
    step = chat.step
    if step >= total:
        return Turn(calls=(Call("finish", {"message": f"Made {total} edits."}),))
    path = f"{chat.folder}/edits-{chat.round}.txt"
    if step == 0:
        arguments = {"command": "create", "path": path, "file_text": "edit 0\n"}
    else:
        arguments = {
            "command": "str_replace",
            "path": path,
            "old_str": f"edit {step - 1}\n",
            "new_str": f"edit {step}\n",
        }
    return Turn(calls=(Call("file_editor", arguments, f"Edit {step}"),))
