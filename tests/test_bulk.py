"""Prices and planograms of many machines at once: each item by itself, in order, once."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from domain.refs import Kind, Ref
from tests.bulking import PLANOGRAMS, PRICES, amount, ask, asked, ended, priced, read, slots, statuses
from tests.commanding import Found, fleet, lost, new_key, of_vendor, reaching, sent, when
from tests.following import Socket, subscribed
from tests.running import OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway

VENDORS = ("SMARTVEND", "LIVELLO", "VENDNOVATION")
UNKNOWN_SLOT = Ref(Kind.SLOT, "acme-coffee", "no-such/1").text
AUDIT = "{ auditLog(first: 12) { nodes { action outcome command details } } }"
COMMANDS = """subscription ($filter: CommandFilter) { commands(filter: $filter) { command { idempotencyKey } } }"""
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bulk")


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, folder: Path) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, folder, others=[shared_sandbox]) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def machines(gateway: Gateway) -> list[Found]:
    return fleet(gateway)


@pytest.fixture
def found(machines: list[Found]) -> list[Found]:
    return slots(machines, *VENDORS, each=2)


def writes(sandbox: Sandbox) -> list[str]:
    """What was asked to change something."""
    known = ("/update-controller-matrix", "/price", "PATCH /vendnovation/prod/selections")
    return [one for one in sandbox.requests() if one.endswith(known)]


def test_each_has_a_command_of_its_own_and_shows_at_once(
    sandbox: Sandbox, gateway: Gateway, found: list[Found]
) -> None:
    bulk = asked(gateway, PRICES, key="spring", prices=priced(found, 410))
    assert statuses(bulk) == ["SUCCEEDED"] * 6
    assert len(writes(sandbox)) == 6
    assert not bulk["running"]
    assert bulk["counts"] | {"succeeded": 0} == dict.fromkeys(bulk["counts"], 0)
    assert [item["command"]["machine"]["id"] for item in bulk["items"]] == [one["machine"]["id"] for one in found]
    assert [item["command"]["idempotencyKey"] for item in bulk["items"]] == [f"spring#{at}" for at in range(6)]
    all_ = (slot for one in fleet(gateway) for slot in one["slots"] or () if slot["price"])
    now = {slot["id"]: slot["price"]["amount"] for slot in all_}
    shown = [one for one in found if one["vendor"] == "SMARTVEND"]  # others' machines learn of it later
    assert [now[one["id"]] for one in shown] == ["4.10", "4.13"]


def test_the_same_again_sends_nothing_and_something_else_is_refused(
    sandbox: Sandbox, gateway: Gateway, found: list[Found]
) -> None:
    key, prices = new_key(), priced(found[:3], 420)
    first = asked(gateway, PRICES, key=key, prices=prices)
    sandbox.forget_requests()
    same = [prices[0] | {"amount": "4.200"}, *prices[1:]]
    assert asked(gateway, PRICES, key=key, prices=same) == first == read(gateway, first["id"])
    for other in (prices[:2], prices[::-1], [prices[0] | {"amount": "4.21"}, *prices[1:]]):
        (error,) = ask(gateway, PRICES, key=key, prices=other)["errors"]
        assert error["code"] == "CONFLICT"
    assert writes(sandbox) == []
    assert gateway.ask(NODE, {"id": first["id"]})["node"] == {"__typename": "Bulk", "id": first["id"]}


def test_a_bad_one_holds_up_no_other(sandbox: Sandbox, gateway: Gateway, found: list[Found]) -> None:
    theirs = slots(fleet(gateway, by=STRANGER), "SMARTVEND", each=1)[0]["id"]
    bad = [
        ("NOT_FOUND", {"slotId": UNKNOWN_SLOT, "amount": "1"}),
        ("NOT_FOUND", {"slotId": theirs, "amount": "1"}),
        ("NOT_FOUND", {"slotId": "nonsense", "amount": "1"}),
        ("BAD_INPUT", {"slotId": found[0]["id"], "amount": "1.001"}),
        ("BAD_INPUT", {"slotId": found[0]["id"], "amount": "1", "validTo": "2020-01-01T00:00:00Z"}),
        ("BAD_INPUT", {"slotId": found[1]["id"], "amount": "9"}),
    ]
    good = priced(found[1:4], 430)
    bulk = asked(gateway, PRICES, key=(key := new_key()), prices=[*good, *(item for _, item in bad)])
    assert statuses(bulk) == [*["SUCCEEDED"] * 3, *(code for code, _ in bad)]
    assert (bulk["counts"]["refused"], len(writes(sandbox))) == (len(bad), 3)
    assert bulk["items"][6]["errors"][0]["field"] == ["input", "prices", "6", "amount"]
    log = gateway.ask(AUDIT)["auditLog"]["nodes"]
    # another tenant's is not ours to keep
    refused = [one for one in log if one["action"] == "command refused"]
    assert {one["details"]["idempotencyKey"] for one in refused} == {f"{key}#{at}" for at in (3, 6, 7, 8)}


def test_what_is_wrong_with_the_whole(sandbox: Sandbox, gateway: Gateway, found: list[Found]) -> None:
    one = priced(found[:1], 440)
    for given, code in (
        ({"prices": []}, "BAD_INPUT"),
        ({"prices": one * 501}, "BAD_INPUT"),
        ({"prices": one, "key": "k" * 201}, "BAD_INPUT"),
        ({"prices": one, "key": ""}, "BAD_INPUT"),
        ({"prices": one, "by": OPERATOR}, "FORBIDDEN"),
        ({"prices": one, "by": STRANGER}, "NOT_FOUND"),
        ({"prices": [{"slotId": "nonsense", "amount": "1"}]}, "NOT_FOUND"),
    ):
        (error,) = ask(gateway, PRICES, **given)["errors"]
        assert error["code"] == code
    assert writes(sandbox) == []


def test_it_is_its_organizations(gateway: Gateway, found: list[Found]) -> None:
    key = new_key()
    own = asked(gateway, PRICES, key=key, prices=priced(found[:1], 450))
    theirs = slots(fleet(gateway, by=STRANGER), *VENDORS, each=1)
    other = asked(gateway, PRICES, key=key, by=STRANGER, prices=priced(theirs, 450))
    assert read(gateway, own["id"], by=STRANGER) is None
    assert read(gateway, other["id"]) is None
    assert read(gateway, own["id"], by=VIEWER) == own


def test_a_dry_run_tells_what_would_be_sent(sandbox: Sandbox, gateway: Gateway, found: list[Found]) -> None:
    prices = [*priced(found, 460), {"slotId": UNKNOWN_SLOT, "amount": "1"}]
    bulk = asked(gateway, PRICES, dry=True, key=(key := new_key()), prices=prices)
    assert statuses(bulk) == [*["PENDING"] * 6, "NOT_FOUND"]
    assert writes(sandbox) == []
    assert read(gateway, bulk["id"]) is None
    plans = [item["planned"] for item in bulk["items"]]
    assert plans.pop() is None
    with reaching(sandbox) as reached:
        assert asked(gateway, PRICES, key=key, prices=prices)["counts"]["succeeded"] == 6
    told = [plan[0]["body"] for plan, one in zip(plans, found, strict=True) if _coffee(one)]
    assert sorted(reached.bodies, key=_id) == sorted(told, key=_id)


def _id(body: Found) -> str:
    return str(body["id"])


def _coffee(one: Found) -> bool:
    return bool(one["vendor"] == "SMARTVEND")


def test_planograms(sandbox: Sandbox, gateway: Gateway, machines: list[Found]) -> None:
    coffees = of_vendor(machines, "SMARTVEND", "ONLINE")[:3]
    kiosk = of_vendor(machines, "LIVELLO")[0]
    given = [_planogram(one, at) for at, one in enumerate([*coffees, kiosk])]
    bulk = asked(gateway, PLANOGRAMS, planograms=[*given, given[0] | {"rows": 2}])
    assert statuses(bulk) == [*["SUCCEEDED"] * 3, "UNSUPPORTED", "BAD_INPUT"]
    assert bulk["items"][3]["errors"][0]["reason"] == "UNSUPPORTED_BY_VENDOR"
    assert sorted(body["products"][0]["price"] for body in sent(sandbox)[-3:]) == [470, 471, 472]


def _planogram(machine: Found, at: int) -> Found:
    slot = machine["slots"][0] if machine["slots"] else {"product": None}
    cell = {"row": 0, "column": 0, "productId": slot["product"] and slot["product"]["id"], "price": amount(470 + at)}
    return {"machineId": machine["id"], "rows": 1, "columns": 1, "slots": [cell]}


def test_a_vendor_that_fails_is_asked_again_for_what_it_never_got(
    sandbox: Sandbox, gateway: Gateway, found: list[Found]
) -> None:
    """The others' items are neither held up nor sent again. The pause that it asks for is kept."""
    found, key = found[:4], new_key()  # one of Livello's: it is tried three times, and not left alone for it
    prices = priced(found, 480)
    sandbox.break_("livello", "status", status=429, method="POST", operation="/price")
    bulk = asked(gateway, PRICES, key=key, prices=prices)
    livellos = [at for at, one in enumerate(found) if one["vendor"] == "LIVELLO"]
    assert [at for at, status in enumerate(statuses(bulk)) if status == "FAILED"] == livellos
    assert {bulk["items"][at]["command"]["errorCode"] for at in livellos} == {"VENDOR_RATE_LIMITED"}
    sandbox.heal()
    sandbox.forget_requests()
    again = asked(gateway, PRICES, key=key, prices=prices)
    assert statuses(again) == ["SUCCEEDED"] * len(found)
    assert [one.rpartition("/")[2] for one in writes(sandbox)] == ["price"] * len(livellos)
    keys = [item["command"]["idempotencyKey"] for item in again["items"]]
    assert keys == [f"{key}#{at}{'.2' if at in livellos else ''}" for at in range(len(found))]


