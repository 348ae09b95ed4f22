"""A link signs one person in, once and soon; a session outlives the process."""

import asyncio

import pytest
import sqlalchemy as sa

from parley.kernel.incoming import Person
from parley.storage.database import Database, open_database
from parley.storage.people import StoredPeople
from parley.storage.schema import sessions, sign_in_links

MINUTE = 60_000


@pytest.fixture
def people(database: Database) -> StoredPeople:
    """Return who may sign in."""
    return StoredPeople(database)


def pass_time(database: Database, minutes: int) -> None:
    """Make everything older, as the database's own clock would."""
    for table in (sign_in_links, sessions):
        older = sa.update(table).values(expires_at=table.c.expires_at - minutes * MINUTE)
        database.run(lambda c, older=older: c.execute(older))  # type: ignore[misc]


async def test_a_link_starts_a_session_once(people: StoredPeople) -> None:
    link = await people.create_link("Ana Lopez")
    session = await people.redeem(link)
    assert session is not None
    assert await people.person(session) == Person("Ana Lopez", "Ana Lopez")
    assert await people.redeem(link) is None


async def test_of_those_who_use_a_link_at_once_one_gets_in(
    database_url: str, people: StoredPeople
) -> None:
    link = await people.create_link("ana")
    other = open_database(database_url)
    both = [people, StoredPeople(other)]
    outcomes = await asyncio.gather(*(both[number % 2].redeem(link) for number in range(16)))
    other.close()
    assert len([one for one in outcomes if one]) == 1


@pytest.mark.parametrize("secret", ["", "wrong", "x" * 10_000, "\x00"])
async def test_other_secrets_open_nothing(people: StoredPeople, secret: str) -> None:
    await people.create_link("ana")
    assert await people.redeem(secret) is None
    assert await people.person(secret) is None


async def test_a_link_is_good_for_ten_minutes(database: Database, people: StoredPeople) -> None:
    early, late = await people.create_link("ana"), await people.create_link("ana")
    pass_time(database, 9)
    assert await people.redeem(early) is not None
    pass_time(database, 1)
    assert await people.redeem(late) is None


async def test_a_session_is_good_for_thirty_days(database: Database, people: StoredPeople) -> None:
    session = await people.redeem(await people.create_link("ana"))
    assert session
    pass_time(database, 30 * 24 * 60 - 1)
    assert await people.person(session) is not None
    pass_time(database, 1)
    assert await people.person(session) is None


async def test_a_session_survives_a_restart_until_its_person_signs_out(
    database_url: str, people: StoredPeople
) -> None:
    session = await people.redeem(await people.create_link("ana"))
    assert session
    again = open_database(database_url)
    assert await StoredPeople(again).person(session) == Person("ana", "ana")
    await StoredPeople(again).end(session)
    again.close()
    assert await people.person(session) is None


async def test_no_secret_is_stored_and_what_is_over_is_forgotten(
    database: Database, people: StoredPeople
) -> None:
    link = await people.create_link("ana")
    session = await people.redeem(link)
    assert session

    def everything(connection: sa.Connection) -> str:
        tables = (sign_in_links, sessions)
        return str([tuple(row) for table in tables for row in connection.execute(sa.select(table))])

    held = database.run(everything)
    assert "ana" in held
    assert link not in held
    assert session not in held
    pass_time(database, 60 * 24 * 60)
    await people.create_link("ben")
    assert "ana" not in database.run(everything)
