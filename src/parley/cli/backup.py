"""`parley backup`: a copy of the database while the gateway runs."""

import argparse
from pathlib import Path

from parley.cli.options import add_data, settings_of
from parley.storage.backup import back_up


def arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    add_data(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="where to; it must not exist yet")


def run(options: argparse.Namespace) -> int:
    """Write the copy and say how large it is."""
    size = back_up(settings_of(options).database_url, options.file.absolute())
    print(f"Wrote {options.file}, {size:,} bytes. To go back to it, stop the gateway and put it in")
    print("the place of parley.db, without the files parley.db-wal and parley.db-shm.")
    return 0
