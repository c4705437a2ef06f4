PYTHON ?= python3
BIN = .venv/bin
CLIENTS = tests/clients/node_modules/.package-lock.json
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(UPGRADE)

.PHONY: setup demo test check fuzz bench lock schema released docs

setup: .venv/ready

.venv/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	$(BIN)/vendgraph demo

test: setup $(CLIENTS)
	$(BIN)/python -m pytest

# Clients and a server from npm, which a few tests and a benchmark need: without them those say so.
$(CLIENTS): tests/clients/package-lock.json
	npm ci --prefix tests/clients --no-audit --no-fund --loglevel=error || echo "npm did not install tests/clients" >&2

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A minute of operations that schemathesis makes up, against a gateway over the sandbox.
fuzz: setup
	$(BIN)/python -m tests.fuzz

bench: setup $(CLIENTS)
	$(BIN)/python -m bench

# What was locked stays; `make lock UPGRADE=--upgrade` takes what is newest.
lock: setup
	$(LOCK) --all-extras --output-file requirements-dev.lock pyproject.toml
	$(LOCK) --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml
	$(LOCK) --constraint requirements-dev.lock --group build --output-file requirements-build.lock

schema: setup
	$(BIN)/vendgraph schema > schema.graphql

# With a release: the graph that later ones are held to.
released: schema
	$(BIN)/python -m tests.promise

# The tables of operations in the vendors' pages.
docs: setup
	$(BIN)/python -m tests.vendor_pages
