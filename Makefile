PYTHON ?= python3
BIN = .venv/bin
CLIENTS = tests/clients/node_modules/.package-lock.json
GRAPHIQL = graphiql/node_modules/.package-lock.json
PEERS = bench/peers/node/node_modules/.package-lock.json
USED = $(CLIENTS) $(GRAPHIQL) $(PEERS) $(patsubst %,%/node_modules/.package-lock.json,tests/browser examples/typescript examples/relay) \
	examples/python/.venv/ready
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header $(UPGRADE)

.PHONY: setup demo test failed check sameness fuzz bench bench-peers lock schema released docs graphiql

setup: .venv/ready

.venv/ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	$(BIN)/vendgraph demo

# The many programs that tests start need not compile all of it each time, whatever is usual around here.
test: export PYTHONDONTWRITEBYTECODE =
test: setup $(USED)
	$(BIN)/python -m pytest

# Those that failed last, one after another.
failed: setup
	$(BIN)/python -m pytest -n 0 --last-failed --last-failed-no-failures none

# What a few tests and a benchmark need of npm and of the examples: without it those say so.
%/node_modules/.package-lock.json: %/package-lock.json
	npm ci --prefix $* --no-audit --no-fund --loglevel=error || echo "npm did not install $*" >&2

examples/python/.venv/ready: examples/python/requirements.lock
	{ $(PYTHON) -m venv $(@D) && $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< \
		&& touch $@; } || echo "examples/python was not installed" >&2

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Compiled operations against graphql-core, over more operations than the tests do; `make sameness COUNT=100000`.
sameness: setup
	$(BIN)/python -m tests.sameness $(or $(COUNT),5000) $(ARGUMENTS)

# A minute of operations that schemathesis makes up, against a gateway over the sandbox.
fuzz: setup
	$(BIN)/python -m tests.fuzz

bench: setup $(CLIENTS)
	$(BIN)/python -m bench

# The gateway and its peers, side by side; `make bench-peers ARGUMENTS=--quick` only says that it works.
bench-peers: setup $(CLIENTS) $(PEERS) bench/peers/hive/node_modules/.package-lock.json
	$(BIN)/python -m bench.peers $(ARGUMENTS)

# What was locked stays; `make lock UPGRADE=--upgrade` takes what is newest.
lock: setup
	$(LOCK) --all-extras --output-file requirements-dev.lock pyproject.toml
	$(LOCK) --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml
	$(LOCK) --constraint requirements-dev.lock --group build --output-file requirements-build.lock
	$(LOCK) --output-file examples/python/requirements.lock examples/python/requirements.in

# The files of GraphiQL that the gateway serves.
graphiql: $(GRAPHIQL)
	npm run --silent --prefix graphiql build

schema: setup
	$(BIN)/vendgraph schema > schema.graphql

# With a release: the graph that later ones are held to.
released: schema
	$(BIN)/python -m tests.promise

# The tables of operations in the vendors' pages.
docs: setup
	$(BIN)/python -m tests.vendor_pages
