"""Puts everything together: the only module that knows every concrete class."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from uuid import uuid4

from aiohttp import ClientSession

from parley.aws.certificates import SigningCertificates
from parley.aws.queues import SqsQueues
from parley.aws.subscriptions import SnsSubscriptions
from parley.events.signature import IssuedByAmazon, SignedBy, Trust
from parley.kernel.errors import InvalidRequest, ParleyError
from parley.kernel.incoming import LOCAL, Destination
from parley.kernel.ports.clock import Clock
from parley.kernel.ports.platform import ChatPlatform
from parley.kernel.ports.retention import Keep
from parley.observe import Metrics, SystemClock
from parley.platforms.adaptive_card import card
from parley.platforms.local.channel import read_channel as read_room
from parley.platforms.outgoing import open_session
from parley.platforms.slack.channel import read_channel as read_slack_channel
from parley.settings import Settings, split_address
from parley.storage.configurations import StoredConfigurations
from parley.storage.database import Database, open_database
from parley.storage.deliveries import StoredDeliveries
from parley.storage.digest_pages import StoredDigestPages
from parley.storage.digests import StoredDigests
from parley.storage.history import StoredHistory
from parley.storage.ids import Ids, last_id
from parley.storage.inbox import StoredInbox
from parley.storage.listening import RoomListener
from parley.storage.migrate import migrate, probe
from parley.storage.notices import StoredNotices
from parley.storage.outbox import StoredOutbox
from parley.storage.ownership import owners_address, owning
from parley.storage.people import StoredPeople
from parley.storage.retention import StoredRetention
from parley.storage.rooms import ADMIN, StoredRooms
from parley.storage.rows import ensure_destinations
from parley.storage.timers import StoredTimers
from parley.usecases.configurations import ManageConfigurations
from parley.usecases.converse import Converse
from parley.usecases.deliver import Deliver
from parley.usecases.deliveries import ManageDeliveries
from parley.usecases.directory import Directory
from parley.usecases.health import Health
from parley.usecases.notify import Notify
from parley.usecases.receive import Receive, Received, Via
from parley.usecases.refusals import Refusals
from parley.usecases.retention import Retain
from parley.usecases.storm import Storm
from parley.web import health, ingest, schemas
from parley.web.app import Application, create_app
from parley.web.services import Routes, Services
from parley.workers.delivery import LEASE, DeliveryWorker
from parley.workers.live import LiveRooms
from parley.workers.queue import QueueWorker
from parley.workers.timers import LEASE as TIMER_LEASE
from parley.workers.timers import Kind, TimerWorker

CHANNELS = {LOCAL: read_room, "slack": read_slack_channel}
"""Every chat platform, with what reads a channel that a person typed."""

_READY_WITHIN = 8.0
"""Seconds: more than SQLite waits for a lock by itself, which it can then tell."""

_FIRST_RETENTION = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept, behind its ports. Commands that only read and write need no more."""

    settings: Settings
    database: Database
    clock: Clock
    ids: Ids
    configurations: StoredConfigurations
    inbox: StoredInbox
    outbox: StoredOutbox
    rooms: StoredRooms
    people: StoredPeople
    notices: StoredNotices
    history: StoredHistory
    deliveries: StoredDeliveries

    def manage_configurations(self) -> ManageConfigurations:
        """Return the use case behind `parley configurations`."""
        return ManageConfigurations(self.configurations, CHANNELS)

    def manage_deliveries(self) -> ManageDeliveries:
        """Return the use case behind `parley deliveries`."""
        return ManageDeliveries(self.deliveries, self.history, self.clock)


@contextlib.contextmanager
def open_stores(settings: Settings, clock: Clock | None = None) -> Iterator[Stores]:
    """Open the database, bring it to this release's schema, and close it at the end.

    Raises `Refused` for a database of a newer release, `Unavailable` for one that does not answer.
    """
    clock = clock or SystemClock()
    database = open_database(settings.database_url)
    try:
        migrate(database)
        ids = Ids(clock, after=database.run(last_id))
        admin = Destination(LOCAL, ADMIN)
        database.run(lambda connection: ensure_destinations(connection, [admin], ids))
        yield Stores(
            settings=settings,
            database=database,
            clock=clock,
            ids=ids,
            configurations=StoredConfigurations(database, ids),
            inbox=StoredInbox(database, ids, timedelta(minutes=settings.alarms.reopen_minutes)),
            outbox=StoredOutbox(database, ids, LEASE),
            rooms=StoredRooms(database, ids),
            people=StoredPeople(database),
            notices=StoredNotices(database, ids),
            history=StoredHistory(database),
            deliveries=StoredDeliveries(database),
        )
    finally:
        database.close()


