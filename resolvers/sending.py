"""One command on its way to the vendor: claimed, sent once, and what came of it recorded.

A second try is made only where it is proven that the vendor got nothing to act on. Whatever else is no well-formed
answer leaves the command UNKNOWN: it may have been carried out, so that nothing sends it again."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from connectors.acting import Taken, VendorRequest
from connectors.guard import Traffic
from connectors.http import asking
from domain.capabilities import Capability
from domain.commands import CommandStatus, Progress
from domain.errors import (
    ErrorCode,
    VendgraphError,
    VendorConflict,
    VendorError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
)
from domain.facts import Origin
from domain.orders import Order
from domain.times import utc_now
from journal import commands
from journal.appending import Report
from journal.journal import Journal
from journal.ledger import Ledger
from journal.writer import JournalUnavailable
from resolvers.pace import Pace
from resolvers.secrets import Secrets
from resolvers.sources import Source

log = structlog.get_logger()

LEASE = 5.0  # seconds for which a process is at a command, unless it says so again
HELD_EVERY = 1.5
PATIENCE = 30.0  # seconds after which a command that was not sent is not sent any more
TRIES = 3
PAUSE = 0.5  # seconds before the second try, where the vendor does not say
RECORDING = 600.0  # seconds for which an outcome is tried to be recorded
REFUSED = (VendorRejected, VendorUnauthorized, VendorRateLimited)  # it was read, and not carried out
TURN = 0.1  # seconds between looks whether it is a command's turn
WRITTEN_WHOLE = frozenset(
    {Capability.SET_PRICE, Capability.UPDATE_PLANOGRAM, Capability.UPDATE_CONFIG, Capability.UPDATE_MACHINE}
)
IN_THE_WAY = "an earlier change of this machine took too long"
NOT_SENT = "nothing was sent: "
ENDED = "this process was stopped, or failed, before an answer was here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be sent, by whoever has taken it on. `pace`: of one that can wait, for as long as it allows."""

    native: str
    attempt: int
    source: Source
    order: Order
    pace: Pace | None = None


