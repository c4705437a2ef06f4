"""How stock changed and when cash was collected, as the graph tells it, against what the vendors hold."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import expected_stock
from tests.expected import plain
from tests.running import VIEWER, Gateway, Sandbox

MONEY = "{ amount currency }"
WHOSE = "id vendor vendorId machine { vendorId name } organization { name } recordedAt trust vendorData"
MOVEMENT = f"{WHOSE} kind position product {{ name }} productName delta level occurredAt person {{ vendorId name }}"
COLLECTION = f"{WHOSE} total {MONEY} bills {MONEY} coins {MONEY}"
PAGE = "pageInfo { hasNextPage endCursor } totalCount sources { account { vendor } state complete error { code } }"
MOVEMENTS = f"""query ($first: Int, $after: String, $filter: StockMovementFilter) {{
  list: stockMovements(first: $first, after: $after, filter: $filter) {{ nodes {{ {MOVEMENT} }} {PAGE} }} }}"""
COLLECTIONS = f"""query ($first: Int, $after: String, $filter: CashCollectionFilter) {{
  list: cashCollections(first: $first, after: $after, filter: $filter) {{ nodes {{ {COLLECTION} }} {PAGE} }} }}"""
BELOW = """query ($vendors: [Vendor!]) {
  machines(first: 1000, filter: {vendors: $vendors}) { nodes {
    vendorId stockMovements(first: 4) { nodes { id } } cashCollections(first: 2) { nodes { id } } } }
  organizations(first: 100) { nodes {
    name stockMovements(first: 1000) { nodes { id } } cashCollections(first: 1000) { nodes { id } } } } }"""
Node = dict[str, Any]


def walk(
    gateway: Gateway,
    query: str,
    first: int = 1000,
    between: Callable[[], object] = lambda: None,
    **narrowing: Any,
) -> list[Node]:
    seen: list[Node] = []
    after = None
    while True:
        page = gateway.ask(query, {"first": first, "after": after, "filter": narrowing or None})["list"]
        seen += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        after = page["pageInfo"]["endCursor"]
        between()


def ids(nodes: list[Node]) -> list[str]:
    return [one["id"] for one in nodes]


@pytest.fixture(scope="module")
def movements(gateway: Gateway) -> list[Node]:
    found: list[Node] = plain(walk(gateway, MOVEMENTS))
    return found


@pytest.fixture(scope="module")
def collections(gateway: Gateway) -> list[Node]:
    found: list[Node] = plain(walk(gateway, COLLECTIONS))
    return found


@pytest.mark.parametrize("vendor", expected_stock.MOVEMENTS)
def test_every_movement_is_as_its_vendor_has_it(vendor: str, movements: list[Node], shared_sandbox: Sandbox) -> None:
    truth = expected_stock.MOVEMENTS[vendor](shared_sandbox)
    told = {
        (one["vendorId"], one["position"], one["kind"]): {name: one[name] for name in next(iter(truth.values()))}
        for one in movements
        if one["vendor"] == vendor.upper()
    }
    assert told == truth


def test_every_collection_is_as_its_vendor_has_it(collections: list[Node], shared_sandbox: Sandbox) -> None:
    truth = expected_stock.collections(shared_sandbox)
    told = {one["vendorId"]: {name: one[name] for name in next(iter(truth.values()))} for one in collections}
    assert told == truth


def test_they_come_newest_recorded_first_and_each_once(movements: list[Node], collections: list[Node]) -> None:
    for found in (movements, collections):
        order = [(one["recordedAt"], one["id"]) for one in found]
        assert order == sorted(set(order), reverse=True)
    assert {one["vendor"] for one in movements[:200]} == {"LIVELLO", "VENDNOVATION"}


def test_vendors_without_such_records_are_told_apart(gateway: Gateway) -> None:
    def states(query: str) -> dict[str, str]:
        return {one["account"]["vendor"]: one["state"] for one in gateway.ask(query, {"first": 1})["list"]["sources"]}

    assert states(MOVEMENTS) == {
        "SMARTVEND": "UNSUPPORTED",
        "LIVELLO": "FRESH",
        "VENDNOVATION": "FRESH",
        "SMARTEPI": "UNSUPPORTED",
        "EATMACHINE": "FRESH",
    }
    assert states(COLLECTIONS) == dict.fromkeys(
        ("LIVELLO", "VENDNOVATION", "SMARTEPI", "EATMACHINE"), "UNSUPPORTED"
    ) | {"SMARTVEND": "FRESH"}


@pytest.mark.parametrize("kinds", [["TAKE"], ["RESTOCK", "REMOVAL"], ["ADJUSTMENT", "UNKNOWN"], []])
def test_a_filter_by_kind_lets_through_what_fits(kinds: list[str], gateway: Gateway, movements: list[Node]) -> None:
    found = walk(gateway, MOVEMENTS, first=40, kinds=kinds)
    assert ids(found) == [one["id"] for one in movements if one["kind"] in kinds]


def test_filters_by_time_vendor_account_and_machine(
    gateway: Gateway, movements: list[Node], collections: list[Node]
) -> None:
    accounts = {one["key"]: one["id"] for one in gateway.ask("{ accounts { key id } }")["accounts"]}
    named = gateway.ask("{ machines(first: 1000) { nodes { id vendorId } } }")["machines"]["nodes"]
    chosen = {one["vendorId"]: one["id"] for one in named[::3]}
    for query, whole in ((MOVEMENTS, movements), (COLLECTIONS, collections)):
        newer, older = whole[2]["recordedAt"], whole[11]["recordedAt"]
        found = walk(gateway, query, **{"from": older.isoformat(), "to": newer.isoformat()})
        assert ids(found) == [one["id"] for one in whole if older <= one["recordedAt"] < newer]
        found = walk(gateway, query, machines=list(chosen.values()))
        mine = [one["id"] for one in whole if one["machine"] and one["machine"]["vendorId"] in chosen]
        assert mine
        assert ids(found) == mine
        assert walk(gateway, query, vendors=[]) == walk(gateway, query, machines=["no id"]) == []
    found = walk(gateway, MOVEMENTS, accounts=[accounts["acme-kiosks"]])
    assert ids(found) == [one["id"] for one in movements if one["vendor"] == "LIVELLO"]


@pytest.mark.parametrize("vendor", ["smartvend", "livello", "vendnovation"])
def test_below_a_machine_and_an_organization_are_their_own(
    vendor: str, gateway: Gateway, movements: list[Node], collections: list[Node]
) -> None:
    told = gateway.ask(BELOW, {"vendors": [vendor.upper()]})
    for field, whole, most in (("stockMovements", movements, 4), ("cashCollections", collections, 2)):
        for machine in told["machines"]["nodes"]:
            own = [one["id"] for one in whole if one["machine"] and one["machine"]["vendorId"] == machine["vendorId"]]
            assert ids(machine[field]["nodes"]) == own[:most]
        for organization in told["organizations"]["nodes"]:
            if organization["name"] in ("Hospitals", "Prairie Refreshments"):
                own = [one["id"] for one in whole if one["organization"]["name"] == organization["name"]]
                assert ids(organization[field]["nodes"]) == own[:1000]


def test_ids_lead_back_to_what_they_stand_for(gateway: Gateway, movements: list[Node], collections: list[Node]) -> None:
    some = [movements[0], movements[-1], collections[0], collections[-1]]
    some += [next(one for one in movements if one["vendor"] == vendor) for vendor in ("LIVELLO", "VENDNOVATION")]
    query = f"""query ($ids: [ID!]!) {{ nodes(ids: $ids) {{
      ... on StockMovement {{ {MOVEMENT} }} ... on CashCollection {{ {COLLECTION} }} }} }}"""
    assert plain(gateway.ask(query, {"ids": ids(some)}))["nodes"] == some


def test_who_did_it_is_for_operators(gateway: Gateway, movements: list[Node]) -> None:
    assert any(one["person"] for one in movements)
    seen = gateway.ask(MOVEMENTS, {"first": 1000}, key=VIEWER)["list"]["nodes"]
    assert ids(seen) == ids(movements[:1000])
    assert not any(one["person"] for one in seen)
    assert not any(one["vendorData"] for one in seen)
