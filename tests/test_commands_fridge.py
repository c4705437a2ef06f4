"""What becomes of a fridge's commands is what it reports: whatever the order, however late, and however early."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import telling
from tests.commanding import Found, becomes, command, fleet, give, now_is, of_vendor, sent, when
from tests.running import Gateway, Sandbox, running_gateway
from tests.settlers import looking

STAGES = ["UNLOCKED", "OPENED", "CLOSED", "INVENTORIED"]
WORDS = ("unlocked", "opened", "closed", "inventory")
EVENTS = """query ($machine: ID!) { events(filter: {machines: [$machine]}, first: 500) { nodes { code message } } }"""
LATE = 1000.0  # seconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fridge")


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, folder: Path) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, folder) as gateway:
        yield gateway


class Fridge:
    """One that a test speaks for. A tag less is in it after each opening."""

    def __init__(self, gateway: Gateway, machine: Found) -> None:
        self.gateway, self.id, self.native = gateway, machine["id"], machine["vendorId"]
        self.tags = [f"{uuid4().hex}" for _ in range(40)]
        linked = [{"code": tag} for tag in self.tags]
        self.report({"type": "product-linked", "data": linked, "product": {"uuid": "prd-tea", "name": "Tea"}})
        self.report({"type": "inventory", "data": {"epcs": self.tags}, "fridge": {"uuid": self.native}})

    def report(self, body: Found) -> None:
        answer = telling.fridge(self.gateway.base, self.native, body)
        assert answer.status_code == 200, answer.text

    def say(self, asked: str, word: str, *, slug: str = "open", status: str | None = None, **more: Any) -> None:
        """`asked`: the vendor's id of the command."""
        data: Any = None
        if word in ("unlocked", "opened", "closed"):
            data, kind = {"status": word}, "door-status"
        elif word == "inventory":
            data, kind = {"epcs": self.tags}, "inventory"
        elif word == "temperature":
            data, kind = {"temperature": 4.5}, "temperature"
        else:
            kind = word
        told = {"uuid": asked, "type": {"slug": slug}, "status": status or word, **more}
        self.report({"type": kind, "data": data, "fridge": {"uuid": self.native}, "command": told})

    def take_one(self) -> str:
        return self.tags.pop()


@pytest.fixture(scope="module")
def fridge(gateway: Gateway) -> Fridge:
    return Fridge(gateway, of_vendor(fleet(gateway), "EATMACHINE")[0])


def opened(gateway: Gateway, fridge: Fridge) -> tuple[Found, str]:
    """The command, and the vendor's id for it."""
    found = command(gateway, "openDoor", machineId=fridge.id)
    return found, found["result"]["uuid"]


def stages(found: Found) -> list[str]:
    return [step["stage"] for step in found["history"] if step["stage"]]


def contradictions(gateway: Gateway, fridge: Fridge, asked: Found) -> list[Found]:
    found = gateway.ask(EVENTS, {"machine": fridge.id})["events"]["nodes"]
    return [one for one in found if one["code"] == "COMMAND_CONTRADICTED" and asked["id"] in one["message"]]


# ---- an opening


def test_an_opening_is_followed_from_stage_to_stage(gateway: Gateway, fridge: Fridge) -> None:
    asked, native = opened(gateway, fridge)
    fridge.say(native, "ack")
    assert now_is(gateway, asked["id"]) == asked
    for word, stage in zip(WORDS[:3], STAGES[:3], strict=True):
        fridge.say(native, word)
        found = now_is(gateway, asked["id"])
        assert (found["status"], found["stage"], found["completedAt"]) == ("ACKNOWLEDGED", stage, None)
    fridge.take_one()
    fridge.say(native, "inventory")
    found = now_is(gateway, asked["id"])
    assert (found["status"], found["stage"], found["error"]) == ("SUCCEEDED", "INVENTORIED", None)
    assert found["completedAt"] is not None
    assert [step["status"] for step in found["history"]] == ["PENDING", "SENT", *["ACKNOWLEDGED"] * 4, "SUCCEEDED"]
    sale = gateway.ask(
        "query ($id: ID!) { sale(id: $id) { trust machine { id } lines { quantity productName } } }",
        {"id": found["evidence"]["id"]},
    )["sale"]
    lines = [{"quantity": 1, "productName": "Tea"}]
    assert sale == {"trust": "DERIVED", "machine": {"id": fridge.id}, "lines": lines}
    assert found["evidence"]["vendorId"] == native


