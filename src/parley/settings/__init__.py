"""What a process needs to start: read once, checked, and passed down."""

from parley.settings.model import Retention, Settings, Slack, Sns, split_address
from parley.settings.reading import BadSettings, Mistake, find_file, read_settings

__all__ = [
    "BadSettings",
    "Mistake",
    "Retention",
    "Settings",
    "Slack",
    "Sns",
    "find_file",
    "read_settings",
    "split_address",
]
