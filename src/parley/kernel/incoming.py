"""What people do in chat, the same from every platform."""

from dataclasses import dataclass

LOCAL = "local"
"""The platform name of the built-in web chat, whose channels are rooms of the database."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message goes: two strings, so that it can be stored and logged."""

    platform: str
    channel: str

    def __str__(self) -> str:
        """Return `platform:channel`."""
        return f"{self.platform}:{self.channel}"


@dataclass(frozen=True, slots=True)
class Person:
    """Who speaks: the platform's id, and the name that readers know."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody wrote a line where the bot can read it."""

    place: Destination
    person: Person
    text: str