@pytest.mark.parametrize("words", [*permutations(WORDS)])
def test_stages_are_told_in_their_order_whatever_the_order_of_arrival(
    gateway: Gateway, fridge: Fridge, words: Sequence[str]
) -> None:
    asked, native = opened(gateway, fridge)
    fridge.take_one()
    for word in words:
        fridge.say(native, word)
    found = now_is(gateway, asked["id"])
    assert (found["status"], found["stage"], stages(found)) == ("SUCCEEDED", "INVENTORIED", STAGES)
    assert found["history"][-1]["status"] == "SUCCEEDED"
    assert [step["at"] for step in found["history"]] == sorted(step["at"] for step in found["history"])
    assert found["evidence"]["vendorId"] == native


def test_what_is_said_again_is_nothing_new(gateway: Gateway, fridge: Fridge) -> None:
    asked, native = opened(gateway, fridge)
    for word in WORDS:
        fridge.say(native, word)
    found = now_is(gateway, asked["id"])
    for word in (*WORDS, *reversed(WORDS)):
        fridge.say(native, word)
    assert now_is(gateway, asked["id"]) == found


def test_an_opening_at_which_nothing_was_taken_has_no_evidence(gateway: Gateway, fridge: Fridge) -> None:
    asked, native = opened(gateway, fridge)
    for word in WORDS:
        fridge.say(native, word)
    found = now_is(gateway, asked["id"])
    assert (found["status"], found["evidence"]) == ("SUCCEEDED", None)


def test_words_of_other_commands_and_of_other_fridges_say_nothing(gateway: Gateway, fridge: Fridge) -> None:
    asked, native = opened(gateway, fridge)
    fridge.say(str(uuid4()), "inventory")
    other = of_vendor(fleet(gateway), "EATMACHINE")[1]["vendorId"]
    told = {"uuid": native, "type": {"slug": "open"}, "status": "failed"}
    body = {"type": "ack", "data": None, "fridge": {"uuid": other}, "command": told}
    assert telling.fridge(gateway.base, other, body).status_code == 200
    assert now_is(gateway, asked["id"]) == asked
    fridge.say(native, "inventory")
    assert now_is(gateway, asked["id"])["status"] == "SUCCEEDED"


def test_words_that_come_before_the_answer_count_when_it_is_here(
    sandbox: Sandbox, gateway: Gateway, fridge: Fridge
) -> None:
    before = len(sent(sandbox, "eatmachine"))
    sandbox.break_("eatmachine", "trickle", operation="/commands/open", seconds=2.0, times=1)
    with ThreadPoolExecutor(1) as caller:
        asking = caller.submit(give, gateway, "openDoor", machineId=fridge.id)
        (taken,) = when(lambda: sent(sandbox, "eatmachine")[before:], bool)
        fridge.take_one()
        for word in ("closed", "unlocked"):
            fridge.say(taken["uuid"], word)
        asked = asking.result()["command"]
    found = becomes(gateway, asked["id"], "ACKNOWLEDGED")
    assert (found["stage"], stages(found)) == ("CLOSED", ["UNLOCKED", "CLOSED"])
    at = {step["at"] for step in found["history"] if step["status"] == "ACKNOWLEDGED"}
    assert len(at) == 1, "they were heard of before"
    fridge.say(taken["uuid"], "opened")
    fridge.say(taken["uuid"], "inventory")
    found = now_is(gateway, asked["id"])
    assert (found["status"], stages(found)) == ("SUCCEEDED", STAGES)
    assert found["evidence"]["vendorId"] == taken["uuid"]


def test_a_fridge_that_fails_says_why(gateway: Gateway, fridge: Fridge) -> None:
    asked, native = opened(gateway, fridge)
    fridge.say(native, "ack", status="failed", message="The lock is stuck")
    found = now_is(gateway, asked["id"])
    assert (found["status"], found["stage"], found["error"]) == ("FAILED", None, "The lock is stuck")
    assert found["completedAt"] is not None


def test_what_contradicts_the_end_is_an_event_and_rewrites_nothing(gateway: Gateway, fridge: Fridge) -> None:
    failed, native = opened(gateway, fridge)
    fridge.say(native, "ack", status="failed")
    failed = now_is(gateway, failed["id"])
    fridge.say(native, "inventory")
    fridge.say(native, "inventory")
    assert now_is(gateway, failed["id"]) == failed
    (event,) = contradictions(gateway, fridge, failed)
    assert "FAILED" in event["message"]
    done, native = opened(gateway, fridge)
    for word in WORDS:
        fridge.say(native, word)
    done = now_is(gateway, done["id"])
    fridge.say(native, "ack", status="failed", message="after all")
    assert now_is(gateway, done["id"]) == done
    (event,) = contradictions(gateway, fridge, done)
    assert "after all" in event["message"]


