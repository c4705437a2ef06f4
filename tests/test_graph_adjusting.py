"""Counts corrected through the graph: what is sent, what is seen of it, what is refused, and what settles a doubt."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.running import STRANGER, VIEWER, Gateway, Sandbox, running_gateway

ADJUST = """mutation ($input: AdjustStockInput!, $dry: Boolean) { adjustStock(input: $input, dryRun: $dry) {
  command { id kind status result error subject { __typename id } machine { vendorId } }
  planned { method path body } errors { code message field reason } } }"""
SLOTS = """query ($vendors: [Vendor!]) { machines(first: 1000, filter: {vendors: $vendors}) { nodes {
  id vendorId capabilities { capability available reason }
  slots { id position quantity capacity product { name } vendorData } } } }"""
MOVEMENTS = """query ($id: ID!) { machine(id: $id) { stockMovements(first: 1, filter: {kinds: [ADJUSTMENT]}) {
  nodes { position level } } } }"""
Node = dict[str, Any]


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("adjusting")
    with running_gateway(shared_sandbox, folder, cache="sales = 0") as gateway:
        yield gateway


def machines(gateway: Gateway, vendor: str = "VENDNOVATION") -> list[Node]:
    found: list[Node] = gateway.ask(SLOTS, {"vendors": [vendor]})["machines"]["nodes"]
    return found


def slot(gateway: Gateway, at: int = 0) -> tuple[Node, Node]:
    """A machine, and a slot of it in which something is counted."""
    return [(one, own) for one in machines(gateway) for own in one["slots"] if own["product"] and own["quantity"]][at]


def adjust(gateway: Gateway, id_: str, *, dry: bool = False, by: str | None = None, **wanted: Any) -> Any:
    given = {"slotId": id_, "idempotencyKey": str(uuid4()), **wanted}
    return gateway.ask(ADJUST, {"input": given, "dry": dry}, key=by)["adjustStock"]


def codes(payload: Any) -> list[str]:
    assert (payload["command"] is None) == bool(payload["errors"])
    return [one["code"] for one in payload["errors"]]


@pytest.mark.parametrize("wanted", [{"delta": 2}, {"delta": -1}, {"level": 7}])
def test_what_is_counted_is_seen_at_once_and_is_a_movement(
    wanted: dict[str, Any], gateway: Gateway, sandbox: Sandbox
) -> None:
    machine, one = slot(gateway, at=3)
    count = wanted.get("level", one["quantity"] + wanted.get("delta", 0))
    if count == one["quantity"]:
        wanted, count = {"level": count + 1}, count + 1
    payload = adjust(gateway, one["id"], **wanted)
    assert codes(payload) == []
    command = payload["command"]
    assert (command["kind"], command["status"], command["result"]) == ("ADJUST_STOCK", "SUCCEEDED", {"count": count})
    assert command["subject"] == {"__typename": "Slot", "id": one["id"]}
    assert command["machine"] == {"vendorId": machine["vendorId"]}
    native = one["vendorData"]["id"]
    assert [row["count"] for row in sandbox.truth("vendnovation")["slots"] if row["id"] == native] == [count]
    shown = {own["id"]: own["quantity"] for it in machines(gateway) for own in it["slots"]}
    assert shown[one["id"]] == count
    newest = gateway.ask(MOVEMENTS, {"id": machine["id"]})["machine"]["stockMovements"]["nodes"]
    assert newest == [{"position": one["vendorData"]["friendlyNumber"], "level": count}]


def test_the_same_key_sends_nothing_again(gateway: Gateway, sandbox: Sandbox) -> None:
    _, one = slot(gateway)
    first = adjust(gateway, one["id"], delta=1, idempotencyKey="one intent")
    sandbox.forget_requests()
    assert adjust(gateway, one["id"], delta=1, idempotencyKey="one intent") == first
    assert codes(adjust(gateway, one["id"], delta=2, idempotencyKey="one intent")) == ["CONFLICT"]
    assert not any("apply-delta" in request for request in sandbox.requests())


def test_a_dry_run_tells_the_difference_to_what_is_counted_now(gateway: Gateway, sandbox: Sandbox) -> None:
    _, one = slot(gateway)
    sandbox.forget_requests()
    payload = adjust(gateway, one["id"], dry=True, level=one["quantity"] + 3)
    body = {"body": [{"selectionId": one["vendorData"]["id"], "delta": 3}]}
    assert payload["planned"] == [{"method": "POST", "path": "/selections/apply-delta", "body": body}]
    assert not any("apply-delta" in request for request in sandbox.requests())


@pytest.mark.parametrize(
    "wanted", [{}, {"delta": 1, "level": 1}, {"delta": 0}, {"level": -1}, {"delta": 10**6}, {"level": 10**6}]
)
def test_what_is_no_count_is_refused_without_a_request(
    wanted: dict[str, Any], gateway: Gateway, sandbox: Sandbox
) -> None:
    _, one = slot(gateway)
    sandbox.forget_requests()
    assert codes(adjust(gateway, one["id"], **wanted)) == ["BAD_INPUT"]
    assert not any("apply-delta" in request for request in sandbox.requests())


def test_a_count_that_is_so_already_fails_and_nothing_is_sent(gateway: Gateway, sandbox: Sandbox) -> None:
    _, one = slot(gateway)
    sandbox.forget_requests()
    command = adjust(gateway, one["id"], level=one["quantity"])["command"]
    assert command["status"] == "FAILED"
    assert "already" in command["error"]
    assert not any("apply-delta" in request for request in sandbox.requests())


def test_who_may_not_and_what_is_nobodys_is_refused(gateway: Gateway) -> None:
    _, one = slot(gateway)
    assert codes(adjust(gateway, one["id"], by=VIEWER, delta=1)) == ["FORBIDDEN"]
    assert codes(adjust(gateway, one["id"], by=STRANGER, delta=1)) == ["NOT_FOUND"]
    assert codes(adjust(gateway, "no id", delta=1)) == ["NOT_FOUND"]


@pytest.mark.parametrize("vendor", ["SMARTVEND", "LIVELLO"])
def test_vendors_that_cannot_are_not_asked(vendor: str, gateway: Gateway, sandbox: Sandbox) -> None:
    machine = machines(gateway, vendor)[0]
    sandbox.forget_requests()
    payload = adjust(gateway, machine["slots"][0]["id"], delta=1)
    assert [(one["code"], one["reason"]) for one in payload["errors"]] == [("UNSUPPORTED", "UNSUPPORTED_BY_VENDOR")]
    assert sandbox.requests(vendor.lower()) == []
    told = {one["capability"]: (one["available"], one["reason"]) for one in machine["capabilities"]}
    assert told["ADJUST_STOCK"] == (False, "UNSUPPORTED_BY_VENDOR")


@pytest.mark.parametrize("fault", ["truncate", "junk"])
def test_a_doubt_is_settled_by_the_vendors_own_record_or_stays(fault: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """`truncate` strikes after it was done, `junk` instead of it."""
    with running_gateway(sandbox, tmp_path) as gateway:
        _, one = slot(gateway, at=5)
        sandbox.break_("vendnovation", fault, operation="/apply-delta", times=1)
        command = adjust(gateway, one["id"], delta=4)["command"]
        assert command["status"] in ("UNKNOWN", "SUCCEEDED" if fault == "truncate" else "UNKNOWN")
        sandbox.heal()
        wait_until_read(gateway, sandbox, command["id"], settled=fault == "truncate")


def wait_until_read(gateway: Gateway, sandbox: Sandbox, id_: str, *, settled: bool) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        told = gateway.ask("query ($id: ID!) { command(id: $id) { status } }", {"id": id_})["command"]["status"]
        read = any(request == "POST /vendnovation/prod/inventory" for request in sandbox.requests())
        if read and (told == "SUCCEEDED") == settled:
            assert told == ("SUCCEEDED" if settled else "UNKNOWN")
            return
        time.sleep(0.05)
    raise AssertionError("it was not read back")
