"""Fields of a form, as a browser sends them without files."""

from urllib.parse import parse_qs

from starlette.requests import Request

from parley.kernel.errors import InvalidRequest

LARGEST = 64 * 1024
"""Bytes of a whole form: far above the longest line that chat takes."""


async def fields(request: Request) -> dict[str, str]:
    """Return the first value of each field. Raises `InvalidRequest` if it is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise InvalidRequest(
                f"This is longer than {LARGEST // 1024} KiB, the most Parley takes."
            )
    try:
        values = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise InvalidRequest("This is not a form as browsers send it.") from None
    return {name: first for name, (first, *_) in values.items()}
