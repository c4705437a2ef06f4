"""What came into fridges and left them, by their scans: by webhook, into the journal, and out of the graph."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors.eatmachine.hooks import address
from domain.model import Vendor
from sandbox.eatmachine_fridges import URL_SECRET
from tests.deliveries import account
from tests.running import Gateway, Sandbox, moment, running_gateway, running_sandbox

MOVEMENTS = """query ($filter: StockMovementFilter) { stockMovements(first: 1000, filter: $filter) {
  nodes { id kind position productName product { name } delta level trust machine { vendorId } recordedAt occurredAt }
  pageInfo { hasNextPage } sources { account { vendor } state complete } } }"""
BRIEF = ("kind", "productName", "delta", "level")
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture
def fridge(sandbox: Sandbox) -> str:
    return str(sandbox.truth("eatmachine")["machines"][0]["uuid"])


@pytest.fixture
def gateway(sandbox: Sandbox, tmp_path: Path) -> Any:
    with running_gateway(sandbox, tmp_path) as gateway:
        yield gateway


def deliver(gateway: Gateway, fridge: str, body: Row) -> None:
    ours = replace(account(Vendor.EATMACHINE, URL_SECRET), key="acme-fridges")
    url = f"{gateway.base}/webhooks/acme-fridges{address(ours, fridge)}"
    answer = httpx2.post(url, content=json.dumps(body).encode())
    assert answer.status_code == 200, answer.text


def link(gateway: Gateway, fridge: str, name: str, *tags: str) -> None:
    product = {"uuid": f"prd-{name.lower()}", "name": name}
    deliver(gateway, fridge, {"type": "product-linked", "data": [{"code": tag} for tag in tags], "product": product})


def scan(fridge: str, minutes: int, *tags: str, opening: str | None = None) -> Row:
    command = None if opening is None else {"uuid": opening, "type": {"slug": "open"}, "status": "inventory"}
    told = {"uuid": fridge, "lastActivity": (NOON + timedelta(minutes=minutes)).isoformat()}
    return {"type": "inventory", "data": {"epcs": list(tags)}, "fridge": told, "command": command}


def movements(gateway: Gateway) -> list[Row]:
    answer = gateway.ask(MOVEMENTS, {"filter": {"vendors": ["EATMACHINE"]}})["stockMovements"]
    assert [(one["state"], one["complete"]) for one in answer["sources"]] == [("FRESH", True)]
    found: list[Row] = answer["nodes"]
    return found


def brief(nodes: list[Row]) -> set[tuple[Any, ...]]:
    found = [tuple(one[name] for name in BRIEF) for one in nodes]
    assert len(set(found)) == len(found)
    return set(found)


def test_scans_become_movements_product_by_product(gateway: Gateway, fridge: str) -> None:
    link(gateway, fridge, "Tea", "t1", "t2", "t3")
    link(gateway, fridge, "Milk", "m1", "m2")
    deliver(gateway, fridge, scan(fridge, 0, "t1", "t2", "m1", "x1"))
    assert movements(gateway) == []  # what it held before, nobody knows
    deliver(gateway, fridge, scan(fridge, 1, "t2", "m1", "m2", opening="open-1"))
    first = movements(gateway)
    assert brief(first) == {
        ("TAKE", "Tea", -1, 1),
        ("TAKE", "Unknown product", -1, 0),
        ("RESTOCK", "Milk", 1, 2),
    }
    deliver(gateway, fridge, scan(fridge, 2, "t2", "t3"))
    found = movements(gateway)
    assert brief(found[:-3]) == {("REMOVAL", "Milk", -2, 0), ("RESTOCK", "Tea", 1, 2)}
    assert found[-3:] == first
    assert {(one["trust"], one["machine"]["vendorId"]) for one in found} == {("DERIVED", fridge)}
    assert {moment(one["occurredAt"]) for one in found} == {NOON + timedelta(minutes=at) for at in (1, 2)}
    assert {one["position"] for one in found} == {"prd-tea", "prd-milk", "unknown"}


def test_a_scan_that_comes_again_moves_nothing_again(gateway: Gateway, fridge: str) -> None:
    deliver(gateway, fridge, scan(fridge, 0, "a", "b"))
    for _ in range(2):
        deliver(gateway, fridge, scan(fridge, 1, "a", opening="open-1"))
    assert [(one["kind"], one["delta"]) for one in movements(gateway)] == [("TAKE", -1)]


def test_a_scan_that_comes_late_moves_nothing_twice(gateway: Gateway, fridge: str) -> None:
    """What left by both was told by the later one: the deltas add up to what there is."""
    deliver(gateway, fridge, scan(fridge, 0, "a", "b", "c"))
    deliver(gateway, fridge, scan(fridge, 2, "c", opening="open-2"))
    deliver(gateway, fridge, scan(fridge, 1, "b", "c", opening="open-1"))
    deliver(gateway, fridge, scan(fridge, 3, "c", "d", opening="open-3"))
    found = movements(gateway)
    assert [(one["kind"], one["delta"], one["level"]) for one in found] == [("RESTOCK", 1, 2), ("TAKE", -2, 1)]
    assert 3 + sum(one["delta"] for one in found) == found[0]["level"]


def test_they_are_found_by_their_ids_after_a_restart(sandbox: Sandbox, fridge: str, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as before:
        deliver(before, fridge, scan(fridge, 0, "a", "b"))
        deliver(before, fridge, scan(fridge, 1, "b", "c"))
        untimed = scan(fridge, 2, "c")
        del untimed["fridge"]["lastActivity"]  # nothing tells it apart from another of the same content
        deliver(before, fridge, untimed)
        told = [one["id"] for one in movements(before)]
    assert len(set(told)) == 3
    with running_gateway(sandbox, tmp_path) as after:
        query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
        found = after.ask(query, {"ids": told})["nodes"]
        assert [one["id"] for one in movements(after)] == told
    assert found == [{"__typename": "StockMovement", "id": one} for one in told]


def test_the_movements_of_a_fleet_add_up_to_its_stock(tmp_path: Path) -> None:
    with running_sandbox(scale=0.1, days=2) as sandbox, running_gateway(sandbox, tmp_path) as gateway:
        sandbox.webhooks(address=gateway.base)
        sandbox.sell("eatmachine", 12)
        for kind in ("refill", "inventory"):
            sandbox.happen("eatmachine", kind, 3)
        sandbox.settle()
        found = movements(gateway)
        tags = sandbox.truth("eatmachine")["tags"]
    held = Counter((row["fridge"], row["product"] or "unknown") for row in tags)
    levels: dict[tuple[str, str], int] = {}
    for one in found:
        levels.setdefault((one["machine"]["vendorId"], one["position"]), one["level"])
    assert levels == {place: held[place] for place in levels}
    assert {one["kind"] for one in found} == {"TAKE", "RESTOCK"}
    assert all(one["product"] or one["position"] == "unknown" for one in found)
