"""Posts prepared bodies, one a line of a file, from a process of its own."""

import argparse
import asyncio
import sys
from pathlib import Path

import aiohttp


async def send(url: str, bodies: list[bytes], callers: int, rate: float) -> int:
    """Post every body once, by so many callers, `rate` a second (0: as fast as it goes).

    Return how many were accepted.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    waiting = iter(enumerate(bodies))
    accepted = 0
    refused: list[str] = []  # the first one says why

    async def caller(session: aiohttp.ClientSession) -> None:
        nonlocal accepted
        for number, body in waiting:
            if rate:
                await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            async with session.post(
                url, data=body, headers={"Content-Type": "application/json"}
            ) as response:
                text = await response.text()
                accepted += response.ok
                if not response.ok and not refused:
                    refused.append(text)
                    print(f"{response.status}: {text}", file=sys.stderr)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(caller(session) for _ in range(callers)))
    return accepted


def main() -> int:
    """Read the command line, send, print how many were accepted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0)
    options = parser.parse_args()
    bodies = options.file.read_bytes().splitlines()
    print(asyncio.run(send(options.url, bodies, options.callers, options.rate)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
