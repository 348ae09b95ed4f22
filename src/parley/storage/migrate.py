"""Bringing a database to this release's schema. Alembic is imported only when there is work."""

from pathlib import Path

import sqlalchemy as sa

from parley.kernel.errors import Refused
from parley.storage.database import Database

REVISIONS = ("0001", "0002")
"""Every schema that was ever released, oldest first."""

_LOCK = 7_272_753_9  # "parley" on a telephone's keys: one migration at a time on PostgreSQL


def migrate(database: Database) -> str:
    """Upgrade in one transaction if need be; return the revision in force.

    Raises `Refused` when the database was written by a newer release.
    """
    return database.run(_migrate)


def revision(connection: sa.Connection) -> str:
    """Return the revision of the schema, empty for a new database."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return str(found or "")


def _migrate(connection: sa.Connection) -> str:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    found = revision(connection)
    if found == REVISIONS[-1]:
        return found
    if found and found not in REVISIONS:
        raise Refused(
            f"The database has schema {found}, which is newer than this release of Parley "
            f"({REVISIONS[-1]}). Start the release that wrote it, or a later one."
        )
    from alembic import command  # noqa: PLC0415 - costs 0.24 s that only a migration needs
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return REVISIONS[-1]


def probe(connection: sa.Connection) -> str:
    """Write a little; return what is in the way of working with this database, else nothing.

    A newer schema is not: migrations only add, so a process of the release before goes on until
    it is replaced. Raises as every write does when the database cannot be written.
    """
    found = revision(connection)
    if found in ("", *REVISIONS[:-1]):
        return f"The database has schema {found or 'none'}, this release needs {REVISIONS[-1]}."
    connection.execute(_WRITE)
    return ""


# To and fro by a millisecond: SQLite writes nothing when a row stays as it is.
_WRITE = sa.text(
    "UPDATE rooms SET created_at = created_at + 1 - 2 * (created_at % 2) WHERE name = 'admin'"
)
