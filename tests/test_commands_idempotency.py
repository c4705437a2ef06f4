"""A key is one intent: given again it is answered with the first command. What may have happened is not repeated."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.commanding import (
    Found,
    becomes,
    command,
    fleet,
    give,
    lost,
    new_key,
    now_is,
    of_vendor,
    reaching,
    refusal,
)
from tests.running import OPERATOR, STRANGER, Gateway, Sandbox, running_gateway

CALLERS = 50


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idempotency")


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, folder: Path) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, folder, others=[shared_sandbox]) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def coffees(gateway: Gateway) -> list[Found]:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")


def ids(payloads: list[Found]) -> set[str]:
    return {payload["command"]["id"] for payload in payloads}


# ---- the same key


@pytest.mark.parametrize("amount", ["1.5", "1.50", "1.500", "15e-1"])
def test_the_same_is_answered_with_the_first(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], amount: str
) -> None:
    key = new_key()
    first = command(gateway, "sendDeposit", machineId=coffees[0]["id"], amount="1.5", idempotencyKey=key)
    with reaching(sandbox) as reached:
        again = command(
            gateway, "sendDeposit", by=OPERATOR, machineId=coffees[0]["id"], amount=amount, idempotencyKey=key
        )
    assert again == first
    assert reached.requests == []


def test_what_was_refused_by_the_vendor_is_not_tried_again(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found]
) -> None:
    given = {"machineId": coffees[0]["id"], "position": "999", "idempotencyKey": new_key()}
    first = command(gateway, "dispenseProduct", **given)
    with reaching(sandbox) as reached:
        assert command(gateway, "dispenseProduct", **given) == first
    assert (first["status"], reached.requests) == ("FAILED", [])


def test_what_is_not_known_is_not_tried_again(sandbox: Sandbox, gateway: Gateway, coffees: list[Found]) -> None:
    given = {"machineId": coffees[0]["id"], "amount": "1.51", "idempotencyKey": new_key()}
    first = lost(gateway, sandbox, "sendDeposit", **given)
    with reaching(sandbox) as reached:
        assert command(gateway, "sendDeposit", **given) == first
        error = refusal(gateway, "sendDeposit", **given | {"amount": "1.52"})
    assert error["code"] == "CONFLICT"
    assert reached.requests == []


OTHERS: Mapping[str, Found] = {
    "another amount": {"amount": "2.51"},
    "another machine": {"machineId": "OTHER"},
    "another act": {"mutation": "sendRemotePayment"},
}


@pytest.mark.parametrize("what", OTHERS)
def test_something_else_is_refused_and_named(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], what: str
) -> None:
    given = {"machineId": coffees[0]["id"], "amount": "2.50", "idempotencyKey": new_key()}
    first = command(gateway, "sendDeposit", **given)
    other = given | {name: coffees[1]["id"] if value == "OTHER" else value for name, value in OTHERS[what].items()}
    with reaching(sandbox) as reached:
        error = refusal(gateway, str(other.pop("mutation", "sendDeposit")), **other)
    assert (error["code"], error["field"]) == ("CONFLICT", None)
    assert first["id"] in error["message"]
    assert reached.requests == []


def test_a_key_is_free_after_a_refusal(gateway: Gateway, coffees: list[Found]) -> None:
    key = new_key()
    assert refusal(gateway, "sendDeposit", machineId=coffees[0]["id"], amount="0", idempotencyKey=key)
    found = command(gateway, "sendDeposit", machineId=coffees[0]["id"], amount="1", idempotencyKey=key)
    assert (found["status"], found["idempotencyKey"]) == ("SUCCEEDED", key)


def test_fifty_callers_with_one_key_are_one_request(sandbox: Sandbox, gateway: Gateway, coffees: list[Found]) -> None:
    """Some may be answered while it is still on its way."""
    given = {"machineId": coffees[0]["id"], "amount": "3.50", "idempotencyKey": new_key()}
    with reaching(sandbox) as reached:
        with ThreadPoolExecutor(CALLERS) as callers:
            payloads = list(callers.map(lambda _: give(gateway, "sendDeposit", **given), range(CALLERS)))
        (only,) = ids(payloads)
        becomes(gateway, only, "SUCCEEDED")
    assert reached.bodies == [{"controllerId": coffees[0]["vendorId"], "deposit": 350}]
    assert reached.requests == ["POST /smartvend/v1/send-deposit-to-controller"]
    assert {payload["command"]["status"] for payload in payloads} <= {"PENDING", "SENT", "SUCCEEDED"}


def test_another_gateway_on_the_same_store_knows_the_key(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], folder: Path, tmp_path: Path
) -> None:
    """At the same time, and long after."""
    before = {"machineId": coffees[0]["id"], "amount": "4.50", "idempotencyKey": new_key()}
    first = command(gateway, "sendDeposit", **before)
    store = f"sqlite:///{folder}/vendgraph.db"
    with running_gateway(sandbox, tmp_path, others=[sandbox], store=store) as other:
        assert fleet(other)
        now = before | {"amount": "5.50", "idempotencyKey": new_key()}
        with reaching(sandbox) as reached, ThreadPoolExecutor(16) as callers:
            assert command(other, "sendDeposit", **before) == first
            payloads = list(callers.map(lambda at: give((gateway, other)[at % 2], "sendDeposit", **now), range(16)))
            becomes(gateway, payloads[0]["command"]["id"], "SUCCEEDED")
    assert [body["deposit"] for body in reached.bodies] == [550]
    assert len(ids(payloads)) == 1


def test_another_organizations_keys_are_its_own(sandbox: Sandbox, gateway: Gateway, coffees: list[Found]) -> None:
    key, theirs = new_key(), of_vendor(fleet(gateway, by=STRANGER), "SMARTVEND", "ONLINE")[0]
    with reaching(sandbox) as reached:
        own = command(gateway, "sendDeposit", machineId=coffees[0]["id"], amount="6", idempotencyKey=key)
        other = command(gateway, "sendDeposit", by=STRANGER, machineId=theirs["id"], amount="7", idempotencyKey=key)
    assert own["id"] != other["id"]
    assert [body["deposit"] for body in reached.bodies] == [600, 700]
    assert now_is(gateway, other["id"]) is None


# ---- the same under another key


def test_what_may_have_happened_is_not_asked_for_again_unless_it_is_meant(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found]
) -> None:
    machine = coffees[1]["id"]
    first = lost(gateway, sandbox, "sendDeposit", machineId=machine, amount="8.50")
    with reaching(sandbox) as reached:
        error = refusal(gateway, "sendDeposit", machineId=machine, amount="8.5")
        wrong = refusal(gateway, "sendDeposit", machineId=machine, amount="8.5", again=machine)
    assert error == wrong
    assert (error["code"], first["id"] in error["message"]) == ("CONFLICT", True)
    assert reached.requests == []
    with reaching(sandbox) as reached:
        second = command(gateway, "sendDeposit", machineId=machine, amount="8.5", again=first["id"])
    assert second["status"] == "SUCCEEDED"
    assert [body["deposit"] for body in reached.bodies] == [850]
    assert now_is(gateway, first["id"])["status"] == "UNKNOWN"


def test_the_newest_of_several_is_to_be_acknowledged(sandbox: Sandbox, gateway: Gateway, coffees: list[Found]) -> None:
    given = {"machineId": coffees[1]["id"], "amount": "9.50"}
    first = lost(gateway, sandbox, "sendDeposit", **given)
    second = lost(gateway, sandbox, "sendDeposit", again=first["id"], **given)
    assert second["id"] in refusal(gateway, "sendDeposit", again=first["id"], **given)["message"]
    assert command(gateway, "sendDeposit", again=second["id"], **given)["status"] == "SUCCEEDED"


def test_once_it_is_resolved_it_may_be_asked_for_again(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found]
) -> None:
    given = {"machineId": coffees[1]["id"], "amount": "10.50"}
    first = lost(gateway, sandbox, "sendDeposit", **given)
    command(gateway, "resolveCommand", commandId=first["id"], outcome="FAILED", reason="no credit came")
    assert command(gateway, "sendDeposit", **given)["status"] == "SUCCEEDED"


def test_something_else_is_not_held_up(sandbox: Sandbox, gateway: Gateway, coffees: list[Found]) -> None:
    theirs = of_vendor(fleet(gateway, by=STRANGER), "SMARTVEND", "ONLINE")[1]
    assert theirs["vendorId"] == coffees[1]["vendorId"]
    lost(gateway, sandbox, "sendDeposit", machineId=coffees[1]["id"], amount="11.50")
    for mutation, by, machine, amount in (
        ("sendDeposit", OPERATOR, coffees[1], "11.51"),
        ("sendDeposit", OPERATOR, coffees[2], "11.50"),
        ("sendRemotePayment", OPERATOR, coffees[1], "11.50"),
        ("sendDeposit", STRANGER, theirs, "11.50"),
    ):
        found = command(gateway, mutation, by=by, machineId=machine["id"], amount=amount)
        assert found["status"] == "SUCCEEDED"


def test_the_same_in_other_words_is_the_same(sandbox: Sandbox, gateway: Gateway, coffees: list[Found]) -> None:
    """What counts is what would be sent."""
    machine, slot = coffees[2], coffees[2]["slots"][2]
    first = lost(gateway, sandbox, "dispenseProduct", machineId=machine["id"], slotId=slot["id"])
    error = refusal(gateway, "dispenseProduct", machineId=machine["id"], position=slot["position"])
    assert (error["code"], first["id"] in error["message"]) == ("CONFLICT", True)
    first = lost(gateway, sandbox, "sendDeposit", machineId=machine["id"], amount="12.50")
    error = refusal(gateway, "sendDeposit", machineId=machine["id"], amount="12.50", currency="EUR")
    assert (error["code"], first["id"] in error["message"]) == ("CONFLICT", True)
