"""The statements of the outbox, built once: they run several times for every message."""

import sqlalchemy as sa

from parley.storage.clock import earlier, now_ms
from parley.storage.schema import STATE_PENDING, destinations, digests, heads, outbox


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

_digest_waits = sa.exists().where(
    digests.c.destination_id == destinations.c.id, digests.c.due_at.is_not(None)
)

DUE = (
    sa.select(
        destinations.c.id,
        destinations.c.owner,
        destinations.c.platform,
        sa.or_(destinations.c.down_since.is_not(None), _digest_waits).label("stormy"),
    )
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

# Only what has failed waits for its time: what was never tried is due, though a clock that has been
# set back since was ahead when it was stored.
_earlier = outbox.alias("earlier")
_WAITS = sa.exists().where(
    _earlier.c.head_id == outbox.c.head_id,
    _earlier.c.state == STATE_PENDING,
    _earlier.c.id <= outbox.c.id,
    _earlier.c.attempts > 0,
    _earlier.c.due_at > now_ms(),
)

STATE_OPEN = sa.literal_column("'open'", sa.Text)

# Until the storm ends, what would be a message of its own waits to be taken into its digest.
_STORM = sa.exists().where(
    digests.c.destination_id == _given("destination"), digests.c.state == STATE_OPEN
)
_OF_ITS_OWN = sa.and_(
    outbox.c.digest_id.is_(None), sa.or_(heads.c.handle.is_(None), heads.c.handle == "")
)

_SENDABLE = (
    sa.select(
        outbox.c.id,
        outbox.c.event_id,
        outbox.c.configuration,
        outbox.c.action,
        outbox.c.head_id,
        outbox.c.message,
        outbox.c.attempts,
        outbox.c.possible_duplicate,
        outbox.c.due_at,
        outbox.c.created_at,
        (now_ms() - outbox.c.created_at).label("age"),
        heads.c.handle.label("head_handle"),
    )
    .select_from(outbox.outerjoin(heads, heads.c.id == outbox.c.head_id))
    .where(IS_PENDING, ~_WAITS)
    .order_by(outbox.c.id)
    .limit(_given("most"))
)

PENDING = _SENDABLE.where(
    outbox.c.destination_id == _given("destination"), ~sa.and_(_OF_ITS_OWN, _STORM)
)

PENDING_OF_DIGESTS = _SENDABLE.where(
    outbox.c.head_id.in_(
        sa.select(digests.c.id).where(
            digests.c.destination_id == _given("destination"), digests.c.due_at.is_not(None)
        )
    )
)
"""Digests themselves: they speak for many, so they do not wait behind a crowd."""

_ahead = outbox.alias("ahead")
_FIRST_OF_THREAD = ~sa.exists().where(
    _ahead.c.head_id == outbox.c.head_id,
    _ahead.c.state == STATE_PENDING,
    _ahead.c.id < outbox.c.id,
)

PENDING_TRIED = PENDING.where(outbox.c.attempts > 0, _FIRST_OF_THREAD)

PENDING_UNTRIED = PENDING.where(outbox.c.attempts == 0, _FIRST_OF_THREAD)

DOUBT = (
    sa.update(outbox)
    .where(outbox.c.id.in_(sa.bindparam("wanted", expanding=True)))
    .values(possible_duplicate=True)
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
    .values(tokens=sa.bindparam("left", type_=sa.Float), tokens_at=now_ms(), down_since=None)
)
"""Also says that the channel can be reached: something was sent."""

MARK_SENT = (
    sa.update(outbox)
    .where(outbox.c.id == _given("delivery"))
    .values(
        state="sent",
        done_at=now_ms(),
        handle=sa.bindparam("given_handle", type_=sa.Text),
        error="",
        possible_duplicate=sa.bindparam("doubt", type_=sa.Boolean),
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
    possible_duplicate=sa.or_(
        outbox.c.possible_duplicate, sa.bindparam("unanswered", type_=sa.Boolean)
    ),
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

# The others of a thread wait for its first, however long they have been due.
_NEXT_DELIVERY = (
    sa.select(sa.func.min(sa.case((outbox.c.attempts > 0, outbox.c.due_at), else_=0)))
    .where(outbox.c.destination_id == destinations.c.id, IS_PENDING, _FIRST_OF_THREAD)
    .correlate(destinations)
    .scalar_subquery()
)
_NEXT_OF_DIGEST = (
    sa.select(sa.func.min(digests.c.due_at))
    .where(digests.c.destination_id == destinations.c.id, digests.c.due_at.is_not(None))
    .correlate(destinations)
    .scalar_subquery()
)
_NEXT = earlier(_NEXT_DELIVERY, _NEXT_OF_DIGEST)
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
        destinations.c.id.in_(
            sa.union(
                sa.select(outbox.c.destination_id).where(IS_PENDING),
                sa.select(digests.c.destination_id).where(digests.c.due_at.is_not(None)),
            )
        ),
        sa.or_(
            destinations.c.due_at.is_(None),
            sa.and_(destinations.c.due_at > now_ms(), destinations.c.due_at > _ALLOWED),
        ),
    )
    .values(due_at=_ALLOWED)
)

ABANDON = sa.update(destinations).where(MINE).values(lease_until=None)

FORGET_LEASES = (
    sa.update(destinations)
    .where(destinations.c.lease_until.is_not(None))
    .values(epoch=destinations.c.epoch + 1, lease_until=None)
)

BACKLOG = sa.select(sa.func.count()).select_from(outbox).where(IS_PENDING)
