#!/usr/bin/env bash
# Print the first Python that Parley runs on: $PYTHON when it is set, else what is on the PATH.
set -euo pipefail

for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
  if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    command -v "$candidate"
    exit 0
  fi
done
echo "Parley needs Python 3.11 or newer with its venv module (Debian: apt install python3 python3-venv)." >&2
echo "Install it, or name it: make setup PYTHON=/path/to/python3" >&2
exit 1