def test_what_may_have_happened_is_sent_only_if_it_is_meant(
    sandbox: Sandbox, gateway: Gateway, found: list[Found]
) -> None:
    """Alone and in a bulk it is the same."""
    slot = next(one for one in found if _coffee(one))["id"]
    first = lost(gateway, sandbox, "setPrice", carried_out=False, slotId=slot, amount="4.99")
    item = {"slotId": slot, "amount": "4.99"}
    sandbox.forget_requests()
    bulk = asked(gateway, PRICES, prices=[item])
    assert (statuses(bulk), writes(sandbox)) == (["CONFLICT"], [])
    assert first["id"] in bulk["items"][0]["errors"][0]["message"]
    bulk = asked(gateway, PRICES, prices=[item | {"acknowledgeUnknown": first["id"]}])
    assert (statuses(bulk), len(writes(sandbox))) == (["SUCCEEDED"], 1)


def test_two_processes_asked_at_once_send_it_once(
    sandbox: Sandbox, gateway: Gateway, found: list[Found], folder: Path, tmp_path: Path
) -> None:
    """One is at it; both tell the same."""
    key, prices = new_key(), priced(found, 530)
    store = f"sqlite:///{folder}/vendgraph.db"
    with running_gateway(sandbox, tmp_path, others=[sandbox], store=store) as other:
        sandbox.forget_requests()
        with ThreadPoolExecutor(8) as callers:
            told = list(
                callers.map(lambda at: asked((gateway, other)[at % 2], PRICES, key=key, prices=prices), range(8))
            )
        (id_,) = {bulk["id"] for bulk in told}
        over = when(lambda: read(other, id_), ended)
    assert statuses(over) == ["SUCCEEDED"] * len(found)
    assert len(writes(sandbox)) == len(found)
    commands = {item["command"]["id"] for bulk in told for item in bulk["items"] if item["command"]}
    assert commands == {item["command"]["id"] for item in over["items"]}


async def test_who_follows_commands_is_told_of_each(gateway: Gateway, found: list[Found]) -> None:
    """Its key begins with the bulk's."""
    key = new_key()
    async with Socket(gateway) as listener:
        await listener.subscribe(COMMANDS, {"filter": {"statuses": ["SUCCEEDED"]}})
        await subscribed(gateway)
        await asyncio.to_thread(asked, gateway, PRICES, key=key, prices=priced(found, 540))
        told = [(await listener.next())["commands"]["command"]["idempotencyKey"] for _ in found]
    assert sorted(told) == [f"{key}#{at}" for at in range(len(found))]


def test_it_is_in_the_audit_log_with_each_of_its_commands(gateway: Gateway, found: list[Found]) -> None:
    bulk = asked(gateway, PRICES, key=(key := new_key()), prices=priced(found[:2], 490))
    log = gateway.ask(AUDIT)["auditLog"]["nodes"]
    whole = next(one for one in log if one["action"] == "bulk requested")
    assert whole["details"] == {"kind": "SET_PRICE", "idempotencyKey": key, "items": 2}
    for item in bulk["items"]:
        acts = [one["action"] for one in log if one["command"] == item["command"]["id"]]
        assert acts == ["command settled", "command requested"]
