"""The server itself: signing in, being watched, running out of disk, and stopping."""

import asyncio
import re
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp
from starlette.types import ASGIApp

from parley.bootstrap import open_stores, start
from parley.events.formatters import FORMATTERS, Formatter, format_event
from parley.events.model import Event, Notification
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.observe import Metrics
from parley.settings import read_settings
from parley.usecases.notify import Notify
from tests.contracts.slack_double import CHANNEL, Fault, slack_double
from tests.gateway import alarm
from tests.station import SLACK_TOKEN, Station, envelope, lines, running, until


def browser() -> aiohttp.ClientSession:
    """Return a client that keeps cookies, also of an address on loopback."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_a_link_signs_in_once_and_the_session_survives_a_restart(station: Station) -> None:
    async with browser() as person:
        async with running(station):
            async with person.get(f"{station.url}/rooms/ops") as answer:
                assert answer.status == 401
                assert "parley sign-in-link" in await answer.text()
            token = station.link.partition("token=")[2]
            for expected in (200, 403):
                async with person.get(station.link) as answer:
                    assert answer.status == 200  # a preview of the link does not use it up
                async with person.post(f"{station.url}/sign-in", data={"token": token}) as answer:
                    assert answer.status == expected
                    where = answer.url.path
                if expected == 200:
                    assert where == "/rooms/ops"  # where the person wanted to go
            line = {"text": "@aws help"}
            headers = {"Accept": "application/json"}
            said = f"{station.url}/rooms/ops/messages"
            async with person.post(said, data=line, headers=headers) as answer:
                assert answer.status == 201
        question, reply = await station.room("ops")
        assert question.author
        assert (question.author.name, question.text) == ("admin", "@aws help")
        assert lines([reply]) == ["What Parley can do here"]

        async with running(station):
            port = station.url.rpartition(":")[2]
            async with person.get(f"http://127.0.0.1:{port}/rooms/ops") as answer:
                assert answer.status == 200
                assert "What Parley can do here" in await answer.text()
            printed = station.parley("sign-in-link", "--name", "Ana Lopez").stdout
            assert printed.startswith(f"{station.url}/sign-in?token=")  # where it listens
            secret = re.search(r"token=(\S+)", printed)
            assert secret
            async with (
                browser() as ana,
                ana.post(f"{station.url}/sign-in", data={"token": secret[1]}) as answer,
            ):
                assert answer.status == 200


async def test_metrics_are_for_this_machine_and_for_who_has_the_token(station: Station) -> None:
    async with running(station, PARLEY_METRICS_TOKEN="t0ken") as session:
        await station.post(session, envelope("ops", alarm("ALARM")))
        await station.until_room("ops", lambda found: len(found) == 1)
        status, text = await station.get("/metrics")
        assert status == 200
        for line in (
            'EventsProcessed_total{ConfigurationName="ops"} 1.0',
            'MessageDeliverySuccess_total{ConfigurationName="ops"} 1.0',
            "parley_ingest_seconds_count 1.0",
            'parley_delivery_seconds_count{platform="local"} 1.0',
            "parley_backlog 0.0",
        ):
            assert line in text
        through_proxy = {"X-Forwarded-For": "192.0.2.1"}
        for header in ("X-Forwarded-Proto", "CF-Connecting-IP", "Via"):
            assert (await station.get("/metrics", **{header: "x"}))[0] == 403
        assert (await station.get("/metrics", **through_proxy))[0] == 403
        assert (await station.get("/metrics", Host="parley.example"))[0] == 403
        for token, status in (("t0ken", 200), ("token", 403), ("", 403)):
            headers = through_proxy | {"Authorization": f"Bearer {token}"}
            assert (await station.get("/metrics", **headers))[0] == status
        assert await station.get("/healthz") == (200, "ok\n")
        assert await station.get("/readyz") == (200, "ready\n")
        status, schema = await station.get("/schemas/custom-notification.yaml")
        assert status == 200
        assert schema.startswith("openapi: 3.0")


@contextmanager
def full_disk(station: Station) -> Iterator[None]:
    """Let no file of the server grow, its log included."""
    before = resource.prlimit(station.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(station.pid, resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_told_to_sns_and_overcome_without_a_restart(
    station: Station,
) -> None:
    async with running(station) as session:
        await station.post(session, envelope("ops", "before"))
        await station.until_room("ops", lambda found: len(found) == 1)
        refused = envelope("ops", "during")
        with full_disk(station):
            status, why = await station.get("/readyz")
            assert status == 503
            assert "The database cannot be used now" in why
            assert await station.post(session, refused) == 503
            await asyncio.sleep(1.5)  # the workers look for work meanwhile, and cannot even log
            assert (await station.get("/healthz"))[0] == 200
        assert await station.get("/readyz") == (200, "ready\n")
        assert await station.post(session, refused) == 200
        found = await station.until_room("ops", lambda found: len(found) == 2)
        assert "during" in lines(found)[1]
        assert await asyncio.to_thread(station.stop) == 0


async def test_a_database_that_somebody_else_holds_is_told(station: Station) -> None:
    async with running(station) as session:
        holder = sqlite3.connect(station.data / "parley.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        posting = asyncio.create_task(station.post(session, envelope("ops", "during")))
        status, why = await station.get("/readyz")
        assert status == 503
        assert "locked" in why
        assert await posting == 503
        holder.execute("ROLLBACK")
        holder.close()
        assert await station.get("/readyz") == (200, "ready\n")


async def test_a_newer_schema_is_worked_with_until_the_next_start(station: Station) -> None:
    """While a release is rolled out, the one before works on until it is replaced."""

    def become(revision: str) -> str:
        with sqlite3.connect(station.data / "parley.db") as connection:
            [(before,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        connection.close()
        return str(before)

    async with running(station):
        before = become("9999")
        assert await station.get("/readyz") == (200, "ready\n")
    ended = station.parley("serve", check=False)
    assert ended.returncode == 1
    assert "newer than this release" in ended.stderr
    become(before)
    async with running(station):
        assert (await station.get("/readyz"))[0] == 200


async def test_a_formatter_that_raises_is_told_and_the_message_is_shown_all_the_same(
    station: Station,
) -> None:
    def broken(event: Event) -> Notification:
        raise KeyError(event.kind)

    table = (Formatter("broken", lambda _: True, broken), *FORMATTERS)
    ops = Configuration("ops", "123456789012", Destination("local", "ops"))
    text = "The disk of db-1 is full."
    event = Event("sns:t:1", "custom", "text", None, "", "", "", "", text, text)
    with open_stores(read_settings({"data": station.data}, {})) as stores:
        metrics = Metrics()
        notify = Notify(
            *(stores.inbox, stores.notices, metrics, stores.clock, lambda _: None),
            format=lambda one: format_event(one, table),
        )
        assert await notify(event, [ops])
    assert 'parley_formatter_failures_total{formatter="broken"} 1.0' in metrics.render().decode()
    async with running(station):
        [shown] = await station.until_room("ops", lambda found: len(found) == 1)
        assert text in str(shown.message)
        [told] = await station.until_room("admin", lambda found: len(found) == 1)
        assert lines([told]) == ["DEGRADED: A formatter failed"]
        assert "KeyError" in str(told.message)


async def test_it_stops_within_ten_seconds_whoever_holds_on_to_it(station: Station) -> None:
    """An open page, a sender that never ends its body, and a Slack that does not answer."""
    station.add("slack", "--platform", "slack", "--channel", CHANNEL, topic="ops")
    async with slack_double() as slack, browser() as person:
        slack.always = Fault(delay=60)
        environment = {"PARLEY_SLACK_BOT_TOKEN": SLACK_TOKEN, "PARLEY_SLACK_BASE_URL": slack.url}
        async with running(station, **environment) as session:
            token = station.link.partition("token=")[2]
            await (await person.post(f"{station.url}/sign-in", data={"token": token})).read()
            stream = await person.get(f"{station.url}/rooms/ops/events?after=0")
            await station.post(session, envelope("ops", "for Slack"))
            assert b"parley:" in await stream.content.readany()
            host, _, port = station.url.removeprefix("http://").partition(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST /ingest/sns HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            await writer.drain()
            await until(lambda: bool(slack.calls))

            began = time.monotonic()
            station.terminate()
            stream_ended = asyncio.create_task(stream.content.read())
            assert await asyncio.to_thread(station.wait) == 0
            took = time.monotonic() - began
            with suppress(aiohttp.ClientError):
                await stream_ended
            writer.close()
            assert took < 10, f"{took:.1f} s"
    # What was in flight waits for the next start, and the channel is free.
    with sqlite3.connect(station.data / "parley.db") as connection:
        [(until_when,)] = connection.execute(
            "SELECT lease_until FROM destinations WHERE platform = 'slack'"
        ).fetchall()
        [(state,)] = connection.execute(
            "SELECT o.state FROM outbox o JOIN destinations d ON d.id = o.destination_id"
            " WHERE d.platform = 'slack'"
        ).fetchall()
    connection.close()
    assert (until_when, state) == (None, "pending")


async def test_it_is_not_ready_from_the_moment_when_it_begins_to_stop(station: Station) -> None:
    with open_stores(read_settings({"data": station.data}, {})) as stores:
        async with start(stores, ("127.0.0.1", 1)) as running_here:
            assert await asked(running_here.app, "/readyz") == (200, "ready\n")
            running_here.stopping.set()
            assert await asked(running_here.app, "/readyz") == (503, "Parley is stopping\n")
            assert await asked(running_here.app, "/healthz") == (200, "ok\n")


async def asked(app: ASGIApp, path: str) -> tuple[int, str]:
    """Ask an application that no server runs; return the status and the text."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return said[0]["status"], b"".join(one.get("body", b"") for one in said[1:]).decode()
