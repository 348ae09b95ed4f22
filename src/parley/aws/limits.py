"""Answers are read up to a size, whatever they announce."""

from aiohttp import ClientResponse


async def read_at_most(response: ClientResponse, limit: int) -> bytes | None:
    """Return the body, unpacked, none as soon as it is longer than `limit` bytes."""
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
