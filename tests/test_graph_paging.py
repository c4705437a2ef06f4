"""Walks over the merged lists: nothing comes twice and nothing is lost, whatever happens on the way."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from random import Random
from typing import Any

import pytest

from sandbox.app import create_app as create_sandbox
from sandbox.eatmachine import EatMachine
from sandbox.livello import Livello
from sandbox.server import start
from sandbox.smartepi import SmartEPI
from sandbox.smartvend import SmartVend
from sandbox.vendnovation import VendNovation
from sandbox.world import Vendor, World
from tests.running import Gateway, Sandbox, moment, running_gateway

SALES = """query ($first: Int, $after: String, $filter: SaleFilter) {
  list: sales(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id vendor vendorId recordedAt } } pageInfo { hasNextPage endCursor }
    sources { account { vendor } state complete asOf error { code retryAfterSeconds } } } }"""
EVENTS = SALES.replace("SaleFilter", "EventFilter").replace("list: sales", "list: events")
MACHINES = """query ($first: Int, $after: String, $filter: MachineFilter) {
  list: machines(first: $first, after: $after, filter: $filter) {
    edges { cursor node { id vendor } } pageInfo { hasNextPage endCursor } sources { state } } }"""
NO_LIMITS = "requests = 1000000\nper_seconds = 1"
SELLING = ("smartvend", "livello", "vendnovation", "smartepi")
ID = {"smartvend": "saleId", "livello": "id", "vendnovation": "id", "smartepi": "id"}


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """Small, and without limits: each page asks every vendor."""
    world = World(scale=0.02, days=30)
    vendors: list[Vendor] = [
        SmartVend(world),
        Livello(world, hourly=10**6),
        VendNovation(world, per_second=10**6, burst=10**6, per_day=10**6),
        SmartEPI(world, requests=10**6),
        EatMachine(world),
    ]
    app = create_sandbox(vendors=vendors)
    with start(app) as server:
        yield Sandbox(server.base, app)


@pytest.fixture(scope="module")
def gateways(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Gateway]]:
    """Two over one store, that ask the vendors for each page anew."""
    folder = tmp_path_factory.mktemp("two")
    store = f"sqlite:///{folder}/shared.db"
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running_gateway(shared_sandbox, folder, store=store, cache="sales = 0", limits=NO_LIMITS)
            )
            for _ in range(2)
        ]


def page(gateway: Gateway, after: str | None, first: int = 37, query: str = SALES, **narrowing: Any) -> Any:
    return gateway.ask(query, {"first": first, "after": after, "filter": narrowing or None})["list"]


def walk(
    gateways: Sequence[Gateway],
    query: str = SALES,
    first: int = 37,
    between: Callable[[int], None] = lambda _: None,
    **narrowing: Any,
) -> list[dict[str, Any]]:
    """Page after page, from one gateway after the other; `between` happens after each, by its number."""
    seen: list[dict[str, Any]] = []
    after: str | None = None
    for number in range(200):
        found = page(gateways[number % len(gateways)], after, first, query, **narrowing)
        seen += [edge["node"] for edge in found["edges"]]
        if not found["pageInfo"]["hasNextPage"]:
            return seen
        after = found["pageInfo"]["endCursor"]
        between(number)
    raise AssertionError("the list has no end")


def everything(sandbox: Sandbox) -> set[tuple[str, str]]:
    return {(vendor.upper(), str(row[ID[vendor]])) for vendor in SELLING for row in sandbox.truth(vendor)["sales"]}


def told(seen: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["vendor"], one["vendorId"]) for one in seen]


def order(seen: list[dict[str, Any]]) -> list[tuple[Any, str]]:
    return [(moment(one["recordedAt"]), one["id"]) for one in seen]


class Selling:
    """Makes sales at random vendors after each page; now and then many within a second."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._random = Random(5)  # noqa: S311  a made-up customer

    def __call__(self, _: int) -> None:
        vendor = self._random.choice(SELLING)
        self._sandbox.sell(vendor, self._random.choice((1, 2, 9)))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_walk_while_sales_are_made_is_in_order_and_repeats_and_loses_nothing(
    processes: int, gateways: Sequence[Gateway], sandbox: Sandbox
) -> None:
    sandbox.sell("smartvend", 40)  # the first page lies within one second
    at_the_start = everything(sandbox)
    seen = walk(gateways[:processes], between=Selling(sandbox))
    assert order(seen) == sorted(order(seen), reverse=True)
    assert len(told(seen)) == len(set(told(seen)))
    assert at_the_start <= set(told(seen))


