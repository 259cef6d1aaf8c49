"""The first stored format: workspaces, tasks, conversations, events, outbox, usage, tokens, idempotency."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False, comment="digest of method, path and body"),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_idempotency_created", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("workspace_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("titled", sa.Integer(), nullable=False, comment="1 when the user named it"),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=True),
        sa.Column("model_name", sa.String(), nullable=True),
        sa.Column("budget_usd", sa.Float(), nullable=True),
        sa.Column("state", sa.String(), nullable=False, comment="copy of facts.state, to select by"),
        sa.Column("facts", sa.Text(), nullable=False, comment="app.storage.facts.Facts as JSON"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_tasks_created", "tasks", ["created_at", "id"], unique=False)
    op.create_index("ix_tasks_workspace", "tasks", ["workspace_id", "created_at"], unique=False)
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("runtime", sa.String(), nullable=False),
        sa.Column("trust", sa.String(), nullable=False),
        sa.Column("git_decision", sa.String(), nullable=True),
        sa.Column("editor_port", sa.Integer(), nullable=True),
        sa.Column("editor_secret", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("last_opened_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="main, fork or sub"),
        sa.Column("parent_id", sa.String(), nullable=True),
        sa.Column("made", sa.Integer(), nullable=False, comment="1 once the agent-server has it"),
        sa.Column("settled", sa.Integer(), nullable=False, comment="1 when everything of it is in the journal"),
        sa.Column("mode", sa.String(), nullable=True, comment="the mode last put to the agent-server"),
        sa.Column("model_id", sa.String(), nullable=True, comment="the model last put to the agent-server"),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_conversations_task", "conversations", ["task_id", "created_at"], unique=False)
    op.create_table(
        "events",
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "uq_events_own",
        "events",
        ["task_id", "id"],
        unique=True,
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.create_index(
        "uq_events_upstream",
        "events",
        ["conversation_id", "seq"],
        unique=True,
        sqlite_where=sa.text("seq IS NOT NULL"),
        postgresql_where=sa.text("seq IS NOT NULL"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(), nullable=False, comment="the UserMessage event's id"),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False, comment="what is sent to the agent-server, JSON"),
        sa.Column("state", sa.String(), nullable=False, comment="waiting, sending or sent"),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", "task_id"),
    )
    op.create_index("ix_outbox_task", "outbox", ["task_id", "position"], unique=False)
    op.create_table(
        "tokens",
        sa.Column(
            "digest", sa.String(), nullable=False, comment="SHA-256 of the token; the token itself is never stored"
        ),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_tokens_task", "tokens", ["task_id"], unique=False)
    op.create_table(
        "usage",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cached_tokens", sa.Integer(), nullable=False),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=False),
        sa.Column("estimated", sa.Integer(), nullable=False),
        sa.Column("priced", sa.Integer(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_usage_task", "usage", ["task_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("A journal is never taken back to an older format: restore a copy instead.")
