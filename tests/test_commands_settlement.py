"""What is not known is settled by the one sale that shows it, and by nothing less."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from tests.commanding import (
    LEFT_ALONE,
    Found,
    becomes,
    command,
    fleet,
    lost,
    now_is,
    of_vendor,
    paid,
    sent,
    tell_sale,
)
from tests.running import PATIENT, Gateway, Sandbox, running_gateway
from tests.settlers import Looking, looking

AT_ONCE = PATIENT + "settle_seconds = 0\n"
LAST = "{ auditLog(first: 1) { nodes { actor action outcome command details } } }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settlement")


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, folder: Path) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, folder, others=[shared_sandbox], more=LEFT_ALONE) as gateway:
        yield gateway


@pytest.fixture
async def settler(gateway: Gateway, folder: Path) -> AsyncIterator[Looking]:
    assert gateway
    async with looking(folder) as found:
        yield found


@pytest.fixture(scope="module")
def coffees(gateway: Gateway) -> list[Found]:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")


def dispensed(position: int) -> Found:
    line = {"productId": None, "name": "Espresso", "quantity": 1, "price": "250", "position": position}
    return {"products": [line]}


SHOWN: Mapping[str, tuple[Found, Found]] = {
    "sendDeposit": ({"amount": "1.50"}, paid("remoteDeposit", "1.50")),
    "sendRemotePayment": ({"amount": "2.05"}, paid("remotePayment", "2.05")),
    "dispenseProduct": ({"position": "7"}, dispensed(7)),
}


@pytest.mark.parametrize("mutation", SHOWN)
async def test_the_sale_that_shows_it_is_its_evidence(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking, mutation: str
) -> None:
    given, told = SHOWN[mutation]
    asked = lost(gateway, sandbox, mutation, machineId=coffees[0]["id"], **given)
    assert (asked["completedAt"], asked["evidence"]) == (None, None)
    assert asked["error"]
    taken = len(sent(sandbox))
    sale = tell_sale(gateway, coffees[0], **told)
    await settler.look()
    found = now_is(gateway, asked["id"])
    assert [step["status"] for step in found["history"]] == ["PENDING", "SENT", "UNKNOWN", "SUCCEEDED"]
    assert (found["status"], found["error"]) == ("SUCCEEDED", None)
    assert found["completedAt"] == found["updatedAt"] > asked["updatedAt"]
    assert found["evidence"]["vendorId"] == sale["saleId"]
    (record,) = gateway.ask(LAST)["auditLog"]["nodes"]
    assert (record["actor"], record["action"], record["outcome"]) == ("vendgraph", "command settled", "SUCCEEDED")
    assert (record["command"], record["details"]["evidence"]) == (asked["id"], found["evidence"]["id"])
    assert len(sent(sandbox)) == taken


NOT_SHOWN: Mapping[str, tuple[str, Found]] = {
    "another amount": ("3.50", paid("remoteDeposit", "3.59")),
    "another kind of payment": ("3.51", paid("remotePayment", "3.51")),
    "a price that is the same": ("3.52", {"totalPrice": "352", "insertedMoney": "352", "coin": "352"}),
    "long before": ("3.53", paid("remoteDeposit", "3.53") | {"createdAt": -3600}),
    "long after": ("3.54", paid("remoteDeposit", "3.54") | {"createdAt": 16 * 60}),
    "another machine": ("3.55", paid("remoteDeposit", "3.55") | {"controllerId": 1}),
}


@pytest.mark.parametrize("what", NOT_SHOWN)
async def test_a_sale_that_does_not_fit_shows_nothing(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking, what: str
) -> None:
    """And stands in no way of the one that does."""
    amount, told = NOT_SHOWN[what]
    asked = lost(gateway, sandbox, "sendDeposit", machineId=coffees[0]["id"], amount=amount)
    if "createdAt" in told:
        told = told | {"createdAt": int(time.time()) + told["createdAt"]}
    if "controllerId" in told:
        told = told | {"controllerId": coffees[told["controllerId"]]["vendorId"]}
    tell_sale(gateway, coffees[0], **told)
    await settler.look()
    assert now_is(gateway, asked["id"]) == asked
    right = tell_sale(gateway, coffees[0], **paid("remoteDeposit", amount))
    await settler.look()
    assert now_is(gateway, asked["id"])["evidence"]["vendorId"] == right["saleId"]


async def test_the_same_at_another_organizations_account_shows_nothing(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking
) -> None:
    asked = lost(gateway, sandbox, "sendDeposit", machineId=coffees[0]["id"], amount="4.50")
    tell_sale(gateway, coffees[0], "other-coffee", **paid("remoteDeposit", "4.50"))
    await settler.look()
    assert now_is(gateway, asked["id"]) == asked


async def test_another_position_shows_nothing(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking
) -> None:
    asked = lost(gateway, sandbox, "dispenseProduct", machineId=coffees[1]["id"], position="5")
    tell_sale(gateway, coffees[1], **dispensed(6))
    await settler.look()
    assert now_is(gateway, asked["id"]) == asked


async def test_of_two_equal_sales_neither_is_guessed(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking
) -> None:
    asked = lost(gateway, sandbox, "sendDeposit", machineId=coffees[0]["id"], amount="5.50")
    for _ in range(2):
        tell_sale(gateway, coffees[0], **paid("remoteDeposit", "5.50"))
    await settler.look()
    assert now_is(gateway, asked["id"]) == asked


async def test_one_sale_is_not_guessed_to_be_either_of_two_commands(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking
) -> None:
    given = {"machineId": coffees[0]["id"], "amount": "6.50"}
    first = lost(gateway, sandbox, "sendDeposit", **given)
    second = lost(gateway, sandbox, "sendDeposit", again=first["id"], **given)
    tell_sale(gateway, coffees[0], **paid("remoteDeposit", "6.50"))
    await settler.look()
    assert [now_is(gateway, one["id"]) for one in (first, second)] == [first, second]


async def test_a_sale_may_be_of_one_that_succeeded(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking
) -> None:
    given = {"machineId": coffees[0]["id"], "amount": "7.50"}
    command(gateway, "sendDeposit", **given)
    asked = lost(gateway, sandbox, "sendDeposit", **given)
    tell_sale(gateway, coffees[0], **paid("remoteDeposit", "7.50"))
    await settler.look()
    assert now_is(gateway, asked["id"]) == asked


async def test_a_sale_is_not_of_one_that_failed(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking
) -> None:
    given = {"machineId": coffees[0]["id"], "amount": "8.50"}
    sandbox.break_("smartvend", "status", operation="send-deposit", status=400, times=1)
    assert command(gateway, "sendDeposit", **given)["status"] == "FAILED"
    asked = lost(gateway, sandbox, "sendDeposit", **given)
    tell_sale(gateway, coffees[0], **paid("remoteDeposit", "8.50"))
    await settler.look()
    assert now_is(gateway, asked["id"])["status"] == "SUCCEEDED"


async def test_a_sale_shows_one_command_only(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking
) -> None:
    given = {"machineId": coffees[0]["id"], "amount": "9.50"}
    first = lost(gateway, sandbox, "sendDeposit", **given)
    later = {"createdAt": int(time.time()) + 60}  # so that it fits the second as well, however long that takes
    sale = tell_sale(gateway, coffees[0], **paid("remoteDeposit", "9.50") | later)
    await settler.look()
    assert now_is(gateway, first["id"])["evidence"]["vendorId"] == sale["saleId"]
    second = lost(gateway, sandbox, "sendDeposit", **given)
    await settler.look()
    assert now_is(gateway, second["id"]) == second
    own = tell_sale(gateway, coffees[0], **paid("remoteDeposit", "9.50"))
    await settler.look()
    assert now_is(gateway, second["id"]) == second, "two sales fit the second"
    assert own["saleId"] != sale["saleId"]


async def test_two_commands_have_each_a_sale_of_their_own(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], settler: Looking
) -> None:
    asked = [
        lost(gateway, sandbox, "sendDeposit", machineId=coffees[2]["id"], amount=amount) for amount in ("1.10", "1.20")
    ]
    sales = [tell_sale(gateway, coffees[2], **paid("remoteDeposit", amount)) for amount in ("1.20", "1.10")]
    await settler.look()
    found = [now_is(gateway, one["id"])["evidence"]["vendorId"] for one in asked]
    assert found == [sale["saleId"] for sale in reversed(sales)]


async def test_a_sale_is_left_for_a_while_to_see_whether_another_comes(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], folder: Path
) -> None:
    asked = lost(gateway, sandbox, "sendDeposit", machineId=coffees[3]["id"], amount="1.30")
    tell_sale(gateway, coffees[3], **paid("remoteDeposit", "1.30"))
    async with looking(folder, seconds=60) as patient:
        await patient.look()
        assert now_is(gateway, asked["id"]) == asked
        await patient.look(later=61)
        assert now_is(gateway, asked["id"])["status"] == "SUCCEEDED"


async def test_two_that_look_at_once_settle_it_once(
    sandbox: Sandbox, gateway: Gateway, coffees: list[Found], folder: Path, settler: Looking
) -> None:
    asked = lost(gateway, sandbox, "sendDeposit", machineId=coffees[3]["id"], amount="1.40")
    tell_sale(gateway, coffees[3], **paid("remoteDeposit", "1.40"))
    async with looking(folder) as other:
        await asyncio.gather(*(one.look() for one in (settler, other) for _ in range(3)))
    assert len(now_is(gateway, asked["id"])["history"]) == 4
    records = gateway.ask("{ auditLog(first: 5) { nodes { command outcome } } }")["auditLog"]["nodes"]
    assert [one["outcome"] for one in records if one["command"] == asked["id"]][:2] == ["SUCCEEDED", "UNKNOWN"]


# ---- a gateway by itself


@pytest.mark.parametrize("way", ["webhook", "feed"])
def test_a_gateway_settles_what_it_hears_of_by_itself(sandbox: Sandbox, tmp_path: Path, way: str) -> None:
    with running_gateway(sandbox, tmp_path, feed="every_seconds = 0.2", more=AT_ONCE) as gateway:
        coffee = of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[1]
        asked = lost(gateway, sandbox, "sendDeposit", machineId=coffee["id"], amount="4.20")
        if way == "webhook":
            told = tell_sale(gateway, coffee, **paid("remoteDeposit", "4.20"))
        else:
            (told,) = sandbox.sell("smartvend", machine=coffee["vendorId"])
            assert told["remoteDeposit"] == "420"
        found = becomes(gateway, asked["id"], "SUCCEEDED")
    assert found["evidence"]["vendorId"] == told["saleId"]
