"""What the id of a machine is enough for is asked for with the machine itself, and not after it; and with a list of
machines, for those that were on it the last time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from domain.refs import Kind, Ref
from tests.lossy import Lossy
from tests.running import Gateway, Sandbox, running_gateway

SELECTED = "{ id slots { position product { name } } }"
BY_ID = (
    f"query ($id: ID!) {{ found: machine(id: $id) {SELECTED} }}",
    f"query ($id: ID!) {{ found: node(id: $id) {{ ... on Machine {SELECTED} }} }}",
)
LISTS = {"SMARTVEND": "/get-list-of-controllers", "VENDNOVATION": "/machines"}
BELOW = {
    "SMARTVEND": {"/get-controller-matrix", "/get-list-of-products"},
    "VENDNOVATION": {"/selections", "/products"},
}


def machines(gateway: Gateway) -> Mapping[str, str]:
    """One of each vendor: its id."""
    found = gateway.ask("{ machines(first: 1000) { nodes { id vendor } } }")["machines"]["nodes"]
    return {one["vendor"]: one["id"] for one in found}


def unknown(id_: str) -> str:
    ref = Ref.parse(id_)
    assert ref is not None
    return Ref(Kind.MACHINE, ref.account, "00000000-0000-4000-8000-000000000000").text


def asked(sandbox: Sandbox, vendor: str) -> set[str]:
    return {"/" + request.rsplit("/", 1)[-1] for request in sandbox.requests(vendor.lower())}


@pytest.mark.parametrize("query", BY_ID)
@pytest.mark.parametrize("vendor", LISTS)
def test_its_slots_do_not_wait_for_the_machine(
    vendor: str, query: str, gateway: Gateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    id_ = machines(gateway)[vendor]
    sandbox.break_(vendor.lower(), "hang_before", operation=LISTS[vendor])
    with running_gateway(sandbox, tmp_path, limits="timeout_seconds = 1") as cold:
        sandbox.forget_requests()
        answer = cold.post(query, {"id": id_}).json()
    assert answer["data"]["found"] is None
    assert answer["errors"][0]["extensions"]["code"] == "VENDOR_UNAVAILABLE"
    assert asked(sandbox, vendor) >= BELOW[vendor]


@pytest.mark.parametrize("query", BY_ID)
@pytest.mark.parametrize("vendor", LISTS)
def test_one_that_never_was_is_null_and_harms_nothing(
    vendor: str, query: str, gateway: Gateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    id_ = machines(gateway)[vendor]
    known = gateway.ask(query, {"id": id_})["found"]
    with running_gateway(sandbox, tmp_path) as cold:
        assert cold.post(query, {"id": unknown(id_)}).json() == {"data": {"found": None}}
        assert cold.ask(query, {"id": id_})["found"] == known


@pytest.mark.parametrize("vendor", LISTS)
def test_nothing_is_asked_of_one_that_the_last_list_did_not_have(vendor: str, sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path, cache="machines = 0\nslots = 0\nstate = 0") as gateway:
        id_ = unknown(machines(gateway)[vendor])
        sandbox.forget_requests()
        assert gateway.ask(BY_ID[0], {"id": id_})["found"] is None
        assert asked(sandbox, vendor) == {LISTS[vendor]}


def test_what_is_not_selected_is_not_asked_for(gateway: Gateway, sandbox: Sandbox, tmp_path: Path) -> None:
    ids = machines(gateway)
    with running_gateway(sandbox, tmp_path) as cold:
        sandbox.forget_requests()
        assert cold.ask("query ($id: ID!) { machine(id: $id) { id } }", {"id": ids["SMARTVEND"]})["machine"]
        assert asked(sandbox, "SMARTVEND") == {LISTS["SMARTVEND"]}


FLEET = """{ machines(first: 1000, filter: {vendors: [%s]}) {
    nodes { id slots { position } sales(first: 3) { nodes { id } } }
} }"""
SLOTS = {"SMARTVEND": "/get-controller-matrix", "VENDNOVATION": "/selections"}
ONCE = ("get-token", "list-organizations")  # what lasts, whatever is kept of the rest
SOLD = {"SMARTVEND": "/get-list-of-sales", "VENDNOVATION": "/transactions"}
NOTHING_KEPT = "machines = 0\nslots = 0\nstate = 0\nsales = 0"


@pytest.fixture
async def cold(wire: Lossy, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Over the wire, keeping nothing."""
    stack = ExitStack()
    gateway = running_gateway(Sandbox(wire.base, sandbox.app), tmp_path, cache=NOTHING_KEPT)
    try:
        yield await asyncio.to_thread(stack.enter_context, gateway)
    finally:
        await asyncio.to_thread(stack.close)


