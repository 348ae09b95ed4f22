"""What the people who run Parley should know: the room `admin`."""

from typing import Protocol

from parley.kernel.messages import Message


class Notices(Protocol):
    """Tells the admin room, each cause once an hour, and once when it is well again."""

    async def tell(self, cause: str, message: Message) -> bool:
        """Post the message unless this cause was told within the hour; return whether posted."""
        ...

    async def well(self, cause: str, message: Message) -> bool:
        """Post the message if the cause was told and not yet well; return whether posted."""
        ...
