"""Options that every command takes, and the settings that they lead to."""

import argparse
from pathlib import Path

from parley.settings import Settings, read_settings


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add `--data DIR`."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of the database and of parley.toml (PARLEY_DATA; default: ./data)",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """Read the settings with what the command line says about them."""
    return read_settings({"data": options.data, "listen": getattr(options, "listen", None)})
