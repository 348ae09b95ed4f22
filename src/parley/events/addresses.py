"""Addresses that people write into descriptions, such as that of a runbook."""

import re

_LONGEST = 1900
"""Chat platforms refuse longer links; half an address leads elsewhere."""

# The group does not give back: what comes after the host decides whether it is one. Behind it an
# `@` would make a user name of it, and browsers read a backslash as a slash.
_ADDRESS = re.compile(
    r"(?<!\w)https?://(?>(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*)(?::[0-9]{1,5})?)(?![\w@:\\])"
    r"(?:[/?#][^\s<>\"|\\`{}^]*)?"
)
_TRAILING = ".,;:!?)]'*_~-"


def first_address(text: str) -> tuple[str, str]:
    """Return the host of the first web address in a text and the address; empty if there is none.

    The host is plain ASCII, so that a reader who is shown it knows where the address leads.
    """
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(_TRAILING)
        host = found["host"].rstrip(_TRAILING)
        if len(address) <= _LONGEST and ".." not in host:
            return host.lower(), address
    return "", ""