def test_a_walk_within_the_time_of_what_is_kept_is_as_good(
    sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    at_the_start = everything(sandbox)
    with running_gateway(sandbox, tmp_path_factory.mktemp("keeping")) as gateway:
        seen = walk([gateway], between=Selling(sandbox))
    assert order(seen) == sorted(order(seen), reverse=True)
    assert sorted(told(seen)) == sorted(at_the_start)


def test_any_edges_cursor_leads_on_from_there(gateways: Sequence[Gateway]) -> None:
    edges = page(gateways[0], None, 30)["edges"]
    for at in (0, 7, 28):
        found = page(gateways[1], edges[at]["cursor"], 29 - at)["edges"]
        assert [one["node"] for one in found] == [one["node"] for one in edges[at + 1 :]]
        assert found[-1]["cursor"] == edges[-1]["cursor"]


def test_a_filtered_walk_is_the_walk_less_what_is_filtered_out(gateways: Sequence[Gateway]) -> None:
    whole = walk(gateways)
    vendors = ["LIVELLO", "SMARTEPI"]
    assert walk(gateways, first=11, vendors=vendors) == [one for one in whole if one["vendor"] in vendors]
    half = whole[len(whole) // 2]["recordedAt"]
    assert walk(gateways, first=11, to=half) == [one for one in whole if moment(one["recordedAt"]) < moment(half)]


def test_events_and_machines_are_walked_alike(gateways: Sequence[Gateway], sandbox: Sandbox) -> None:
    events = walk(gateways, EVENTS, first=5)
    assert order(events) == sorted(order(events), reverse=True)
    assert len(events) == sum(len(sandbox.truth(vendor)["events"]) for vendor in SELLING)
    machines = walk(gateways, MACHINES, first=3)
    assert len({one["id"] for one in machines}) == len(machines)
    assert len(machines) == sum(len(sandbox.truth(vendor)["machines"]) for vendor in sandbox.vendors)


@pytest.mark.parametrize("vendor", SELLING)
def test_a_vendor_that_fails_on_the_way_and_heals_loses_nothing(
    vendor: str, gateways: Sequence[Gateway], sandbox: Sandbox
) -> None:
    at_the_start = everything(sandbox)
    selling = Selling(sandbox)

    def between(number: int) -> None:
        if number == 1:
            sandbox.break_(vendor, "junk", times=2)
        selling(number)

    seen = walk(gateways[:1], between=between)
    assert len(told(seen)) == len(set(told(seen)))
    assert at_the_start <= set(told(seen))
    others = [one for one in seen if one["vendor"] != vendor.upper()]
    assert order(others) == sorted(order(others), reverse=True)


def test_another_process_goes_on_where_a_vendor_failed_in_the_first(
    gateways: Sequence[Gateway], sandbox: Sandbox
) -> None:
    whole = walk(gateways)
    sandbox.break_("livello", "junk")
    first = page(gateways[0], None)
    livello = next(one for one in first["sources"] if one["account"]["vendor"] == "LIVELLO")
    assert not livello["complete"]
    sandbox.heal()
    seen = [edge["node"] for edge in first["edges"]]
    after = first["pageInfo"]["endCursor"]
    while after is not None:
        found = page(gateways[1], after)
        seen += [edge["node"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"] if found["pageInfo"]["hasNextPage"] else None
    assert sorted(told(seen)) == sorted(told(whole))


def test_sales_that_were_made_before_a_walk_began_on_an_old_page_come_when_their_vendor_has_healed(
    gateways: Sequence[Gateway], sandbox: Sandbox
) -> None:
    gateway = gateways[0]
    page(gateway, None)  # the last good one
    (late,) = sandbox.sell("livello")
    at_the_start = everything(sandbox)
    sandbox.break_("livello", "junk")
    first = page(gateway, None)
    livello = next(one for one in first["sources"] if one["account"]["vendor"] == "LIVELLO")
    assert (livello["state"], livello["complete"]) == ("STALE", False)
    seen = [edge["node"] for edge in first["edges"]]
    assert ("LIVELLO", str(late["id"])) not in told(seen)
    sandbox.heal()
    after = first["pageInfo"]["endCursor"]
    while after is not None:
        found = page(gateway, after)
        seen += [edge["node"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"] if found["pageInfo"]["hasNextPage"] else None
    assert len(told(seen)) == len(set(told(seen)))
    assert at_the_start <= set(told(seen))


def test_what_an_old_page_showed_does_not_come_again_when_its_vendor_has_healed(
    gateways: Sequence[Gateway], sandbox: Sandbox
) -> None:
    """Not even where it is the very place from which the walk goes on."""
    gateway = gateways[0]
    page(gateway, None, 3, vendors=["LIVELLO"])
    sandbox.break_("livello", "junk")
    first = page(gateway, None, 1, vendors=["LIVELLO"])
    assert [one["state"] for one in first["sources"]] == ["STALE"]
    sandbox.heal()
    (late,) = sandbox.sell("livello")
    second = page(gateway, first["pageInfo"]["endCursor"], 5, vendors=["LIVELLO"])
    natives = [edge["node"]["vendorId"] for edge in second["edges"]]
    assert natives[0] == str(late["id"])
    assert first["edges"][0]["node"]["vendorId"] not in natives


def test_a_walk_that_would_end_for_a_failure_alone_waits_for_the_vendor(
    gateways: Sequence[Gateway], sandbox: Sandbox
) -> None:
    first = page(gateways[0], None, 5, vendors=["LIVELLO"])
    sandbox.break_("livello", "junk", times=1)
    second = page(gateways[1], first["pageInfo"]["endCursor"], 5, vendors=["LIVELLO"])
    assert len(second["edges"]) == 5
    assert [one["state"] for one in second["sources"]] == ["FRESH"]


def test_a_page_without_anything_of_a_failed_vendor_can_be_asked_for_again(
    gateways: Sequence[Gateway], sandbox: Sandbox
) -> None:
    machine = gateways[1].ask("{ machines(first: 1, filter: {vendors: [VENDNOVATION]}) { nodes { id } } }")
    sandbox.break_("vendnovation", "junk")
    found = page(gateways[1], None, 5, machines=[machine["machines"]["nodes"][0]["id"]])
    assert (found["edges"], found["pageInfo"]) == ([], {"hasNextPage": False, "endCursor": None})
    assert [one["state"] for one in found["sources"]] == ["FAILED"]
