"""What fridges report is seen by the next query: their state, their stock, what was taken, and events by their ids."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors.eatmachine.hooks import address
from domain.model import Vendor
from sandbox.eatmachine_fridges import URL_SECRET
from tests.deliveries import account
from tests.running import Gateway, Sandbox, running_gateway

OPENING = "9f2d3f5e-6f0b-4a55-9d5f-0a6a2a3f7c10"
MACHINE = """query ($id: ID!) { machine(id: $id) {
  connectivity door temperature { celsius } slots { quantity product { name } }
  sales { nodes { vendorId trust lines { quantity productName } } }
  events { nodes { id code message } }
} }"""


@pytest.fixture
def fridge(sandbox: Sandbox) -> str:
    return str(sandbox.truth("eatmachine")["machines"][0]["uuid"])


def deliver(gateway: Gateway, fridge: str, body: dict[str, Any]) -> None:
    """To the fridge's own address."""
    ours = replace(account(Vendor.EATMACHINE, URL_SECRET), key="acme-fridges")
    url = f"{gateway.base}/webhooks/acme-fridges{address(ours, fridge)}"
    answer = httpx2.post(url, content=json.dumps(body).encode())
    assert answer.status_code == 200, answer.text


def seen(gateway: Gateway, fridge: str) -> Any:
    named = gateway.ask("{ machines(first: 100) { nodes { id vendorId } } }")["machines"]["nodes"]
    native = next(machine["id"] for machine in named if machine["vendorId"] == fridge)
    return gateway.ask(MACHINE, {"id": native})["machine"]


def inventory(fridge: str, *tags: str) -> dict[str, Any]:
    command = {"uuid": OPENING, "type": {"name": "Open", "slug": "open"}, "status": "inventory"}
    told = {"uuid": fridge, "doorStatus": "closed", "temperature": 4.5}
    return {"type": "inventory", "data": {"epcs": list(tags)}, "fridge": told, "command": command}


def test_reports_become_state_stock_and_sales(gateway: Gateway, fridge: str) -> None:
    linked = {"uuid": "prd-tea", "name": "Tea"}
    deliver(gateway, fridge, {"type": "product-linked", "data": [{"code": "E1"}, {"code": "e2"}], "product": linked})
    deliver(gateway, fridge, inventory(fridge, "e1", "e2", "e3") | {"command": None})
    deliver(gateway, fridge, inventory(fridge, "e2", "e3"))
    deliver(gateway, fridge, inventory(fridge, "e2", "e3"))
    found = seen(gateway, fridge)
    assert (found["connectivity"], found["door"], found["temperature"]) == ("ONLINE", "CLOSED", {"celsius": 4.5})
    assert found["slots"] == [{"quantity": 1, "product": {"name": "Tea"}}, {"quantity": 1, "product": None}]
    assert found["sales"]["nodes"] == [
        {"vendorId": OPENING, "trust": "DERIVED", "lines": [{"quantity": 1, "productName": "Tea"}]}
    ]


def test_an_event_without_an_identity_is_found_by_its_id_after_a_restart(
    sandbox: Sandbox, fridge: str, tmp_path: Path
) -> None:
    with running_gateway(sandbox, tmp_path) as before:
        for status in ("on", "off"):
            deliver(before, fridge, {"type": "screen-status", "data": {"status": status}, "fridge": {"uuid": fridge}})
        told = [event["id"] for event in seen(before, fridge)["events"]["nodes"]]
    assert len(set(told)) == 2
    with running_gateway(sandbox, tmp_path) as after:
        query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on MachineEvent { code } } }"
        found = after.ask(query, {"ids": told})["nodes"]
    assert found == [{"id": one, "code": "screen-status"} for one in told]
