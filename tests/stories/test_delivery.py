"""What becomes of messages when a chat platform is slow, strict, broken or gone."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from parley.kernel.configuration import Configuration
from parley.kernel.errors import Reason, Unavailable
from parley.kernel.incoming import Destination, Person
from parley.kernel.messages import plain_title
from parley.kernel.ports.inbox import Arrival
from parley.kernel.ports.outbox import Delivery, Lease
from parley.kernel.ports.platform import Pace
from parley.observe import Metrics, SystemClock
from parley.storage.clock import now_ms
from parley.storage.configurations import StoredConfigurations
from parley.storage.database import Database, open_database
from parley.storage.ids import Ids
from parley.storage.inbox import store
from parley.storage.notices import StoredNotices
from parley.storage.outbox import StoredOutbox
from parley.storage.rooms import StoredRooms
from parley.storage.schema import destinations, outbox
from parley.usecases.deliver import Deliver
from parley.usecases.health import Health
from parley.workers.live import LiveRooms
from tests.arrivals import SLACK, alarm, arrival, route, threaded
from tests.databases import sqlite_copy
from tests.scripted import ScriptedPlatform, failed

MINUTE = timedelta(minutes=1)
OPS = Configuration("ops", "123456789012", SLACK)


@dataclass
class Desk:
    """A delivery use case with everything behind it real but the platform."""

    database: Database
    ids: Ids
    outbox: StoredOutbox
    configurations: StoredConfigurations
    rooms: StoredRooms
    platform: ScriptedPlatform
    metrics: Metrics
    deliver: Deliver

    def put(self, *arrivals: Arrival) -> None:
        """Store what arrived."""
        self.database.run(lambda c: store(c, arrivals, self.ids, timedelta(minutes=10)))

    async def lease(self) -> Lease:
        """Lease the Slack channel."""
        leases = {one.destination: one for one in await self.outbox.claim("me", 10)}
        return leases[SLACK]

    async def run(self) -> None:
        """Work the Slack channel once."""
        await self.deliver(await self.lease(), lambda: True)

    async def admin(self) -> list[str]:
        """Show what waits for the admin room; return all that stands there."""
        for one in await self.outbox.claim("me", 10):
            await self.deliver(one, lambda: True)
        history = await self.rooms.history("admin", None, 100)
        return [plain_title(one.message) for one in history if one.message]

    def due_in(self) -> float | None:
        """Return in how many seconds the Slack channel is due."""
        query = sa.select((destinations.c.due_at - now_ms()) / 1000.0)
        query = query.where(destinations.c.platform == "slack")
        found = self.database.run(lambda c: c.execute(query).scalar())
        return None if found is None else float(found)

    def states(self) -> list[str]:
        """Return the states of the deliveries to Slack, in order."""
        query = (
            sa.select(outbox.c.state)
            .join(destinations, destinations.c.id == outbox.c.destination_id)
            .where(destinations.c.platform == "slack")
            .order_by(outbox.c.id)
        )
        return list(self.database.run(lambda c: c.execute(query).scalars().all()))

    def counted(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        lines = self.metrics.render().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Yield a desk on a database of its own."""
    database = open_database(sqlite_copy(tmp_path))
    ids, clock, metrics = Ids(SystemClock()), SystemClock(), Metrics()
    waiting, rooms = StoredOutbox(database, ids, MINUTE), StoredRooms(database, ids)
    configurations = StoredConfigurations(database, ids)
    health = Health(configurations, StoredNotices(database, ids))
    platform = ScriptedPlatform()
    deliver = Deliver(waiting, {"slack": platform}, health, LiveRooms(rooms), metrics, clock)
    yield Desk(database, ids, waiting, configurations, rooms, platform, metrics, deliver)
    database.close()


async def test_an_episode_is_posted_edited_and_replied_to_in_order(desk: Desk) -> None:
    desk.put(alarm("ALARM", 0, SLACK), alarm("OK", 1, SLACK))
    await desk.run()
    head = "C0123456789/latency ALARM at 0"
    assert desk.platform.calls == [
        "C0123456789: latency ALARM at 0",
        f"C0123456789: {head} = latency OK at 1",
        f"C0123456789: latency OK at 1 under {head}",
    ]
    assert desk.states() == ["sent"] * 3
    assert desk.due_in() is None
    assert desk.counted("MessageDeliverySuccess_total") == 3


async def test_slack_is_left_alone_for_as_long_as_it_asks(desk: Desk) -> None:
    desk.platform.script.append(failed(Reason.RATE_LIMITED, 30))
    desk.put(arrival(route(SLACK, "one")), arrival(route(SLACK, "two")))
    await desk.run()
    assert desk.platform.tried == ["C0123456789: one"]
    assert desk.due_in() == pytest.approx(30.25, abs=0.5)
    desk.put(arrival(route(SLACK, "three")))
    assert await desk.outbox.claim("me", 10) == []
    assert desk.counted("EventsThrottled_total") == 1


