"""A person settles what is not known, with a reason. What contradicts what was told is an event, and no rewriting."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.refs import Kind, Ref
from journal.contradictions import CONTRADICTED
from journal.store import open_store
from journal.tables import entries
from tests.commanding import (
    LEFT_ALONE,
    Found,
    command,
    fleet,
    give,
    lost,
    now_is,
    of_vendor,
    paid,
    refusal,
    sent,
    tell_sale,
    when,
)
from tests.running import ADMIN, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway
from tests.settlers import Looking, looking

AUDIT = """{ auditLog(first: 20) { nodes { actor address requestId action outcome command machine details
  organization { name } } } }"""
EVENTS = """query ($machine: ID!) { events(filter: {machines: [$machine]}, first: 50) {
  nodes { code message severity state source trust machine { id } } } }"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("resolution")


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
def coffee(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]


@pytest.fixture
def unknown(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> Found:
    return lost(gateway, sandbox, "dispenseProduct", machineId=coffee["id"], position="1", again=open_one(gateway))


def open_one(gateway: Gateway) -> str | None:
    found = gateway.ask("{ commands(filter: {statuses: [UNKNOWN]}, first: 1) { nodes { id } } }")["commands"]["nodes"]
    return found[0]["id"] if found else None


def resolving(asked: Found, **changed: Any) -> Found:
    return {"commandId": asked["id"], "outcome": "FAILED", "reason": "nothing came out", **changed}


def records_of(gateway: Gateway, asked: Found) -> list[Found]:
    return [one for one in gateway.ask(AUDIT)["auditLog"]["nodes"] if one["command"] == asked["id"]]


def recorded(folder: Path) -> int:
    """How many contradictions the store has."""
    store = open_store(f"sqlite:///{folder}/vendgraph.db")
    with store.connect() as connection:
        told = connection.scalars(select(entries.c.content).where(entries.c.kind == "event")).all()
    store.dispose()
    return len([one for one in told if CONTRADICTED.encode() in one])


def contradiction_of(gateway: Gateway, machine: Found, asked: Found) -> Found:
    """The event, once this gateway has heard of it too."""

    def look() -> list[Found]:
        found = gateway.ask(EVENTS, {"machine": machine["id"]})["events"]["nodes"]
        return [one for one in found if one["code"] == CONTRADICTED and asked["id"] in one["message"]]

    (event,) = when(look, bool)
    return dict(event)


@pytest.mark.parametrize("outcome", ["SUCCEEDED", "FAILED"])
def test_a_person_who_found_out_says_so(sandbox: Sandbox, gateway: Gateway, unknown: Found, outcome: str) -> None:
    taken, reason = len(sent(sandbox)), "  I called the site  "
    found = command(gateway, "resolveCommand", by=OPERATOR, **resolving(unknown, outcome=outcome, reason=reason))
    note = "operator-of-acme: I called the site"
    assert (found["status"], found["history"][-1]["note"]) == (outcome, note)
    assert (found["error"], found["evidence"]) == (note if outcome == "FAILED" else None, None)
    assert found["completedAt"] == found["updatedAt"] > unknown["updatedAt"]
    assert found == now_is(gateway, unknown["id"])
    assert len(sent(sandbox)) == taken
    record, *before = records_of(gateway, unknown)
    assert (record["action"], record["outcome"], record["actor"]) == ("command resolved", outcome, "operator-of-acme")
    assert (record["details"], record["address"]) == (
        {"kind": "DISPENSE_PRODUCT", "reason": "I called the site"},
        "127.0.0.1",
    )
    assert [one["action"] for one in before] == ["command settled", "command requested"]


@pytest.mark.parametrize("reason", ["", "  \n ", "r" * 1001])
def test_a_reason_is_needed(gateway: Gateway, unknown: Found, reason: str) -> None:
    error = refusal(gateway, "resolveCommand", **resolving(unknown, reason=reason))
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "reason"])
    assert now_is(gateway, unknown["id"]) == unknown


def test_who_may_not_send_it_may_not_resolve_it(
    sandbox: Sandbox, gateway: Gateway, unknown: Found, coffee: Found
) -> None:
    assert refusal(gateway, "resolveCommand", by=VIEWER, **resolving(unknown))["code"] == "FORBIDDEN"
    assert now_is(gateway, unknown["id"]) == unknown
    settings = lost(gateway, sandbox, "updateConfig", carried_out=False, machineId=coffee["id"], settings={"sm": 4321})
    assert refusal(gateway, "resolveCommand", by=OPERATOR, **resolving(settings))["code"] == "FORBIDDEN"
    assert command(gateway, "resolveCommand", by=ADMIN, **resolving(settings))["status"] == "FAILED"


