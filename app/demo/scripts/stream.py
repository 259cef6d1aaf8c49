"""A long text, for measuring how fast deltas travel. Numbered, so that a lost or doubled one shows."""

from app.demo.chat import Chat, Turn

DEFAULT = 200


def text(tokens: int) -> str:
    """The text of `stream-<tokens>`: that many tokens as the server cuts them (a word with its space)."""
    return "".join(f"w{index}\n" if index % 12 == 11 else f"w{index} " for index in range(tokens))


def next_turn(chat: Chat, number: int | None) -> Turn:
    """`number` tokens of text, no tool calls."""
    del chat
    return Turn(text=text(number or DEFAULT))
