"""Machines and their slots as the graph tells them, against what the vendors hold."""

from typing import Any

import pytest

from domain.capabilities import Capability
from tests import expected
from tests.expected import NOTHING, plain
from tests.running import VENDORS, Gateway, Sandbox, moment

PLACE = "{ name address city postalCode country timezone }"
STATE = f"""
  id vendor vendorId name serialNumber model kind connectivity lastSeenAt door observedAt
  organization {{ name }} group {{ name }} location {PLACE} temperature {{ celsius measuredAt }}
  account {{ key vendor }} unavailable {{ field reason }} vendorData
"""
SLOTS = """
  slots { id position row column quantity capacity observedAt price { amount currency }
          product { vendorId name } machine { id } vendorData }
"""
ALL = f"{{ machines(first: 1000) {{ nodes {{ {STATE} {SLOTS} }} }} }}"
NAMES = """query ($filter: MachineFilter, $after: String, $first: Int) {
  machines(first: $first, after: $after, filter: $filter) {
    totalCount nodes { id name vendor } pageInfo { hasNextPage endCursor } sources { account { vendor } state complete }
  } }"""
UNSUPPORTED = {
    "smartvend": {"model", "group", "lastSeenAt", "temperature", "door"},
    "livello": {"model", "group", "door"},
    "vendnovation": {"temperature", "door"},
    "smartepi": {"serialNumber", "model", "group", "location", "connectivity", "temperature", "door", "slots"},
    "eatmachine": {"serialNumber", "model", "location"},
}


