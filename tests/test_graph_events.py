"""Events as the graph tells them, against what the vendors hold."""

from typing import Any

import pytest

from tests import expected
from tests.expected import plain
from tests.running import VENDORS, Gateway, Sandbox

EVENT = """
  id vendor vendorId code message severity state source recordedAt occurredAt trust
  machine { vendorId } organization { name } vendorData
"""
PAGE = "pageInfo { hasNextPage endCursor } sources { account { vendor } state complete }"
WHOLE = f"""query ($first: Int, $after: String, $filter: EventFilter) {{
  events(first: $first, after: $after, filter: $filter) {{ nodes {{ {EVENT} }} {PAGE} }} }}"""
OF_MACHINES = """query ($vendors: [Vendor!]) { machines(first: 1000, filter: {vendors: $vendors}) {
  nodes { vendorId events(first: 3) { nodes { id } } } } }"""
OF_ORGANIZATION = "query ($id: ID!) { organization(id: $id) { events(first: 1000) { nodes { id } } } }"


def walk(gateway: Gateway, first: int = 1000, **narrowing: Any) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = gateway.ask(WHOLE, {"first": first, "after": after, "filter": narrowing or None})["events"]
        seen += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        after = page["pageInfo"]["endCursor"]


@pytest.fixture(scope="module")
def events(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plain(walk(gateway))
    return found


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_event_is_as_its_vendor_has_it(
    vendor: str, events: list[dict[str, Any]], shared_sandbox: Sandbox
) -> None:
    truth = expected.EVENTS[vendor](shared_sandbox)
    told = {
        one["vendorId"]: {name: one[name] for name in next(iter(truth.values()))}
        for one in events
        if one["vendor"] == vendor.upper()
    }
    assert told == truth


def test_they_come_newest_recorded_first_and_then_by_id_over_all_vendors(
    gateway: Gateway, events: list[dict[str, Any]]
) -> None:
    order = [(one["recordedAt"], one["id"]) for one in events]
    assert order == sorted(order, reverse=True)
    assert [one["id"] for one in walk(gateway, first=7)] == [one["id"] for one in events]


def test_vendors_that_list_no_events_tell_them_by_webhook(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.forget_requests()
    sources = gateway.ask(WHOLE, {"first": 1})["events"]["sources"]
    told = {one["account"]["vendor"]: (one["state"], one["complete"]) for one in sources}
    assert (told["SMARTEPI"], told["EATMACHINE"]) == (("FRESH", True), ("FRESH", True))
    assert sandbox.requests("smartepi") == sandbox.requests("eatmachine") == []


RANK = ("INFO", "WARNING", "CRITICAL")


@pytest.mark.parametrize("severity", [None, *RANK])
@pytest.mark.parametrize("state", [None, "ACTIVE", "RESOLVED", "UNKNOWN"])
def test_filters_by_severity_and_state_let_through_what_fits(
    severity: str | None, state: str | None, gateway: Gateway, events: list[dict[str, Any]]
) -> None:
    found = walk(gateway, first=5, minSeverity=severity, state=state)
    fitting = [
        one["id"]
        for one in events
        if RANK.index(one["severity"]) >= RANK.index(severity or "INFO") and state in (None, one["state"])
    ]
    assert [one["id"] for one in found] == fitting


def test_filters_by_time_vendor_and_machine(gateway: Gateway, events: list[dict[str, Any]]) -> None:
    newer, older = events[3]["recordedAt"], events[20]["recordedAt"]
    found = walk(gateway, **{"from": older.isoformat(), "to": newer.isoformat(), "vendors": ["SMARTVEND", "LIVELLO"]})
    assert [one["id"] for one in found] == [
        one["id"] for one in events if older <= one["recordedAt"] < newer and one["vendor"] in ("SMARTVEND", "LIVELLO")
    ]
    machines = gateway.ask("{ machines(first: 1000) { nodes { id vendorId } } }")["machines"]["nodes"]
    chosen = {one["vendorId"]: one["id"] for one in machines[::3]}
    found = walk(gateway, machines=list(chosen.values()))
    assert [one["id"] for one in found] == [one["id"] for one in events if one["machine"]["vendorId"] in chosen]


@pytest.mark.parametrize("vendor", VENDORS[:3])
def test_a_machines_events_are_its_own(vendor: str, gateway: Gateway, events: list[dict[str, Any]]) -> None:
    for machine in gateway.ask(OF_MACHINES, {"vendors": [vendor.upper()]})["machines"]["nodes"]:
        own = [one["id"] for one in events if one["machine"]["vendorId"] == machine["vendorId"]]
        assert [one["id"] for one in machine["events"]["nodes"]] == own[:3]


def test_an_organizations_events_are_those_of_its_machines(gateway: Gateway, events: list[dict[str, Any]]) -> None:
    nodes = gateway.ask("{ organizations(first: 100) { nodes { id name } } }")["organizations"]["nodes"]
    for name in ("Lakeside Vending", "Prairie Refreshments", "Hospitals"):
        id_ = next(one["id"] for one in nodes if one["name"] == name)
        found = gateway.ask(OF_ORGANIZATION, {"id": id_})["organization"]["events"]["nodes"]
        assert [one["id"] for one in found] == [one["id"] for one in events if one["organization"]["name"] == name]


def test_ids_lead_back_to_what_they_stand_for(gateway: Gateway, events: list[dict[str, Any]]) -> None:
    some = [next(one for one in reversed(events) if one["vendor"] == vendor) for vendor in ("SMARTVEND", "LIVELLO")]
    some.append(next(one for one in reversed(events) if one["vendor"] == "VENDNOVATION"))
    query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on MachineEvent {{ {EVENT} }} }} }}"
    assert plain(gateway.ask(query, {"ids": [one["id"] for one in some]}))["nodes"] == some
