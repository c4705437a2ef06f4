"""Every mutation over a sandbox: what of it reaches the vendor, and what the graph tells of it then."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.commanding import (
    ACTS,
    Found,
    becomes,
    command,
    fleet,
    give,
    new_key,
    now_is,
    of_vendor,
    reaching,
    sent,
)
from tests.running import ADMIN, CLIENT, OPERATOR, Gateway, Sandbox, running_gateway

PLAIN: Mapping[str, tuple[str, Callable[[Found], Found], Callable[[Found], Found]]] = {
    "dispenseProduct": (
        "issue-product",
        lambda _: {"position": "3"},
        lambda machine: {"controllerId": machine["vendorId"], "position": 3},
    ),
    "sendDeposit": (
        "send-deposit-to-controller",
        lambda _: {"amount": "1.5", "currency": "EUR"},
        lambda machine: {"controllerId": machine["vendorId"], "deposit": 150},
    ),
    "sendRemotePayment": (
        "send-remote-payment-to-controller",
        lambda _: {"amount": "0.01", "terminalKey": "T-1"},
        lambda machine: {"controllerId": machine["vendorId"], "amount": 1, "terminalKey": "T-1"},
    ),
    "collectCash": (
        "create-encashment",
        lambda _: {},
        lambda machine: {"controllerId": machine["vendorId"]},
    ),
}
SLUGS = {
    "openDoor": "open",
    "scanInventory": "inventory",
    "measureTemperature": "temperature",
    "readDoor": "door-status",
    "reboot": "reboot",
    "restartApp": "restart-app",
}


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("graph")) as gateway:
        yield gateway


@pytest.fixture
def coffee(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]


@pytest.fixture
def fridge(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway), "EATMACHINE")[0]


def statuses(found: Found) -> list[str]:
    return [step["status"] for step in found["history"]]


def matrix(sandbox: Sandbox, machine: Found) -> Any:
    return sandbox.vendors["smartvend"]._fleet.matrices[machine["vendorId"]]


def test_each_act_has_a_mutation() -> None:
    assert {*PLAIN, *SLUGS, "setPrice", "updatePlanogram", "updateConfig"} == set(ACTS)


@pytest.mark.parametrize("mutation", PLAIN)
def test_what_holds_all_it_takes_is_one_request(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, mutation: str
) -> None:
    operation, given, body = PLAIN[mutation]
    key = new_key()
    with reaching(sandbox) as reached:
        found = command(gateway, mutation, by=OPERATOR, machineId=coffee["id"], idempotencyKey=key, **given(coffee))
    assert reached.bodies == [body(coffee)]
    assert reached.requests == [f"POST /smartvend/v1/{operation}"]
    assert statuses(found) == ["PENDING", "SENT", "SUCCEEDED"]
    assert found == now_is(gateway, found["id"])
    assert (found["kind"], found["machine"]) == (ACTS[mutation].value, {"id": coffee["id"]})
    assert (found["requestedBy"], found["idempotencyKey"]) == ("operator-of-acme", key)
    assert (found["result"], found["error"], found["evidence"]) == ({"success": True}, None, None)
    assert found["createdAt"] < found["completedAt"] == found["updatedAt"]


def test_a_slot_is_dispensed_from_by_its_id(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    slot = coffee["slots"][4]
    with reaching(sandbox) as reached:
        command(gateway, "dispenseProduct", machineId=coffee["id"], slotId=slot["id"])
    assert reached.bodies == [{"controllerId": coffee["vendorId"], "position": int(slot["position"])}]


@pytest.mark.parametrize("mutation", SLUGS)
def test_a_fridge_is_told_by_a_word_and_will_tell_what_became_of_it(
    sandbox: Sandbox, gateway: Gateway, fridge: Found, mutation: str
) -> None:
    with reaching(sandbox, "eatmachine") as reached:
        found = command(gateway, mutation, by=OPERATOR, machineId=fridge["id"])
    (taken,) = reached.bodies
    assert (taken["fridge"], taken["type"]["slug"]) == (fridge["vendorId"], SLUGS[mutation])
    assert reached.requests == [f"POST /eatmachine/fridges/{fridge['vendorId']}/commands/{SLUGS[mutation]}"]
    assert statuses(found) == ["PENDING", "SENT", "ACKNOWLEDGED"]
    assert (found["kind"], found["completedAt"], found["stage"]) == (ACTS[mutation].value, None, None)
    assert found["result"]["uuid"] == taken["uuid"]


def test_one_price_changes_and_the_rest_of_the_matrix_stays(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    before, slot = matrix(sandbox, coffee), coffee["slots"][5]
    with reaching(sandbox) as reached:
        found = command(gateway, "setPrice", slotId=slot["id"], amount="9.99")
    after = matrix(sandbox, coffee)
    changed = [(old, new) for old, new in zip(before["products"], after["products"], strict=True) if old != new]
    assert [new for _, new in changed] == [{**old, "price": 999} for old, _ in changed]
    (old,) = (old for old, _ in changed)
    assert old["rowNumber"] * before["columnsNumber"] + old["columnNumber"] + 1 == int(slot["position"])
    assert {**before, "products": None} == {**after, "products": None}
    assert after["resources"]
    assert reached.bodies == [after]
    writes = [one for one in reached.requests if "update" in one]
    assert writes == ["POST /smartvend/v1/update-controller-matrix"]
    assert statuses(found) == ["PENDING", "SENT", "SUCCEEDED"]
    shown = next(one for one in of_vendor(fleet(gateway), "SMARTVEND") if one["id"] == coffee["id"])["slots"]
    assert [one["price"]["amount"] for one in shown if one["id"] == slot["id"]] == ["9.99"]
    assert [one for one in shown if one["id"] != slot["id"]] == [one for one in coffee["slots"] if one != slot]


def test_a_planogram_is_all_cells_and_keeps_the_resources(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    before = matrix(sandbox, coffee)
    products = [slot["product"]["id"] for slot in coffee["slots"] if slot["product"]][:2]
    natives = [cell["productId"] for cell in before["products"] if cell["productId"]][:2]
    slots = [
        {"row": 0, "column": 1, "productId": products[0], "price": "0"},
        {"row": 1, "column": 0, "productId": products[1], "price": "12.30"},
    ]
    with reaching(sandbox) as reached:
        found = command(gateway, "updatePlanogram", machineId=coffee["id"], rows=2, columns=3, slots=slots)
    cells = [
        {"rowNumber": 0, "columnNumber": 1, "productId": natives[0], "price": 0},
        {"rowNumber": 1, "columnNumber": 0, "productId": natives[1], "price": 1230},
    ]
    told = {"id": before["id"], "rowsNumber": 2, "columnsNumber": 3, "resources": before["resources"]}
    assert reached.bodies == [{**told, "products": cells}]
    assert found["status"] == "SUCCEEDED"
    shown = next(one for one in of_vendor(fleet(gateway), "SMARTVEND") if one["id"] == coffee["id"])["slots"]
    assert [one["price"]["amount"] for one in shown] == ["0.00", "12.30"]


def test_only_settings_that_change_are_sent_and_secrets_are_shown_nowhere(
    sandbox: Sandbox, gateway: Gateway, coffee: Found
) -> None:
    secret = "wifi-secret-of-the-test"
    settings = {"hl": True, "re": False, "wp": secret}
    with reaching(sandbox) as reached:
        found = command(gateway, "updateConfig", machineId=coffee["id"], settings=settings)
    (body,) = reached.bodies
    assert body["config"] == {"hl": True, "wp": secret}
    assert found["status"] == "SUCCEEDED"
    shown = gateway.post(
        "{ commands { nodes { result error history { note } } } auditLog { nodes { details action } }"
        " machines(first: 100) { nodes { vendorData } } }"
    )
    assert "UPDATE_CONFIG" in shown.text
    assert secret not in shown.text
    assert secret not in str(found)


def test_a_refusal_of_the_vendor_is_a_failure_with_its_words(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    with reaching(sandbox) as reached:
        found = command(gateway, "dispenseProduct", machineId=coffee["id"], position="999")
    assert (reached.bodies, reached.requests) == ([], ["POST /smartvend/v1/issue-product"])
    assert statuses(found) == ["PENDING", "SENT", "FAILED"]
    assert "there is no such position" in found["error"]
    assert found["completedAt"]


def test_several_mutations_of_a_document_are_given_one_after_another(
    sandbox: Sandbox, gateway: Gateway, coffee: Found
) -> None:
    """The last one stands, whichever of the requests is the quicker."""
    amounts = ["1.01", "2.02", "3.03", "4.04"]
    fields = " ".join(
        f'm{at}: sendDeposit(input: {{machineId: $machine, amount: "{amount}", idempotencyKey: "{new_key()}"}})'
        "{ command { status } }"
        for at, amount in enumerate(amounts)
    )
    with reaching(sandbox) as reached:
        answer = gateway.ask(f"mutation ($machine: ID!) {{ {fields} }}", {"machine": coffee["id"]})
    assert [one["command"]["status"] for one in answer.values()] == ["SUCCEEDED"] * 4
    assert [body["deposit"] for body in reached.bodies] == [101, 202, 303, 404]


def test_a_mutation_waits_no_longer_than_it_is_told_to(sandbox: Sandbox, tmp_path: Path) -> None:
    """The vendor takes its time; the rest is told later."""
    with running_gateway(sandbox, tmp_path, more="\n[commands]\nanswer_seconds = 0\n") as gateway:
        coffee = of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]
        sandbox.break_("smartvend", "delay", operation="create-encashment", seconds=1.0, times=1)
        found = command(gateway, "collectCash", machineId=coffee["id"])
        assert found["status"] in ("PENDING", "SENT")
        assert statuses(becomes(gateway, found["id"], "SUCCEEDED")) == ["PENDING", "SENT", "SUCCEEDED"]


def test_a_mutation_is_not_sent_by_get(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    query = (
        f'mutation {{ sendDeposit(input: {{machineId: "{coffee["id"]}", amount: "1", idempotencyKey: "get"}})'
        " { command { id } } }"
    )
    headers = {"authorization": f"Bearer {ADMIN}"}
    with reaching(sandbox) as reached:
        answer = CLIENT.get(f"{gateway.base}/graphql", params={"query": query}, headers=headers)
    assert answer.status_code == 405
    assert reached.requests == []
    assert give(gateway, "sendDeposit", machineId=coffee["id"], amount="2", idempotencyKey="get")["errors"] == []
    assert sent(sandbox)[-1]["deposit"] == 200
