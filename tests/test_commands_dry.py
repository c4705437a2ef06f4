"""A dry run tells exactly what would be sent, less secrets, and neither sends nor records anything."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.commanding import ACTS, Found, command, fleet, give, new_key, of_vendor, reaching, refusal, sent
from tests.running import OPERATOR, Gateway, Sandbox, running_gateway

KEPT = """{ commands(first: 1000) { nodes { id } } auditLog(first: 1000) { nodes { seq } }
  events(first: 1) { nodes { id } } }"""
SECRET = "wifi-secret-of-the-dry-run"
MONEY = ("dispenseProduct", "sendDeposit", "sendRemotePayment", "collectCash")
FRIDGE = ("openDoor", "scanInventory", "measureTemperature", "readDoor", "reboot", "restartApp")


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("dry")) as gateway:
        yield gateway


@pytest.fixture
def coffee(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]


def given(mutation: str, machine: Found, amount: str) -> Found:
    slot, machine_id = machine["slots"][0], {"machineId": machine["id"]}
    cells = [{"row": 0, "column": 0, "productId": slot["product"]["id"], "price": amount}]
    known: Mapping[str, Found] = {
        "dispenseProduct": machine_id | {"position": "2"},
        "sendDeposit": machine_id | {"amount": amount},
        "sendRemotePayment": machine_id | {"amount": amount, "terminalKey": "T-7"},
        "collectCash": machine_id,
        "setPrice": {"slotId": slot["id"], "amount": amount},
        "updatePlanogram": machine_id | {"rows": 1, "columns": 2, "slots": cells},
        "updateConfig": machine_id | {"settings": {"hl": amount == "1.23", "wp": SECRET + amount}},
    }
    return known[mutation]


def planned(gateway: Gateway, mutation: str, **given: Any) -> Found:
    payload = give(gateway, mutation, dry=True, **given)
    assert payload["errors"] == []
    (found,) = payload["planned"]
    return dict(found)


def writes(requests: list[str]) -> list[str]:
    return [one for one in requests if "/get-" not in one]


@pytest.mark.parametrize("mutation", [*MONEY, "setPrice", "updatePlanogram", "updateConfig"])
def test_what_is_planned_is_what_is_then_sent(sandbox: Sandbox, gateway: Gateway, coffee: Found, mutation: str) -> None:
    before, key = gateway.ask(KEPT), new_key()
    with reaching(sandbox) as reached:
        plan = planned(gateway, mutation, idempotencyKey=key, **given(mutation, coffee, "1.23"))
    assert (reached.bodies, writes(reached.requests)) == ([], [])
    assert gateway.ask(KEPT) == before
    with reaching(sandbox) as reached:
        found = command(gateway, mutation, idempotencyKey=key, **given(mutation, coffee, "1.23"))
    assert found["status"] == "SUCCEEDED"
    assert writes(reached.requests) == [f"{plan['method']} /smartvend/v1{plan['path']}"]
    assert [_masked(body) for body in reached.bodies] == [plan["body"]]


def _masked(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: "***" if name == "wp" else _masked(value) for name, value in body.items()}
    return [_masked(one) for one in body] if isinstance(body, list) else body


@pytest.mark.parametrize("mutation", FRIDGE)
def test_a_fridges_word_has_no_body(sandbox: Sandbox, gateway: Gateway, mutation: str) -> None:
    fridge = of_vendor(fleet(gateway), "EATMACHINE")[0]
    with reaching(sandbox, "eatmachine") as reached:
        plan = planned(gateway, mutation, by=OPERATOR, machineId=fridge["id"])
    assert reached.requests == []
    assert (plan["method"], plan["body"]) == ("POST", None)
    with reaching(sandbox, "eatmachine") as reached:
        command(gateway, mutation, machineId=fridge["id"])
    assert reached.requests == [f"POST /eatmachine{plan['path']}"]


def test_secrets_are_stars(gateway: Gateway, coffee: Found) -> None:
    payload = give(gateway, "updateConfig", dry=True, **given("updateConfig", coffee, "2.34"))
    assert payload["planned"][0]["body"]["config"]["wp"] == "***"
    assert SECRET not in json.dumps(payload)


def test_the_command_of_a_dry_run_is_none_that_can_be_found(gateway: Gateway, coffee: Found) -> None:
    payload = give(gateway, "sendDeposit", dry=True, machineId=coffee["id"], amount="1")
    found = payload["command"]
    assert (found["status"], found["kind"]) == ("PENDING", "SEND_DEPOSIT")
    query = "query ($id: ID!) { command(id: $id) { id } node(id: $id) { id } }"
    assert gateway.ask(query, {"id": found["id"]}) == {"command": None, "node": None}


def test_without_a_dry_run_there_is_no_plan(gateway: Gateway, coffee: Found) -> None:
    for dry in (False, None):
        payload = give(gateway, "sendDeposit", dry=dry, machineId=coffee["id"], amount="1")
        assert (payload["planned"], payload["command"]["status"]) == (None, "SUCCEEDED")


def test_what_is_refused_is_refused_dry_and_leaves_no_trace(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    before, taken = gateway.ask(KEPT), len(sent(sandbox))
    for mutation, wrong, code in (
        ("sendDeposit", {"amount": "1.005"}, "BAD_INPUT"),
        ("dispenseProduct", {"position": "no position"}, "BAD_INPUT"),
        ("updateConfig", {"settings": {"no key": 1}}, "BAD_INPUT"),
        ("openDoor", {}, "UNSUPPORTED"),
    ):
        error = refusal(gateway, mutation, dry=True, machineId=coffee["id"], **wrong)
        assert error["code"] == code
    assert gateway.ask(KEPT) == before
    assert len(sent(sandbox)) == taken


def test_a_vendor_that_fails_is_told(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    sandbox.break_("smartvend", "status", operation="get-controller-matrix", status=500)
    assert refusal(gateway, "setPrice", dry=True, **given("setPrice", coffee, "3"))["code"] == "VENDOR_UNAVAILABLE"


def test_every_act_can_be_tried() -> None:
    assert {*MONEY, *FRIDGE, "setPrice", "updatePlanogram", "updateConfig"} == set(ACTS)
