"""What a process does about a command where another was faster, it is too late, it ends, or the store is gone."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from structlog.testing import capture_logs

from domain.commands import Command, CommandStatus, Progress
from domain.times import utc_now
from journal.commands import overdue
from journal.store import open_store
from journal.tables import head
from resolvers.sending import Sender, Work
from tests.attempts import carried_out, statuses
from tests.dispatching import Dispatching, dispatching
from tests.journals import until
from tests.lossy import Lossy
from tests.running import Sandbox

STATUS = CommandStatus
SENDS = "send-deposit"
LAPSED, LATE = 6.0, 31.0  # seconds


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{tmp_path}/it.db")
    yield engine
    engine.dispose()


@pytest.fixture
async def it(store: Engine, sandbox: Sandbox, wire: Lossy, tmp_path: Path) -> AsyncIterator[Dispatching]:
    machine = sandbox.truth("smartvend")["machines"][0]["id"]
    async with dispatching(store, wire.base, machine, tmp_path) as found:
        yield found


async def test_what_was_recorded_and_not_sent_is_sent_when_it_is_asked_for_again_and_not_before(
    it: Dispatching, wire: Lossy, sandbox: Sandbox
) -> None:
    """Whoever was to send it may have told that it was not taken on."""
    before = carried_out(sandbox)
    asked = replace(it.intent(11), until=0.0)
    await it.recorded(asked)
    await it.settler(LAPSED).look()
    assert it.kept(asked.command).command.status is STATUS.PENDING
    assert wire.bodies(SENDS) == []
    await asyncio.gather(*(it.dispatcher.again(it.source, asked.command) for _ in range(10)))
    await until(lambda: it.kept(asked.command).command.ended)
    assert it.kept(asked.command).command.status is STATUS.SUCCEEDED
    assert carried_out(sandbox) - before == {11: 1}


async def test_what_nobody_asked_for_again_has_failed(it: Dispatching, wire: Lossy) -> None:
    asked = it.intent(12)
    await it.recorded(asked)
    await it.settler(LATE).look()
    command = it.kept(asked.command).command
    assert (command.status, command.error) == (
        STATUS.FAILED,
        "nothing was sent: the process that was to send it ended",
    )
    assert (await it.dispatcher.again(it.source, command)).status is STATUS.FAILED
    assert wire.bodies(SENDS) == []


@pytest.mark.parametrize("then", [STATUS.SENT, STATUS.ACKNOWLEDGED])
async def test_what_went_on_since_it_was_looked_at_is_not_given_up(it: Dispatching, then: STATUS) -> None:
    """One that wakes up after a while may send it right before another gives it up."""
    asked = it.intent(13)
    await it.recorded(asked)
    (seen,) = overdue(it.journal.engine, it.dispatcher.until + LATE)
    native, now = asked.command.ref.native, utc_now()
    assert await it.journal.change(lambda ledger: ledger.claim(native, 1, it.dispatcher.until, now)) is not None
    if then is STATUS.ACKNOWLEDGED:
        progress = Progress(status=then)
        await it.journal.change(lambda ledger: ledger.take(native, "v1", progress, it.dispatcher.until, now))
    failed = Progress(status=STATUS.FAILED)
    assert (await it.journal.change(lambda ledger: ledger.give_up(seen, failed, now))).status is then
    assert it.kept(asked.command).command.status is then


async def test_of_all_who_were_to_send_it_one_does(it: Dispatching, wire: Lossy, sandbox: Sandbox) -> None:
    before = carried_out(sandbox)
    asked = it.intent(14)
    await it.recorded(asked)
    others = [Sender(it.journal, time.time) for _ in range(5)]
    native = asked.command.ref.native
    works = [Work(native=native, attempt=attempt, source=it.source, order=asked.order) for attempt in (1, 2)]
    taking = it.journal.change(lambda ledger: ledger.take_over(native, 1, "another", it.dispatcher.until))
    await asyncio.gather(*(other.run(work) for other in others for work in works), taking)
    assert len(wire.bodies(SENDS)) <= 1  # none, where it was taken over between the two
    await asyncio.gather(*(other.run(work) for other in others for work in works))
    assert it.kept(asked.command).command.status is STATUS.SUCCEEDED
    assert len(wire.bodies(SENDS)) == 1
    assert carried_out(sandbox) - before == {14: 1}


class Leaping:
    """A clock that others do not see stand still: the process was stopped between its claim and its sending."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(self) -> float:
        self._calls += 1
        return time.time() + (LAPSED if self._calls > 2 else 0.0)


async def test_who_was_stopped_after_its_claim_sends_what_nobody_took_for_lost(it: Dispatching, wire: Lossy) -> None:
    asked = it.intent(21)
    await it.recorded(asked)
    work = Work(native=asked.command.ref.native, attempt=1, source=it.source, order=asked.order)
    await Sender(it.journal, Leaping()).run(work)
    assert it.kept(asked.command).command.status is STATUS.SUCCEEDED
    assert len(wire.bodies(SENDS)) == 1


