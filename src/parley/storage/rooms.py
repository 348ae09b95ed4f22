"""The web chat: rooms, messages, their numbered changes, and what each person has read."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from parley.kernel.errors import NotFound
from parley.kernel.incoming import Person
from parley.kernel.message_json import from_json
from parley.kernel.messages import Message
from parley.kernel.ports.rooms import Change, Posted, Room
from parley.storage import search
from parley.storage.clock import from_ms
from parley.storage.database import Database
from parley.storage.ids import Ids
from parley.storage.rows import insert, storable
from parley.storage.schema import room_changes, room_messages, room_readers, rooms
from parley.storage.showing import Writing

ADMIN = "admin"
"""The room that exists from the start."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What a person typed, where, and what Parley answers."""

    person: Person
    text: str
    root: int | None
    answer: Message | None


class StoredRooms:
    """The web chat on a database. See `parley.kernel.ports.rooms.Rooms`."""

    def __init__(self, database: Database, ids: Ids) -> None:
        """Take the database and what makes ids."""
        self._database = database
        self._ids = ids

    async def list(self, person: Person) -> Sequence[Room]:
        """See `Rooms.list`."""
        return await self._database.read(lambda c: _list(c, person))

    async def history(self, room: str, before: int | None, limit: int) -> Sequence[Posted]:
        """See `Rooms.history`."""
        query = (
            sa.select(room_messages)
            .where(room_messages.c.room == room, room_messages.c.root.is_(None))
            .order_by(room_messages.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(room_messages.c.id < before)
        found = await self._database.read(lambda c: _posted(c, query))
        return found[::-1]

    async def thread(self, root: int) -> Sequence[Posted]:
        """See `Rooms.thread`."""
        head = sa.and_(room_messages.c.id == root, room_messages.c.root.is_(None))
        replies = room_messages.c.root == root
        query = sa.select(room_messages).where(sa.or_(head, replies)).order_by(room_messages.c.id)
        return await self._database.read(lambda c: _posted(c, query))

    async def message(self, message_id: int) -> Posted | None:
        """See `Rooms.message`."""
        query = sa.select(room_messages).where(room_messages.c.id == message_id)
        found = await self._database.read(lambda c: _posted(c, query))
        return found[0] if found else None

    async def changes(self, room: str, after: int, limit: int) -> Sequence[Change]:
        """See `Rooms.changes`."""
        return await self._database.read(lambda c: _changes(c, room, after, limit))

    async def first_change(self, room: str) -> int:
        """See `Rooms.first_change`."""
        return await self._database.read(lambda c: _first_change(c, room))

    async def last_changes(self) -> dict[str, int]:
        """See `Rooms.last_changes`."""
        query = sa.select(rooms.c.name, rooms.c.last_seq)
        rows = await self._database.read(lambda c: c.execute(query).all())
        return {row.name: row.last_seq for row in rows}

    async def search(
        self, words: str, room: str, before: int | None, limit: int
    ) -> Sequence[Posted]:
        """See `Rooms.search`."""
        return await self._database.read(
            lambda c: _in_order(c, search.find(c, words, storable(room), before, limit))
        )

    async def say(
        self, room: str, person: Person, text: str, root: int | None, answer: Message | None
    ) -> Posted:
        """See `Rooms.say`."""
        line = _Line(person, text, root, answer)
        writing = Writing(storable(room), self._ids)
        return await self._database.write(lambda c: _say(c, writing, line))

    async def mark_read(self, person: Person, room: str, seq: int) -> None:
        """See `Rooms.mark_read`."""
        await self._database.write(lambda c: _mark_read(c, person, storable(room), seq))

    async def mute(self, person: Person, room: str, *, muted: bool) -> None:
        """See `Rooms.mute`."""
        await self._database.write(lambda c: _mute(c, person, storable(room), muted=muted))


def _say(connection: sa.Connection, writing: Writing, line: _Line) -> Posted:
    if line.root is not None and not _is_head(connection, writing.room, line.root):
        raise NotFound("The message that this replies to is not in the room.")
    said = writing.say(line.person, line.text, line.root)
    if line.answer is not None:
        writing.post(line.answer, "", line.root)
    writing.write(connection)
    query = sa.select(room_messages).where(room_messages.c.id == said)
    posted = _posted(connection, query)[0]
    _mark_read(connection, line.person, writing.room, posted.seq)
    return posted


def _is_head(connection: sa.Connection, room: str, root: int) -> bool:
    query = sa.select(room_messages.c.id).where(
        room_messages.c.id == root,
        room_messages.c.room == room,
        room_messages.c.root.is_(None),
    )
    return connection.execute(query).first() is not None


def _list(connection: sa.Connection, person: Person) -> Sequence[Room]:
    mine = sa.and_(room_readers.c.room == rooms.c.name, room_readers.c.person == person.id)
    seen = sa.func.coalesce(room_readers.c.seq, 0)
    unread = (
        sa.select(sa.func.count())
        .select_from(
            sa.select(room_changes.c.seq)
            .where(
                room_changes.c.room == rooms.c.name,
                room_changes.c.seq > seen,
                room_changes.c.kind == "posted",
            )
            .limit(100)
            .correlate(rooms, room_readers)
            .subquery()
        )
        .scalar_subquery()
    )
    query = (
        sa.select(
            rooms.c.name,
            rooms.c.last_seq,
            unread.label("unread"),
            sa.func.coalesce(room_readers.c.muted, sa.false()).label("muted"),
        )
        .select_from(rooms.outerjoin(room_readers, mine))
        .order_by(rooms.c.name == ADMIN, rooms.c.name)
    )
    return [
        Room(row.name, row.last_seq, row.unread, bool(row.muted))
        for row in connection.execute(query)
    ]


def _changes(connection: sa.Connection, room: str, after: int, limit: int) -> Sequence[Change]:
    query = (
        sa.select(room_changes.c.seq.label("change"), room_changes.c.kind, room_messages)
        .select_from(
            room_changes.join(room_messages, room_messages.c.id == room_changes.c.message_id)
        )
        .where(room_changes.c.room == room, room_changes.c.seq > after)
        .order_by(room_changes.c.seq)
        .limit(limit)
    )
    return [Change(row.change, row.kind, _one(row)) for row in connection.execute(query)]


def _first_change(connection: sa.Connection, room: str) -> int:
    oldest = sa.select(sa.func.min(room_changes.c.seq)).where(room_changes.c.room == room)
    found = connection.execute(oldest).scalar()
    return (_last_change(connection, room) or 0) + 1 if found is None else int(found)


def _in_order(connection: sa.Connection, ids: Sequence[int]) -> Sequence[Posted]:
    if not ids:
        return []
    query = sa.select(room_messages).where(room_messages.c.id.in_(ids))
    return sorted(_posted(connection, query), key=operator.attrgetter("id"), reverse=True)


def _mark_read(connection: sa.Connection, person: Person, room: str, seq: int) -> None:
    """Remember how far a person has read, which is never further than the room has got."""
    last = _last_change(connection, room)
    if last is None:
        return
    values = {"person": person.id, "room": room, "seq": min(seq, last)}
    statement = insert(connection, room_readers).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["person", "room"],
            set_={"seq": statement.excluded.seq},
            where=room_readers.c.seq < statement.excluded.seq,
        )
    )


def _mute(connection: sa.Connection, person: Person, room: str, *, muted: bool) -> None:
    if _last_change(connection, room) is None:
        return
    statement = insert(connection, room_readers).values(person=person.id, room=room, muted=muted)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["person", "room"], set_={"muted": statement.excluded.muted}
        )
    )


def _last_change(connection: sa.Connection, room: str) -> int | None:
    query = sa.select(rooms.c.last_seq).where(rooms.c.name == room)
    return connection.execute(query).scalar()


def _posted(connection: sa.Connection, query: sa.Select[Any]) -> list[Posted]:
    return [_one(row) for row in connection.execute(query)]


def _one(row: Any) -> Posted:
    return Posted(
        id=row.id,
        room=row.room,
        seq=row.seq,
        root=row.root,
        author=Person(row.author_id, row.author_name) if row.author_id else None,
        text=row.text,
        message=from_json(row.message) if row.message else None,
        event_id=row.event_id,
        created_at=from_ms(row.created_at),
        edited_at=from_ms(row.edited_at) if row.edited_at is not None else None,
        replies=row.replies,
        last_reply_at=from_ms(row.last_reply_at) if row.last_reply_at is not None else None,
    )