class Sender:
    """`clock`: UNIX seconds, the same for all processes."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock
        self.secrets = Secrets(clock)

    @property
    def now(self) -> float:
        return self._clock()

    @property
    def until(self) -> float:
        """To when this process is at what it takes on now."""
        return self._clock() + LEASE

    async def run(self, work: Work) -> None:
        async with self._holding(work):
            if not await self._has_turn(work):
                await self._settle(work, _unsent(IN_THE_WAY, ErrorCode.CONFLICT))
                return
            request = await self._prepared(work)
            if request is not None and await self._claimed(work):
                await self._send(work, request)

    async def _claimed(self, work: Work) -> bool:
        """Whether it may be sent, by this process and now. Where that cannot be recorded it is not."""
        began = self._clock()
        claim = partial(Ledger.claim, native=work.native, attempt=work.attempt, until=self.until, at=utc_now())
        try:
            claimed = await self._journal.change(claim) is not None
        except JournalUnavailable:
            log.warning("a command was not sent, for it could not be recorded", command=work.native)
            await self._settle(work, _unsent("it could not be recorded", ErrorCode.INTERNAL))
            return False
        if claimed and self._clock() - began > LEASE and not await self._held_after(work, 0.0):
            await self._settle(work, _unsent("this process was stopped for too long", ErrorCode.INTERNAL))
            return False
        return claimed

    async def _has_turn(self, work: Work) -> bool:
        """What is written whole is read, changed and written by one command at a time, or one would undo another's.

        False where that takes too long."""
        began = time.monotonic()
        while work.order.kind in WRITTEN_WHOLE:
            try:
                waits = await asyncio.to_thread(commands.in_the_way, self._journal.engine, work.native, WRITTEN_WHOLE)
            except SQLAlchemyError:
                waits = True
            if not waits:
                break
            if time.monotonic() > max(began + PATIENCE, 0.0 if work.pace is None else work.pace.ends):
                return False
            await asyncio.sleep(TURN)
        return True

    async def _prepared(self, work: Work) -> VendorRequest | None:
        try:
            prepared = await self._read_up(work)
        except VendgraphError as error:
            await self._settle(work, _against(_unsent(error.message, error.code), error))
        except Exception:
            log.exception("a command could not be prepared", command=work.native)
            await self._settle(work, _unsent("something went wrong here", ErrorCode.INTERNAL))
        else:
            return prepared
        return None

    async def _read_up(self, work: Work) -> VendorRequest:
        """What can wait is read up on when there is room, and then goes like any other. Raises VendgraphError."""
        connector: Any = work.source.connector
        while True:
            asking.set(Traffic.COMMAND if work.pace is None else work.pace.traffic)
            try:
                prepared: VendorRequest = await connector.prepare(work.order)
            except VendgraphError as error:
                if work.pace is None or not work.pace.allows(error):
                    raise
                await work.pace.pause(error)
            else:
                asking.set(Traffic.COMMAND)
                return prepared

    async def _send(self, work: Work, request: VendorRequest) -> None:
        connector: Any = work.source.connector
        try:
            taken = await self._insist(work, partial(connector.send, request))
        except VendorError as error:
            await self._settle(work, outcome(error))
        except BaseException as error:
            if isinstance(error, Exception):
                log.exception("a command's answer could not be read", command=work.native)
            await self._settle(work, _unknown(ENDED, ErrorCode.INTERNAL))
            if not isinstance(error, Exception):
                raise
        else:
            if taken.told_once is not None:
                self.secrets.keep(work.native, taken.told_once)
            await self._learn(work, taken)
            await self._record(partial(_take, work, taken, self._clock() + work.source.account.command_seconds))
            work.source.changed(work.order.kind)

    async def _insist(self, work: Work, send: Callable[[], Awaitable[Taken]]) -> Taken:
        """Once, and again only where nothing was sent."""
        ends = time.monotonic() + PATIENCE
        for attempt in range(TRIES):
            try:
                return await send()
            except VendorError as error:
                pause = PAUSE * 2**attempt if error.retry_after is None else error.retry_after
                final = error.sent or isinstance(error, VendorRejected | VendorUnauthorized)
                if final or attempt == TRIES - 1 or time.monotonic() + pause > ends:
                    raise
                if not await self._held_after(work, pause):
                    raise
        raise AssertionError("unreachable")

    async def _held_after(self, work: Work, pause: float) -> bool:
        """Whether it may still be sent by then: others may have taken it for lost, and this process may be ending."""
        try:
            await asyncio.sleep(pause)
            began = self._clock()
            return await self._journal.change(partial(self._held, work)) and self._clock() - began <= LEASE
        except (JournalUnavailable, asyncio.CancelledError):
            return False

    def _held(self, work: Work, ledger: Ledger) -> bool:
        return ledger.hold(work.native, attempt=work.attempt, until=self.until)

    async def _learn(self, work: Work, taken: Taken) -> None:
        """What the answer tells besides is in the journal before the command is done."""
        if taken.facts:
            now = utc_now()
            report = Report(account=work.source.key, facts=taken.facts, origin=Origin.COMMAND, received_at=now)
            await self._keep(lambda: self._journal.append(report))
            for fact in taken.facts:
                work.source.learn(fact)

    async def _settle(self, work: Work, progress: Progress) -> None:
        await self._record(partial(_settled, work, progress))
        work.source.changed(work.order.kind)

    async def _record(self, change: Callable[[Ledger], object]) -> None:
        await self._keep(lambda: self._journal.change(change))

    @staticmethod
    async def _keep(record: Callable[[], Awaitable[object]]) -> None:
        """What came of it has to be kept, however long the store fails; what is never kept becomes UNKNOWN."""
        ends, pause = time.monotonic() + RECORDING, 0.1
        while True:
            try:
                await record()
            except JournalUnavailable:
                if time.monotonic() > ends:
                    log.error("what came of a command could not be recorded")  # noqa: TRY400  the store said why
                    return
                await asyncio.sleep(pause)
                pause = min(5.0, 2 * pause)
            else:
                return

    @asynccontextmanager
    async def _holding(self, work: Work) -> AsyncIterator[None]:
        """While it is under way, others know that somebody is at it."""
        holding = asyncio.create_task(self._hold(work))
        try:
            yield
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)

    async def _hold(self, work: Work) -> None:
        while True:
            await asyncio.sleep(HELD_EVERY)
            with suppress(JournalUnavailable):
                await self._journal.change(partial(self._held, work))


def outcome(error: VendorError) -> Progress:
    """What a failed sending means. Only a refusal, or proof that nothing was sent, is a failure of the command."""
    if not error.sent:
        return _against(_unsent(error.message, error.code), error)
    if isinstance(error, REFUSED):
        return _against(_failed(error.message, error.code), error)
    return _unknown(error.message, error.code)


def _against(progress: Progress, error: VendgraphError) -> Progress:
    """With what stands against it."""
    if isinstance(error, VendorConflict):
        return replace(progress, result=error.current, subject=error.subject)
    return progress


def _failed(why: str, code: ErrorCode) -> Progress:
    return Progress(status=CommandStatus.FAILED, note=why, error=why, code=code)


def _unsent(why: str, code: ErrorCode) -> Progress:
    return replace(_failed(f"{NOT_SENT}{why}", code), unsent=True)


def _unknown(why: str, code: ErrorCode) -> Progress:
    return Progress(status=CommandStatus.UNKNOWN, note=why, error=why, code=code)


def _settled(work: Work, progress: Progress, ledger: Ledger) -> None:
    ledger.settle(work.native, progress, utc_now(), attempt=work.attempt)


def _take(work: Work, taken: Taken, due: float, ledger: Ledger) -> None:
    """With the vendor's id for it the words that it sends can be found."""
    now = utc_now()
    if taken.done or taken.vendor_id is None:
        done = Progress(status=CommandStatus.SUCCEEDED, result=taken.result, subject=taken.subject)
        ledger.settle(work.native, done, now, attempt=work.attempt)
    else:
        acknowledged = Progress(status=CommandStatus.ACKNOWLEDGED, result=taken.result, subject=taken.subject)
        ledger.take(work.native, taken.vendor_id, acknowledged, due, now)
