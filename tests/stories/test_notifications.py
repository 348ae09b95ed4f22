"""From what AWS publishes to what people see, through the real server."""

import asyncio
from uuid import uuid4

from parley.kernel.ports.rooms import Posted
from tests.gateway import alarm, custom
from tests.station import Station, envelope, lines, running


def heads(count: int, replies: int = 0) -> "Showing":
    """Return what is waited for: so many heads, so many replies to them."""
    return Showing(count, replies)


class Showing:
    """A room with so many heads and replies."""

    def __init__(self, count: int, replies: int) -> None:
        self._count = count
        self._replies = replies

    def __call__(self, found: list[Posted]) -> bool:
        """Say whether the room is so."""
        return len(found) == self._count and sum(one.replies for one in found) == self._replies


async def test_an_alarm_is_one_message_that_always_shows_the_present(station: Station) -> None:
    async with running(station) as session:
        assert await station.post(session, envelope("ops", alarm("ALARM"))) == 200
        [head] = await station.until_room("ops", heads(1))
        assert head.message
        assert head.message.state == "ALARM"
        assert "checkout-latency-p99" in str(head.message) + head.message.title.text

        assert await station.post(session, envelope("ops", alarm("OK"))) == 200
        [head] = await station.until_room("ops", heads(1, 1))
        assert head.message
        assert head.message.state == "OK"
        assert head.edited_at is not None

        assert await station.post(session, envelope("ops", alarm("ALARM"))) == 200
        [head] = await station.until_room("ops", heads(1, 2))
        assert head.message
        assert head.message.state == "ALARM"
        assert head.message.note.startswith("2nd time in ")
        assert [line.partition(":")[0] for line in await station.thread(head)] == ["OK", "ALARM"]
    assert await station.changes("ops") == [1, 2, 3, 4, 5]


async def test_a_change_from_the_future_does_not_silence_an_alarm(station: Station) -> None:
    async with running(station) as session:
        early = alarm("OK") | {"StateChangeTime": "9999-12-31T00:00:00.000+0000"}
        assert await station.post(session, envelope("ops", early)) == 200
        await station.until_room("ops", heads(1))
        assert await station.post(session, envelope("ops", alarm("ALARM"))) == 200
        [_, head] = await station.until_room("ops", heads(2))
        assert head.message
        assert head.message.state == "ALARM"


async def test_custom_notifications_of_one_thread_stand_under_one_head(station: Station) -> None:
    def deploy(title: str, summary: str) -> dict[str, object]:
        metadata = {"threadId": "deploy-7", "summary": summary}
        return custom(title) | {"metadata": metadata}

    async with running(station) as session:
        await station.post(session, envelope("ops", deploy("Deploy started", "Deploy of 7")))
        await station.until_room("ops", heads(1))
        await station.post(session, envelope("ops", deploy("Deploy done", "Deploy of 7: done")))
        [head] = await station.until_room("ops", heads(1, 1))
        assert head.message
        assert head.message.title.text == "Deploy started"
        assert head.message.summary == "Deploy of 7: done"
        assert await station.thread(head) == ["Deploy done"]


async def test_json_that_parley_does_not_know_and_plain_text_are_shown_whole(
    station: Station,
) -> None:
    async with running(station) as session:
        unknown = {"build": {"number": 17, "result": "unstable"}, "\ud83d": "half an emoji"}
        await station.post(session, envelope("ops", unknown))
        await station.until_room("ops", heads(1))
        await station.post(session, envelope("ops", "The disk of db-1 is full.", subject="Disk"))
        found = await station.until_room("ops", heads(2))
        assert "unstable" in str(found[0].message)
        assert "The disk of db-1 is full." in str(found[1].message)
        _, metrics = await station.get("/metrics")
        assert 'UnsupportedEvents_total{ConfigurationName="ops"} 2.0' in metrics


async def test_what_sns_repeats_is_shown_once_also_after_a_restart(station: Station) -> None:
    body = envelope("ops", "only once", message_id=str(uuid4()))
    for _ in range(2):
        async with running(station) as session:
            assert [await station.post(session, body) for _ in range(3)] == [200] * 3
            await station.until_room("ops", heads(1))
    assert len(await station.room("ops")) == 1


async def test_two_configurations_of_one_topic_speak_in_their_own_rooms(station: Station) -> None:
    station.add("second", topic="ops")
    station.add("health", "--only-source", "aws.health", topic="ops")
    async with running(station) as session:
        await station.post(session, envelope("ops", "for both"))
        await station.until_room("ops", heads(1))
        await station.until_room("second", heads(1))
        assert await station.room("health") == []
    assert await station.names() == ["health", "ops", "second", "admin"]


async def test_a_configuration_that_is_added_while_the_gateway_runs_is_served(
    station: Station,
) -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:ops"
    async with running(station) as session:
        await station.post(session, envelope("ops", "before"))
        station.parley("configurations", "add", "late", "--topic", topic)
        for number in range(40):
            await station.post(session, envelope("ops", f"after {number}"))
            if await station.room("late"):
                break
            await asyncio.sleep(0.1)  # who speaks where is looked up once a second
        assert lines(await station.room("late"))
        station.parley("configurations", "remove", "late")


async def test_a_topic_that_no_configuration_names_is_told_to_the_admin_room_once(
    station: Station,
) -> None:
    async with running(station) as session:
        for _ in range(3):
            assert await station.post(session, envelope("strange", "hello")) == 403
        assert await station.post(session, b"{}") == 400
        [told] = await station.until_room("admin", heads(1))
        assert lines([told]) == ["REFUSED: A message for the topic strange was refused"]
        station.add("strange")
        _, metrics = await station.get("/metrics")
        assert 'parley_ingest_refused_total{code="Refused"} 3.0' in metrics
    assert len(await station.room("admin")) == 1