async def nodes(gateway: Gateway, query: str) -> list[Any]:
    found: list[Any] = (await asyncio.to_thread(gateway.ask, query))["machines"]["nodes"]
    return found


async def until(wire: Lossy, *wanted: str) -> None:
    """All of these have been asked for."""
    async with asyncio.timeout(20):
        while not all(wire.bodies(part) for part in wanted):  # noqa: ASYNC110  the wire tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("vendor", LISTS)
async def test_slots_and_sales_do_not_wait_for_the_list_that_has_their_machines(
    vendor: str, cold: Gateway, wire: Lossy
) -> None:
    query = FLEET % vendor
    known = await nodes(cold, query)
    requests = len(wire.bodies(SLOTS[vendor]))
    wire.arrived.clear()
    wire.hold(LISTS[vendor])
    asking = asyncio.create_task(nodes(cold, query))
    await until(wire, LISTS[vendor], SLOTS[vendor], SOLD[vendor])
    assert not asking.done()
    wire.released.set()
    assert await asking == known
    assert len(wire.bodies(LISTS[vendor])) == 1
    assert len(wire.bodies(SLOTS[vendor])) == requests  # nothing is asked for twice


@pytest.mark.parametrize("vendor", LISTS)
async def test_sales_that_are_narrowed_wait_for_their_machines(vendor: str, cold: Gateway, wire: Lossy) -> None:
    query = FLEET.replace("first: 3", "first: 3, filter: {kinds: [PURCHASE]}") % vendor
    known = await nodes(cold, query)
    wire.arrived.clear()
    wire.hold(LISTS[vendor])
    asking = asyncio.create_task(nodes(cold, query))
    await until(wire, LISTS[vendor], SLOTS[vendor])
    assert not wire.bodies(SOLD[vendor])
    wire.released.set()
    assert await asking == known
    assert wire.bodies(SOLD[vendor])


async def test_nothing_of_it_is_asked_for_twice(cold: Gateway) -> None:
    """As many requests as where nothing was known before."""
    query = FLEET % "LIVELLO"
    asked = [Counter((await asyncio.to_thread(cold.traced, query))[1]) for _ in range(3)]
    first, *others = [{name: count for name, count in one.items() if not name.endswith(ONCE)} for one in asked]
    assert others == [first, first]
    assert {"acme-kiosks list-kiosks", "acme-kiosks get-kiosk-inventory", "acme-kiosks list-transactions"} <= {*first}


async def test_a_machine_that_is_gone_since_harms_nothing_and_one_that_is_new_is_there(
    cold: Gateway, sandbox: Sandbox
) -> None:
    query = FLEET % "VENDNOVATION"
    known = await nodes(cold, query)
    fault = {"operation": "/machines", "sets": {"[0]": {"id": 9000, "name": "One that was never seen"}}}
    await asyncio.to_thread(lambda: sandbox.break_("vendnovation", "drift", **fault))
    changed = await nodes(cold, query)
    (new,) = (one for one in changed if one["id"] not in {other["id"] for other in known})
    assert (new["slots"], new["sales"]["nodes"]) == ([], [])
    (gone,) = (one for one in known if one["id"] not in {other["id"] for other in changed})
    assert [one for one in changed if one != new] == [one for one in known if one != gone]
    sandbox.heal()
    assert await nodes(cold, query) == known
