"""Cash that was collected by a command: the vendor's record of it is the command's subject, and settles a doubt."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from connectors.smartvend.orders import WITHIN
from domain.capabilities import Capability
from domain.orders import MachineOrder
from tests.running import Gateway, Sandbox, running_gateway
from tests.vendors import SMALL, START, standing

COLLECT = """mutation ($id: ID!, $key: String!) { collectCash(input: {machineId: $id, idempotencyKey: $key}) {
  command { id status } errors { code } } }"""
COMMAND = """query ($id: ID!) { command(id: $id) { status
  subject { __typename id ... on CashCollection { vendorId total { amount } machine { id } } } } }"""
MACHINES = "{ machines(first: 1000, filter: {vendors: [SMARTVEND]}) { nodes { id vendorId } } }"
Node = dict[str, Any]


@pytest.fixture
def gateway(sandbox: Sandbox, tmp_path: Path) -> Iterator[Gateway]:
    with running_gateway(sandbox, tmp_path, cache="sales = 0") as gateway:
        yield gateway


def machine(gateway: Gateway, at: int) -> Node:
    found: Node = gateway.ask(MACHINES)["machines"]["nodes"][at]
    return found


def collect(gateway: Gateway, machine: Node) -> Node:
    payload = gateway.ask(COLLECT, {"id": machine["id"], "key": str(uuid4())})["collectCash"]
    assert payload["errors"] == []
    found: Node = payload["command"]
    return found


def test_the_record_that_the_vendor_made_is_its_subject(gateway: Gateway, sandbox: Sandbox) -> None:
    chosen, other = machine(gateway, 0), machine(gateway, 1)
    before = {row["id"] for row in sandbox.truth("smartvend")["encashments"]}
    commands = [collect(gateway, one) for one in (chosen, other)]
    made = {row["controllerId"]: row for row in sandbox.truth("smartvend")["encashments"] if row["id"] not in before}
    for command, one in zip(commands, (chosen, other), strict=True):
        row = made[one["vendorId"]]
        told = gateway.ask(COMMAND, {"id": command["id"]})["command"]
        subject = told["subject"]
        assert told["status"] == "SUCCEEDED"
        assert (subject["__typename"], subject["vendorId"]) == ("CashCollection", row["id"])
        assert (subject["machine"], subject["total"]) == ({"id": one["id"]}, {"amount": f"{row['total'] / 100:.2f}"})


def test_of_two_that_may_be_meant_none_is_named(gateway: Gateway) -> None:
    chosen = machine(gateway, 2)
    for command in [collect(gateway, chosen) for _ in range(2)]:
        told = gateway.ask(COMMAND, {"id": command["id"]})["command"]
        assert told == {"status": "SUCCEEDED", "subject": None}


def test_a_doubt_is_settled_by_the_record(gateway: Gateway, sandbox: Sandbox) -> None:
    chosen = machine(gateway, 3)
    sandbox.break_("smartvend", "truncate", operation="/create-encashment", times=1)
    command = collect(gateway, chosen)
    ends = time.monotonic() + 20
    while gateway.ask(COMMAND, {"id": command["id"]})["command"]["status"] != "SUCCEEDED":
        assert time.monotonic() < ends
        time.sleep(0.05)
    subject = gateway.ask(COMMAND, {"id": command["id"]})["command"]["subject"]
    assert subject["machine"] == {"id": chosen["id"]}
    assert sum(request.endswith("/create-encashment") for request in sandbox.requests()) == 1


async def test_only_one_record_of_that_machine_and_that_minute_proves_it() -> None:
    async with standing("smartvend", SMALL) as it:
        vendor: Any = it.vendor
        one, other = [row["id"] for row in vendor.truth()["machines"]][:2]
        wanted = MachineOrder(kind=Capability.COLLECT_CASH, machine=one, asked_at=START)
        vendor.make_encashments(1, machine=other)
        assert await it.connector.fulfilled(wanted) is None
        vendor.make_encashments(1, machine=one)
        assert await it.connector.fulfilled(wanted) is True
        for asked_at in (None, START + timedelta(seconds=1), START - WITHIN - timedelta(seconds=1)):
            elsewhen = MachineOrder(kind=Capability.COLLECT_CASH, machine=one, asked_at=asked_at)
            assert await it.connector.fulfilled(elsewhen) is None
        vendor.make_encashments(1, machine=one)
        assert await it.connector.fulfilled(wanted) is None
