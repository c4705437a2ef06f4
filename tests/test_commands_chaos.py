"""Three hundred payments over a wire that fails in every way, and a gateway that is killed in between."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from domain.commands import CommandStatus
from tests.attempts import DEPOSIT, ENDED, Line, calling, carried_out, commanded, deposit, kept, some_machine, started
from tests.journals import until
from tests.lossy import FAULTS, Fault, Lossy, lossy
from tests.running import Sandbox

PAYMENTS = 300
CALLERS = 24
KILLED_AFTER = (80, 180)
FAILING = 0.35


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
        await line.answer(DEPOSIT, deposit(machine, f"key-{cents}", cents))


async def serve(line: Line, wire: Lossy, folder: Path, text: str, ready: "asyncio.Future[str]") -> None:
    """Killed in the midst of it, and started again."""
    for at, least in enumerate(KILLED_AFTER):
        async with started(folder / str(at), text) as served:
            if not ready.done():
                ready.set_result((await some_machine(served.gateway))["id"])
            line.gateway = served.gateway
            await until(lambda least=least: len(line.told) >= least and wire.under_way >= 3)  # type: ignore[misc]
            served.kill()
            line.gateway = None
    async with started(folder / "last", text) as served:
        line.gateway = served.gateway
        await until(lambda: len(line.told) == PAYMENTS)
        await asyncio.gather(*(line.end(DEPOSIT, given) for given in line.open()))
        assert await asyncio.to_thread(served.process.stop) == 0


@pytest.mark.timeout(180)  # of three starts on a machine that has other things to do
async def test_none_is_made_twice_and_none_that_was_made_is_told_to_have_failed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/it.db"
    async with lossy(sandbox.base) as wire, calling() as line:
        wire.decide = chaos()
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(line, wire, tmp_path, commanded(url, wire.base, timeout=0.5), ready))
        machine, waiting = await ready, list(range(1, PAYMENTS + 1))
        await asyncio.gather(*(pay(line, machine, waiting) for _ in range(CALLERS)), serving)
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
        assert {one["command"]["id"] for one in line.told[key]} == {command.id}
        assert line.told[key][-1]["command"]["status"] == command.status.value
    unknown = {int(key.removeprefix("key-")) for key, one in found.items() if one.status is CommandStatus.UNKNOWN}
    assert unknown & made.keys()  # so that it was put to the test
    assert unknown - made.keys()
