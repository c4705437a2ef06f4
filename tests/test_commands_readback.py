"""Prices, planograms and settings whose answer was lost are settled by reading the vendor."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.refs import Ref
from gateway.settling import PROVEN_NOT, READ_BACK
from journal.store import open_store
from journal.tables import commands
from tests.commanding import Found, becomes, command, fleet, lost, now_is, of_vendor, reaching, sent
from tests.running import Gateway, Sandbox, moment, running_gateway, running_sandbox
from tests.settlers import Looking, looking

SECRET = "wifi-secret-that-was-lost"
LATE = PROVEN_NOT + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("readback")


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, folder: Path) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, folder) as gateway:
        yield gateway


@pytest.fixture
async def settler(gateway: Gateway, folder: Path) -> AsyncIterator[Looking]:
    assert gateway
    async with looking(folder) as found:
        yield found


@pytest.fixture
def coffee(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]


def pricing(coffee: Found, amount: str) -> Found:
    return {"slotId": coffee["slots"][0]["id"], "amount": amount}


def planogram(coffee: Found, amount: str) -> Found:
    cells = [{"row": 1, "column": 0, "productId": coffee["slots"][0]["product"]["id"], "price": amount}]
    return {"machineId": coffee["id"], "rows": 2, "columns": 3, "slots": cells}


def settings(coffee: Found, amount: str) -> Found:
    return {"machineId": coffee["id"], "settings": {"sm": int(float(amount) * 100), "wp": SECRET + amount}}


CHANGES: Mapping[str, Any] = {"setPrice": pricing, "updatePlanogram": planogram, "updateConfig": settings}


@pytest.mark.parametrize("mutation", CHANGES)
async def test_what_the_vendor_shows_was_carried_out(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, settler: Looking, mutation: str
) -> None:
    asked = lost(gateway, sandbox, mutation, **CHANGES[mutation](coffee, "1.77"))
    taken = len(sent(sandbox))
    await settler.look(later=READ_BACK[0])
    found = now_is(gateway, asked["id"])
    assert [step["status"] for step in found["history"]] == ["PENDING", "SENT", "UNKNOWN", "SUCCEEDED"]
    assert (found["error"], found["evidence"]) == (None, None)
    assert "read back" in found["history"][-1]["note"]
    assert len(sent(sandbox)) == taken


def test_a_gateway_finds_out_by_itself_and_shows_the_price(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    asked = lost(gateway, sandbox, "setPrice", **pricing(coffee, "2.78"))
    becomes(gateway, asked["id"], "SUCCEEDED")
    query = "query ($id: ID!) { machine(id: $id) { slots { price { amount } } } }"
    slots = gateway.ask(query, {"id": coffee["id"]})["machine"]["slots"]
    assert slots[0]["price"]["amount"] == "2.78"


@pytest.mark.parametrize("mutation", CHANGES)
async def test_what_the_vendor_still_does_not_show_after_a_minute_was_not_carried_out(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, settler: Looking, mutation: str
) -> None:
    asked = lost(gateway, sandbox, mutation, carried_out=False, **CHANGES[mutation](coffee, "3.79"))
    taken = len(sent(sandbox))
    await settler.look(later=PROVEN_NOT - 10)
    assert now_is(gateway, asked["id"]) == asked
    await settler.look(later=LATE)
    found = now_is(gateway, asked["id"])
    assert [step["status"] for step in found["history"]] == ["PENDING", "SENT", "UNKNOWN", "FAILED"]
    assert found["error"] == found["history"][-1]["note"]
    assert "does not show it" in found["error"]
    assert len(sent(sandbox)) == taken


async def test_what_was_changed_again_since_says_nothing_of_the_change_before(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, settler: Looking
) -> None:
    """It may have been carried out, and then replaced."""
    first = lost(gateway, sandbox, "setPrice", **pricing(coffee, "4.80"))
    second = command(gateway, "setPrice", **pricing(coffee, "4.81"))
    assert second["status"] == "SUCCEEDED"
    await settler.look(later=LATE)
    assert now_is(gateway, first["id"])["status"] == "UNKNOWN"
    whole = lost(gateway, sandbox, "updatePlanogram", **planogram(coffee, "4.82"))
    command(gateway, "setPrice", **pricing(coffee, "4.83"))
    await settler.look(later=LATE)
    assert now_is(gateway, whole["id"])["status"] == "UNKNOWN"


async def test_another_machines_changes_make_no_doubt(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, settler: Looking
) -> None:
    other = of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[1]
    asked = lost(gateway, sandbox, "setPrice", carried_out=False, **pricing(coffee, "5.80"))
    command(gateway, "setPrice", **pricing(other, "5.81"))
    command(gateway, "updateConfig", machineId=coffee["id"], settings={"sm": 580})
    await settler.look(later=LATE)
    assert now_is(gateway, asked["id"])["status"] == "FAILED"


async def test_a_vendor_that_cannot_be_read_says_nothing(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, folder: Path, settler: Looking
) -> None:
    asked = lost(gateway, sandbox, "setPrice", carried_out=False, **pricing(coffee, "6.80"))
    sandbox.break_("smartvend", "status", operation="get-controller-matrix", status=500)
    await settler.look(later=LATE)
    assert now_is(gateway, asked["id"])["status"] == "UNKNOWN"
    sandbox.heal()
    async with looking(folder) as other:
        await other.look(later=LATE)
    assert now_is(gateway, asked["id"])["status"] == "FAILED"


@pytest.fixture
def alone() -> Iterator[Sandbox]:
    """At which no other gateway reads back what another test left open."""
    with running_sandbox() as sandbox:
        yield sandbox


async def test_the_vendor_is_read_now_and_then_and_not_for_ever(alone: Sandbox, tmp_path: Path) -> None:
    """What it does not let us see leaves open what it is."""
    with running_gateway(alone, tmp_path) as gateway:
        coffee = of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[2]
        alone.vendors["smartvend"]._fleet.configs[coffee["vendorId"]]["config"]["ap"] = "***"
        given = {"machineId": coffee["id"], "settings": {"ap": SECRET}}
        asked = lost(gateway, alone, "updateConfig", carried_out=False, **given)
    read = []
    async with looking(tmp_path) as settler:
        settler.stands = moment(asked["history"][1]["at"])
        for later in (0.9, *READ_BACK, 100_000.0):
            for _ in range(2):
                with reaching(alone) as reached:
                    await settler.look(later=later)
                read += [later for _ in reached.requests]
    assert read == [*READ_BACK]


async def test_secrets_are_kept_only_until_it_is_known(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, folder: Path, settler: Looking
) -> None:
    asked = lost(gateway, sandbox, "updateConfig", **settings(coffee, "8.88"))
    await settler.look(later=READ_BACK[0])
    assert now_is(gateway, asked["id"])["status"] == "SUCCEEDED"
    ref, store = Ref.parse(asked["id"]), open_store(f"sqlite:///{folder}/vendgraph.db")
    assert ref is not None
    with store.connect() as connection:
        row = connection.execute(select(commands).where(commands.c.id == ref.native)).one()
    store.dispose()
    assert row.ordered is None
    assert SECRET.encode() not in row.content
