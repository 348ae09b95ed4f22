"""Lets things happen in AWS one by one, and tells what of it stands in chat and how soon."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from demo.cloud import Cloud
from demo.events import Expected, Happening, How
from demo.room import Room, Seen

_EACH_WITHIN = 20.0  # seconds
_AT_LEAST = 1.0  # seconds that the last ones get when the first ones took all the time
_WIDTH = 64


@dataclass(slots=True)
class Outcome:
    """What arrived after how many seconds, and what did not."""

    seconds: list[float] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


async def tell(happenings: list[Happening], cloud: Cloud, room: Room, patience: float) -> Outcome:
    """Do everything and wait for its messages, together `patience` seconds at the most."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    outcome, heads = Outcome(), dict[str, str]()
    for number, happening in enumerate(happenings, 1):
        print(f"\n {number}  AWS   {happening.text}", flush=True)
        began = loop.time()
        await asyncio.to_thread(happening.act, cloud)
        until = max(min(began + _EACH_WITHIN, deadline), began + _AT_LEAST)
        for expected in happening.expected:
            seen = await room.wait(partial(_is, expected, heads.get(expected.words)), until)
            if seen is None:
                outcome.missing.append(f"{happening.text}: {_what(expected)}")
                print(f"    chat  nothing came within {until - began:.0f} s", flush=True)
                continue
            if expected.how is How.POSTED:
                heads[expected.words] = seen.id
            outcome.seconds.append(seen.at - began)
            print(_line(seen, expected, seen.at - began), flush=True)
    return outcome


def _is(expected: Expected, head: str | None, seen: Seen) -> bool:
    fits = {
        How.POSTED: not seen.edited and not seen.root and expected.words in seen.page,
        How.EDITED: seen.edited and seen.id == head,
        How.REPLIED: not seen.edited and bool(seen.root) and seen.root == head,
    }
    return fits[expected.how] and expected.tone in {"", seen.tone}


def _what(expected: Expected) -> str:
    return f"{expected.how.value} with {expected.words}"


def _line(seen: Seen, expected: Expected, seconds: float) -> str:
    label = " ".join(seen.label.split())
    shown = label if len(label) <= _WIDTH else f"{label[: _WIDTH - 1]}…"
    return f"    chat  {expected.how.value:<16}  {shown:<{_WIDTH}} {seconds:5.2f} s"
