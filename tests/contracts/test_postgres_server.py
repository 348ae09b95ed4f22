"""The database server of the tests is one as people run it: durable, and reached by nobody else."""

import psycopg


def test_the_server_is_durable_and_listens_on_no_network(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        answers = {
            name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            for name in ("fsync", "synchronous_commit", "listen_addresses", "server_encoding")
        }
    assert answers == {
        "fsync": ("on",),
        "synchronous_commit": ("on",),
        "listen_addresses": ("",),
        "server_encoding": ("UTF8",),
    }
