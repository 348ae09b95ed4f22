"""Whole numbers that addresses and forms carry."""

from parley.kernel.errors import InvalidRequest

_LARGEST = 2**63 - 1
"""What the databases hold as a whole number."""


def number(text: str, name: str) -> int:
    """Return a message id or change number from an address. Raises `InvalidRequest`."""
    if text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST)):
        value = int(text)
        if value <= _LARGEST:
            return value
    raise InvalidRequest(f"`{name}` must be a whole number, {_LARGEST} at the most.")
