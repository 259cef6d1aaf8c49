"""Facts are the same however the events come, and say what happened."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemas import Event
from app.storage.facts import Facts, digest, fold
from app.storage.journal import NewEvent
from tests.storage.frames import action, observed, said, status, upstream


def events_of(rows: list[NewEvent]) -> list[Event]:
    return [
        Event(
            position=position,
            id=row.id,
            task_id="t",
            conversation_id=row.conversation_id,
            seq=row.seq,
            kind=row.kind,
            source=row.source,
            at=datetime(2026, 1, 1, tzinfo=UTC),
            data=row.data,
        )
        for position, row in enumerate(rows, start=1)
    ]


def told(text: str, message_id: str = "m") -> NewEvent:
    data = {"text": text, "digest": digest([{"type": "text", "text": text}])}
    return NewEvent(message_id, "UserMessage", "user", data)


def own(kind: str, **data: object) -> NewEvent:
    return NewEvent(f"own-{kind}-{data}", kind, "twinseat", dict(data))


def after(*rows: NewEvent) -> Facts:
    return fold(Facts(modes=["ask_risky"]), events_of(list(rows)))[0]


STATUSES = ["idle", "running", "paused", "waiting_for_confirmation", "finished", "error", "stuck", "never heard of"]
PROBLEM = {"title": "T", "status": 500, "detail": "D.", "code": "c"}
anything = st.one_of(
    st.sampled_from(STATUSES).map(lambda value: status(0, value)),
    st.sampled_from(["a", "b"]).map(told),
    st.sampled_from(["a", "b"]).map(lambda text: said(0, text)),
    st.integers(0, 5).map(lambda n: action(n, f"echo {n}")),
    st.integers(0, 5).map(lambda n: observed(9, n)),
    st.integers(0, 5).map(lambda n: own("Approval", action_id=f"c-{n}", decision="approved")),
    st.integers(0, 5).map(lambda n: own("Approval", action_id=f"c-{n}", decision="rejected", stop=n > 2)),
    st.sampled_from(["ask_all", "ask_never"]).map(lambda mode: own("ModeChange", mode=mode)),
    st.sampled_from(["AlwaysConfirm", "NeverConfirm"]).map(
        lambda kind: upstream(7, "ConversationStateUpdateEvent", key="confirmation_policy", value={"kind": kind})
    ),
    st.sampled_from(["starting", "ready", "lost"]).map(lambda phase: own("RuntimePhase", phase=phase)),
    st.just(own("RuntimePhase", phase="failed", problem=PROBLEM)),
    st.just(own("BudgetStop", problem=PROBLEM)),
    st.just(upstream(8, "ConversationErrorEvent", code="X", detail="it broke")),
    st.just(upstream(8, "SomethingNew", "agent", anything=[1, {"x": None}])),
)


@given(rows=st.lists(anything, max_size=40), cuts=st.lists(st.integers(0, 40), max_size=5))
@settings(max_examples=300, deadline=None)
def test_folding_in_pieces_is_folding_at_once(rows: list[NewEvent], cuts: list[int]) -> None:
    events = events_of(rows)
    start = Facts(modes=["ask_risky"])
    untouched = start.model_dump_json()
    whole, annotated = fold(start, events)
    assert start.model_dump_json() == untouched
    pieces, seen, last = start, [], 0
    for cut in [*sorted(cuts), len(events)]:
        pieces, some = fold(pieces, events[last : max(cut, last)])
        pieces = Facts.model_validate_json(pieces.model_dump_json())  # as after a restart
        seen += some
        last = max(cut, last)
    assert pieces == whole
    assert seen == annotated


@given(rows=st.lists(anything, max_size=40))
@settings(max_examples=300, deadline=None)
def test_what_holds_in_every_state(rows: list[NewEvent]) -> None:
    facts = after(*rows)
    assert bool(facts.pending) <= (facts.state == "waiting")
    assert (facts.problem is not None) == (facts.state in ("failed", "interrupted", "stopped"))
    assert (facts.activity is not None) == (facts.state in ("running", "starting", "waiting"))
    assert (facts.turn_started_at is not None) == (facts.activity is not None)
    assert all(one.id not in facts.approved for one in facts.pending)


def test_echoes_are_linked_in_order_each_to_one_message() -> None:
    rows = [told("a", "m1"), told("a", "m2"), told("b", "m3"), said(0, "b"), said(1, "a"), said(2, "x"), said(3, "a")]
    facts, events = fold(Facts(), events_of(rows))
    assert [event.data.get("twinseat_message") for event in events[3:]] == ["m3", "m1", None, "m2"]
    assert facts.queue == []


def test_a_turn() -> None:
    waiting = after(told("a"))
    assert (waiting.state, waiting.activity, len(waiting.queue)) == ("running", "Thinking", 1)
    rows = [told("a"), status(0, "idle"), said(1, "a"), status(2, "running"), action(3, "pytest -q")]
    assert after(*rows).activity == "Running pytest -q"
    rows += [observed(4, 3)]
    assert after(*rows).activity == "Thinking"
    rows += [status(5, "finished")]
    assert after(*rows).state == "finished"


def test_an_approval_that_nobody_gave_raises_an_alarm_until_it_is_answered() -> None:
    rows = [status(0, "running"), action(1, "rm -rf x", "HIGH"), status(2, "waiting_for_confirmation")]
    assert after(*rows).pending[0].reason == "This is risky: it deletes files for good."
    approved = own("Approval", action_id="c-1", decision="approved")
    assert after(*rows, approved, status(3, "running")).alarm is None
    alarmed = after(*rows, status(3, "running"))
    assert alarmed.alarm is not None
    assert alarmed.alarm.what == "approval"
    assert after(*rows, status(3, "running"), own("Notice", alarm=alarmed.alarm.position)).alarm is None


def test_policies_that_we_sent_are_expected_in_order() -> None:
    def seen(kind: str) -> NewEvent:
        return upstream(9, "ConversationStateUpdateEvent", key="confirmation_policy", value={"kind": kind})

    both = [own("ModeChange", mode="ask_all"), own("ModeChange", mode="ask_never")]
    assert after(*both, seen("AlwaysConfirm"), seen("NeverConfirm")).alarm is None
    assert after(*both, seen("NeverConfirm")).alarm is None
    assert after(*both, seen("NeverConfirm"), seen("AlwaysConfirm")).alarm is not None
    assert after(seen("NeverConfirm")).alarm is not None


def test_error_without_an_explanation_is_an_interruption() -> None:
    lost = own("RuntimePhase", phase="lost", reason="the agent-server ended")
    assert after(status(0, "running"), lost, status(1, "error")).state == "interrupted"
    back = own("RuntimePhase", phase="ready", status="error")
    assert after(status(0, "running"), lost, back).state == "interrupted"


def test_an_error_is_not_called_an_interruption_before_its_cause_has_arrived() -> None:
    assert after(status(0, "running"), status(1, "error")).state == "running"
    broke = upstream(2, "ConversationErrorEvent", code="X", detail="litellm.APIError: OpenAIException - it broke")
    failed = after(status(0, "running"), status(1, "error"), broke)
    assert failed.state == "failed"
    assert failed.problem is not None
    assert failed.problem.detail == "The agent stopped because of an error: it broke."


def test_other_conversations_of_the_task_do_not_change_what_it_says() -> None:
    foreign = upstream(0, "ConversationStateUpdateEvent", conversation="sub", key="execution_status", value="error")
    assert after(status(0, "running"), foreign).state == "running"
