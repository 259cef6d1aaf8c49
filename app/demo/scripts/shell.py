"""N shell steps that do next to nothing, then finish: what a step costs besides the model."""

from app.demo.chat import Call, Chat, Turn

DEFAULT = 50


def next_turn(chat: Chat, number: int | None) -> Turn:
    """Step `i` echoes its own number."""
    total = number or DEFAULT
    if chat.step < total:
        return Turn(calls=(Call("terminal", {"command": f"echo step-{chat.step}"}, f"Shell step {chat.step}"),))
    return Turn(calls=(Call("finish", {"message": f"Ran {total} shell steps."}),))
