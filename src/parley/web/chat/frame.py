"""What every page of the chat shows around its content: the rooms, and who is signed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parley.kernel.errors import NotFound
from parley.kernel.incoming import Person
from parley.kernel.ports.rooms import Room
from parley.web.chat.view import initials


@dataclass(frozen=True, slots=True)
class Frame:
    """The rooms as one person sees them, and the one that is open."""

    person: Person
    rooms: Sequence[Room]
    open_room: str = ""

    def room(self) -> Room:
        """Return the room that is open. Raises `NotFound`."""
        for one in self.rooms:
            if one.name == self.open_room:
                return one
        raise NotFound(
            f"There is no room {self.open_room}. A room comes with the first configuration that "
            "names it: `parley configurations list` shows them."
        )

    def values(self) -> dict[str, Any]:
        """Return what the templates of the frame read."""
        return {
            "person": self.person,
            "person_initials": initials(self.person.name),
            "rooms": self.rooms,
            "open_room": self.open_room,
        }


def badges(rooms: Sequence[Room]) -> dict[str, dict[str, int | bool]]:
    """Return the unread counts of the rooms as the scripts of the page read them."""
    return {one.name: {"unread": one.unread, "muted": one.muted} for one in rooms}
