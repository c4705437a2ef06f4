"""Commands as they are followed: every step of each, in order, over both transports, and by nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import telling
from tests.commanding import (
    LEFT_ALONE,
    Found,
    command,
    fleet,
    lost,
    new_key,
    of_vendor,
    paid,
    tell_sale,
)
from tests.following import Events, Socket, codes, events, subscribed
from tests.running import ADMIN, STRANGER, VIEWER, Gateway, Sandbox, running_gateway
from tests.settlers import looking

TRANSPORTS = pytest.mark.parametrize("transport", ["websocket", "sse"])
COMMANDS = """subscription Commands($after: String, $filter: CommandFilter) { commands(after: $after, filter: $filter) {
  cursor origin gap { message } command { id kind status stage machine { id } evidence { vendorId } } } }"""
DEPOSIT = """mutation ($input: SendDepositInput!) { sendDeposit(input: $input) {
  command { id status } errors { code } } }"""
LIFE = ["PENDING", "SENT", "SUCCEEDED"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, folder: Path) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, folder, others=[shared_sandbox], more=LEFT_ALONE) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def coffees(gateway: Gateway) -> list[Found]:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")


@asynccontextmanager
async def following(
    gateway: Gateway, transport: str, variables: Any = None, *, key: str = ADMIN
) -> AsyncIterator[Socket | Events]:
    if transport == "sse":
        async with events(gateway, COMMANDS, variables, key=key) as stream:
            yield stream
    else:
        async with Socket(gateway, key) as socket:
            await socket.subscribe(COMMANDS, variables)
            await subscribed(gateway)
            yield socket


async def heard(listener: Socket | Events, count: int) -> list[Found]:
    return [(await listener.next())["commands"] for _ in range(count)]


async def give(gateway: Gateway, mutation: str, **given: Any) -> Found:
    return await asyncio.to_thread(command, gateway, mutation, **given)


def told(messages: list[Found]) -> list[tuple[str, str]]:
    return [(one["command"]["id"], one["command"]["status"]) for one in messages]


@TRANSPORTS
async def test_every_step_is_told_once_and_in_order(gateway: Gateway, coffees: list[Found], transport: str) -> None:
    async with following(gateway, transport, key=VIEWER) as listener:
        given = [await give(gateway, "sendDeposit", machineId=one["id"], amount="1") for one in coffees[:3]]
        messages = await heard(listener, 9)
    assert told(messages) == [(one["id"], status) for one in given for status in LIFE]
    assert {one["origin"] for one in messages} == {"COMMAND"}
    assert len({one["cursor"] for one in messages}) == 9
    assert [one["command"]["machine"]["id"] for one in messages[::3]] == [one["id"] for one in coffees[:3]]


@TRANSPORTS
async def test_it_goes_on_from_any_cursor_without_a_hole_or_a_repeat(
    gateway: Gateway, coffees: list[Found], transport: str
) -> None:
    async with following(gateway, transport) as listener:
        for amount in ("1.10", "1.11"):
            await give(gateway, "sendDeposit", machineId=coffees[0]["id"], amount=amount)
        before = await heard(listener, 6)
    missed = await give(gateway, "sendDeposit", machineId=coffees[0]["id"], amount="1.12")
    for at in (0, 2, 5):
        async with following(gateway, transport, {"after": before[at]["cursor"]}) as listener:
            now = await give(gateway, "sendDeposit", machineId=coffees[1]["id"], amount=f"1.{at + 20}")
            messages = await heard(listener, 5 - at + 3)
            assert messages[: 5 - at] == before[at + 1 :]
            assert told(messages[5 - at :]) == [(missed["id"], status) for status in LIFE]
            while (last := (await heard(listener, 1))[0])["command"]["id"] != now["id"]:
                assert last["command"]["status"] in LIFE
            assert told([last, *await heard(listener, 2)]) == [(now["id"], status) for status in LIFE]


@TRANSPORTS
async def test_it_is_narrowed_by_status_and_by_machine(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], transport: str
) -> None:
    narrowed = {"filter": {"statuses": ["UNKNOWN", "FAILED"], "machines": [coffees[1]["id"]]}}
    async with following(gateway, transport, narrowed) as listener:
        await give(gateway, "dispenseProduct", machineId=coffees[0]["id"], position="999")
        await give(gateway, "sendDeposit", machineId=coffees[1]["id"], amount="1")
        failed = await give(gateway, "dispenseProduct", machineId=coffees[1]["id"], position="999")
        how = {"machineId": coffees[1]["id"], "amount": f"3.{len(transport)}0"}
        unknown = await asyncio.to_thread(lambda: lost(gateway, sandbox, "sendDeposit", **how))
        messages = await heard(listener, 2)
    assert told(messages) == [(failed["id"], "FAILED"), (unknown["id"], "UNKNOWN")]


@TRANSPORTS
async def test_another_organization_hears_of_its_own_only(
    gateway: Gateway, coffees: list[Found], transport: str
) -> None:
    theirs = of_vendor(fleet(gateway, by=STRANGER), "SMARTVEND", "ONLINE")[0]
    async with following(gateway, transport, key=STRANGER) as listener:
        await give(gateway, "collectCash", machineId=coffees[0]["id"])
        own = await give(gateway, "collectCash", by=STRANGER, machineId=theirs["id"])
        assert told(await heard(listener, 3)) == [(own["id"], status) for status in LIFE]


@TRANSPORTS
async def test_a_cursor_is_bound_to_organization_and_filter(
    gateway: Gateway, coffees: list[Found], transport: str
) -> None:
    async with following(gateway, transport) as listener:
        await give(gateway, "collectCash", machineId=coffees[0]["id"])
        cursor = (await heard(listener, 1))[0]["cursor"]
    for variables, key in (
        ({"after": cursor}, STRANGER),
        ({"after": cursor, "filter": {"statuses": ["FAILED"]}}, ADMIN),
        ({"after": cursor[:-4]}, ADMIN),
    ):
        async with Socket(gateway, key) as socket:
            await socket.subscribe(COMMANDS, variables)
            message = await socket.hear()
            assert (message["type"], codes(message["payload"])) == ("error", ["BAD_INPUT"])


async def test_each_way_to_learn_of_something_is_told(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], folder: Path
) -> None:
    """By a sale, by a person, by a fridge's word, and by time that has passed."""
    fridge = of_vendor(fleet(gateway), "EATMACHINE")[0]
    async with following(gateway, "sse", {"filter": {"statuses": ["SUCCEEDED", "FAILED", "UNKNOWN"]}}) as listener:
        given = {"machineId": coffees[2]["id"], "amount": "5.05"}
        await asyncio.to_thread(lambda: lost(gateway, sandbox, "sendDeposit", **given))
        sale = await asyncio.to_thread(lambda: tell_sale(gateway, coffees[2], **paid("remoteDeposit", "5.05")))
        async with looking(folder) as settler:
            await settler.look()
            asked = await give(gateway, "openDoor", machineId=fridge["id"])
            await settler.look(later=1000.0)
        await give(gateway, "resolveCommand", commandId=asked["id"], outcome="FAILED", reason="nobody was there")
        scan = await give(gateway, "scanInventory", machineId=fridge["id"])
        word = {"uuid": scan["result"]["uuid"], "type": {"slug": "inventory"}, "status": "inventory"}
        body = {"type": "inventory", "data": {"epcs": []}, "fridge": {"uuid": fridge["vendorId"]}, "command": word}
        assert (await asyncio.to_thread(telling.fridge, gateway.base, fridge["vendorId"], body)).status_code == 200
        messages = await heard(listener, 5)
    assert [(one["origin"], one["command"]["status"]) for one in messages] == [
        ("COMMAND", "UNKNOWN"),
        ("DERIVED", "SUCCEEDED"),
        ("GATEWAY", "UNKNOWN"),
        ("COMMAND", "FAILED"),
        ("WEBHOOK", "SUCCEEDED"),
    ]
    assert messages[1]["command"]["evidence"] == {"vendorId": sale["saleId"]}


@TRANSPORTS
async def test_commands_are_given_over_either_transport_too(
    gateway: Gateway, coffees: list[Found], transport: str
) -> None:
    given = {"machineId": coffees[0]["id"], "amount": "6", "idempotencyKey": new_key()}
    for _ in range(2):
        if transport == "sse":
            async with events(gateway, DEPOSIT, {"input": given}) as stream:
                event, _ = await stream.rest()
                data = json.loads(event["data"])["data"]
        else:
            async with Socket(gateway) as socket:
                await socket.subscribe(DEPOSIT, {"input": given})
                data = await socket.next()
        assert (data["sendDeposit"]["errors"], data["sendDeposit"]["command"]["status"]) == ([], "SUCCEEDED")
    audit = gateway.ask("{ auditLog(first: 2) { nodes { action address requestId command } } }")["auditLog"]["nodes"]
    assert [one["action"] for one in audit] == ["command settled", "command requested"]
    assert (audit[1]["address"], audit[1]["command"]) == ("127.0.0.1", data["sendDeposit"]["command"]["id"])
    assert audit[1]["requestId"]