async def test_while_slack_cannot_be_reached_the_channel_waits_longer_each_time(
    desk: Desk,
) -> None:
    desk.put(arrival(route(SLACK, "one")), arrival(route(SLACK, "two")))
    for attempt in range(12):
        desk.platform.script.append(failed(Reason.UNREACHABLE))
        await desk.run()
        due = desk.due_in()
        assert due is not None
        longest = min(300, 2**attempt)
        assert longest / 2 - 0.5 <= due <= longest
        everything = sa.update(outbox).values(due_at=0)
        desk.database.run(lambda c: c.execute(everything))  # noqa: B023 - run at once
        desk.database.run(lambda c: c.execute(sa.update(destinations).values(due_at=0)))
    assert set(desk.platform.tried) == {"C0123456789: one"}


async def test_waiting_is_spread_so_that_channels_do_not_come_back_together(desk: Desk) -> None:
    waits = set()
    for number in range(8):
        to = Destination("slack", f"C{number}")
        desk.put(arrival(route(to, "one")))
        desk.platform.script.append(failed(Reason.SERVER))
        [own] = await desk.outbox.claim("me", 1)
        await desk.deliver(own, lambda: True)
        [row] = desk.database.run(
            lambda c: (
                c.execute(
                    sa.select(outbox.c.due_at - outbox.c.created_at).order_by(outbox.c.id.desc())
                )
                .scalars()
                .all()[:1]
            )
        )
        waits.add(row)
    assert len(waits) > 1


async def test_an_error_of_slack_holds_up_its_thread_and_no_other(desk: Desk) -> None:
    desk.platform.script.append(failed(Reason.SERVER))
    desk.put(
        threaded("deploy", "started", SLACK),
        threaded("deploy", "done", SLACK),
        arrival(route(SLACK, "alone")),
    )
    await desk.run()
    assert desk.platform.calls == ["C0123456789: alone"]
    assert desk.states() == ["pending", "pending", "sent"]
    due = desk.due_in()
    assert due is not None
    assert 0 < due <= 1


@pytest.mark.parametrize("reason", [Reason.AUTH, Reason.GONE])
async def test_a_channel_that_takes_nothing_is_unhealthy_until_it_does_again(
    desk: Desk, reason: Reason
) -> None:
    await desk.configurations.add(OPS)
    desk.platform.script.extend([None, failed(reason), failed(reason)])
    desk.put(*(arrival(route(SLACK, title)) for title in ("zero", "one", "two")))
    await desk.run()
    assert desk.states() == ["sent", "dead", "dead"]
    [ops] = await desk.configurations.all()
    assert ops.unhealthy == f"Slack says {reason}"
    broken = "FAILED: Messages do not arrive in slack:C0123456789"
    assert await desk.admin() == [broken]

    desk.put(arrival(route(SLACK, "three")))
    await desk.run()
    [ops] = await desk.configurations.all()
    assert ops.unhealthy == ""
    assert await desk.admin() == [broken, "OK: Messages arrive in slack:C0123456789 again"]
    assert desk.counted("MessageDeliveryFailure_total") == 2


async def test_a_channel_that_is_well_again_within_one_run_is_said_to_be_well(desk: Desk) -> None:
    await desk.configurations.add(OPS)
    desk.platform.script.extend([None, failed(Reason.GONE), None])
    desk.put(*(arrival(route(SLACK, title)) for title in ("zero", "one", "two")))
    await desk.run()
    assert [one.unhealthy for one in await desk.configurations.all()] == [""]
    assert len(await desk.admin()) == 2


async def test_a_message_that_slack_does_not_take_is_given_up_alone(desk: Desk) -> None:
    await desk.configurations.add(OPS)
    desk.platform.script.append(failed(Reason.CLIENT))
    desk.put(
        threaded("deploy", "started", SLACK),
        threaded("deploy", "done", SLACK),
        arrival(route(SLACK, "alone")),
    )
    await desk.run()
    assert desk.platform.calls == ["C0123456789: done", "C0123456789: alone"]
    assert desk.states() == ["dead", "sent", "sent"]
    assert await desk.admin() == [
        "FAILED: A message for slack:C0123456789 was given up",
        "OK: After a message that was given up, slack:C0123456789 takes messages again",
    ]
    assert [one.unhealthy for one in await desk.configurations.all()] == [""]


