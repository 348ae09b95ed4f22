#!/usr/bin/env bash
# Install what the browser and database tests drive. Only where the machine is ours to change: in CI,
# or when PARLEY_APT=1 asks for it. Elsewhere say what is missing; the tests concerned are skipped by name.
set -euo pipefail

missing=()
command -v chromium >/dev/null || missing+=(chromium)
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
[ "${#missing[@]}" -gt 0 ] || exit 0

if [ -z "${CI:-}" ] && [ "${PARLEY_APT:-}" != 1 ]; then
  echo "Not installed: ${missing[*]}. The tests that need them are skipped." >&2
  echo "To run them: apt install ${missing[*]}   (or: make test PARLEY_APT=1)" >&2
  exit 0
fi

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
echo "Installing Debian packages: ${missing[*]}"
"${as_root[@]}" apt-get -q -q update
"${as_root[@]}" apt-get -q -q install --yes --no-install-recommends "${missing[@]}" >/dev/null
