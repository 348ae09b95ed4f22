"""Which events a configuration lets into its channel."""

from fnmatch import fnmatchcase

from parley.events.model import Event
from parley.kernel.configuration import Routing


def routed(routing: Routing, event: Event) -> bool:
    """Say whether the event goes to the channel.

    Sources are patterns (`aws.*`), read without regard to case; accounts are exact. An event that
    does not say its account passes the list of accounts: better shown once too often than lost.
    """
    if routing.accounts and event.account and event.account not in routing.accounts:
        return False
    if not routing.sources:
        return True
    source = event.source.lower()
    return any(fnmatchcase(source, pattern.lower()) for pattern in routing.sources)
