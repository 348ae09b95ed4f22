# Every target sets up what it needs; nothing has to be run before another.
# Needed on the machine: Python 3.11 or newer, Node 20 or newer, git.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo check test soak bench lock

# Only the Python that is here: nothing but pinned packages is fetched.
export UV_PYTHON_DOWNLOADS := never
export PYTHON

UV := .uv/bin/uv
PY := .venv/bin/python
VENDOR := src/parley/web/static/vendor
CHECKED := $(wildcard src tests scripts demo benchmarks)
SLOW_TESTS := $(wildcard tests/contracts tests/stories tests/emulators tests/browser tests/faults)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.run $(VENDOR)/LICENCES.txt ## Make .venv/bin/parley

demo: setup .venv-ministack/.installed ## Start Parley on an AWS emulator (ONCE=1: check every message, then end)
	@$(PY) -m demo $(if $(ONCE),--once)

check: setup .venv/.dev ## Lint, format, types, layers, unit tests (under a minute)
	.venv/bin/ruff check $(CHECKED)
	.venv/bin/ruff format --check $(CHECKED)
	.venv/bin/mypy $(CHECKED)
	.venv/bin/lint-imports --no-logo
	.venv/bin/pytest tests/unit

test: check .venv-ministack/.installed ## All of check, then contracts, stories, emulators, browser, faults
	@scripts/debian_packages.sh
	.venv/bin/pytest $(SLOW_TESTS)

soak: setup .venv/.dev ## The long fault runs, half an hour (KILLS=, SEED=, ONLY=), a storm of 1,000 alarms
	@$(PY) -m tests.faults $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED)) \
		$(foreach one,$(ONLY),--only $(one))
	@$(if $(ONLY),true,$(PY) -m tests.faults.storm)

bench: setup .venv/.dev ## Measure what the performance goals name
	@$(PY) -m benchmarks

# --- set-up: each stamp lies in the folder that it speaks of, so that removing the folder is enough ---

.uv/.installed: requirements/uv.txt
	@echo "setup: the installer (uv)"
	@python=$$(scripts/find_python.sh) && "$$python" -m venv --clear .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/bin/python: | .uv/.installed
	@$(UV) venv --quiet --clear --python .uv/bin/python .venv

# `sync` removes what the file does not name, Parley itself included, so Parley follows it.
define install
@echo "setup: packages of requirements/$(1).txt"
@$(UV) pip sync --quiet --python $(PY) --require-hashes --no-build requirements/$(1).txt
@$(UV) pip install --quiet --python $(PY) --offline --no-deps --no-build-isolation --editable .
@touch $@
endef

# Where the tests have been run, what they need stays.
.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	$(call install,$(if $(wildcard .venv/.dev),dev,run))
	@[ ! -e .venv/.dev ] || touch .venv/.dev

.venv/.dev: requirements/dev.txt .venv/.run
	$(call install,dev)

.venv-%/.installed: requirements/emulator-%.txt | .uv/.installed
	@echo "setup: packages of $<"
	@$(UV) venv --quiet --clear --python .uv/bin/python $(@D)
	@$(UV) pip sync --quiet --python $(@D)/bin/python --require-hashes --no-build $<
	@touch $@

node_modules/.installed: package-lock.json .npmrc
	@echo "setup: packages of package-lock.json"
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { \
		echo "Parley's pages need Node 20 or newer with npm at set-up: install it." >&2; exit 1; }
	@npm ci --silent
	@touch $@

$(VENDOR)/LICENCES.txt: node_modules/.installed scripts/take_dist_files.py | .venv/bin/python
	@$(PY) scripts/take_dist_files.py node_modules $(VENDOR)

# --- locks: no file names the host of a registry; UPGRADE=1 takes the newest versions ---

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

lock: .uv/.installed ## Write the lock files anew (UPGRADE=1: with the newest versions)
	$(COMPILE) requirements/uv.in -o requirements/uv.txt >/dev/null
	$(COMPILE) pyproject.toml requirements/build.in -o requirements/run.txt >/dev/null
	$(COMPILE) pyproject.toml requirements/build.in requirements/dev.in -o requirements/dev.txt >/dev/null
	for emulator in requirements/emulator-*.in; do \
		$(COMPILE) "$$emulator" -o "$${emulator%.in}.txt" >/dev/null; done
	npm install --package-lock-only --silent
	scripts/npm_lock_without_hosts.mjs package-lock.json
