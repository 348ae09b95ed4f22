"""Who may open the pages: one-time links and sessions."""

from typing import Protocol

from parley.kernel.incoming import Person


class People(Protocol):
    """Sign-in. Only hashes of links and sessions are stored."""

    async def create_link(self, name: str) -> str:
        """Return the secret of a one-time link for a person: valid 10 minutes, once."""
        ...

    async def redeem(self, secret: str) -> str | None:
        """Use up a link; return the secret of a new session, none if the link is not valid."""
        ...

    async def person(self, session: str) -> Person | None:
        """Return whose session it is; none if it is unknown or over."""
        ...

    async def end(self, session: str) -> None:
        """Sign out."""
        ...
