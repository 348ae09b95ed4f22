"""What arrives twice, in the wrong order, or while the clock jumps."""

import asyncio
import random
from datetime import timedelta
from pathlib import Path

import aiohttp

from tests.contracts.slack_double import SlackDouble
from tests.faults.load import Sent
from tests.faults.oracle import Row, judge
from tests.faults.site import ROOMS, Site, busy, channel_of, site
from tests.gateway import TOPIC, alarm
from tests.station import envelope

DRAIN = 60.0
AT_ONCE = 8
CHANGES = 8
FARTHEST = timedelta(minutes=40)
"""SNS messages of more than an hour ago or ahead are refused."""


async def repeated(data: Path, messages: int, seed: int) -> Row:
    """Post each message several times at once, and again after a kill; return the figures."""
    slack = SlackDouble(may_read=False)
    async with site(data, seed, slack=slack) as made:
        await made.start()
        chance = random.Random(f"{seed}/repeated")  # noqa: S311 - chance of a test
        sent = [made.load.message(chance) for _ in range(messages)]
        answers: list[int] = []
        for time in range(2):
            if time:
                await made.drained(DRAIN)
                await asyncio.to_thread(made.station.kill)
                await asyncio.to_thread(lambda: made.station.start(**made.environment))
            async with aiohttp.ClientSession() as session:
                for one in sent:
                    posts = (made.load.post(session, one.body) for _ in range(AT_ONCE))
                    answers += await asyncio.gather(*posts)
        stored = await made.drained(DRAIN)
        assert answers == [200] * (2 * AT_ONCE * messages)
        assert len({step.event_id for step in stored.steps}) == messages
        note = f"each posted {2 * AT_ONCE} times, a restart between"
        return judge(_row("repetitions", made, note), stored, sent, slack)


async def disordered(data: Path, alarms: int, seed: int) -> Row:
    """Post the changes of alarms in any order; each alarm must show its newest at the end."""
    slack = SlackDouble(may_read=False)
    chance = random.Random(f"{seed}/order")  # noqa: S311 - chance of a test
    async with site(data, seed, slack=slack, rooms=ROOMS[:1]) as made:
        await made.start()
        newest: dict[str, str] = {}
        changes: list[Sent] = []
        for number in range(alarms):
            name = f"alarm-{number:03}"
            for ago in range(CHANGES, 0, -1):
                newest[name] = chance.choice(["ALARM", "OK"])
                content = alarm(newest[name], name, timedelta(seconds=10 * ago))
                key = f"{chance.getrandbits(128):032x}"
                event_id = f"sns:{TOPIC.format(room=ROOMS[0])}:{key}"
                changes.append(Sent(event_id, ROOMS[0], "", envelope(ROOMS[0], content, key)))
        chance.shuffle(changes)
        async with aiohttp.ClientSession() as session:
            for start in range(0, len(changes), AT_ONCE):
                portion = changes[start : start + AT_ONCE]
                await asyncio.gather(*(made.load.post(session, one.body) for one in portion))
        stored = await made.drained(DRAIN)
        heads = [one.content for one in slack.posted(channel_of(ROOMS[0]))]
        late = []
        for name, state in newest.items():
            shown = [one["text"] for one in heads if name in str(one)]
            # A lone OK stays; an ALARM after it gets a message of its own.
            past = [text for text in shown[:-1] if not text.startswith("OK")]
            if past or not shown or not shown[-1].startswith(state):
                late.append(f"{name} shows {shown}, and is {state}")
        row = judge(_row("changes in any order", made, ""), stored, changes, slack)
        assert not late, (str(row), late)
        return row


async def jumping(data: Path, jumps: int, seed: int) -> Row:
    """Let the clock of the server jump under load, and kill it now and then."""
    chance = random.Random(f"{seed}/jumps")  # noqa: S311 - chance of a test
    slack = SlackDouble(may_read=False)
    wrong = data.with_name("wrong-by")
    _replace(wrong, 0.0)
    farthest = FARTHEST.total_seconds()
    async with site(data, seed, rate=80.0, slack=slack, FAULT_CLOCK=str(wrong)) as made:
        # No call fails: a retry would wait until its time comes again by the clock.
        busy(slack, seed, failing=0.0)
        await made.start()
        sending = asyncio.create_task(made.load.run())
        for number in range(jumps):
            await asyncio.sleep(0.5 + chance.random())
            _replace(wrong, chance.uniform(-farthest, farthest))
            if number % 3 == 2:
                await asyncio.to_thread(made.station.kill)
                made.ends.append(asyncio.get_running_loop().time())
                await asyncio.to_thread(lambda: made.station.start(**made.environment))
        _replace(wrong, 0.0)
        await asyncio.sleep(1)
        made.load.stopping = True
        await sending
        stored = await made.drained(DRAIN)
        row = _row(f"{jumps} clock jumps of up to {farthest / 60:.0f} min", made, "")
        return judge(row, stored, made.load.accepted.values(), slack, made.ends)


def _replace(file: Path, seconds: float) -> None:
    """Write the file so that nobody reads it half written."""
    new = file.with_suffix(".new")
    new.write_text(str(seconds))
    new.rename(file)


def _row(fault: str, made: Site, note: str) -> dict[str, object]:
    return {
        "fault": fault,
        "seed": made.seed,
        "refused": made.load.refused,
        "seconds": made.seconds(),
        "note": note,
    }
