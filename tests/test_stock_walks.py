"""Walks over movements and collections while more happens, vendors that fail, and single ones by their ids."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import create_app as create_sandbox
from sandbox.livello import Livello
from sandbox.server import start
from sandbox.smartvend import SmartVend
from sandbox.vendnovation import VendNovation
from sandbox.world import Vendor, World
from tests.running import Gateway, Sandbox, moment, running_gateway

MOVEMENTS = """query ($first: Int, $after: String, $filter: StockMovementFilter) {
  list: stockMovements(first: $first, after: $after, filter: $filter) {
    nodes { id vendor vendorId recordedAt } pageInfo { hasNextPage endCursor }
    sources { account { vendor } state complete } } }"""
COLLECTIONS = MOVEMENTS.replace("StockMovementFilter", "CashCollectionFilter").replace(
    "stockMovements", "cashCollections"
)
NO_LIMITS = "requests = 1000000\nper_seconds = 1"
Node = dict[str, Any]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """Small, and without limits: each page asks every vendor."""
    world = World(scale=0.04, days=40)
    vendors: list[Vendor] = [
        SmartVend(world),
        Livello(world, hourly=10**6),
        VendNovation(world, per_second=10**6, burst=10**6, per_day=10**6),
    ]
    app = create_sandbox(vendors=vendors)
    with start(app) as server:
        yield Sandbox(server.base, app)


@pytest.fixture
def gateway(sandbox: Sandbox, tmp_path: Path) -> Iterator[Gateway]:
    with running_gateway(sandbox, tmp_path, cache="sales = 0", limits=NO_LIMITS) as gateway:
        yield gateway


def walk(gateway: Gateway, query: str, first: int, between: Callable[[], object] = lambda: None) -> list[Node]:
    seen: list[Node] = []
    after = None
    for _ in range(300):
        page = gateway.ask(query, {"first": first, "after": after})["list"]
        seen += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        after = page["pageInfo"]["endCursor"]
        between()
    raise AssertionError("the walk does not end")


def ids(nodes: list[Node]) -> list[str]:
    return [one["id"] for one in nodes]


def happenings(sandbox: Sandbox) -> Callable[[], object]:
    """Something at every vendor that has a list, on the first pages: each adds more than a small page has."""
    vendors = sandbox.vendors
    counting = next(str(row["id"]) for row in sandbox.truth("vendnovation")["machines"] if counts(row))

    pages = iter(range(20))

    def happen() -> None:
        if next(pages, None) is None:
            return
        vendors["livello"].make_refills(2)
        vendors["vendnovation"].make_sales(2, machine=counting)
        vendors["smartvend"].make_encashments(2)

    return happen


def counts(row: dict[str, Any]) -> bool:
    return bool(row["enableSlotCountTracking"]) and not row["callInCode"]


@pytest.mark.parametrize("query", [MOVEMENTS, COLLECTIONS])
@pytest.mark.parametrize("first", [1, 5, 13])
def test_a_walk_tells_all_that_there_was_once_whatever_happens_on_the_way(
    query: str, first: int, gateway: Gateway, sandbox: Sandbox
) -> None:
    before = walk(gateway, query, 1000)
    assert len(before) > 5
    seen = walk(gateway, query, first, happenings(sandbox))
    assert len(set(ids(seen))) == len(seen)
    order = [(moment(one["recordedAt"]), one["id"]) for one in seen]
    assert order == sorted(order, reverse=True)
    assert set(ids(before)) <= set(ids(seen))
    assert len(walk(gateway, query, 1000)) > len(before)


@pytest.mark.parametrize(
    ("query", "vendor", "operation"),
    [
        (MOVEMENTS, "livello", "/refills"),
        (MOVEMENTS, "vendnovation", "/inventory"),
        (COLLECTIONS, "smartvend", "/get-encashments-list"),
    ],
)
def test_a_vendor_that_fails_on_the_way_gives_what_it_owes_when_it_has_healed(
    query: str, vendor: str, operation: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    with running_gateway(sandbox, tmp_path, limits=NO_LIMITS) as gateway:
        sandbox.break_(vendor, "status", status=500, operation=operation)
        first = gateway.ask(query, {"first": 4})["list"]
        states = {one["account"]["vendor"].lower(): one for one in first["sources"]}
        assert (states[vendor]["state"], states[vendor]["complete"]) == ("FAILED", False)
        assert all(one["state"] != "FAILED" for name, one in states.items() if name != vendor)
        assert not [one for one in first["nodes"] if one["vendor"].lower() == vendor]
    with running_gateway(sandbox, tmp_path, limits=NO_LIMITS) as gateway:
        sandbox.heal()
        whole = walk(gateway, query, 1000)
        assert {one["vendor"].lower() for one in whole} >= {vendor}
        assert set(ids(first["nodes"])) <= set(ids(whole))


def test_single_ones_are_found_at_their_vendor_by_a_gateway_that_knows_nothing(
    gateway: Gateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    movements, collections = walk(gateway, MOVEMENTS, 1000), walk(gateway, COLLECTIONS, 1000)
    some = [next(one for one in movements if one["vendor"] == vendor) for vendor in ("LIVELLO", "VENDNOVATION")]
    some += [movements[-1], collections[0], collections[-1]]
    (tmp_path / "cold").mkdir()
    with running_gateway(sandbox, tmp_path / "cold", limits=NO_LIMITS) as cold:
        sandbox.forget_requests()
        query = """query ($ids: [ID!]!) { nodes(ids: $ids) { id
          ... on StockMovement { vendorId recordedAt } ... on CashCollection { vendorId recordedAt } } }"""
        found = cold.ask(query, {"ids": ids(some)})["nodes"]
        assert [{**one, "vendor": two["vendor"]} for one, two in zip(found, some, strict=True)] == some
        paths = {request.partition("?")[0] for request in sandbox.requests()}
        assert any(path.startswith("GET /livello/api/v1/refills/") for path in paths)
        assert "POST /vendnovation/prod/inventory" in paths
        assert "POST /smartvend/v1/get-encashments-list" in paths