def own(settings: Settings) -> contextlib.AbstractContextManager[Callable[[str], None]]:
    """Own the data folder for as long as the block lasts, which gets what says the address.

    Raises `Conflict` when another process owns it.
    """
    return owning(settings.database_url, settings.listen, SystemClock())


@dataclass(frozen=True, slots=True)
class Working:
    """What every process does: it reads queues and delivers. `stopping` is set when it ends."""

    notify: Notify
    directory: Directory
    live: LiveRooms
    metrics: Metrics
    session: ClientSession
    stopping: asyncio.Event


@contextlib.asynccontextmanager
async def work(stores: Stores, pages: str) -> AsyncIterator[Working]:
    """Start the workers; stop them at the end. `pages` is where people open the pages."""
    settings, metrics, stopping = stores.settings, Metrics(), asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(await open_session())
        live = LiveRooms(stores.rooms)
        channel_health = Health(stores.configurations, stores.notices)
        deliver = Deliver(
            stores.outbox,
            _platforms(settings, session, pages),
            channel_health,
            live,
            metrics,
            stores.clock,
            Storm(StoredDigests(stores.database, stores.ids, pages), metrics),
        )
        owner = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        worker = DeliveryWorker(stores.outbox, deliver, owner)
        notify = Notify(stores.inbox, stores.notices, metrics, stores.clock, worker.nudge)
        directory = Directory(stores.configurations)
        if not stores.database.shared:
            await stores.outbox.forget_leases()
        at_times = await _prepare_timers(stores, owner)
        worker.start()
        at_times.start()
        # Long polls hold their connections for 20 s: they must not keep others from theirs.
        polling = await stack.enter_async_context(await open_session())
        sqs = SqsQueues(polling, settings.aws.endpoint_url, _region(settings))
        queues = QueueWorker(
            directory, sqs, notify, stores.notices, stores.configurations.mark_queue
        )
        queues.start()
        stack.push_async_callback(_stop_working(stopping, queues.stop, worker.stop, at_times.stop))
        yield Working(notify, directory, live, metrics, session, stopping)


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway at work. `app` is its HTTP side, `stopping` is set when it begins to stop."""

    stores: Stores
    app: Application
    notify: Notify
    live: LiveRooms
    metrics: Metrics
    stopping: asyncio.Event


@contextlib.asynccontextmanager
async def start(stores: Stores, address: tuple[str, int]) -> AsyncIterator[Running]:
    """Start the workers and make the application; stop everything in order at the end.

    `address` is where the server listens: its port may have been chosen by the system.
    """
    settings = stores.settings
    async with contextlib.AsyncExitStack() as stack:
        working = await stack.enter_async_context(work(stores, settings.pages_url(address)))
        live, metrics, stopping = working.live, working.metrics, working.stopping
        certificates = _certificates(settings, working.session, stores.clock)
        receive = Receive(
            directory=working.directory,
            notify=working.notify,
            certificates=certificates,
            subscriptions=SnsSubscriptions(working.session, settings.sns.endpoints),
            refusals=Refusals(stores.notices, stores.clock),
            clock=stores.clock,
            unsigned_topics=frozenset(settings.sns.unsigned_topics),
            listens_on_loopback=settings.loopback,
        )
        stack.push_async_callback(certificates.close)
        live.start()
        stack.push_async_callback(live.stop)
        if stores.database.shared:
            listener = RoomListener(settings.database_url, live.changed)
            listener.start()
            stack.push_async_callback(listener.stop)
        app = create_app(
            Services(
                rooms=stores.rooms,
                people=stores.people,
                history=stores.history,
                digests=StoredDigestPages(stores.database),
                deliveries=stores.manage_deliveries(),
                live=live,
                converse=Converse(stores.rooms, live),
                card=card,
                clock=stores.clock,
                allowed_hosts=settings.allowed_hosts,
                secure_cookie=settings.web.url.startswith("https://"),
                extra_routes=[
                    *ingest.routes(_measured(receive, metrics)),
                    *_machine_routes(stores, metrics, stopping),
                ],
                stopping=stopping,
            )
        )
        yield Running(stores, app, working.notify, live, metrics, stopping)


async def _prepare_timers(stores: Stores, owner: str) -> TimerWorker:
    """Return what does things at their time, with the timers that are always set."""
    retention = stores.settings.retention
    keep = Keep(timedelta(days=retention.days), timedelta(days=retention.id_days))
    retain = Retain(StoredRetention(stores.database), keep)
    kinds = {"retention": Kind(retain, concurrency=1, longest_pause=timedelta(hours=1))}
    timers = StoredTimers(stores.database, stores.ids, TIMER_LEASE)
    if not stores.database.shared:
        await timers.forget_leases()
    await timers.ensure("retention", "history", _FIRST_RETENTION)
    return TimerWorker(timers, kinds, owner)


def _stop_working(
    stopping: asyncio.Event, *stops: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    """Stop the workers as soon as stopping begins, while the server lets its last requests end.

    Return what begins it if need be, and waits until they have stopped.
    """

    async def work() -> None:
        await stopping.wait()
        await asyncio.gather(*(stop() for stop in stops))

    working = asyncio.create_task(work(), name="stop-working")

    async def finish() -> None:
        stopping.set()
        await working

    return finish


def _measured(receive: Receive, metrics: Metrics) -> Callable[[bytes, Via], Awaitable[Received]]:
    """Count what is refused and time what is stored."""

    async def measured(body: bytes, via: Via) -> Received:
        try:
            with metrics.ingest_seconds.time():
                return await receive(body, via)
        except ParleyError as error:
            metrics.refused.labels(error.code).inc()
            raise

    return measured


def _region(settings: Settings) -> str:
    """Return the region of AWS where nothing else names one, as the AWS SDK would take it."""
    named = (os.environ.get(name, "") for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
    return settings.aws.region or next(filter(None, named), "")


def owner_listens_on(settings: Settings) -> tuple[str, int] | None:
    """Return where the gateway listens that runs on this database; none if none does."""
    address = owners_address(settings.database_url)
    return split_address(address) if address else None


def _platforms(settings: Settings, session: ClientSession, pages: str) -> dict[str, ChatPlatform]:
    """Return the chat platforms that are set up; others are not even imported."""
    platforms: dict[str, ChatPlatform] = {}
    if settings.slack.bot_token:
        from parley.platforms.slack.config import SlackConfig
        from parley.platforms.slack.platform import Slack

        slack = settings.slack
        token = settings.slack.bot_token.get_secret_value()
        config = SlackConfig(token, slack.base_url, pages, slack.per_second)
        platforms["slack"] = Slack(config, session)
    return platforms


def _certificates(settings: Settings, session: ClientSession, clock: Clock) -> SigningCertificates:
    """Return the signing certificates; their source and root can be replaced on loopback only."""
    trust: Trust = IssuedByAmazon()
    if settings.sns.trust_root or settings.sns.certificate_source:
        if not settings.loopback:
            raise InvalidRequest(
                "sns.trust_root and sns.certificate_source are for tests: they are honoured only "
                "while Parley listens on loopback. Remove them, or listen on 127.0.0.1."
            )
        if settings.sns.trust_root:
            trust = SignedBy.from_pem(settings.sns.trust_root.read_bytes())
    return SigningCertificates(session, trust, clock, source=settings.sns.certificate_source)


def _machine_routes(stores: Stores, metrics: Metrics, stopping: asyncio.Event) -> Routes:
    async def ready() -> str:
        if stopping.is_set():
            return "Parley is stopping"
        try:
            async with asyncio.timeout(_READY_WITHIN):
                return await stores.database.write(probe)
        except ParleyError as error:
            return str(error)
        except TimeoutError:
            return f"The database has not answered within {_READY_WITHIN:.0f} s"

    async def read_metrics() -> bytes:
        with contextlib.suppress(ParleyError):
            metrics.backlog.set(await stores.outbox.backlog())
        return metrics.render()

    token = stores.settings.metrics.token
    schema = files("parley.events").joinpath("custom_notification.yaml").read_bytes()
    return [
        *health.routes(ready, read_metrics, token.get_secret_value() if token else None),
        *schemas.routes(schema),
    ]
