"""A second try is made where nothing was sent, or nothing was done: then a command is carried out once, and else never
again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sandbox.app import gateway_config
from sandbox.eatmachine import API_KEY, CREDENTIALS
from tests.attempts import DEPOSIT, TOLD, ask, begun, carried_out, deposit, ends, keyed, some_machine
from tests.journals import until
from tests.lossy import Fault, Lossy
from tests.running import CLIENT, Gateway, Sandbox

SENDS = "send-deposit"
REBOOT = f"mutation($input: MachineCommandInput!) {{ reboot(input: $input) {{ {TOLD} }} }}"


@pytest.fixture
async def gateway(sandbox: Sandbox, wire: Lossy, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Over SmartVend, and over EatMachine with a password, so that there are tokens."""
    login = "\n".join(f'{name} = "{value}"' for name, value in CREDENTIALS.items())
    text = gateway_config(wire.base, [sandbox.vendors["smartvend"], sandbox.vendors["eatmachine"]])
    text = text.replace(f'api_key = "{API_KEY}"', login)
    async with begun(tmp_path, keyed(text, f"sqlite:///{tmp_path}/it.db")) as found:
        yield found


async def failures(gateway: Gateway) -> float:
    """How often SmartVend could not be reached."""
    told = (await asyncio.to_thread(CLIENT.get, f"{gateway.base}/metrics")).text
    samples = (sample for family in text_string_to_metric_families(told) for sample in family.samples)
    wanted = {"vendor": "smartvend", "outcome": "vendor_unavailable"}
    return sum(one.value for one in samples if wanted.items() <= one.labels.items())


async def refused_at_first(gateway: Gateway, wire: Lossy, given: dict[str, Any]) -> Any:
    """What becomes of it when the vendor lets nobody in until it was tried."""
    before = await failures(gateway)
    await wire.cut()
    told = asyncio.create_task(ask(gateway, DEPOSIT, given))
    for _ in range(1000):
        if await failures(gateway) > before:
            break
        await asyncio.sleep(0.01)
    await wire.mend()
    return await ends(gateway, (await told)["command"]["id"])


async def test_a_vendor_that_is_back_soon_gets_it_once(sandbox: Sandbox, wire: Lossy, gateway: Gateway) -> None:
    """A few times it may come back too late."""
    before, machine = carried_out(sandbox), (await some_machine(gateway))["id"]
    for cents in range(31, 41):
        found = await refused_at_first(gateway, wire, deposit(machine, f"key-{cents}", cents))
        if found["status"] == "SUCCEEDED":
            break
        assert found["error"].startswith("nothing was sent")
    assert await failures(gateway) > 0
    assert [one["status"] for one in found["history"]] == ["PENDING", "SENT", "SUCCEEDED"]
    assert carried_out(sandbox) - before == {cents: 1}
    assert [body["deposit"] for body in wire.bodies(SENDS)] == [cents]


async def test_a_vendor_that_has_too_many_requests_gets_it_again(
    sandbox: Sandbox, wire: Lossy, gateway: Gateway
) -> None:
    before, machine = carried_out(sandbox), (await some_machine(gateway))["id"]
    how = {"status": 429, "headers": {"retry-after": "1"}, "operation": SENDS, "times": 1}
    await asyncio.to_thread(lambda: sandbox.break_("smartvend", "status", **how))
    told = await ask(gateway, DEPOSIT, deposit(machine, "key", 42))
    assert (await ends(gateway, told["command"]["id"]))["status"] == "SUCCEEDED"
    assert carried_out(sandbox) - before == {42: 1}
    assert len(wire.bodies(SENDS)) == 2


@pytest.mark.parametrize("status", [500, 503])
async def test_a_vendor_that_fails_gets_it_once_whatever_it_did(
    sandbox: Sandbox, wire: Lossy, gateway: Gateway, status: int
) -> None:
    """It says to come back, and might have carried it out: it does not say that it has not."""
    before, machine = carried_out(sandbox), (await some_machine(gateway))["id"]
    how = {"status": status, "headers": {"retry-after": "0"}, "operation": SENDS, "times": 1}
    await asyncio.to_thread(lambda: sandbox.break_("smartvend", "status", **how))
    wire.decide = lambda path: Fault.ERROR_AFTER if SENDS in path and len(wire.bodies(SENDS)) == 2 else Fault.NONE
    for cents in (43, 44):
        told = await ask(gateway, DEPOSIT, deposit(machine, f"key-{cents}", cents))
        assert (await ends(gateway, told["command"]["id"]))["status"] == "UNKNOWN"
    assert carried_out(sandbox) - before == {44: 1}
    assert [body["deposit"] for body in wire.bodies(SENDS)] == [43, 44]


async def test_a_token_that_has_ended_is_renewed_and_the_command_is_carried_out_once(
    sandbox: Sandbox, wire: Lossy, gateway: Gateway
) -> None:
    eatmachine = sandbox.vendors["eatmachine"]
    native = next(iter(eatmachine.fleet.fridges))
    found = (await asyncio.to_thread(gateway.ask, "{ machines { nodes { id vendorId } } }"))["machines"]["nodes"]
    machine = next(one["id"] for one in found if one["vendorId"] == native)
    for at in range(3):
        posted = len(sandbox.truth("eatmachine")["commands"])
        told = await ask(gateway, REBOOT, {"input": {"machineId": machine, "idempotencyKey": f"key-{at}"}})
        await ends(gateway, told["command"]["id"], "ACKNOWLEDGED", "SUCCEEDED")
        assert len(sandbox.truth("eatmachine")["commands"]) == posted + 1
        eatmachine._tokens.clear()
    assert len(wire.bodies("/commands/reboot")) == 5  # two were refused, and those with a new token were not
    assert len(wire.bodies("/auth/login")) == 3
    await until(lambda: wire.under_way == 0)
