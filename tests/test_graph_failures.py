"""Vendors that fail: the others lose nothing, the page says what is missing, and what was good goes on for a while."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import create_app as create_sandbox
from sandbox.livello import Livello
from sandbox.server import start
from sandbox.world import World
from tests.running import CLIENT, VENDORS, Elapsed, Gateway, Sandbox, running_gateway, running_sandbox

SOURCES = "sources { account { vendor } state complete asOf error { code message retryAfterSeconds } }"
LISTS = f"""{{
  machines(first: 1000) {{ totalCount nodes {{ id vendor }} {SOURCES} }}
  products(first: 1000) {{ totalCount nodes {{ id vendor }} {SOURCES} }}
  sales(first: 30) {{ totalCount nodes {{ id vendor }} {SOURCES} }}
  events(first: 30) {{ nodes {{ id vendor }} {SOURCES} }} }}"""
MACHINES = f"{{ machines(first: 1000) {{ totalCount nodes {{ id vendor name }} {SOURCES} }} }}"
FLEET = """{ machines(first: 1000) { nodes {
  id vendor organization { id name } group { name } location { city name } unavailable { field reason }
  slots { id position product { name } } sales(first: 2) { nodes { id lines { product { name } } } } } }
  sales(first: 20) { nodes { id machine { name organization { name } } organization { name } } }
  organizations(first: 100) { nodes { id parent { name } } } }"""
UNAVAILABLE, PROTOCOL = "VENDOR_UNAVAILABLE", "VENDOR_PROTOCOL"
FAULTS: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("smartvend", "status", {"status": 500}, UNAVAILABLE),
    ("livello", "status", {"status": 503, "headers": {"retry-after": "30"}}, UNAVAILABLE),
    ("smartepi", "status", {"status": 429, "headers": {"retry-after": "7"}}, "VENDOR_RATE_LIMITED"),
    ("vendnovation", "status", {"status": 418}, "VENDOR_REJECTED"),
    ("smartvend", "status", {"status": 401}, "VENDOR_UNAUTHORIZED"),
    ("smartvend", "delay", {"seconds": 3}, UNAVAILABLE),
    ("livello", "hang_before", {}, UNAVAILABLE),
    ("vendnovation", "hang_after", {}, UNAVAILABLE),
    ("smartepi", "junk", {}, PROTOCOL),
    ("smartvend", "html", {}, PROTOCOL),
    ("livello", "truncate", {"operation": "/kiosks"}, PROTOCOL),
    ("vendnovation", "trickle", {}, UNAVAILABLE),
    ("smartepi", "reset", {}, ""),
    ("smartvend", "redirect", {}, PROTOCOL),
    ("livello", "empty", {"operation": "/kiosks"}, PROTOCOL),
    ("vendnovation", "deep", {}, PROTOCOL),
    ("smartepi", "huge", {}, PROTOCOL),
)


ELAPSED = Elapsed()


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=20, now=ELAPSED) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """Livello hands out ten tokens a minute, and many a gateway begins here."""
    ELAPSED.seconds += 61
    return sandbox


FORGETFUL = "machines = 0\nslots = 0\nproducts = 0\nsales = 0\nstate = 0"
SLOW = ("delay", "hang_before", "hang_after", "trickle")


def fresh(sandbox: Sandbox, folder: Path, kind: str = "", cache: str = "") -> AbstractContextManager[Gateway]:
    """A gateway that knows nothing yet. For vendors that are slow it waits for no answer longer than a moment."""
    return running_gateway(
        sandbox, folder, cache=cache, limits="timeout_seconds = 3" if kind in SLOW else "timeout_seconds = 5"
    )


def by_vendor(listed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["account"]["vendor"].lower(): one for one in listed["sources"]}


@pytest.mark.parametrize(("vendor", "kind", "how", "code"), FAULTS, ids=str)
def test_a_failing_vendor_costs_the_others_nothing_and_is_named(
    vendor: str, kind: str, how: dict[str, Any], code: str, gateway: Gateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    whole = gateway.ask(MACHINES)["machines"]
    sandbox.break_(vendor, kind, **how)
    with fresh(sandbox, tmp_path, kind) as cold:
        found = cold.ask(MACHINES)["machines"]
    assert found["nodes"] == [one for one in whole["nodes"] if one["vendor"] != vendor.upper()]
    assert found["totalCount"] is None
    for name, source in by_vendor(found).items():
        if name != vendor:
            assert (source["state"], source["complete"], source["error"]) == ("FRESH", True, None)
    source = by_vendor(found)[vendor]
    assert (source["state"], source["complete"], source["asOf"]) == ("FAILED", False, None)
    assert source["error"]["code"] in (code, *([UNAVAILABLE, PROTOCOL] if not code else []))
    assert "127.0.0.1" not in source["error"]["message"]
    if "retry-after" in how.get("headers", {}):
        assert 0 < source["error"]["retryAfterSeconds"] <= int(how["headers"]["retry-after"])


@pytest.mark.parametrize("kind", ["status", "junk", "hang_before"])
@pytest.mark.parametrize("vendor", VENDORS[:4])
def test_what_was_good_goes_on_as_stale_and_the_vendor_heals(
    vendor: str, kind: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    with fresh(sandbox, tmp_path, kind, FORGETFUL) as gateway:
        good = gateway.ask(MACHINES)["machines"]
        sandbox.break_(vendor, kind, status=418)
        stale = gateway.ask(MACHINES)["machines"]
        assert stale["nodes"] == good["nodes"]
        assert stale["totalCount"] is None
        source = by_vendor(stale)[vendor]
        assert (source["state"], source["complete"]) == ("STALE", False)
        assert source["asOf"] == by_vendor(good)[vendor]["asOf"]
        assert source["error"]["code"].startswith("VENDOR_")
        sandbox.heal()
        healed = until_fresh(gateway, vendor)
        assert healed["totalCount"] == good["totalCount"]
        assert by_vendor(healed)[vendor]["asOf"] > source["asOf"]


def until_fresh(gateway: Gateway, vendor: str) -> Any:
    """A flight may still be out, and a vendor that failed several times is left alone for a moment."""
    for _ in range(250):
        found = gateway.ask(MACHINES)["machines"]
        if by_vendor(found)[vendor]["state"] == "FRESH":
            return found
        time.sleep(0.1)
    raise AssertionError(f"{vendor} did not heal within 25 s")


def test_every_list_goes_on_as_stale(sandbox: Sandbox, tmp_path: Path) -> None:
    with fresh(sandbox, tmp_path, cache=FORGETFUL) as gateway:
        good = gateway.ask(LISTS)
        for vendor in VENDORS:
            sandbox.break_(vendor, "status", status=418)
        stale = gateway.ask(LISTS)
    for name, listed in stale.items():
        assert listed["nodes"] == good[name]["nodes"]
        states = {vendor: source["state"] for vendor, source in by_vendor(listed).items()}
        assert set(states.values()) <= {"STALE", "UNSUPPORTED", "FRESH"}
        told_by_webhook = {"eatmachine", "smartepi"} if name == "events" else {"eatmachine"}
        assert {vendor for vendor, state in states.items() if state == "FRESH"} <= told_by_webhook


def test_a_machines_failing_slots_are_that_machines_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    query = "{ machines(first: 1000) { nodes { vendor vendorId unavailable { field reason } slots { position } } } }"
    serial = sandbox.truth("livello")["machines"][0]["serialNumber"]
    sandbox.break_("livello", "hang_before", operation=f"/{serial}/inventory")
    with fresh(sandbox, tmp_path, "hang_before") as gateway:
        answer = gateway.post(query).json()
    machines = answer["data"]["machines"]["nodes"]
    failed = [
        one for one in machines if one["vendor"] in ("SMARTVEND", "LIVELLO", "VENDNOVATION") and one["slots"] is None
    ]
    assert [one["vendorId"] for one in failed] == [serial]
    assert {"field": "slots", "reason": "VENDOR_UNAVAILABLE"} in failed[0]["unavailable"]
    (error,) = answer["errors"]
    assert error["path"][-1] == "slots"
    assert error["extensions"]["code"] == "VENDOR_UNAVAILABLE"
    assert error["extensions"]["account"] == "acme-kiosks"
    assert error["extensions"]["vendor"] == "LIVELLO"
    others = [one for one in machines if one["vendorId"] != serial]
    assert not any(one["reason"] == "VENDOR_UNAVAILABLE" for machine in others for one in machine["unavailable"])


def test_unavailable_names_what_is_asked_for_beside_it_in_any_order(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.break_("livello", "junk", operation="inventory")
    for order in ("unavailable { field reason } slots { id }", "slots { id } unavailable { field reason }"):
        with fresh(sandbox, tmp_path) as gateway:
            answer = gateway.post(
                f"{{ machines(first: 9, filter: {{vendors: [LIVELLO]}}) {{ nodes {{ {order} }} }} }}"
            ).json()
        for machine in answer["data"]["machines"]["nodes"]:
            assert {"field": "slots", "reason": "VENDOR_UNAVAILABLE"} in machine["unavailable"]


def test_a_place_that_could_not_be_had_is_null_with_an_error_and_a_reason(sandbox: Sandbox, tmp_path: Path) -> None:
    query = """{ machines(first: 1000, filter: {vendors: [VENDNOVATION, LIVELLO]}) {
      nodes { vendor location { city } unavailable { field reason } group { name } organization { name } } } }"""
    sandbox.break_("vendnovation", "junk", operation="/sites")
    sandbox.break_("livello", "junk", operation="/organizations")
    with fresh(sandbox, tmp_path) as gateway:
        answer = gateway.post(query).json()
    machines = answer["data"]["machines"]["nodes"]
    expected = {"VENDNOVATION": {"location", "group"}, "LIVELLO": {"location"}}
    for machine in machines:
        assert machine["location"] is None
        assert machine["group"] is None
        failed = {one["field"] for one in machine["unavailable"] if one["reason"] == "VENDOR_UNAVAILABLE"}
        assert failed == expected[machine["vendor"]]
        assert machine["organization"]["name"]
    assert {error["path"][-1] for error in answer["errors"]} == {"location", "group"}
    assert {error["extensions"]["code"] for error in answer["errors"]} == {PROTOCOL}


def test_a_product_that_could_not_be_had_is_null_with_an_error_and_its_slot_stays(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    query = """{ machines(first: 1000) { nodes { vendor slots { position price { amount } product { name } } } }
                 sales(first: 40) { nodes { vendor lines { productName product { name } } } } }"""
    sandbox.break_("smartvend", "junk", operation="get-list-of-products")
    with fresh(sandbox, tmp_path) as gateway:
        answer = gateway.post(query).json()
    slots = [
        slot
        for one in answer["data"]["machines"]["nodes"]
        for slot in one["slots"] or ()
        if one["vendor"] == "SMARTVEND"
    ]
    assert len(slots) == len(sandbox.truth("smartvend")["slots"])
    assert not any(slot["product"] for slot in slots)
    lines = [line for one in answer["data"]["sales"]["nodes"] for line in one["lines"] if one["vendor"] == "SMARTVEND"]
    assert lines
    assert all(line["productName"] and line["product"] is None for line in lines)
    assert all(error["path"][-1] == "product" for error in answer["errors"])
    assert any(slot["product"] for one in answer["data"]["machines"]["nodes"] for slot in one["slots"] or ())


def test_whichever_operation_fails_no_list_is_lost_over_it(gateway: Gateway, sandbox: Sandbox, tmp_path: Path) -> None:
    whole = gateway.ask(FLEET)
    with fresh(sandbox, tmp_path) as cold:
        cold.ask(FLEET)
    operations = {tuple(request.split(" ")[1].split("/", 2)[1:]) for request in sandbox.requests()}
    paths = {
        (vendor, path.split("/kiosks/LIV")[0] if "inventory" not in path else "inventory")
        for vendor, path in operations
    }
    for vendor, path in sorted(paths):
        sandbox.break_(vendor, "status", status=418, operation=path)
        with fresh(sandbox, tmp_path) as cold:
            answer = cold.post(FLEET).json()
        sandbox.heal()
        ELAPSED.seconds += 61
        data = answer["data"]
        assert data is not None, path
        for name in ("machines", "organizations"):
            told = {one["id"] for one in data[name]["nodes"]}
            missing = [one for one in whole[name]["nodes"] if one["id"] not in told]
            assert not any(one.get("vendor", "").lower() not in ("", vendor) for one in missing), path
        assert len(data["sales"]["nodes"]) == 20, path
        assert all(error["extensions"]["code"] == "VENDOR_REJECTED" for error in answer.get("errors", ())), path


def test_of_many_ids_only_those_of_the_failing_vendor_are_null_with_an_error(
    gateway: Gateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    ids = [one["id"] for one in gateway.ask(MACHINES)["machines"]["nodes"]]
    sandbox.break_("livello", "junk")
    with fresh(sandbox, tmp_path) as cold:
        answer = cold.post(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Machine { vendor } } }", {"ids": ids}
        ).json()
    nodes = answer["data"]["nodes"]
    lost = [at for at, one in enumerate(nodes) if one is None]
    assert len(lost) == len(sandbox.truth("livello")["machines"])
    assert [error["path"] for error in answer["errors"]] == [["nodes", at] for at in lost]


def test_a_failing_slow_vendor_is_waited_for_once_and_not_at_every_edge(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its list of machines hangs: what hangs on it is not asked for again and again."""
    sandbox.break_("vendnovation", "hang_before", operation="/machines")
    query = "{ sales(first: 40) { nodes { vendor machine { name location { city } } organization { name } } } }"
    with fresh(sandbox, tmp_path, "hang_before") as gateway:
        answer = gateway.post(query).json()
    sales = [one for one in answer["data"]["sales"]["nodes"] if one["vendor"] == "VENDNOVATION"]
    assert sales
    assert all(one["machine"] is None and one["organization"]["name"] == "Acme Vending" for one in sales)
    assert sandbox.requests("vendnovation").count("POST /vendnovation/prod/machines") <= 1


