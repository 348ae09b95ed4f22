"""The base: configurations, events, deliveries, the web chat, sign-in, notices."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_PENDING = sa.text("state = 'pending'")
_DEAD = sa.text("state = 'dead'")


def _text(name: str, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _big(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=default)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    """Make every table."""
    _configurations()
    _delivery()
    _web_chat()
    _people()
    _search()


def _configurations() -> None:
    op.create_table(
        "configurations",
        _id(),
        _text("name", None),
        _text("account", None),
        _text("platform", None),
        _text("channel", None),
        _flag("group_mentions"),
        _text("routing", "{}"),
        _text("unhealthy"),
        _big("created_at"),
        sa.UniqueConstraint("account", "name", name="configurations_account_name"),
    )
    for table, column in (("configuration_topics", "topic"), ("configuration_queues", "queue")):
        op.create_table(
            table,
            _big("configuration_id"),
            _text(column, None),
            sa.PrimaryKeyConstraint("configuration_id", column),
        )


def _delivery() -> None:
    op.create_table(
        "destinations",
        _id(),
        _text("platform", None),
        _text("channel", None),
        _text("owner"),
        _big("epoch", default="0"),
        _big("lease_until", nullable=True),
        _big("due_at", nullable=True),
        _big("retry_after", nullable=True),
        sa.Column("tokens", sa.Float(), nullable=False, server_default="-1"),
        _big("tokens_at", nullable=True),
        sa.UniqueConstraint("platform", "channel", name="destinations_place"),
    )
    _partial("destinations_due", "destinations", ["due_at"], sa.text("due_at IS NOT NULL"))
    op.create_table(
        "events",
        sa.Column("id", sa.Text(), primary_key=True),
        _big("received_at"),
        _big("occurred_at", nullable=True),
        *(_text(name) for name in ("source", "kind", "account", "region", "topic")),
        *(_text(name) for name in ("title", "tone", "raw")),
    )
    op.create_index("events_received", "events", ["received_at"])
    op.create_table(
        "outbox",
        _id(),
        _text("event_id", None),
        _big("destination_id"),
        sa.Column("step", sa.Integer(), nullable=False),
        _text("configuration"),
        _text("action", None),
        _big("head_id"),
        _text("message", None),
        _text("state", "pending"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        _big("due_at"),
        _text("error"),
        _text("handle"),
        _big("created_at"),
        _big("done_at", nullable=True),
        sa.UniqueConstraint("event_id", "destination_id", "step", name="outbox_step"),
    )
    _partial("outbox_pending", "outbox", ["destination_id", "id"], _PENDING)
    _partial("outbox_pending_thread", "outbox", ["head_id", "id"], _PENDING)
    _partial("outbox_dead", "outbox", ["id"], _DEAD)
    op.create_table(
        "heads",
        _id(),
        _big("destination_id"),
        _text("thread_key", None),
        sa.Column("latest", sa.Boolean(), nullable=False),
        _text("state", None),
        _text("message", None),
        _text("handle"),
        _big("updated_at"),
    )
    op.create_index(
        "heads_latest",
        "heads",
        ["thread_key", "destination_id"],
        unique=True,
        sqlite_where=sa.text("latest"),
        postgresql_where=sa.text("latest"),
    )


def _web_chat() -> None:
    op.create_table(
        "rooms",
        sa.Column("name", sa.Text(), primary_key=True),
        _big("last_seq", default="0"),
        _big("created_at"),
    )
    op.create_table(
        "room_messages",
        _id(),
        _text("room", None),
        _big("seq"),
        _big("root", nullable=True),
        _text("author_id"),
        _text("author_name"),
        _text("text"),
        sa.Column("message", sa.Text(), nullable=True),
        _text("event_id"),
        _big("created_at"),
        _big("edited_at", nullable=True),
        sa.Column("replies", sa.Integer(), nullable=False, server_default="0"),
        _big("last_reply_at", nullable=True),
    )
    _partial("room_messages_heads", "room_messages", ["room", "id"], sa.text("root IS NULL"))
    _partial("room_messages_thread", "room_messages", ["root", "id"], sa.text("root IS NOT NULL"))
    op.create_table(
        "room_changes",
        _text("room", None),
        _big("seq"),
        _text("kind", None),
        _big("message_id"),
        sa.PrimaryKeyConstraint("room", "seq"),
    )
    op.create_table(
        "room_readers",
        _text("person", None),
        _text("room", None),
        _big("seq", default="0"),
        _flag("muted"),
        sa.PrimaryKeyConstraint("person", "room"),
    )


def _people() -> None:
    op.create_table(
        "sign_in_links",
        sa.Column("hash", sa.Text(), primary_key=True),
        _text("person", None),
        _big("expires_at"),
        _big("used_at", nullable=True),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.Text(), primary_key=True),
        _text("person", None),
        _big("created_at"),
        _big("expires_at"),
    )
    op.create_table(
        "notices",
        sa.Column("cause", sa.Text(), primary_key=True),
        _big("told_at"),
        _flag("well"),
    )


def _search() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE room_search USING fts5(body, room UNINDEXED)")
        return
    op.execute(
        "CREATE TABLE room_search (rowid BIGINT PRIMARY KEY, room TEXT NOT NULL, "
        "body TEXT NOT NULL, words tsvector GENERATED ALWAYS AS "
        "(array_to_tsvector(string_to_array(body, ' '))) STORED)"
    )
    op.execute("CREATE INDEX room_search_words ON room_search USING gin (words)")
