"""The tables of the journal's database, as of the newest migration.

Times are ISO 8601 text in UTC, so that they sort as text and survive any driver; JSON is text for the same reason.
"""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

metadata = MetaData()

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("path", String, nullable=False),
    Column("runtime", String, nullable=False),
    Column("trust", String, nullable=False),
    Column("git_decision", String),
    Column("editor_port", Integer),
    Column("editor_secret", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("last_opened_at", String, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", String, primary_key=True),
    Column("workspace_id", String, nullable=False),
    Column("title", String, nullable=False),
    Column("titled", Integer, nullable=False, comment="1 when the user named it"),
    Column("mode", String, nullable=False),
    Column("model_id", String),
    Column("model_name", String),
    Column("budget_usd", Float),
    Column("state", String, nullable=False, comment="copy of facts.state, to select by"),
    Column("facts", Text, nullable=False, comment="app.storage.facts.Facts as JSON"),
    Column("position", Integer, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
)
Index("ix_tasks_created", tasks.c.created_at, tasks.c.id)
Index("ix_tasks_workspace", tasks.c.workspace_id, tasks.c.created_at)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String, primary_key=True),
    Column("task_id", String, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String, nullable=False, comment="main, fork or sub"),
    Column("parent_id", String),
    Column("made", Integer, nullable=False, comment="1 once the agent-server has it"),
    Column("settled", Integer, nullable=False, comment="1 when everything of it is in the journal"),
    Column("mode", String, comment="the mode last put to the agent-server"),
    Column("model_id", String, comment="the model last put to the agent-server"),
    Column("created_at", String, nullable=False),
)
Index("ix_conversations_task", conversations.c.task_id, conversations.c.created_at)

events = Table(
    "events",
    metadata,
    Column("task_id", String, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
    Column("conversation_id", String),
    Column("seq", Integer),
    Column("kind", String, nullable=False),
    Column("source", String, nullable=False),
    Column("at", String, nullable=False),
    Column("data", Text, nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "uq_events_upstream",
    events.c.conversation_id,
    events.c.seq,
    unique=True,
    sqlite_where=text("seq IS NOT NULL"),
    postgresql_where=text("seq IS NOT NULL"),
)
Index(
    "uq_events_own",
    events.c.task_id,
    events.c.id,
    unique=True,
    sqlite_where=text("seq IS NULL"),
    postgresql_where=text("seq IS NULL"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String, primary_key=True, comment="the UserMessage event's id"),
    Column("task_id", String, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("content", Text, nullable=False, comment="what is sent to the agent-server, JSON"),
    Column("state", String, nullable=False, comment="waiting, sending or sent"),
    Column("created_at", String, nullable=False),
)
Index("ix_outbox_task", outbox.c.task_id, outbox.c.position)

usage = Table(
    "usage",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("task_id", String, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("at", String, nullable=False),
    Column("model", String),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("reasoning_tokens", Integer, nullable=False),
    Column("cost_usd", Float, nullable=False),
    Column("estimated", Integer, nullable=False),
    Column("priced", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
)
Index("ix_usage_task", usage.c.task_id)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", String, primary_key=True, comment="SHA-256 of the token; the token itself is never stored"),
    Column("task_id", String, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", String, nullable=False),
)
Index("ix_tokens_task", tokens.c.task_id)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String, primary_key=True),
    Column("request", String, nullable=False, comment="digest of method, path and body"),
    Column("status", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", String, nullable=False),
)
Index("ix_idempotency_created", idempotency.c.created_at)
