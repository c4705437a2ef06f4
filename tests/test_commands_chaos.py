"""Three hundred payments over a wire that fails in every way, and a gateway that is killed in between."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from domain.commands import CommandStatus
from domain.refs import Kind, Ref
from tests.attempts import DEPOSIT, ENDED, Line, calling, carried_out, commanded, deposit, kept, started
from tests.lossy import FAULTS, Fault, lossy
from tests.running import Sandbox

PAYMENTS = 300
CALLERS = 24
KILLED_AFTER = (80, 180)
FAILING = 0.35
FINAL = frozenset({"SUCCEEDED", "FAILED"})


def chaos() -> Callable[[str], Fault]:
    """Reads go well, and most commands."""
    random = Random(7)  # noqa: S311  the same faults each time

    def decide(path: str) -> Fault:
        fails = "send-deposit" in path and random.random() < FAILING
        return random.choice(FAULTS) if fails else Fault.NONE

    return decide


async def pay(line: Line, machine: str, waiting: list[int]) -> None:
    while waiting:
        cents = waiting.pop()
        await line.command(DEPOSIT, deposit(machine, f"key-{cents}", cents))


async def serve(line: Line, folder: Path, text: str) -> None:
    """Killed in the midst of it, and started again."""
    for at, least in enumerate(KILLED_AFTER):
        async with started(folder / str(at), text) as served:
            line.gateway = served.gateway
            while len(line.told) < least:  # noqa: ASYNC110  the test has a limit of its own
                await asyncio.sleep(0.01)
            served.kill()
            line.gateway = None


@pytest.mark.timeout(180)  # of three starts on a machine that has other things to do
async def test_none_is_made_twice_and_none_that_was_made_is_told_to_have_failed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    url, waiting = f"sqlite:///{tmp_path}/it.db", list(range(1, PAYMENTS + 1))
    machine = Ref(Kind.MACHINE, "acme-coffee", online(sandbox)).text
    async with lossy(sandbox.base) as wire, calling() as line:
        wire.decide, text = chaos(), commanded(url, wire.base, timeout=1.0)
        callers = [asyncio.create_task(pay(line, machine, waiting)) for _ in range(CALLERS)]
        await serve(line, tmp_path, text)
        async with started(tmp_path / "last", text) as served:
            line.gateway = served.gateway
            await asyncio.gather(*callers)
            await asyncio.gather(*(line.end(DEPOSIT, given) for given in line.open()))
            assert await asyncio.to_thread(served.process.stop) == 0
        arrived = Counter(body["deposit"] for body in wire.bodies("send-deposit"))
    found, made = kept(url), carried_out(sandbox)
    assert len(found) == PAYMENTS
    assert set(made.values()) == {1}
    assert set(arrived.values()) == {1}  # and none was tried again that may have been
    for key, command in found.items():
        was_made = int(key.removeprefix("key-")) in made
        assert command.status.value in ENDED
        assert not (command.status is CommandStatus.FAILED and was_made)
        assert was_made or command.status is not CommandStatus.SUCCEEDED
        assert {one["id"] for one in line.told[key]} == {command.id}
        assert {one["status"] for one in line.told[key]} & FINAL <= {command.status.value}
    unknown = {int(key.removeprefix("key-")) for key, one in found.items() if one.status is CommandStatus.UNKNOWN}
    assert unknown & made.keys()  # so that it was put to the test
    assert unknown - made.keys()


def online(sandbox: Sandbox) -> str:
    machines = sandbox.truth("smartvend")["machines"]
    return next(str(one["id"]) for one in machines if one["connectionStatus"] == "online")
