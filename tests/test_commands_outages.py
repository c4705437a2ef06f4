"""The store is away or full: nothing is sent, and what was sent before is recorded when it is back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from domain.commands import CommandStatus
from tests.attempts import DEPOSIT, ask, begun, carried_out, commanded, deposit, ends, kept, some_machine
from tests.journals import until
from tests.lossy import Lossy
from tests.proxy import Wire
from tests.running import Gateway, Sandbox
from tests.test_outages import fill, small_disk

SENDS = "send-deposit"


def not_taken_on(told: Any) -> bool:
    """Because it could not be recorded: then nothing was sent."""
    return [(one["code"], "nothing was sent" in one["message"]) for one in told["errors"]] == [("INTERNAL", True)]


async def test_on_a_full_disk_nothing_is_sent(sandbox: Sandbox, wire: Lossy, tmp_path: Path) -> None:
    before = carried_out(sandbox)
    with small_disk(tmp_path / "disk") as disk:
        url = f"sqlite:///{disk}/it.db"
        async with begun(tmp_path, commanded(url, wire.base)) as gateway:
            machine, cents = (await some_machine(gateway))["id"], 1
            filler = await asyncio.to_thread(fill, disk)
            # What was written before may leave room for a few.
            while not not_taken_on(await ask(gateway, DEPOSIT, deposit(machine, f"key-{cents}", cents))):
                cents += 1
            assert cents not in [body["deposit"] for body in wire.bodies(SENDS)]
            filler.unlink()
            again = await ask(gateway, DEPOSIT, deposit(machine, f"key-{cents}", cents))
            await ends(gateway, again["command"]["id"], "SUCCEEDED")
        found = {int(key.removeprefix("key-")): command.status for key, command in kept(url).items()}
    made = carried_out(sandbox) - before
    assert set(made.values()) == {1}
    assert {cents for cents, status in found.items() if status is CommandStatus.SUCCEEDED} == made.keys()
    assert set(found.values()) <= {CommandStatus.SUCCEEDED, CommandStatus.FAILED}


class Forgetful(Wire):
    """To PostgreSQL: the answer to the commit of a command's intent is lost, and with `breaks` all that follows."""

    loses = False
    breaks = False
    lost = 0

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._to)
        ends, placing = {writer, back}, False
        self._open |= ends
        answering = asyncio.create_task(_pass_on(there, writer))
        try:
            while said := await reader.read(65_536):
                placing |= b"INSERT INTO commands" in said
                if self.loses and placing and b"COMMIT" in said:
                    await self._lose(said, answering, there, back)
                    break
                back.write(said)
        finally:
            answering.cancel()
            for end in ends:
                end.transport.abort()
            self._open -= ends

    async def _lose(
        self, commit: bytes, answering: "asyncio.Task[None]", there: asyncio.StreamReader, back: asyncio.StreamWriter
    ) -> None:
        """It is carried out there, and nobody here hears of it."""
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        back.write(commit)
        assert b"COMMIT" in await there.read(65_536)
        self.loses = False
        self.lost += 1
        if self.breaks:
            await self.cut()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while said := await reader.read(65_536):
        writer.write(said)
    writer.close()


@pytest.fixture
async def cable(postgresql: str) -> AsyncIterator[Forgetful]:
    url = make_url(postgresql)
    found = Forgetful(url.host or "127.0.0.1", url.port or 5432)
    await found.mend()
    yield found
    await found.cut()


@pytest.fixture
async def gateway(postgresql: str, cable: Forgetful, wire: Lossy, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Its store is reached by the cable."""
    reached = make_url(postgresql).set(host="127.0.0.1", port=cable.port).render_as_string(hide_password=False)
    async with begun(tmp_path, commanded(reached, wire.base)) as found:
        yield found


async def test_without_its_store_nothing_is_sent_and_what_was_is_recorded_later(
    sandbox: Sandbox, wire: Lossy, postgresql: str, cable: Forgetful, gateway: Gateway
) -> None:
    before, machine = carried_out(sandbox), (await some_machine(gateway))["id"]
    wire.hold(SENDS)
    asked = asyncio.create_task(ask(gateway, DEPOSIT, deposit(machine, "sent", 31)))
    await until(lambda: wire.held == 1)
    await cable.cut()
    wire.released.set()
    assert not_taken_on(await ask(gateway, DEPOSIT, deposit(machine, "unsent", 32)))
    sent = (await asked)["command"]
    assert sent["status"] in {"PENDING", "SENT"}
    assert len(wire.bodies(SENDS)) == 1
    await cable.mend()
    await ends(gateway, sent["id"], "SUCCEEDED")
    assert set(kept(postgresql)) == {"sent"}
    again = await ask(gateway, DEPOSIT, deposit(machine, "unsent", 32))
    assert (await ends(gateway, again["command"]["id"]))["status"] == "SUCCEEDED"
    assert carried_out(sandbox) - before == {31: 1, 32: 1}
    assert len(wire.bodies(SENDS)) == 2


async def test_a_commit_whose_answer_is_lost_is_looked_for(
    sandbox: Sandbox, wire: Lossy, cable: Forgetful, gateway: Gateway
) -> None:
    before, machine = carried_out(sandbox), (await some_machine(gateway))["id"]
    cable.loses = True
    told = await ask(gateway, DEPOSIT, deposit(machine, "key", 33))
    assert cable.lost == 1
    assert (await ends(gateway, told["command"]["id"]))["status"] == "SUCCEEDED"
    assert carried_out(sandbox) - before == {33: 1}
    assert len(wire.bodies(SENDS)) == 1


async def test_a_commit_that_cannot_be_looked_for_is_not_taken_on_until_it_is_asked_for_again(
    sandbox: Sandbox, wire: Lossy, postgresql: str, cable: Forgetful, gateway: Gateway
) -> None:
    before, machine = carried_out(sandbox), (await some_machine(gateway))["id"]
    cable.loses = cable.breaks = True
    assert not_taken_on(await ask(gateway, DEPOSIT, deposit(machine, "key", 34)))
    assert cable.lost == 1
    assert kept(postgresql)["key"].status is CommandStatus.PENDING
    await cable.mend()
    again = await ask(gateway, DEPOSIT, deposit(machine, "key", 34))
    assert (await ends(gateway, again["command"]["id"]))["status"] == "SUCCEEDED"
    assert carried_out(sandbox) - before == {34: 1}
    assert len(wire.bodies(SENDS)) == 1
