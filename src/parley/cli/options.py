"""Options that every command takes, and the settings that they lead to."""

import argparse
from pathlib import Path

from parley.settings import Settings, read_settings


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add `--data DIR`; it may stand before or after the names of command and action."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,  # what stands before the command's name stays in force
        help="folder of the database and of parley.toml (PARLEY_DATA; default: ./data)",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """Read the settings with what the command line says about them."""
    data = getattr(options, "data", None)
    return read_settings({"data": data, "listen": getattr(options, "listen", None)})