def test_what_the_credentials_do_not_cover_is_said_without_a_request(tmp_path: Path) -> None:
    world = World(scale=0.05, days=10)
    app = create_sandbox(vendors=[Livello(world, scopes="kiosks:read products:read")])
    with start(app) as server:
        sandbox = Sandbox(server.base, app)
        with running_gateway(sandbox, tmp_path) as gateway:
            query = """{ machines(first: 9) { nodes {
              unavailable { field reason } capabilities { capability reason } location { city } slots { id } } } }"""
            answer = gateway.post(query).json()
            alone = gateway.ask("{ machines(first: 9) { nodes { unavailable { field reason } } } }")
            sales = gateway.ask(f"{{ sales(first: 5) {{ nodes {{ id }} {SOURCES} }} }}")["sales"]
        for machine in answer["data"]["machines"]["nodes"]:
            reasons = {one["field"]: one["reason"] for one in machine["unavailable"]}
            assert (reasons["slots"], reasons["location"]) == ("NOT_PERMITTED", "NOT_PERMITTED")
            assert {"capability": "SLOTS", "reason": "NOT_PERMITTED"} in machine["capabilities"]
        for machine in alone["machines"]["nodes"]:
            assert {"field": "slots", "reason": "NOT_PERMITTED"} in machine["unavailable"]
        assert [(one["state"], one["error"]["code"]) for one in sales["sources"]] == [("FAILED", "VENDOR_UNAUTHORIZED")]
        assert {request.split("/v1")[1] for request in sandbox.requests()} == {"/auth/token", "/kiosks"}


def test_a_spent_budget_is_said_to_be_one(tmp_path: Path) -> None:
    world = World(scale=0.1, days=10)
    app = create_sandbox(vendors=[Livello(world, hourly=4)])
    with start(app) as server, running_gateway(Sandbox(server.base, app), tmp_path) as gateway:
        answer = gateway.post("{ machines(first: 9) { nodes { unavailable { field reason } slots { id } } } }").json()
    machines = answer["data"]["machines"]["nodes"]
    lacking = [one for one in machines if one["slots"] is None]
    assert lacking
    assert all({"field": "slots", "reason": "OUT_OF_BUDGET"} in one["unavailable"] for one in lacking)
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"VENDOR_RATE_LIMITED"}
    assert all(error["extensions"]["retryAfterSeconds"] > 0 for error in answer["errors"])


def test_the_gateway_ends_while_a_vendor_hangs(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.break_("livello", "hang_before")
    with fresh(sandbox, tmp_path, "hang_before") as gateway:
        gateway.ask(MACHINES)
    with pytest.raises(Exception, match="onnect"):
        CLIENT.get(f"{gateway.base}/healthz")
