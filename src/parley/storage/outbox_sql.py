"""The statements of the outbox, built once: they run several times for every message."""

import sqlalchemy as sa

from parley.storage.clock import now_ms
from parley.storage.schema import STATE_PENDING, destinations, heads, outbox


def _given(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.BigInteger)


IS_PENDING = outbox.c.state == STATE_PENDING

# Every write of a worker names its lease by these three.
MINE = sa.and_(
    destinations.c.id == _given("lease_destination"),
    destinations.c.owner == sa.bindparam("lease_owner", type_=sa.Text),
    destinations.c.epoch == _given("lease_epoch"),
)
_HELD = sa.exists().where(MINE)

_FREE = sa.or_(destinations.c.lease_until.is_(None), destinations.c.lease_until < now_ms())

DUE = (
    sa.select(destinations.c.id)
    .where(destinations.c.due_at <= now_ms(), _FREE)
    .order_by(destinations.c.due_at)
    .limit(_given("most"))
    .with_for_update(skip_locked=True)
)

TAKE = (
    sa.update(destinations)
    .where(destinations.c.id.in_(sa.bindparam("wanted", expanding=True)))
    .values(
        owner=sa.bindparam("by", type_=sa.Text),
        epoch=destinations.c.epoch + 1,
        lease_until=now_ms() + _given("lease_ms"),
    )
    .returning(
        destinations.c.id,
        destinations.c.platform,
        destinations.c.channel,
        destinations.c.epoch,
        destinations.c.tokens,
        (now_ms() - destinations.c.tokens_at).label("rested"),
    )
)

RENEW = (
    sa.update(destinations)
    .where(
        sa.tuple_(destinations.c.id, destinations.c.epoch).in_(
            sa.bindparam("leases", expanding=True)
        ),
        destinations.c.owner == sa.bindparam("by", type_=sa.Text),
    )
    .values(lease_until=now_ms() + _given("lease_ms"))
    .returning(destinations.c.id, destinations.c.epoch)
)

_earlier = outbox.alias("earlier")
_WAITS = sa.exists().where(
    _earlier.c.head_id == outbox.c.head_id,
    _earlier.c.state == STATE_PENDING,
    _earlier.c.id <= outbox.c.id,
    _earlier.c.due_at > now_ms(),
)

PENDING = (
    sa.select(
        outbox.c.id,
        outbox.c.event_id,
        outbox.c.configuration,
        outbox.c.action,
        outbox.c.head_id,
        outbox.c.message,
        outbox.c.attempts,
        outbox.c.created_at,
        (now_ms() - outbox.c.created_at).label("age"),
        heads.c.handle.label("head_handle"),
    )
    .select_from(outbox.outerjoin(heads, heads.c.id == outbox.c.head_id))
    .where(outbox.c.destination_id == _given("destination"), IS_PENDING, ~_WAITS)
    .order_by(outbox.c.id)
    .limit(_given("most"))
)

HOLD = sa.select(destinations.c.id).where(MINE).with_for_update()
"""Finds the row while the lease is held, and locks it: nobody takes the lease over meanwhile."""

LEASES = (
    sa.select(destinations.c.id, destinations.c.owner, destinations.c.epoch)
    .where(destinations.c.id.in_(sa.bindparam("wanted", expanding=True)))
    .order_by(destinations.c.id)
    .with_for_update()
)
"""Who holds these now; nobody takes them over before this transaction ends."""

STILL_PENDING = sa.select(outbox.c.id).where(
    outbox.c.id.in_(sa.bindparam("wanted", expanding=True)), IS_PENDING
)

SET_PACE = (
    sa.update(destinations)
    .where(destinations.c.id == _given("lease_destination"))
    .values(tokens=sa.bindparam("left", type_=sa.Float), tokens_at=now_ms())
)

MARK_SENT = (
    sa.update(outbox)
    .where(outbox.c.id == _given("delivery"))
    .values(
        state="sent",
        done_at=now_ms(),
        handle=sa.bindparam("given_handle", type_=sa.Text),
        error="",
    )
)

KEEP_PACE = (
    sa.update(destinations)
    .where(MINE)
    .values(tokens=sa.bindparam("left", type_=sa.Float), tokens_at=now_ms())
)
"""Also takes the row's lock: a worker that took the lease over waits for this transaction."""

_ONE = sa.update(outbox).where(outbox.c.id == _given("delivery"), IS_PENDING, _HELD)

SENT = _ONE.values(
    state="sent", done_at=now_ms(), handle=sa.bindparam("given_handle", type_=sa.Text), error=""
)

RETRY = _ONE.values(
    attempts=outbox.c.attempts + 1,
    error=sa.bindparam("why", type_=sa.Text),
    due_at=now_ms() + _given("wait_ms"),
)

BURY = _ONE.values(
    attempts=outbox.c.attempts + 1,
    error=sa.bindparam("why", type_=sa.Text),
    state="dead",
    done_at=now_ms(),
)

SUPERSEDE = (
    sa.update(outbox)
    .where(outbox.c.id.in_(sa.bindparam("wanted", expanding=True)), IS_PENDING, _HELD)
    .values(state="superseded", done_at=now_ms())
)

KEEP_HANDLE = (
    sa.update(heads)
    .where(heads.c.id == _given("head"), heads.c.handle == "")
    .values(handle=sa.bindparam("given_handle", type_=sa.Text))
)

_ahead = outbox.alias("ahead")
_FIRST_OF_THREAD = ~sa.exists().where(
    _ahead.c.head_id == outbox.c.head_id,
    _ahead.c.state == STATE_PENDING,
    _ahead.c.id < outbox.c.id,
)

# The others of a thread wait for its first, however long they have been due.
_NEXT = (
    sa.select(sa.func.min(outbox.c.due_at))
    .where(outbox.c.destination_id == destinations.c.id, IS_PENDING, _FIRST_OF_THREAD)
    .correlate(destinations)
    .scalar_subquery()
)
_WAIT_MS = _given("wait_ms")
_EARLIEST = now_ms() + _WAIT_MS

RELEASE = (
    sa.update(destinations)
    .where(MINE)
    .values(
        owner="",
        lease_until=None,
        retry_after=sa.case((_WAIT_MS > 0, _EARLIEST), else_=None),
        due_at=sa.case((_NEXT.is_(None), None), (_NEXT < _EARLIEST, _EARLIEST), else_=_NEXT),
    )
)

_ALLOWED = sa.case(
    (destinations.c.retry_after > _NEXT, destinations.c.retry_after),
    else_=_NEXT,
)

SWEEP = (
    sa.update(destinations)
    .where(
        destinations.c.id.in_(sa.select(outbox.c.destination_id).where(IS_PENDING).distinct()),
        sa.or_(
            destinations.c.due_at.is_(None),
            sa.and_(destinations.c.due_at > now_ms(), destinations.c.due_at > _ALLOWED),
        ),
    )
    .values(due_at=_ALLOWED)
)

FORGET_LEASES = (
    sa.update(destinations)
    .where(destinations.c.lease_until.is_not(None))
    .values(owner="", lease_until=None)
)

BACKLOG = sa.select(sa.func.count()).select_from(outbox).where(IS_PENDING)
