"""The tables. Migrations make them; a test holds both against each other.

Ids are ours (`storage.ids`), made before the row is written. Times are milliseconds since 1970 by
the database's clock. Rows that grow with history are found by partial indexes that hold only what
is still pending.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

STATE_PENDING = sa.literal_column("'pending'", sa.Text)
"""Compared with as it stands: a partial index is of no use to a condition with a parameter."""


def _id(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _text(name: str, *, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _time(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


configurations = sa.Table(
    "configurations",
    metadata,
    _id(),
    _text("name", default=None),
    _text("account", default=None),
    _text("platform", default=None),
    _text("channel", default=None),
    sa.Column("group_mentions", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("routing", default="{}"),
    _text("unhealthy"),
    _time("created_at"),
    sa.UniqueConstraint("account", "name", name="configurations_account_name"),
)

configuration_topics = sa.Table(
    "configuration_topics",
    metadata,
    sa.Column("configuration_id", sa.BigInteger, nullable=False),
    _text("topic", default=None),
    sa.PrimaryKeyConstraint("configuration_id", "topic"),
)

configuration_queues = sa.Table(
    "configuration_queues",
    metadata,
    sa.Column("configuration_id", sa.BigInteger, nullable=False),
    _text("queue", default=None),
    sa.PrimaryKeyConstraint("configuration_id", "queue"),
)

destinations = sa.Table(
    "destinations",
    metadata,
    _id(),
    _text("platform", default=None),
    _text("channel", default=None),
    _text("owner"),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
    _time("lease_until", nullable=True),
    _time("due_at", nullable=True),
    _time("retry_after", nullable=True),
    sa.Column("tokens", sa.Float, nullable=False, server_default="-1"),
    _time("tokens_at", nullable=True),
    _time("down_since", nullable=True),
    sa.UniqueConstraint("platform", "channel", name="destinations_place"),
    sa.Index("destinations_due", "due_at", sqlite_where=sa.text("due_at IS NOT NULL"),
             postgresql_where=sa.text("due_at IS NOT NULL")),
)  # fmt: skip
"""`due_at` is null when nothing waits, and never before `retry_after`, until which the whole
channel must be left alone; `tokens` is -1 until the channel was first written to."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _time("received_at"),
    _time("occurred_at", nullable=True),
    _text("source"),
    _text("kind"),
    _text("account"),
    _text("region"),
    _text("topic"),
    _text("title"),
    _text("tone"),
    _text("raw"),
    sa.Index("events_received", "received_at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    _id(),
    _text("event_id", default=None),
    sa.Column("destination_id", sa.BigInteger, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    _text("configuration"),
    _text("action", default=None),
    sa.Column("head_id", sa.BigInteger, nullable=False),
    _text("message", default=None),
    _text("state", default="pending"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    _time("due_at"),
    _text("error"),
    _text("handle"),
    _time("created_at"),
    _time("done_at", nullable=True),
    sa.Column("possible_duplicate", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("digest_id", sa.BigInteger, nullable=True),
    sa.UniqueConstraint("event_id", "destination_id", "step", name="outbox_step"),
    sa.Index("outbox_pending", "destination_id", "id", sqlite_where=sa.text("state = 'pending'"),
             postgresql_where=sa.text("state = 'pending'")),
    sa.Index("outbox_pending_thread", "head_id", "id", sqlite_where=sa.text("state = 'pending'"),
             postgresql_where=sa.text("state = 'pending'")),
    sa.Index("outbox_digest", "digest_id", "id",
             sqlite_where=sa.text("digest_id IS NOT NULL"),
             postgresql_where=sa.text("digest_id IS NOT NULL")),
    sa.Index("outbox_owed", "destination_id", "id", sqlite_where=sa.text("state = 'owed'"),
             postgresql_where=sa.text("state = 'owed'")),
    sa.Index("outbox_dead", "id", sqlite_where=sa.text("state = 'dead'"),
             postgresql_where=sa.text("state = 'dead'")),
)  # fmt: skip
"""`state` is pending, sent, superseded (a later edit said more), digested (shown in a digest), owed
(in a digest that has ended, and becomes pending when the channel has room) or dead.

`possible_duplicate` says that a worker may have sent it before it died, `digest_id` in which
digest it is shown.
"""

digests = sa.Table(
    "digests",
    metadata,
    _id(),
    sa.Column("destination_id", sa.BigInteger, nullable=False),
    _text("state", default="open"),
    _text("content", default=None),
    _time("opened_at"),
    _time("last_event_at"),
    _time("closed_at", nullable=True),
    _time("due_at", nullable=True),
    sa.Index("digests_open", "destination_id", unique=True,
             sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")),
    sa.Index("digests_due", "destination_id", sqlite_where=sa.text("due_at IS NOT NULL"),
             postgresql_where=sa.text("due_at IS NOT NULL")),
)  # fmt: skip
"""A storm shown as one message; its id is that of the delivery that posts it.

`state` is open or closed; `due_at` is null when nothing has to be done for it any more.
"""

timers = sa.Table(
    "timers",
    metadata,
    _id(),
    _text("kind", default=None),
    _text("subject", default=None),
    _text("payload"),
    _time("due_at"),
    _text("state", default="pending"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    _text("error"),
    _text("owner"),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
    _time("lease_until", nullable=True),
    _time("done_at", nullable=True),
    sa.UniqueConstraint("kind", "subject", name="timers_subject"),
    sa.Index("timers_due", "kind", "due_at", sqlite_where=sa.text("state = 'pending'"),
             postgresql_where=sa.text("state = 'pending'")),
    sa.Index("timers_done", "done_at", sqlite_where=sa.text("state = 'done'"),
             postgresql_where=sa.text("state = 'done'")),
)  # fmt: skip
"""Things to do at a time, each once: `state` is pending, done or dead."""

heads = sa.Table(
    "heads",
    metadata,
    _id(),
    sa.Column("destination_id", sa.BigInteger, nullable=False),
    _text("thread_key", default=None),
    sa.Column("latest", sa.Boolean, nullable=False),
    _text("state", default=None),
    _text("message", default=None),
    _text("handle"),
    _time("updated_at"),
    sa.Index("heads_latest", "thread_key", "destination_id", unique=True,
             sqlite_where=sa.text("latest"), postgresql_where=sa.text("latest")),
)  # fmt: skip
"""The head message of a thread; its id is that of the delivery that posts it."""

IS_LATEST = sa.text("heads.latest")
"""The condition of the partial index, word for word: SQLAlchemy's own `latest = 1` misses it."""

rooms = sa.Table(
    "rooms",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("last_seq", sa.BigInteger, nullable=False, server_default="0"),
    _time("created_at"),
)

room_messages = sa.Table(
    "room_messages",
    metadata,
    _id(),
    _text("room", default=None),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("root", sa.BigInteger, nullable=True),
    _text("author_id"),
    _text("author_name"),
    _text("text"),
    sa.Column("message", sa.Text, nullable=True),
    _text("event_id"),
    _time("created_at"),
    _time("edited_at", nullable=True),
    sa.Column("replies", sa.Integer, nullable=False, server_default="0"),
    _time("last_reply_at", nullable=True),
    sa.Index("room_messages_heads", "room", "id", sqlite_where=sa.text("root IS NULL"),
             postgresql_where=sa.text("root IS NULL")),
    sa.Index("room_messages_thread", "root", "id", sqlite_where=sa.text("root IS NOT NULL"),
             postgresql_where=sa.text("root IS NOT NULL")),
)  # fmt: skip

room_changes = sa.Table(
    "room_changes",
    metadata,
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    _text("kind", default=None),
    sa.Column("message_id", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("room", "seq"),
)

room_readers = sa.Table(
    "room_readers",
    metadata,
    _text("person", default=None),
    _text("room", default=None),
    sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("muted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.PrimaryKeyConstraint("person", "room"),
)

sign_in_links = sa.Table(
    "sign_in_links",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    _text("person", default=None),
    _time("expires_at"),
    _time("used_at", nullable=True),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),
    _text("person", default=None),
    _time("created_at"),
    _time("expires_at"),
)

notices = sa.Table(
    "notices",
    metadata,
    sa.Column("cause", sa.Text, primary_key=True),
    _time("told_at"),
    sa.Column("well", sa.Boolean, nullable=False, server_default=sa.false()),
)
