"""Commands on their way to the vendor: recorded, claimed, sent once, and what came of it recorded again.

A second try is made only where it is proven that the vendor got nothing to act on. Whatever else is no well-formed
answer leaves the command UNKNOWN: it may have been carried out, so that nothing sends it again."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from connectors.base import Taken, VendorRequest
from connectors.guard import Traffic
from connectors.http import asking
from domain.commands import Command, CommandStatus, Progress
from domain.errors import (
    ErrorCode,
    RateLimited,
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
from journal.intents import Intent
from journal.journal import Journal
from journal.ledger import Ledger
from journal.writer import JournalUnavailable
from resolvers.secrets import Secrets
from resolvers.sources import Source

log = structlog.get_logger()
T = TypeVar("T")

AT_ONCE = 500  # commands under way in a process
LEASE = 5.0  # seconds for which a process is at a command, unless it says so again
HELD_EVERY = 1.5
PATIENCE = 30.0  # seconds after which a command that was not sent is not sent any more
TRIES = 3
PAUSE = 0.5  # seconds before the second try, where the vendor does not say
RECORDING = 600.0  # seconds for which an outcome is tried to be recorded
REFUSED = (VendorRejected, VendorUnauthorized, VendorRateLimited)  # it was read, and not carried out
NOT_SENT = "nothing was sent: "
ENDED = "this process was stopped, or failed, before an answer was here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be sent, by whoever has taken it on."""

    native: str
    attempt: int
    source: Source
    order: Order


class Dispatcher:
    """A process' commands. `answer_seconds`: how long a caller waits for what becomes of one."""

    def __init__(
        self, journal: Journal, *, answer_seconds: float = 2.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.owner = secrets.token_hex(8)
        self._journal = journal
        self._seconds = answer_seconds
        self._clock = clock
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self.secrets = Secrets(clock)

    @property
    def until(self) -> float:
        """UNIX seconds to which this process is at what it takes on now."""
        return self._clock() + LEASE

    async def place(self, source: Source, intent: Intent) -> Command:
        """The command as it is a moment later. Raises VendgraphError where it was not taken on; JournalUnavailable
        where it could not be recorded, so that nothing is sent."""
        if len(self._under_way) >= AT_ONCE:
            raise RateLimited("too many commands are under way here: try again in a moment")
        command, new = await self._journal.change(lambda ledger: ledger.place(intent))
        if new:
            self.start(Work(native=command.ref.native, attempt=1, source=source, order=intent.order))
        return await self.seen(command)

    def start(self, work: Work) -> None:
        task = asyncio.create_task(self._run(work))
        self._under_way[work.native] = task
        task.add_done_callback(lambda _: self._under_way.pop(work.native, None))

    async def seen(self, command: Command) -> Command:
        """As it is when its sending is over, or when the caller has waited long enough."""
        task = self._under_way.get(command.ref.native)
        if task is not None:
            await asyncio.wait([task], timeout=self._seconds)
        with suppress(SQLAlchemyError):
            kept = await asyncio.to_thread(commands.find, self._journal.engine, command.ref.native)
            return command if kept is None else kept.command
        return command

    async def aclose(self, seconds: float = 10.0) -> None:
        """Lets what is under way come to its end; what does not is UNKNOWN."""
        tasks = list(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, work: Work) -> None:
        asking.set(Traffic.COMMAND)
        async with self._holding(work):
            try:
                await self._carry_out(work)
            except JournalUnavailable:
                log.warning("a command was not sent, for it could not be recorded", command=work.native)
                await self._settle(work, _failed(f"{NOT_SENT}it could not be recorded", ErrorCode.INTERNAL))

    async def _carry_out(self, work: Work) -> None:
        request = await self._prepared(work)
        if request is None:
            return
        claimed_at = self._clock()
        claim = partial(Ledger.claim, native=work.native, attempt=work.attempt, until=self.until, at=utc_now())
        if await self._journal.change(claim) is None:
            return  # another has it, or it is too late
        if self._clock() - claimed_at > LEASE:
            await self._settle(work, _failed(f"{NOT_SENT}this process was stopped for too long", ErrorCode.INTERNAL))
            return
        await self._send(work, request)

    async def _prepared(self, work: Work) -> VendorRequest | None:
        connector: Any = work.source.connector
        try:
            prepared: VendorRequest = await connector.prepare(work.order)
        except VendgraphError as error:
            await self._settle(work, _failed(f"{NOT_SENT}{error.message}", error.code))
        except Exception:
            log.exception("a command could not be prepared", command=work.native)
            await self._settle(work, _failed(f"{NOT_SENT}something went wrong here", ErrorCode.INTERNAL))
        else:
            return prepared
        return None

    async def _send(self, work: Work, request: VendorRequest) -> None:
        connector: Any = work.source.connector
        try:
            taken = await self._insist(partial(connector.send, request))
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

    async def _insist(self, send: Callable[[], Any]) -> Taken:
        """Once, and again only where nothing was sent."""
        ends = time.monotonic() + PATIENCE
        for attempt in range(TRIES):
            try:
                taken: Taken = await send()
            except VendorError as error:
                pause = PAUSE * 2**attempt if error.retry_after is None else error.retry_after
                final = error.sent or isinstance(error, VendorRejected | VendorUnauthorized)
                if final or attempt == TRIES - 1 or time.monotonic() + pause > ends:
                    raise
            else:
                return taken
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

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
                    raise
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
                await self._journal.change(
                    lambda ledger: ledger.hold(work.native, attempt=work.attempt, until=self.until)
                )


def outcome(error: VendorError) -> Progress:
    """What a failed sending means. Only a refusal, or proof that nothing was sent, is a failure of the command."""
    if not error.sent:
        return _failed(f"{NOT_SENT}{error.message}", error.code)
    if isinstance(error, VendorConflict):
        return replace(_failed(error.message, error.code), result=error.current)
    if isinstance(error, REFUSED):
        return _failed(error.message, error.code)
    return _unknown(error.message, error.code)


def _failed(why: str, code: ErrorCode) -> Progress:
    return Progress(status=CommandStatus.FAILED, note=why, error=why, code=code)


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