async def test_a_mistake_of_our_own_costs_one_message_and_not_the_channel(desk: Desk) -> None:
    desk.platform.script.append(KeyError("a bug in a renderer"))
    desk.put(arrival(route(SLACK, "one")), arrival(route(SLACK, "two")))
    await desk.run()
    assert desk.platform.calls == ["C0123456789: two"]
    assert desk.states() == ["dead", "sent"]
    given_up, _ = await desk.admin()
    assert given_up == "FAILED: A message for slack:C0123456789 was given up"


async def test_what_nobody_took_for_two_days_is_given_up(desk: Desk) -> None:
    desk.platform.script.extend([failed(Reason.UNREACHABLE)])
    desk.put(arrival(route(SLACK, "old")))
    days = 2 * 24 * 60 * 60 * 1000 + 1
    older = sa.update(outbox).values(created_at=outbox.c.created_at - days)
    desk.database.run(lambda c: c.execute(older))
    await desk.run()
    assert desk.states() == ["dead"]


async def test_a_platform_without_access_is_told_and_everything_waits(desk: Desk) -> None:
    await desk.configurations.add(OPS)
    without = replace(desk.deliver, platforms={})
    desk.put(arrival(route(SLACK, "one")))
    await without(await desk.lease(), lambda: True)
    assert desk.states() == ["pending"]
    assert desk.due_in() == pytest.approx(60, abs=2)
    assert await desk.admin() == ["FAILED: Nothing can be sent to slack:C0123456789"]
    [ops] = await desk.configurations.all()
    assert "PARLEY_SLACK_BOT_TOKEN" in ops.unhealthy


async def test_a_worker_whose_lease_was_lost_sends_no_more(desk: Desk) -> None:
    desk.put(*(arrival(route(SLACK, title)) for title in ("one", "two", "three")))
    own = await desk.lease()

    class TakenOver(ScriptedPlatform):
        def _call(self, line: str) -> None:
            desk.database.run(lambda c: c.execute(sa.update(destinations).values(epoch=99)))
            super()._call(line)

    for script in ([None], [failed(Reason.SERVER)], [failed(Reason.CLIENT)]):
        platform = TakenOver()
        platform.script.extend(script)
        await replace(desk.deliver, platforms={"slack": platform})(own, lambda: True)
        assert platform.tried == ["C0123456789: one"]
        reset = sa.update(destinations).values(epoch=own.epoch)
        desk.database.run(lambda c, reset=reset: c.execute(reset))  # type: ignore[misc]
        assert desk.states() == ["pending"] * 3


async def test_no_call_is_begun_on_a_lease_that_may_end_meanwhile(desk: Desk) -> None:
    desk.put(*(arrival(route(SLACK, title)) for title in ("one", "two", "three")))
    left = [True, True, True, False]
    await desk.deliver(await desk.lease(), lambda: left.pop(0) if left else False)
    assert desk.platform.calls == ["C0123456789: one", "C0123456789: two"]
    assert await desk.outbox.claim("next", 10) != []


async def test_a_message_is_not_sent_twice_because_it_could_not_be_marked(desk: Desk) -> None:
    desk.put(arrival(route(SLACK, "one")), arrival(route(SLACK, "two")))

    class ShortOfSpace(StoredOutbox):
        failures = 2

        async def delivered(
            self, lease: Lease, delivery: Delivery, handle: str, tokens: float
        ) -> bool:
            if self.failures:
                self.failures -= 1
                raise Unavailable("The disk is full.")
            return await super().delivered(lease, delivery, handle, tokens)

    deliver = replace(desk.deliver, outbox=ShortOfSpace(desk.database, desk.ids, MINUTE))
    await deliver(await desk.lease(), lambda: True)
    assert desk.platform.calls == ["C0123456789: one", "C0123456789: two"]
    assert desk.states() == ["sent", "sent"]


async def test_the_pace_of_a_channel_outlives_the_lease(desk: Desk) -> None:
    desk.platform.pace = Pace(per_second=10.0, burst=2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(5):
        desk.put(arrival(route(SLACK, str(number))))
        await desk.run()
    took = loop.time() - began
    assert 0.25 <= took < 1.5  # two at once, then one in a tenth of a second
    assert len(desk.platform.calls) == 5


async def test_rooms_show_everything_at_once_and_are_counted(desk: Desk) -> None:
    desk.put(*(arrival(route(Destination("local", "ops"), str(one))) for one in range(250)))
    [own] = await desk.outbox.claim("me", 10)
    await desk.deliver(own, lambda: True)
    [room] = [one for one in await desk.rooms.list(Person("a", "a")) if one.name == "ops"]
    assert room.last_seq == 250
    assert desk.counted("MessageDeliverySuccess_total") == 250
    assert desk.counted("parley_delivery_seconds_count") == 250
