"""What a process needs to start: read once, checked, and passed down."""

from parley.settings.model import Settings, Slack, Sns, split_address
from parley.settings.reading import BadSettings, find_file, read_settings

__all__ = [
    "BadSettings",
    "Settings",
    "Slack",
    "Sns",
    "find_file",
    "read_settings",
    "split_address",
]
