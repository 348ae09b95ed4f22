"""Somebody said something in a room: it is kept, and answered when it is meant for the bot."""

from dataclasses import dataclass

from parley.commands.builtins import answer
from parley.commands.mention import asked
from parley.kernel.errors import InvalidRequest
from parley.kernel.incoming import Said
from parley.kernel.ports.live import Live
from parley.kernel.ports.rooms import Posted, Rooms

_LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Converse:
    """Takes a line typed in the web chat."""

    rooms: Rooms
    live: Live

    async def __call__(self, said: Said, root: int | None) -> Posted:
        """Store the line, with its answer if it asks for one; return it as it stands.

        Raises `InvalidRequest` for an empty or over-long line, `NotFound` for an unknown room or
        thread.
        """
        text = said.text.strip()
        if not text:
            raise InvalidRequest("The message is empty: type something first.")
        if len(text) > _LONGEST:
            raise InvalidRequest(
                f"The message has {len(text)} characters; a message may have {_LONGEST}."
            )
        question = asked(text)
        reply = answer(question) if question is not None else None
        posted = await self.rooms.say(said.place.channel, said.person, text, root, reply)
        self.live.changed()
        return posted
