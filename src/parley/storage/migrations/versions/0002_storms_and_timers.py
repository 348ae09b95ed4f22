"""Storms as digests, possible duplicates, durable timers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _text(name: str, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _big(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=default)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False)


def _partial(
    name: str, table: str, columns: list[str], where: str, *, unique: bool = False
) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def upgrade() -> None:
    """Add columns and tables; what is there stays as it is."""
    op.add_column("destinations", _big("down_since", nullable=True))
    op.add_column(
        "outbox",
        sa.Column("possible_duplicate", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("outbox", _big("digest_id", nullable=True))
    _partial("outbox_owed", "outbox", ["destination_id", "id"], "state = 'owed'")
    _partial("outbox_digest", "outbox", ["digest_id", "id"], "digest_id IS NOT NULL")
    op.create_table(
        "digests",
        _id(),
        _big("destination_id"),
        _text("state", "open"),
        _text("content", None),
        _big("opened_at"),
        _big("last_event_at"),
        _big("closed_at", nullable=True),
        _big("due_at", nullable=True),
    )
    _partial("digests_due", "digests", ["destination_id"], "due_at IS NOT NULL")
    _partial("digests_open", "digests", ["destination_id"], "state = 'open'", unique=True)
    op.create_table(
        "timers",
        _id(),
        _text("kind", None),
        _text("subject", None),
        _text("payload"),
        _big("due_at"),
        _text("state", "pending"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        _text("error"),
        _text("owner"),
        _big("epoch", default="0"),
        _big("lease_until", nullable=True),
        _big("done_at", nullable=True),
        sa.UniqueConstraint("kind", "subject", name="timers_subject"),
    )
    _partial("timers_due", "timers", ["kind", "due_at"], "state = 'pending'")
    _partial("timers_done", "timers", ["done_at"], "state = 'done'")
