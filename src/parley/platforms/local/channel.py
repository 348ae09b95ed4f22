"""Names of rooms."""

import re

from parley.kernel.errors import InvalidRequest

_ROOM = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


def read_channel(typed: str) -> str:
    """Return the room's name for what a person typed; a leading # is dropped.

    Raises `InvalidRequest`.
    """
    name = typed.strip().removeprefix("#").lower()
    if not _ROOM.fullmatch(name):
        raise InvalidRequest(
            f"{typed!r} is not a room's name: use small letters, digits, - and _, beginning with a "
            "letter or digit, 80 characters at the most."
        )
    return name