async def test_who_was_stopped_after_its_claim_does_not_send_what_is_unknown(it: Dispatching, wire: Lossy) -> None:
    asked = it.intent(22)
    await it.recorded(asked)
    native = asked.command.ref.native
    work = Work(native=native, attempt=1, source=it.source, order=asked.order)
    unknown = Progress(status=STATUS.UNKNOWN)
    await asyncio.gather(
        Sender(it.journal, Leaping()).run(work),
        it.journal.change(lambda ledger: ledger.settle(native, unknown, utc_now())),
    )
    assert statuses(it.kept(asked.command).command) == [STATUS.PENDING, STATUS.SENT, STATUS.UNKNOWN, STATUS.FAILED]
    assert wire.bodies(SENDS) == []


def too_many(sandbox: Sandbox, seconds: int) -> None:
    """The next deposit is refused, and to be sent again later."""
    headers = {"retry-after": str(seconds)}
    sandbox.break_("smartvend", "status", status=429, headers=headers, operation=SENDS, times=1)


async def taken_for_lost(it: Dispatching, command: Command) -> None:
    """By another gateway. Whoever is at it may say so in the same moment, and then it looks once more."""
    for _ in range(10):
        await it.settler(LAPSED).look()
        if it.kept(command).command.status is STATUS.UNKNOWN:
            return
    raise AssertionError("it is still at it")


async def test_what_another_took_for_lost_is_not_tried_again(it: Dispatching, wire: Lossy, sandbox: Sandbox) -> None:
    before = carried_out(sandbox)
    await asyncio.to_thread(too_many, sandbox, 0)
    wire.hold(SENDS)
    asked = it.intent(15)
    await it.placed(asked)
    await until(lambda: wire.held == 1)
    await taken_for_lost(it, asked.command)
    wire.released.set()
    await until(lambda: it.kept(asked.command).command.ended)
    assert statuses(it.kept(asked.command).command) == [STATUS.PENDING, STATUS.SENT, STATUS.UNKNOWN, STATUS.FAILED]
    assert len(wire.bodies(SENDS)) == 1
    assert carried_out(sandbox) == before


async def test_who_ends_before_a_second_try_knows_that_nothing_was_sent(
    it: Dispatching, wire: Lossy, sandbox: Sandbox
) -> None:
    await asyncio.to_thread(too_many, sandbox, 20)
    asked = it.intent(16)
    await it.placed(asked)
    await until(lambda: it.source.connector.guard.outcomes["vendor_rate_limited"] == 1)
    await it.dispatcher.aclose(0.1)
    assert statuses(it.kept(asked.command).command) == [STATUS.PENDING, STATUS.SENT, STATUS.FAILED]
    assert len(wire.bodies(SENDS)) == 1


async def test_who_ends_without_an_answer_does_not_know(it: Dispatching, wire: Lossy) -> None:
    wire.hold(SENDS)
    asked = it.intent(17)
    await it.placed(asked)
    await until(lambda: wire.held == 1)
    await it.dispatcher.aclose(0.1)
    assert statuses(it.kept(asked.command).command) == [STATUS.PENDING, STATUS.SENT, STATUS.UNKNOWN]


async def test_who_ends_without_a_store_does_not_wait_for_it_and_the_next_finds_what_is_open(
    it: Dispatching, wire: Lossy, store: Engine, tmp_path: Path
) -> None:
    wire.hold(SENDS)
    asked = it.intent(18)
    await it.placed(asked)
    await until(lambda: wire.held == 1)
    await it.journal.close()
    await it.dispatcher.aclose(0.1)
    assert it.kept(asked.command).command.status is STATUS.SENT
    async with dispatching(store, wire.base, it.machine, tmp_path) as following:
        await following.settler(LAPSED).look()
    assert it.kept(asked.command).command.status is STATUS.UNKNOWN
    assert len(wire.bodies(SENDS)) == 1


@contextmanager
def failing(store: Engine) -> Iterator[None]:
    """Nothing can be recorded there for a while."""
    with store.begin() as connection:
        connection.execute(text(f"ALTER TABLE {head.name} RENAME TO hidden"))
    try:
        yield
    finally:
        with store.begin() as connection:
            connection.execute(text(f"ALTER TABLE hidden RENAME TO {head.name}"))


async def test_what_could_not_be_recorded_for_too_long_is_not_told_to_have_failed(
    it: Dispatching, wire: Lossy, store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.sending.RECORDING", 0.2)
    wire.hold(SENDS)
    asked = it.intent(19)
    await it.placed(asked)
    await until(lambda: wire.held == 1)
    with failing(store), capture_logs() as told:
        wire.released.set()
        await until(lambda: "what came of a command could not be recorded" in [line["event"] for line in told])
    await taken_for_lost(it, asked.command)
    await it.dispatcher.aclose()
    assert statuses(it.kept(asked.command).command) == [STATUS.PENDING, STATUS.SENT, STATUS.UNKNOWN]


async def test_what_cannot_be_claimed_is_not_sent(it: Dispatching, wire: Lossy, store: Engine) -> None:
    asked = it.intent(20)
    await it.recorded(asked)
    sending = Sender(it.journal, time.time)
    with failing(store), capture_logs() as told:
        work = Work(native=asked.command.ref.native, attempt=1, source=it.source, order=asked.order)
        running = asyncio.create_task(sending.run(work))
        await until(lambda: "a command was not sent, for it could not be recorded" in [line["event"] for line in told])
    await running
    assert statuses(it.kept(asked.command).command) == [STATUS.PENDING, STATUS.FAILED]
    assert wire.bodies(SENDS) == []
