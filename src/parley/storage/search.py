"""Full-text search of the web chat: FTS5 on SQLite, tsvector on PostgreSQL.

Both get words that are split here. PostgreSQL's own parser takes an address or a mail's domain for
one word, and reads numbers with their sign.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import sqlalchemy as sa

from parley.kernel.messages import (
    Block,
    Bullets,
    Code,
    Facts,
    Folded,
    Message,
    Table,
    Tags,
    Text,
)

_ADD = sa.text("INSERT INTO room_search (rowid, room, body) VALUES (:id, :room, :body)")
_DROP = sa.text("DELETE FROM room_search WHERE rowid = :id")
_MATCH = {
    "sqlite": "room_search MATCH :words",
    "postgresql": "words @@ CAST(:words AS tsquery)",
}
_MOST_CHARACTERS = 20_000  # of one message; PostgreSQL takes no document over a megabyte
_LONGEST_WORD = 100  # PostgreSQL takes none over 2 KB
_MOST_TERMS = 12
_WORD = re.compile(r"[^\W_]+")


def words_of(message: Message) -> str:
    """Return all that a reader of the message sees, as one text."""
    parts = [message.state, message.title.text, *message.context, message.summary]
    for block in message.blocks:
        parts.extend(_words(block))
    return "\n".join(part for part in parts if part)


def add(connection: sa.Connection, room: str, words: Mapping[int, str]) -> None:
    """Make messages findable: their words by their ids."""
    rows = [
        {"id": message_id, "room": room, "body": " ".join(_split(body))}
        for message_id, body in words.items()
    ]
    connection.execute(_ADD, rows)


def drop(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Forget the words of messages, before they are added with others."""
    connection.execute(_DROP, [{"id": message_id} for message_id in ids])


def find(
    connection: sa.Connection, words: str, room: str, before: int | None, limit: int
) -> Sequence[int]:
    """Return the ids of messages that hold words beginning with each of these, newest first."""
    wanted = _split(words)[:_MOST_TERMS]
    if not wanted:
        return []
    dialect = connection.dialect.name
    if dialect == "sqlite":
        expression = " AND ".join(f'"{term}"*' for term in wanted)
    else:
        expression = " & ".join(f"'{term}':*" for term in wanted)
    where = [_MATCH[dialect]]
    values: dict[str, str | int] = {"words": expression, "limit": limit}
    if room:
        where.append("room = :room")
        values["room"] = room
    if before is not None:
        where.append("rowid < :before")
        values["before"] = before
    statement = (
        f"SELECT rowid FROM room_search WHERE {' AND '.join(where)} "  # noqa: S608 - our own parts
        "ORDER BY rowid DESC LIMIT :limit"
    )
    return connection.execute(sa.text(statement), values).scalars().all()


def _split(text: str) -> list[str]:
    """Return the words in small letters: no character that is left has a meaning of its own."""
    words = _WORD.findall(text[:_MOST_CHARACTERS].casefold())
    return [word[:_LONGEST_WORD] for word in words]


def _words(block: Block) -> Iterator[str]:
    match block:
        case Text(text) | Code(text):
            yield text
        case Facts(facts):
            yield from (f"{fact.label} {fact.value}" for fact in facts)
        case Bullets(items, label):
            yield from (label, *(item.text for item in items))
        case Tags(tags, label):
            yield " ".join((label, *tags))
        case Table(columns, rows):
            yield from (" ".join(row) for row in (columns, *rows))
        case Folded(label, blocks):
            yield from (label, *(word for inner in blocks for word in _words(inner)))