# ---- late


async def test_without_a_final_word_in_time_it_is_not_known_until_a_late_one_comes(
    gateway: Gateway, fridge: Fridge, folder: Path
) -> None:
    asked, native = opened(gateway, fridge)
    fridge.say(native, "unlocked")
    async with looking(folder) as settler:
        await settler.look(later=60.0)
        assert now_is(gateway, asked["id"])["status"] == "ACKNOWLEDGED"
        await settler.look(later=LATE)
    found = now_is(gateway, asked["id"])
    assert (found["status"], found["stage"], found["completedAt"]) == ("UNKNOWN", "UNLOCKED", None)
    assert found["error"] == "no final word came in time"
    fridge.say(native, "opened")
    found = now_is(gateway, asked["id"])
    assert (found["status"], found["stage"]) == ("UNKNOWN", "OPENED")
    fridge.take_one()
    fridge.say(native, "inventory")
    found = now_is(gateway, asked["id"])
    assert (found["status"], found["error"], found["evidence"]["vendorId"]) == ("SUCCEEDED", None, native)
    assert [step["status"] for step in found["history"]][-3:] == ["UNKNOWN", "UNKNOWN", "SUCCEEDED"]


async def test_a_person_who_is_contradicted_by_a_late_word_is_not_overruled(
    gateway: Gateway, fridge: Fridge, folder: Path
) -> None:
    asked, native = opened(gateway, fridge)
    async with looking(folder) as settler:
        await settler.look(later=LATE)
    resolved = command(
        gateway, "resolveCommand", commandId=asked["id"], outcome="FAILED", reason="it did not open, says the customer"
    )
    fridge.take_one()
    fridge.say(native, "inventory")
    assert now_is(gateway, asked["id"]) == resolved
    assert len(contradictions(gateway, fridge, asked)) == 1


def test_an_account_says_how_long_a_word_may_take(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path, commands="timeout_seconds = 0.1") as gateway:
        fridge = Fridge(gateway, of_vendor(fleet(gateway), "EATMACHINE")[1])
        asked, native = opened(gateway, fridge)
        assert becomes(gateway, asked["id"], "UNKNOWN")["error"] == "no final word came in time"
        fridge.say(native, "inventory")
        assert now_is(gateway, asked["id"])["status"] == "SUCCEEDED"


# ---- the other acts

OTHERS: Mapping[str, tuple[str, Sequence[str], str]] = {
    "scanInventory": ("inventory", ["ack"], "inventory"),
    "measureTemperature": ("temperature", ["ack"], "temperature"),
    "readDoor": ("door-status", ["ack"], "closed"),
    "reboot": ("reboot", ["ack", "shutdown"], "boot"),
    "restartApp": ("restart-app", [], "ack"),
}


@pytest.mark.parametrize("mutation", OTHERS)
def test_other_acts_end_with_the_word_that_they_are_for(gateway: Gateway, fridge: Fridge, mutation: str) -> None:
    slug, before, last = OTHERS[mutation]
    asked = command(gateway, mutation, machineId=fridge.id)
    native = asked["result"]["uuid"]
    for word in before:
        fridge.say(native, word, slug=slug)
        assert now_is(gateway, asked["id"])["status"] == "ACKNOWLEDGED"
    fridge.say(native, last, slug=slug)
    found = now_is(gateway, asked["id"])
    assert (found["status"], found["stage"], found["evidence"]) == ("SUCCEEDED", None, None)


# ---- by itself


@pytest.mark.parametrize("reorder", [False, True])
def test_a_customer_at_a_fridge_of_the_sandbox(sandbox: Sandbox, tmp_path: Path, *, reorder: bool) -> None:
    """All of it by itself: tags are linked, the door is opened, something is taken."""
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.webhooks(vendor="eatmachine", address=gateway.base, speed=50.0, reorder=reorder, stopped=False)
        sandbox.settle()
        machine = of_vendor(fleet(gateway), "EATMACHINE", "ONLINE")[1]
        asked = command(gateway, "openDoor", machineId=machine["id"])
        found = becomes(gateway, asked["id"], "SUCCEEDED")
        found = when(lambda: now_is(gateway, asked["id"]), lambda one: stages(one) == STAGES) or found
        sandbox.settle()
        sandbox.webhooks(vendor="eatmachine", stopped=True)
    assert found["evidence"]["vendorId"] == asked["result"]["uuid"]
