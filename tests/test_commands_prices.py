"""Prices of one machine that are set at once: its matrix is written whole, and none of them undoes another."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.running import Gateway, Sandbox

MACHINES = "{ machines(first: 1, filter: { vendors: [SMARTVEND] }) { nodes { id vendorId slots { id position } } } }"
SET = """mutation($input: SetPriceInput!) { setPrice(input: $input) { command { status error } errors { message } } }"""
UNDER_WAY = """{ commands(filter: { statuses: [PENDING, SENT] }) { nodes { id } } }"""
SLOTS = """query($id: ID!) { machine(id: $id) { slots { position price { amount } } } }"""
TOGETHER = 6


def wait_for(so: Callable[[], bool]) -> None:
    """On a slow machine a mutation answers before its turn has come."""
    ends = time.monotonic() + 30
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_prices_that_are_set_at_once_are_all_kept(gateway: Gateway, sandbox: Sandbox) -> None:
    (machine,) = gateway.ask(MACHINES)["machines"]["nodes"]
    wanted = {slot["position"]: f"7.{at}0" for at, slot in enumerate(machine["slots"][:TOGETHER])}
    ids = {slot["position"]: slot["id"] for slot in machine["slots"]}

    def put(position: str) -> Any:
        given = {"slotId": ids[position], "amount": wanted[position], "idempotencyKey": f"at once {position}"}
        return gateway.ask(SET, {"input": given})["setPrice"]

    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(put, wanted))
    assert [one["errors"] for one in answers] == [[]] * TOGETHER
    wait_for(lambda: not gateway.ask(UNDER_WAY)["commands"]["nodes"])
    held = {
        str(row["rowNumber"] * row["columnsNumber"] + row["columnNumber"] + 1): row["price"]
        for row in sandbox.truth("smartvend")["slots"]
        if row["controllerId"] == machine["vendorId"]
    }
    assert {position: held[position] for position in wanted} == {
        position: int(amount.replace(".", "")) for position, amount in wanted.items()
    }
    shown = gateway.ask(SLOTS, {"id": machine["id"]})["machine"]["slots"]
    assert {one["position"]: one["price"]["amount"] for one in shown if one["position"] in wanted} == wanted
