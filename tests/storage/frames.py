"""Events as the agent-server sends them, for tests: the shapes are those of 1.58, cut down."""

from typing import Any

from app.storage.journal import NewEvent, source_of


def upstream(seq: int, kind: str, source: str = "environment", conversation: str = "c", **data: Any) -> NewEvent:
    body = {"id": f"{conversation}-{seq}", "kind": kind, "source": source, **data}
    return NewEvent(body["id"], kind, source_of(source), body, conversation_id=conversation, seq=seq)


def status(seq: int, value: str) -> NewEvent:
    return upstream(seq, "ConversationStateUpdateEvent", key="execution_status", value=value)


def said(seq: int, text: str, source: str = "user") -> NewEvent:
    return upstream(seq, "MessageEvent", source, llm_message={"content": [{"type": "text", "text": text}]})


def action(seq: int, command: str, risk: str = "LOW") -> NewEvent:
    return upstream(
        seq,
        "ActionEvent",
        "agent",
        tool_name="terminal",
        tool_call_id=f"call-{seq}",
        action={"kind": "TerminalAction", "command": command},
        security_risk=risk,
    )


def observed(seq: int, action_seq: int) -> NewEvent:
    return upstream(seq, "ObservationEvent", action_id=f"c-{action_seq}", observation={"kind": "TerminalObservation"})
