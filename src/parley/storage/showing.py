"""Writing into rooms: any number of changes of one room in a few statements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from parley.kernel.errors import NotFound
from parley.kernel.incoming import Person
from parley.kernel.message_json import to_json
from parley.kernel.messages import Message
from parley.kernel.ports.outbox import Action, Delivery
from parley.storage import search
from parley.storage.clock import now_ms
from parley.storage.ids import Ids
from parley.storage.listening import tell_listeners
from parley.storage.rows import storable
from parley.storage.schema import room_changes, room_messages, rooms


@dataclass(slots=True)
class Writing:
    """Changes of one room that are written together, in the order in which they were added."""

    room: str
    ids: Ids
    posted: dict[int, dict[str, Any]] = field(default_factory=dict)
    edited: dict[int, dict[str, Any]] = field(default_factory=dict)
    replies: dict[int, int] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)
    log: list[tuple[str, int]] = field(default_factory=list)

    def say(self, person: Person, text: str, root: int | None) -> int:
        """Add a line that a person typed; return its id."""
        author = {"author_id": person.id, "author_name": person.name, "text": storable(text)}
        return self._post(root, text, author)

    def post(self, message: Message, event_id: str, root: int | None) -> int:
        """Add a message of Parley's, as a reply when `root` is the id of a head."""
        content = {"message": to_json(message), "event_id": event_id}
        return self._post(root, search.words_of(message), content)

    def edit(self, message_id: int, message: Message, event_id: str) -> None:
        """Show another message in its place."""
        content = {"message": to_json(message), "event_id": event_id}
        known = self.posted.get(message_id)
        if known is None:
            self.edited[message_id] = content
        else:
            known.update(content)
        self.words[message_id] = search.words_of(message)
        self.log.append(("edited", message_id))

    def show(self, delivery: Delivery, head: str) -> str:
        """Add one delivery; return the handle of the message it stands in.

        Without a head (it became a dead letter) an edit or a reply is a message of its own.
        """
        if delivery.action is Action.EDIT and head:
            self.edit(int(head), delivery.message, delivery.event_id)
            return head
        root = int(head) if delivery.action is Action.REPLY and head else None
        return str(self.post(delivery.message, delivery.event_id, root))

    def write(self, connection: sa.Connection) -> None:
        """Write everything. Raises `NotFound` for an unknown room."""
        last, now = self._number(connection)
        first = last - len(self.log) + 1
        kinds = [
            {"room": self.room, "seq": seq, "kind": kind, "message_id": message_id}
            for seq, (kind, message_id) in enumerate(self.log, first)
        ]
        posted_at = {one["message_id"]: one["seq"] for one in kinds if one["kind"] == "posted"}
        self._complete(now)
        if self.posted:
            rows = [
                row | {"seq": posted_at[message_id], "created_at": now}
                for message_id, row in self.posted.items()
            ]
            connection.execute(sa.insert(room_messages), rows)
        if self.edited:
            changes = [
                {"wanted": message_id, "edited": now, **content}
                for message_id, content in self.edited.items()
            ]
            connection.execute(_EDIT, changes)
            search.drop(connection, list(self.edited))
        if self.replies:
            counts = [
                {"wanted": root, "more": count, "now": now} for root, count in self.replies.items()
            ]
            connection.execute(_COUNT, counts)
        search.add(connection, self.room, self.words)
        connection.execute(sa.insert(room_changes), kinds)
        tell_listeners(connection)

    def _post(self, root: int | None, words: str, content: dict[str, Any]) -> int:
        message_id = self.ids.next()
        row: dict[str, Any] = {
            "id": message_id,
            "room": self.room,
            "root": root,
            "author_id": "",
            "author_name": "",
            "text": "",
            "message": None,
            "event_id": "",
            "edited_at": None,
            "replies": 0,
            "last_reply_at": None,
        }
        self.posted[message_id] = row | content
        self.words[message_id] = words
        self.log.append(("posted", message_id))
        if root is not None:
            self.replies[root] = self.replies.get(root, 0) + 1
        return message_id

    def _number(self, connection: sa.Connection) -> tuple[int, int]:
        """Take as many numbers as there are changes; the row's lock keeps them without gaps."""
        taken = connection.execute(_TAKE, {"wanted": self.room, "count": len(self.log)}).first()
        if taken is None:
            raise NotFound(f"There is no room named {self.room}.")
        return int(taken.last_seq), int(taken.now)

    def _complete(self, now: int) -> None:
        """Put into new rows what later changes of the same batch say about them."""
        for root in [root for root in self.replies if root in self.posted]:
            self.posted[root].update(replies=self.replies.pop(root), last_reply_at=now)
        for kind, message_id in self.log:
            if kind == "edited" and message_id in self.posted:
                self.posted[message_id]["edited_at"] = now


def show_all(
    connection: sa.Connection, ids: Ids, room: str, deliveries: Sequence[Delivery]
) -> dict[int, str]:
    """Carry out deliveries in a room, in their order; return their handles by delivery."""
    writing = Writing(room, ids)
    heads: dict[int, str] = {}
    handles: dict[int, str] = {}
    for delivery in deliveries:
        head = heads.get(delivery.head_id) or delivery.head_handle
        handles[delivery.id] = writing.show(delivery, head)
        heads[delivery.head_id] = head or handles[delivery.id]
    writing.write(connection)
    return handles


_TAKE = (
    sa.update(rooms)
    .where(rooms.c.name == sa.bindparam("wanted"))
    .values(last_seq=rooms.c.last_seq + sa.bindparam("count", type_=sa.BigInteger))
    .returning(rooms.c.last_seq, now_ms().label("now"))
)
_EDIT = (
    sa.update(room_messages)
    .where(room_messages.c.id == sa.bindparam("wanted"))
    .values(
        message=sa.bindparam("message"),
        event_id=sa.bindparam("event_id"),
        edited_at=sa.bindparam("edited"),
    )
)
_COUNT = (
    sa.update(room_messages)
    .where(room_messages.c.id == sa.bindparam("wanted"))
    .values(
        replies=room_messages.c.replies + sa.bindparam("more", type_=sa.Integer),
        last_reply_at=sa.bindparam("now"),
    )
)
