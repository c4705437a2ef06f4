"""Slots that run out, over all vendors, against what the vendors count."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import Gateway, Sandbox, running_gateway, running_sandbox

LOW = """query ($threshold: Int, $first: Int, $after: String, $filter: MachineFilter) {
  list: lowStock(threshold: $threshold, first: $first, after: $after, filter: $filter) {
    nodes { id position quantity product { name } machine { id vendorId vendor connectivity } }
    pageInfo { hasNextPage endCursor } totalCount
    sources { account { vendor } state complete asOf error { code } } } }"""
Node = dict[str, Any]
Place = tuple[str, str, int]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """Large enough for machines that do not count."""
    with running_sandbox(scale=0.3, days=5) as sandbox:
        yield sandbox


def places(nodes: list[Node]) -> set[Place]:
    return {(one["machine"]["vendorId"], one["position"], one["quantity"]) for one in nodes}


def low(sandbox: Sandbox, most: int) -> set[Place]:
    """What is low of what is counted, and holds something."""
    kiosks, machines = sandbox.truth("livello")["slots"], sandbox.truth("vendnovation")
    found = {
        (cell["serialNumber"], cell["planogramPosition"], line["quantity"])
        for cell in kiosks
        if (line := cell["productLineData"]) is not None and line["quantity"] <= most
    }
    counting = {row["id"] for row in machines["machines"] if row["enableSlotCountTracking"]}
    assert len(counting) < len(machines["machines"])
    return found | {
        (str(row["machineId"]), row["selectionNumber"], row["count"])
        for row in machines["slots"]
        if row["machineId"] in counting and row["productId"] not in (None, -1) and row["count"] <= most
    }


def ask(gateway: Gateway, **variables: Any) -> Any:
    return gateway.ask(LOW, {"first": 1000, **variables})["list"]


@pytest.mark.parametrize("most", [None, 0, 1, 3])
def test_the_slots_are_those_that_hold_so_few(most: int | None, gateway: Gateway, sandbox: Sandbox) -> None:
    found = ask(gateway, threshold=most)
    assert places(found["nodes"]) == low(sandbox, most or 0)
    assert found["totalCount"] is None or found["totalCount"] == len(found["nodes"])
    assert all(one["product"] for one in found["nodes"])


def test_vendors_that_do_not_count_are_told_apart(gateway: Gateway) -> None:
    found = ask(gateway, threshold=2)
    states = {one["account"]["vendor"]: one["state"] for one in found["sources"]}
    assert states == {
        "SMARTVEND": "UNSUPPORTED",
        "LIVELLO": "FRESH",
        "VENDNOVATION": "FRESH",
        "SMARTEPI": "UNSUPPORTED",
        "EATMACHINE": "FRESH",
    }
    complete = {one["account"]["vendor"]: one["complete"] for one in found["sources"]}
    assert complete["LIVELLO"]
    assert complete["VENDNOVATION"]
    assert not complete["EATMACHINE"]  # its fridges have told nothing yet


def test_pages_go_machine_by_machine_and_lose_nothing(gateway: Gateway, sandbox: Sandbox) -> None:
    seen: list[Node] = []
    after = None
    while True:
        page = ask(gateway, threshold=3, first=7, after=after)
        seen += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len({one["id"] for one in seen}) == len(seen)
    assert places(seen) == low(sandbox, 3)
    machines = [one["machine"]["id"] for one in seen]
    assert machines == sorted(machines)


def test_a_cursor_belongs_to_its_threshold_and_its_filter(gateway: Gateway) -> None:
    cursor = ask(gateway, threshold=3, first=2)["pageInfo"]["endCursor"]
    for other in ({"threshold": 2}, {"threshold": 3, "filter": {"vendors": ["LIVELLO"]}}):
        answer = gateway.post(LOW, {"first": 2, "after": cursor, **other}).json()
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]
    answer = gateway.post(LOW, {"threshold": -1}).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]


def test_a_filter_lets_through_machines_that_fit(gateway: Gateway) -> None:
    whole = ask(gateway, threshold=3)["nodes"]
    kiosks = ask(gateway, threshold=3, filter={"vendors": ["LIVELLO"]})
    assert places(kiosks["nodes"]) == places([one for one in whole if one["machine"]["vendor"] == "LIVELLO"])
    assert [one["account"]["vendor"] for one in kiosks["sources"]] == ["LIVELLO"]
    assert kiosks["totalCount"] == len(kiosks["nodes"])
    offline = ask(gateway, threshold=3, filter={"connectivity": "OFFLINE"})["nodes"]
    assert places(offline) == places([one for one in whole if one["machine"]["connectivity"] == "OFFLINE"])


def test_what_was_sold_out_meanwhile_is_there(sandbox: Sandbox, tmp_path: Any) -> None:
    with running_gateway(sandbox, tmp_path, cache="slots = 0") as gateway:
        before = places(ask(gateway)["nodes"])
        sandbox.sell("livello", 60)
        assert places(ask(gateway)["nodes"]) == low(sandbox, 0) != before


def test_machines_that_fail_to_tell_make_their_account_incomplete(sandbox: Sandbox, tmp_path: Any) -> None:
    serial = sandbox.truth("livello")["machines"][0]["serialNumber"]
    sandbox.break_("livello", "status", status=500, operation=f"/kiosks/{serial}/inventory")
    with running_gateway(sandbox, tmp_path) as gateway:
        found = ask(gateway, threshold=3)
    by_vendor = {one["account"]["vendor"]: one for one in found["sources"]}
    kiosks = by_vendor["LIVELLO"]
    assert (kiosks["state"], kiosks["complete"]) == ("FRESH", False)
    assert kiosks["error"] == {"code": "VENDOR_UNAVAILABLE"}
    assert by_vendor["VENDNOVATION"]["complete"]
    assert places(found["nodes"]) == {one for one in low(sandbox, 3) if one[0] != serial}
    assert found["totalCount"] is None


def test_a_vendor_that_fails_costs_the_others_nothing_and_gives_what_it_owes_later(
    sandbox: Sandbox, tmp_path: Any
) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.break_("vendnovation", "status", status=503, operation="/machines")
        first = ask(gateway, threshold=1, filter={"vendors": ["LIVELLO", "VENDNOVATION"]})
        assert {one["account"]["vendor"]: one["state"] for one in first["sources"]}["VENDNOVATION"] == "FAILED"
        assert first["pageInfo"]["hasNextPage"]
        sandbox.heal()
        seen, page = first["nodes"], first
        for _ in range(60):
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
            page = ask(gateway, threshold=1, after=after, filter={"vendors": ["LIVELLO", "VENDNOVATION"]})
            seen = seen + page["nodes"]
        assert len({one["id"] for one in seen}) == len(seen)
        assert places(seen) == low(sandbox, 1)
