"""While the database takes nothing, nothing is accepted and hardly anything sent; none is lost."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession
from pydantic import SecretStr

from parley.bootstrap import Running, open_stores, start
from parley.kernel.configuration import Configuration
from parley.kernel.incoming import Destination
from parley.settings import Settings, Slack, Sns
from tests.contracts.slack_double import CHANNEL, TOKEN, SlackDouble, slack_double
from tests.gateway import TOPIC, sns_time
from tests.loopback import serving_app

ARN = TOPIC.format(room="ops")
MEBIBYTE = 1024 * 1024


@dataclass
class Desk:
    """A gateway on SQLite that sends to Slack, and who posts to it."""

    url: str
    running: Running
    client: ClientSession
    slack: SlackDouble
    file: Path

    async def post(self, text: str) -> tuple[int, dict[str, Any]]:
        """Post a message as SNS does; return the status and the headers of the answer."""
        body = {
            "Type": "Notification",
            "MessageId": str(uuid4()),
            "TopicArn": ARN,
            "Message": text,
            "Timestamp": sns_time(),
        }
        sent = BytesIO(json.dumps(body).encode())
        async with self.client.post(f"{self.url}/ingest/sns", data=sent) as answer:
            return answer.status, dict(answer.headers)

    async def sent(self, count: int) -> None:
        """Wait until Slack has so many messages and nothing waits."""
        manage = self.running.stores.manage_deliveries()
        async with asyncio.timeout(30):
            while len(self.slack.messages) < count or (await manage.tally()).pending:  # noqa: ASYNC110 - in the database
                await asyncio.sleep(0.02)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Yield the gateway."""
    async with slack_double() as slack:
        settings = Settings(
            data=tmp_path,
            slack=Slack(bot_token=SecretStr(TOKEN), base_url=slack.url, per_second=10),
            sns=Sns(unsigned_topics=(ARN,)),
        )
        with open_stores(settings) as stores:
            place = Destination("slack", CHANNEL)
            await stores.configurations.add(
                Configuration("ops", "123456789012", place, topics=(ARN,))
            )
            async with (
                start(stores, ("127.0.0.1", 0)) as running,
                serving_app(running.app) as url,
                ClientSession() as client,
            ):
                yield Desk(url, running, client, slack, tmp_path / "parley.db")
                running.stopping.set()


async def test_while_marks_cannot_be_written_a_channel_sends_one_message_at_the_most(
    desk: Desk,
) -> None:
    for number in range(21):
        assert (await desk.post(f"event {number}"))[0] == 200
    holder = sqlite3.connect(desk.file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    await asyncio.sleep(0.2)
    before = len(desk.slack.messages)
    await asyncio.sleep(6)
    assert len(desk.slack.messages) <= before + 1
    holder.execute("ROLLBACK")
    holder.close()
    await desk.sent(21)
    assert len(desk.slack.messages) == 21
    assert (await desk.post("afterwards"))[0] == 200
    await desk.sent(22)


async def test_more_than_fits_into_memory_is_sent_back_to_sns(desk: Desk) -> None:
    """The bound is 64 MiB; what was answered with 200 is there afterwards, nothing else."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(_connection: sa.Connection) -> None:
        begun.set()
        assert go_on.wait(30)

    holding = asyncio.create_task(desk.running.stores.database.write(hold))
    await asyncio.to_thread(begun.wait, 10)
    posting = [
        asyncio.create_task(desk.post(f"{number:040d} {'x' * MEBIBYTE}")) for number in range(80)
    ]
    refused, _ = await asyncio.wait(posting, timeout=3)
    assert 12 <= len(refused) <= 20
    for one in refused:
        status, headers = one.result()
        assert status == 503
        assert int(headers["Retry-After"]) >= 1
    go_on.set()
    await holding
    answers = [status for status, _ in await asyncio.gather(*posting)]
    taken = answers.count(200)
    assert 56 <= taken < 64
    assert taken + answers.count(503) == len(posting)
    count = sa.text("SELECT count(*) FROM events")
    assert desk.running.stores.database.run(lambda c: c.execute(count).scalar()) == taken
