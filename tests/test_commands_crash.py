"""Gateways that are killed, stopped for too long or told to end while commands are under way: none is sent twice, and
each has an end."""

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2

from domain.commands import CommandStatus
from tests.attempts import (
    DEPOSIT,
    PRICE,
    ask,
    carried_out,
    commanded,
    deposit,
    ends,
    kept,
    price,
    seen,
    some_machine,
    started,
    statuses,
)
from tests.gateways import Served
from tests.journals import until
from tests.lossy import Fault, Lossy
from tests.redises import own_redis
from tests.running import Gateway, Sandbox

STATUS = CommandStatus
READS, SENDS = "get-controller-matrix", "send-deposit"


async def both_held(gateway: Gateway, wire: Lossy, cents: int) -> tuple[Any, Any]:
    """A deposit that the vendor got, and a price that is not sent yet, for the vendor was asked what it is now: the
    answers to both are held."""
    machine = await some_machine(gateway)
    wire.hold(READS, SENDS)
    given = deposit(machine["id"], "sent", cents), price(machine["slots"][0]["id"], "unsent", cents)
    told = await asyncio.gather(*(ask(gateway, *one) for one in zip((DEPOSIT, PRICE), given, strict=True)))
    await until(lambda: wire.held == 2)
    now = [await seen(gateway, one["command"]["id"]) for one in told]
    assert [one["status"] for one in now] == ["SENT", "PENDING"]
    return given


def prices(sandbox: Sandbox, cents: int) -> int:
    """How many matrices with such a price the vendor got."""
    sent = (body["products"] for body in sandbox.truth("smartvend")["commands"] if "products" in body)
    return sum(any(cell["price"] == cents for cell in cells) for cells in sent)


async def test_killed_it_does_not_know_what_was_sent_and_sends_what_was_not_when_asked(
    sandbox: Sandbox, wire: Lossy, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/it.db"
    before = carried_out(sandbox)
    async with started(tmp_path / "one", commanded(url, wire.base)) as served:
        deposited, priced = await both_held(served.gateway, wire, 901)
        served.kill()
    wire.released.set()
    async with started(tmp_path / "next", commanded(url, wire.base)) as served:
        sent, unsent = [await ask(served.gateway, *one) for one in ((DEPOSIT, deposited), (PRICE, priced))]
        assert (await ends(served.gateway, sent["command"]["id"]))["status"] == "UNKNOWN"
        assert (await ends(served.gateway, unsent["command"]["id"]))["status"] == "SUCCEEDED"
    found = kept(url)
    assert statuses(found["sent"]) == [STATUS.PENDING, STATUS.SENT, STATUS.UNKNOWN]
    assert statuses(found["unsent"]) == [STATUS.PENDING, STATUS.SENT, STATUS.SUCCEEDED]
    assert carried_out(sandbox) - before == {901: 1}
    assert (len(wire.bodies(SENDS)), prices(sandbox, 901)) == (1, 1)


async def test_one_that_is_stopped_for_too_long_finds_that_another_was_at_it(
    sandbox: Sandbox, wire: Lossy, postgresql: str, tmp_path: Path
) -> None:
    before = carried_out(sandbox)
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(own_redis(tmp_path))
        text = commanded(postgresql, wire.base, bus=redis.url)
        pair = (started(tmp_path / name, text) for name in ("one", "other"))
        one, other = await asyncio.gather(*map(stack.enter_async_context, pair))
        deposited, priced = await both_held(one.gateway, wire, 903)
        one.process.process.send_signal(signal.SIGSTOP)
        wire.hold(SENDS)
        sent, unsent = [await ask(other.gateway, *asked) for asked in ((DEPOSIT, deposited), (PRICE, priced))]
        assert (await ends(other.gateway, sent["command"]["id"]))["status"] == "UNKNOWN"
        assert (await ends(other.gateway, unsent["command"]["id"]))["status"] == "SUCCEEDED"
        one.process.process.send_signal(signal.SIGCONT)
        wire.released.set()
        await ends(other.gateway, sent["command"]["id"], "SUCCEEDED")  # as the late answer says
    found = kept(postgresql)
    assert statuses(found["sent"]) == [STATUS.PENDING, STATUS.SENT, STATUS.UNKNOWN, STATUS.SUCCEEDED]
    assert statuses(found["unsent"]) == [STATUS.PENDING, STATUS.SENT, STATUS.SUCCEEDED]
    assert carried_out(sandbox) - before == {903: 1}
    assert (len(wire.bodies(SENDS)), prices(sandbox, 903)) == (1, 1)


def refuses(served: Served) -> bool:
    """Nobody is let in any more."""
    try:
        return not httpx2.get(f"{served.gateway.base}/healthz", trust_env=False)
    except httpx2.ConnectError:
        return True


async def test_told_to_end_it_waits_for_an_answer_and_does_not_know_without_one(
    sandbox: Sandbox, wire: Lossy, tmp_path: Path
) -> None:
    """One answer comes, the other does not."""
    url = f"sqlite:///{tmp_path}/it.db"
    before = carried_out(sandbox)
    async with started(tmp_path / "it", commanded(url, wire.base)) as served:
        machine = (await some_machine(served.gateway))["id"]
        faults = iter([Fault.HOLD_AND_DROP, Fault.HOLD])
        wire.decide = lambda _: next(faults)
        for held, cents in ((1, 904), (2, 905)):
            await ask(served.gateway, DEPOSIT, deposit(machine, f"key-{cents}", cents))
            await until(lambda held=held: wire.held == held)  # type: ignore[misc]
        served.process.process.send_signal(signal.SIGTERM)
        await until(lambda: refuses(served))
        wire.released.set()
        assert await asyncio.to_thread(served.process.process.wait, 30) == 0
    found = kept(url)
    assert statuses(found["key-904"]) == [STATUS.PENDING, STATUS.SENT, STATUS.UNKNOWN]
    assert statuses(found["key-905"]) == [STATUS.PENDING, STATUS.SENT, STATUS.SUCCEEDED]
    assert carried_out(sandbox) - before == {904: 1, 905: 1}
    assert len(wire.bodies(SENDS)) == 2
