"""One-time sign-in links and sessions; only hashes of their secrets are stored."""

import hashlib
import secrets

import sqlalchemy as sa

from parley.kernel.incoming import Person
from parley.storage.clock import now_ms
from parley.storage.database import Database
from parley.storage.rows import time_now
from parley.storage.schema import sessions, sign_in_links

_LINK_MS = 10 * 60 * 1000
_SESSION_MS = 30 * 24 * 60 * 60 * 1000


class StoredPeople:
    """Sign-in on a database. See `parley.kernel.ports.people.People`."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def create_link(self, name: str) -> str:
        """See `People.create_link`."""
        secret = secrets.token_urlsafe(32)
        await self._database.write(lambda c: _create_link(c, name, _hash(secret)))
        return secret

    async def redeem(self, secret: str) -> str | None:
        """See `People.redeem`."""
        session = secrets.token_urlsafe(32)
        person = await self._database.write(lambda c: _redeem(c, _hash(secret), _hash(session)))
        return session if person else None

    async def person(self, session: str) -> Person | None:
        """See `People.person`."""
        query = sa.select(sessions.c.person).where(
            sessions.c.hash == _hash(session), sessions.c.expires_at > now_ms()
        )
        name = await self._database.read(lambda c: c.execute(query).scalar())
        return Person(name, name) if name else None

    async def end(self, session: str) -> None:
        """See `People.end`."""
        statement = sa.delete(sessions).where(sessions.c.hash == _hash(session))
        await self._database.write(lambda c: c.execute(statement))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _create_link(connection: sa.Connection, name: str, hashed: str) -> None:
    now = time_now(connection)
    # What is over is of no use to anybody: both tables stay as small as their use.
    connection.execute(sa.delete(sign_in_links).where(sign_in_links.c.expires_at < now))
    connection.execute(sa.delete(sessions).where(sessions.c.expires_at < now))
    connection.execute(
        sa.insert(sign_in_links),
        {"hash": hashed, "person": name, "expires_at": now + _LINK_MS, "used_at": None},
    )


def _redeem(connection: sa.Connection, link: str, session: str) -> str | None:
    """Use the link up: of two who try at once, one finds it unused."""
    person = connection.execute(
        sa.update(sign_in_links)
        .where(
            sign_in_links.c.hash == link,
            sign_in_links.c.used_at.is_(None),
            sign_in_links.c.expires_at > now_ms(),
        )
        .values(used_at=now_ms())
        .returning(sign_in_links.c.person)
    ).scalar()
    if person is None:
        return None
    now = time_now(connection)
    connection.execute(
        sa.insert(sessions),
        {"hash": session, "person": person, "created_at": now, "expires_at": now + _SESSION_MS},
    )
    return str(person)