def test_who_was_refused_is_in_the_audit_log(gateway: Gateway, unknown: Found) -> None:
    refusal(gateway, "resolveCommand", by=VIEWER, **resolving(unknown))
    record = records_of(gateway, unknown)[0]
    assert (record["actor"], record["action"], record["outcome"]) == (
        "viewer-of-acme",
        "resolution refused",
        "FORBIDDEN",
    )


def test_anothers_command_is_none(gateway: Gateway, unknown: Found) -> None:
    ref = Ref.parse(unknown["id"])
    assert ref is not None
    foreign = [
        unknown["id"],
        Ref(Kind.COMMAND, "other-coffee", ref.native).text,
        Ref(Kind.COMMAND, "nobody", ref.native).text,
        Ref(Kind.MACHINE, "other-coffee", ref.native).text,
        "no id at all",
    ]
    errors = [refusal(gateway, "resolveCommand", by=STRANGER, **resolving({"id": id_})) for id_ in foreign]
    assert errors == [errors[0]] * len(errors)
    assert errors[0]["code"] == "NOT_FOUND"
    assert now_is(gateway, unknown["id"]) == unknown


def test_only_what_is_not_known_can_be_resolved(gateway: Gateway, coffee: Found, unknown: Found) -> None:
    done = command(gateway, "sendDeposit", machineId=coffee["id"], amount="1")
    fridge = of_vendor(fleet(gateway), "EATMACHINE")[0]
    under_way = command(gateway, "restartApp", machineId=fridge["id"])
    command(gateway, "resolveCommand", **resolving(unknown))
    for one in (done, under_way, unknown):
        before = now_is(gateway, one["id"])
        error = refusal(gateway, "resolveCommand", **resolving(one, outcome="SUCCEEDED"))
        assert (error["code"], before["status"] in error["message"]) == ("CONFLICT", True)
        assert now_is(gateway, one["id"]) == before


def test_of_many_who_resolve_at_once_one_does(gateway: Gateway, unknown: Found) -> None:
    def resolve(at: int) -> Found:
        return give(gateway, "resolveCommand", **resolving(unknown, outcome=("FAILED", "SUCCEEDED")[at % 2]))

    with ThreadPoolExecutor(12) as callers:
        payloads = list(callers.map(resolve, range(12)))
    taken = [payload for payload in payloads if payload["command"]]
    assert len(taken) == 1
    assert {payload["errors"][0]["code"] for payload in payloads if payload["errors"]} == {"CONFLICT"}
    found = now_is(gateway, unknown["id"])
    assert found == taken[0]["command"]
    assert len(found["history"]) == 4
    assert [one["action"] for one in records_of(gateway, unknown)].count("command resolved") == 1


# ---- contradictions


@pytest.mark.parametrize("mutation", ["sendDeposit", "sendRemotePayment"])
async def test_a_sale_that_shows_what_was_told_to_have_failed_is_an_event(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, folder: Path, settler: Looking, mutation: str
) -> None:
    members: Mapping[str, str] = {"sendDeposit": "remoteDeposit", "sendRemotePayment": "remotePayment"}
    before = recorded(folder)
    asked = lost(gateway, sandbox, mutation, machineId=coffee["id"], amount="21.50")
    failed = command(gateway, "resolveCommand", **resolving(asked))
    await settler.look()
    assert recorded(folder) == before
    tell_sale(gateway, coffee, **paid(members[mutation], "21.50"))
    for _ in range(3):
        await settler.look()
    assert recorded(folder) == before + 1
    event = contradiction_of(gateway, coffee, asked)
    assert "FAILED" in event["message"]
    assert {name: event[name] for name in ("severity", "state", "source", "trust", "machine")} == {
        "severity": "WARNING",
        "state": "ACTIVE",
        "source": "vendgraph",
        "trust": "DERIVED",
        "machine": {"id": coffee["id"]},
    }
    assert now_is(gateway, asked["id"]) == failed


async def test_a_sale_that_may_be_of_another_command_contradicts_nothing(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, folder: Path, settler: Looking
) -> None:
    before = recorded(folder)
    given = {"machineId": coffee["id"], "amount": "22.50"}
    asked = lost(gateway, sandbox, "sendDeposit", **given)
    command(gateway, "resolveCommand", **resolving(asked))
    assert command(gateway, "sendDeposit", **given)["status"] == "SUCCEEDED"
    tell_sale(gateway, coffee, **paid("remoteDeposit", "22.50"))
    await settler.look()
    assert recorded(folder) == before


async def test_what_the_vendor_refused_is_no_doubt(
    sandbox: Sandbox, gateway: Gateway, coffee: Found, folder: Path, settler: Looking
) -> None:
    before = recorded(folder)
    sandbox.break_("smartvend", "status", operation="send-deposit", status=400, times=1)
    assert command(gateway, "sendDeposit", machineId=coffee["id"], amount="23.50")["status"] == "FAILED"
    tell_sale(gateway, coffee, **paid("remoteDeposit", "23.50"))
    await asyncio.gather(settler.look(), settler.look())
    assert recorded(folder) == before
