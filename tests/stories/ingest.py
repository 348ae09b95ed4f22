"""The endpoint with everything behind it that it needs, and a record of what came through."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any

from aiohttp import ClientSession, web
from starlette.applications import Starlette

from parley.aws.certificates import SigningCertificates
from parley.aws.subscriptions import SnsSubscriptions
from parley.events.model import Event
from parley.events.signature import SignedBy
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.kernel.messages import Message, plain_title
from parley.usecases.receive import Receive
from parley.usecases.refusals import Refusals
from parley.web.ingest import routes
from tests.clock import SetClock
from tests.loopback import Server, serving, serving_app
from tests.signing import CERTIFICATE_PATH, TOPIC, Signer, signer

UNSIGNED_TOPIC = "arn:aws:sns:us-east-1:000000000000:emulated"
CONFIGURATION = Configuration("ops", "123456789012", Destination("web", "ops"))


@dataclass
class Directory:
    """Knows two topics."""

    topics: frozenset[str] = frozenset({TOPIC, UNSIGNED_TOPIC})

    async def by_topic(self, arn: str) -> Sequence[Configuration]:
        """Return the configuration of a known topic."""
        return [CONFIGURATION] if arn in self.topics else []


@dataclass
class Stored:
    """Keeps events by id, as the inbox does; `failure` is raised instead when it is set."""

    events: dict[str, Event] = field(default_factory=dict)
    failure: Exception | None = None

    async def __call__(self, event: Event, configurations: Sequence[Configuration]) -> bool:
        """Store an event and say whether it is new."""
        if self.failure:
            raise self.failure
        assert configurations
        return self.events.setdefault(event.id, event) is event


@dataclass
class Admin:
    """The room `admin`: what it was told, and what is well again."""

    told: list[str] = field(default_factory=list)
    well_again: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    marked: list[tuple[str, str]] = field(default_factory=list)

    async def mark(self, queue: str, unhealthy: str) -> None:
        """Remember what is wrong with a queue's configurations, nothing when they are well."""
        self.marked.append((queue, unhealthy))

    async def tell(self, cause: str, message: Message) -> bool:
        """Remember a cause."""
        self.told.append(cause)
        self.messages[cause] = message
        return True

    async def well(self, cause: str, message: Message) -> bool:
        """Remember that a cause is gone."""
        assert plain_title(message)
        self.well_again.append(cause)
        return True


@dataclass
class Endpoint:
    """A running endpoint. `aws` is what it may ask: certificates and confirmations."""

    url: str
    receive: Receive
    session: ClientSession
    clock: SetClock
    sns: Signer
    aws: Server
    directory: Directory
    stored: Stored
    admin: Admin

    async def post(self, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """Post a body as SNS does; return status and answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Content-Type": "text/plain; charset=UTF-8"} | named
        async with self.session.post(self.url, data=BytesIO(body), headers=sent) as response:
            answer = json.loads(await response.read())
            if response.status == 503:
                assert int(response.headers["Retry-After"]) >= 1
            return response.status, answer

    def notification(self, message: str = "text", **changes: Any) -> bytes:
        """Return a well signed notification, sent now."""
        return self.sns.notification(message, **({"at": self.clock.now()} | changes))


@asynccontextmanager
async def endpoint(
    *,
    listens_on_loopback: bool = True,
    unsigned_topic: str = UNSIGNED_TOPIC,
    confirms_at: str = "",
    at: datetime | None = None,
) -> AsyncIterator[Endpoint]:
    """Run the endpoint on loopback; topics are confirmed at our stand-in unless said otherwise."""
    clock = SetClock(at) if at else SetClock()
    directory, stored, admin = Directory(frozenset({TOPIC, unsigned_topic})), Stored(), Admin()
    sns = signer(clock.now())

    async def aws_answer(request: web.BaseRequest) -> web.Response:
        if request.path == CERTIFICATE_PATH:
            return web.Response(body=sns.pem)
        if request.path == "/":
            topic = request.query["TopicArn"]
            return web.Response(text=f"<SubscriptionArn>{topic}:1</SubscriptionArn>")
        return web.Response(status=404)

    async with serving(aws_answer) as aws, ClientSession() as session:
        certificates = SigningCertificates(
            session, SignedBy.from_pem(sns.root_pem), clock, source=aws.url
        )
        receive = Receive(
            directory=directory,
            notify=stored,
            certificates=certificates,
            subscriptions=SnsSubscriptions(
                session, dict.fromkeys(directory.topics, confirms_at or aws.url)
            ),
            refusals=Refusals(admin, clock),
            clock=clock,
            unsigned_topics=frozenset({unsigned_topic}),
            listens_on_loopback=listens_on_loopback,
        )
        async with serving_app(Starlette(routes=routes(receive))) as url:
            yield Endpoint(
                f"{url}/ingest/sns", receive, session, clock, sns, aws, directory, stored, admin
            )
        await certificates.close()