@pytest.fixture(scope="module")
def machines(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plain(gateway.ask(ALL))["machines"]["nodes"]
    return found


def of(vendor: str, machines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [machine for machine in machines if machine["vendor"] == vendor.upper()]


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_machine_is_as_its_vendor_has_it(
    vendor: str, machines: list[dict[str, Any]], shared_sandbox: Sandbox
) -> None:
    told = {
        one["vendorId"]: {name: one[name] for name in (*NOTHING, "name", "kind", "organization")}
        for one in of(vendor, machines)
    }
    truth = expected.MACHINES[vendor](shared_sandbox)
    beats = {one.pop("lastSeenAt") for one in told.values()}, {one.pop("lastSeenAt") for one in truth.values()}
    assert told == truth
    moving = vendor in ("livello", "vendnovation")  # theirs go on with the clock while the test runs
    assert moving or beats[0] == beats[1]


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_slot_is_as_its_vendor_has_it(
    vendor: str, machines: list[dict[str, Any]], shared_sandbox: Sandbox
) -> None:
    names = ("row", "column", "price", "quantity", "capacity", "product")
    told = {
        one["vendorId"]: {slot["position"]: {name: slot[name] for name in names} for slot in one["slots"]}
        for one in of(vendor, machines)
        if one["slots"]
    }
    assert told == expected.SLOTS[vendor](shared_sandbox)


def test_a_vendor_without_slots_has_null_for_them_and_says_so(machines: list[dict[str, Any]]) -> None:
    for machine in of("smartepi", machines) + of("eatmachine", machines):
        assert machine["slots"] is None
        assert "slots" in {one["field"] for one in machine["unavailable"]}


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_null_has_its_reason(vendor: str, machines: list[dict[str, Any]]) -> None:
    for machine in of(vendor, machines):
        empty = {name for name in NOTHING if machine[name] in (None, "UNKNOWN")}
        empty |= {"slots"} if machine["slots"] is None else set()
        assert {one["field"] for one in machine["unavailable"]} == empty
        never = {one["field"] for one in machine["unavailable"] if one["reason"] == "UNSUPPORTED_BY_VENDOR"}
        assert never == UNSUPPORTED[vendor] & empty


def test_machines_know_their_account_and_when_they_were_told_of(machines: list[dict[str, Any]]) -> None:
    keys = {(one["account"]["key"], one["vendor"]) for one in machines}
    assert keys == {
        ("acme-coffee", "SMARTVEND"),
        ("acme-kiosks", "LIVELLO"),
        ("acme-vending", "VENDNOVATION"),
        ("acme-safety", "SMARTEPI"),
        ("acme-fridges", "EATMACHINE"),
    }
    for machine in machines:
        assert machine["observedAt"].tzinfo is not None
        assert all(slot["machine"]["id"] == machine["id"] for slot in machine["slots"] or ())


def test_ids_lead_back_to_what_they_stand_for(gateway: Gateway, machines: list[dict[str, Any]]) -> None:
    ids = [machine["id"] for machine in machines] + [
        slot["id"] for machine in machines for slot in machine["slots"] or ()
    ]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    found = gateway.ask(query, {"ids": ids})["nodes"]
    assert [one["id"] for one in found] == ids
    assert {one["__typename"] for one in found} == {"Machine", "Slot"}
    one = gateway.ask("query ($id: ID!) { machine(id: $id) { id name } }", {"id": ids[0]})["machine"]
    assert (one["id"], one["name"]) == (ids[0], machines[0]["name"])
    assert gateway.ask("query ($id: ID!) { machine(id: $id) { id } }", {"id": ids[-1]})["machine"] is None


def test_they_come_by_name_and_then_by_id_and_are_counted(gateway: Gateway, sandbox: Sandbox) -> None:
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = gateway.ask(NAMES, {"first": 4, "after": after})["machines"]
        seen += page["nodes"]
        assert page["totalCount"] == sum(len(sandbox.truth(vendor)["machines"]) for vendor in VENDORS)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == sorted(seen, key=lambda one: (one["name"], one["id"]))
    assert len(seen) == page["totalCount"]


def narrowed(gateway: Gateway, **narrowing: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gateway.ask(NAMES, {"first": 1000, "filter": narrowing})["machines"]["nodes"]
    return found


def test_filters_let_through_what_fits(gateway: Gateway, machines: list[dict[str, Any]]) -> None:
    def ids(**narrowing: Any) -> set[str]:
        return {one["id"] for one in narrowed(gateway, **narrowing)}

    def those(fits: Any) -> set[str]:
        return {one["id"] for one in machines if fits(one)}

    assert ids(vendors=["LIVELLO", "SMARTEPI"]) == those(lambda one: one["vendor"] in ("LIVELLO", "SMARTEPI"))
    assert ids(connectivity="OFFLINE") == those(lambda one: one["connectivity"] == "OFFLINE")
    assert ids(search="kIOSk 1") == those(lambda one: "kiosk 1" in one["name"].lower())
    assert ids(search="sv-1000") == those(lambda one: (one["serialNumber"] or "").startswith("SV-1000"))
    assert ids(search="no such machine") == set()
    assert ids(vendors=[]) == ids(accounts=[]) == ids(organizations=[]) == set()
    assert ids(vendors=None, search=None, connectivity=None) == ids() == those(lambda _: True)
    accounts = {one["key"]: one["id"] for one in gateway.ask("{ accounts { key id } }")["accounts"]}
    assert ids(accounts=[accounts["acme-kiosks"]]) == those(lambda one: one["vendor"] == "LIVELLO")
    assert ids(accounts=[accounts["acme-kiosks"]], vendors=["SMARTVEND"]) == set()
    assert ids(accounts=["no id", machines[0]["id"]]) == set()


def test_a_filter_by_organizations_takes_all_below_them_and_asks_no_one_else(
    gateway: Gateway, machines: list[dict[str, Any]], sandbox: Sandbox
) -> None:
    nodes = gateway.ask("{ organizations(first: 100) { nodes { id name } } }")["organizations"]["nodes"]
    by_name = {one["name"]: one["id"] for one in nodes}
    rows = {row["id"]: row for row in sandbox.truth("livello")["organizations"]}

    def is_below(name: str, top: str) -> bool:
        row = next((row for row in rows.values() if row["name"] == name), None)
        while row is not None and row["name"] != top:
            row = rows.get(row["parentOrg"])
        return row is not None

    for top in ("Acme Retail", "Acme South", "Campus"):
        found = gateway.ask(NAMES, {"first": 1000, "filter": {"organizations": [by_name[top]]}})["machines"]
        wanted = {one["id"] for one in machines if is_below(one["organization"]["name"], top)}
        assert {one["id"] for one in found["nodes"]} == wanted
        assert [one["account"]["vendor"] for one in found["sources"]] == ["LIVELLO"]
    tenant = narrowed(gateway, organizations=[by_name["Acme Vending"]])
    assert len(tenant) == len(machines)
    both = {one["id"] for one in narrowed(gateway, organizations=[by_name["Campus"], by_name["Lakeside Vending"]])}
    assert both == {one["id"] for one in machines if one["organization"]["name"] in ("Campus", "Lakeside Vending")}


def test_every_capability_is_named_and_says_why_it_is_not_there(gateway: Gateway) -> None:
    query = "{ machines(first: 1000) { nodes { vendor connectivity capabilities { capability available reason } } } }"
    for machine in gateway.ask(query)["machines"]["nodes"]:
        told = machine["capabilities"]
        assert sorted(one["capability"] for one in told) == sorted(Capability.__members__)
        assert all(one["available"] == (one["reason"] is None) for one in told)
        reads = {one["capability"] for one in told if one["available"]}
        assert ("SLOTS" in reads) == (machine["vendor"] != "SMARTEPI")
        assert ("WEBHOOKS" in reads) == (machine["vendor"] in ("SMARTVEND", "SMARTEPI", "EATMACHINE"))
        reachable = machine["connectivity"] != "OFFLINE"
        assert ("OPEN_DOOR" in reads) == (machine["vendor"] == "EATMACHINE" and reachable)
        assert "SALES" in reads


def test_first_is_bounded(gateway: Gateway) -> None:
    for first in (-1, 1001):
        answer = gateway.post(NAMES, {"first": first}).json()
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]
    assert gateway.ask(NAMES, {"first": 0})["machines"]["nodes"] == []


def test_the_time_of_observation_is_the_vendors(gateway: Gateway, sandbox: Sandbox) -> None:
    """A dispenser was last told of by its last transaction; it reports nothing else."""
    query = "{ machines(first: 100, filter: {vendors: [SMARTEPI]}) { nodes { vendorId observedAt lastSeenAt } } }"
    newest = expected.MACHINES["smartepi"](sandbox)
    for machine in gateway.ask(query)["machines"]["nodes"]:
        assert (
            moment(machine["observedAt"]) == moment(machine["lastSeenAt"]) == newest[machine["vendorId"]]["lastSeenAt"]
        )
