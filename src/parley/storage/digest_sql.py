"""The statements of digests, built once."""

import sqlalchemy as sa

from parley.storage.clock import now_ms
from parley.storage.outbox_sql import IS_PENDING, STATE_OPEN
from parley.storage.schema import STATE_PENDING, destinations, digests, events, heads, outbox


def _given(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger)


def _given_all(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, expanding=True)


# Compared with as they stand, because a partial index is of no use to a parameter.
_STATE_OWED = sa.literal_column("'owed'", sa.Text)
_HERE = _given("destination")
_DIGEST = _given("digest")
_NO_HANDLE = sa.or_(heads.c.handle.is_(None), heads.c.handle == "")
_WITH_HEADS = outbox.outerjoin(heads, heads.c.id == outbox.c.head_id)

_leader = outbox.alias("leader")
_LED = sa.exists().where(
    _leader.c.head_id == outbox.c.head_id,
    _leader.c.state == STATE_PENDING,
    _leader.c.digest_id.is_not(None),
)

_NEW = sa.and_(
    outbox.c.destination_id == _HERE, IS_PENDING, outbox.c.digest_id.is_(None), _NO_HANDLE, ~_LED
)
"""What would be a message of its own: its head was not posted, nor is it about to be again."""

CROWD = sa.select(sa.func.count()).select_from(
    sa.select(outbox.c.id)
    .where(outbox.c.destination_id == _HERE, IS_PENDING)
    .limit(_given("most"))
    .subquery()
)

WAITING = sa.select(sa.func.count()).select_from(
    sa.select(outbox.c.head_id)
    .select_from(_WITH_HEADS)
    .where(_NEW)
    .distinct()
    .limit(_given("most"))
    .subquery()
)

WEATHER = (
    sa.select(
        (now_ms() - destinations.c.down_since).label("down"),
        digests.c.id.label("digest_id"),
        digests.c.state.label("digest_state"),
        (digests.c.due_at <= now_ms()).label("is_due"),
    )
    .select_from(
        destinations.outerjoin(
            digests,
            sa.and_(digests.c.destination_id == destinations.c.id, digests.c.due_at.is_not(None)),
        )
    )
    .where(destinations.c.id == _HERE)
)

DOWN_SINCE = sa.select(destinations.c.down_since).where(destinations.c.id == _HERE)

OPEN = sa.select(digests).where(digests.c.destination_id == _HERE, digests.c.state == STATE_OPEN)

NEXT_EVENTS = (
    sa.select(outbox.c.event_id)
    .select_from(_WITH_HEADS)
    .where(_NEW)
    .order_by(outbox.c.id)
    .limit(_given("most"))
)

OF_EVENTS = (
    sa.select(
        outbox.c.id,
        outbox.c.event_id,
        outbox.c.configuration,
        outbox.c.action,
        outbox.c.message,
        outbox.c.created_at,
        heads.c.thread_key,
        heads.c.state.label("head_state"),
        events.c.source,
    )
    .select_from(_WITH_HEADS.outerjoin(events, events.c.id == outbox.c.event_id))
    .where(outbox.c.event_id.in_(_given_all("wanted")), _NEW)
    .order_by(outbox.c.id)
)
"""All steps of the events: an event is taken in whole, so that it counts once."""

TAKE_IN = (
    sa.update(outbox)
    .where(outbox.c.id.in_(_given_all("wanted")), IS_PENDING)
    .values(state="digested", digest_id=_DIGEST, done_at=now_ms(), error="")
)

_later = outbox.alias("later")
COLLAPSE_REPLIES = (
    sa.update(outbox)
    .where(
        outbox.c.destination_id == _HERE,
        IS_PENDING,
        outbox.c.action == "reply",
        sa.exists().where(
            _later.c.head_id == outbox.c.head_id,
            _later.c.state == STATE_PENDING,
            _later.c.action == "reply",
            _later.c.id > outbox.c.id,
        ),
    )
    .values(state="superseded", done_at=now_ms())
)
"""Of several replies to one message the last is enough while a storm lasts."""

OWN_LAST = (
    sa.select(outbox)
    .where(outbox.c.event_id == sa.bindparam("own_event", type_=sa.Text))
    .order_by(outbox.c.step.desc())
    .limit(1)
)

RECENT = sa.select(sa.func.count()).select_from(
    sa.select(outbox.c.id)
    .where(outbox.c.digest_id == _DIGEST, outbox.c.created_at > now_ms() - _given("within_ms"))
    .limit(_given("most"))
    .subquery()
)

SHOWN_HEADS = (
    sa.select(outbox.c.id, outbox.c.head_id, heads.c.state)
    .join(heads, heads.c.id == outbox.c.head_id)
    .where(
        outbox.c.digest_id == _DIGEST,
        outbox.c.state == "digested",
        outbox.c.action != "reply",
        heads.c.latest,
        heads.c.handle == "",
    )
    .order_by(outbox.c.id)
)

OWE = sa.update(outbox).where(outbox.c.id.in_(_given_all("wanted"))).values(state="owed")

OWED = (
    sa.select(outbox.c.id, heads.c.handle, heads.c.state, heads.c.message)
    .join(heads, heads.c.id == outbox.c.head_id)
    .where(outbox.c.destination_id == _HERE, outbox.c.state == _STATE_OWED)
    .order_by(outbox.c.id)
    .limit(_given("most"))
)

LEADING = (
    sa.select(sa.func.count())
    .select_from(outbox)
    .where(outbox.c.destination_id == _HERE, IS_PENDING, outbox.c.digest_id.is_not(None))
)
"""Messages of digests, and of alarms that were owed one, that wait to be sent."""

SETTLE = sa.update(outbox).where(outbox.c.id.in_(_given_all("wanted"))).values(state="digested")

RELEASE = (
    sa.update(outbox)
    .where(outbox.c.id == _given("delivery"))
    .values(
        state="pending",
        action="post",
        message=sa.bindparam("shown", type_=sa.Text),
        attempts=0,
        due_at=now_ms(),
        done_at=None,
    )
)

SETTLING = sa.select(digests.c.id).where(
    digests.c.destination_id == _HERE, digests.c.due_at.is_not(None), digests.c.state != STATE_OPEN
)

UNREACHABLE = (
    sa.update(destinations)
    .where(
        destinations.c.id == _given("lease_destination"),
        destinations.c.owner == sa.bindparam("lease_owner", type_=sa.Text),
        destinations.c.epoch == _given("lease_epoch"),
        destinations.c.down_since.is_(None),
    )
    .values(down_since=now_ms())
)
