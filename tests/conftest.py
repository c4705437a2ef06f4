"""What tests share: one sandbox and one gateway over it for each module, whole again after each test."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import settings
from sqlalchemy import Engine

from journal.store import open_store
from tests.lossy import Lossy, lossy
from tests.running import Gateway, Sandbox, running_gateway, running_sandbox
from tests.stores import KINDS, MUST, NoPostgreSQL, administrate, empty, new_store

settings.register_profile("vendgraph", deadline=None)  # how long an example takes says nothing of it
settings.load_profile("vendgraph")

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What stands on the loop itself is tried on the one that serves as well."""
    return LOOPS if item.path.name == "test_wire.py" else {"asyncio": asyncio.new_event_loop}


# Begun first, longest first: what is begun last is waited for, by one worker alone while the others have nothing to do.
LONG = (
    "graph_failures",
    "replicas",
    "secrets",
    "livello_changes",
    "sameness",
    "subscriptions",
    "stock_walks",
    "commands_crash",
    "docs",
    "demo",
    "crash",
    "outages",
    "webhooks",
    "exports",
    "rights_by_id",
    "commands_chaos",
    "dockerfile",
    "contract",
    "http",
    "leases",
    "catalogue_smartepi",
    "smartvend_orders",
    "graph_economy",
    "examples",
    "commands_outages",
    "sales_report",
    "graph_paging",
    "eatmachine_estate",
    "journal",
    "days",
    "bench",
    "instead",
    "reported",
    "commands_at_once",
    "bulk_crash",
    "tracing",
    "fuzz",
)
PLACES = {f"test_{name}.py": place for place, name in enumerate(LONG)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: PLACES.get(item.path.name, len(PLACES)))


def pytest_collection_finish() -> None:
    """The tests and all modules stay to the end: who looks for garbage need not look there each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    shared_sandbox.forget_requests()
    yield shared_sandbox
    shared_sandbox.heal()


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture
async def wire(sandbox: Sandbox) -> AsyncIterator[Lossy]:
    """Between a gateway and the vendors, to fail or hold what passes."""
    async with lossy(sandbox.base) as found:
        yield found


@contextmanager
def _store(kind: str, folder: Path) -> Iterator[str]:
    """Without a PostgreSQL its tests are skipped, but for CI, where they fail."""
    try:
        with new_store(kind, folder) as url:
            yield url
    except NoPostgreSQL as reason:
        (pytest.fail if MUST else pytest.skip)(str(reason))


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty store of each kind."""
    with _store(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[str]:
    """An empty store on PostgreSQL."""
    with _store("postgresql", tmp_path) as url:
        yield url


@pytest.fixture
def postgresql_server() -> Callable[[str], None]:
    """Executes a statement at the server, outside of the databases of tests."""
    return administrate


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    """A store of the newest layout, of each kind."""
    engine = open_store(store_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module", params=KINDS)
def shared_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with _store(request.param, tmp_path_factory.mktemp("store")) as url:
        engine = open_store(url)
        yield engine
        engine.dispose()


@pytest.fixture
def emptied_store(shared_store: Engine) -> Engine:
    """As `store`, made once for each module: for many small tests."""
    empty(shared_store)
    return shared_store


Resolve = Callable[[str, list[str]], None]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Makes a name mean the addresses of a list, one after another; what is in none cannot be resolved any more."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *given: Any, **named: Any) -> Any:
        if host not in known:
            return real(host, port, *given, **named)
        if not known[host]:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        addresses = known[host].pop(0).split()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known.__setitem__
