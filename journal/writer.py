"""The journal's one writer in a process: reports that come at the same time are committed together.

Who appends waits until the disk has it. While one group is being committed the next one gathers, so that a flood
costs a commit for many reports and a single report waits for nobody."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError, StatementError

from journal import reports
from journal.appending import Group, Illegible, Meanings, Receipt, Report, count, keep_illegible
from journal.ledger import Ledger
from journal.reports import Counts
from journal.store import writing

log = structlog.get_logger()
T = TypeVar("T")

WAITING = 10_000  # reports that may wait; more are refused
WAITING_BYTES = 64 * 1024 * 1024  # of what they hold raw
WAITING_SECONDS = 20.0  # for a store that neither takes it nor fails
TOGETHER = 256  # reports in a transaction
CHANGE_BYTES = 1024  # that a change of the ledger is taken to hold
COUNTED_EVERY = 1.0  # seconds: rejections are written that often, so that a flood of forgeries writes little


class JournalUnavailable(Exception):
    """It could not be recorded, or it is not known: the store failed, or too much is waiting. Who tries again does no
    harm, for what is there already is a repeat."""


Change = Callable[[Ledger], Any]
Work = Report | Illegible | Change


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change of the ledger returned."""

    value: Any


Outcome = Receipt | Changed | Exception


class Writer:
    """`committed()` is called on the writer's thread after each commit that wrote something."""

    def __init__(self, engine: Engine, meanings: Meanings, committed: Callable[[], None]) -> None:
        self._engine = engine
        self._meanings = meanings
        self._committed = committed
        self.until = 0  # the number of the newest entry that is known to be recorded here
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._taking = threading.Lock()
        self._waiting = self._bytes = 0
        self._rejected: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._counted = threading.Lock()  # whoever reads what is counted sees nothing twice, and nothing missing
        self._counted_at = time.monotonic()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Returns when all that was waiting is written."""
        with self._taking:
            thread, self._thread = self._thread, None
            self._jobs.put(None)
        if thread is not None:
            thread.join()

    async def append(self, work: Report | Illegible) -> Receipt:
        """Returns when it is durable. Raises JournalUnavailable; anything else is a report that makes no sense."""
        receipt: Receipt = await self._wait_for(work)
        return receipt

    async def change(self, change: Callable[[Ledger], T]) -> T:
        """What it returns, once that is durable. Raises JournalUnavailable, or what the change raises."""
        changed: Changed = await self._wait_for(change)
        value: T = changed.value
        return value

    async def _wait_for(self, work: Work) -> Any:
        size = _size(work)
        if self._waiting >= WAITING or self._bytes + size > WAITING_BYTES:
            raise JournalUnavailable("too many reports are waiting to be recorded")
        self._waiting += 1
        self._bytes += size
        try:
            async with asyncio.timeout(WAITING_SECONDS):
                return await self._put(work)
        except TimeoutError:
            raise JournalUnavailable("the store does not answer") from None
        finally:
            self._waiting -= 1
            self._bytes -= size

    def _put(self, work: Work) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        with self._taking:  # what is put before the end is written, and nothing is put after it
            if self._thread is None:
                raise JournalUnavailable("the journal is closed")
            self._jobs.put(job)
        return job.done

    def reject(self, account: str) -> None:
        """Counts a delivery that was refused."""
        with self._counting:
            self._rejected[account] += 1

    def counts(self) -> Mapping[str, Counts]:
        """By account, with the rejections that are not yet written; those that never got one are not there."""
        with self._counted:
            kept = reports.counts(self._engine)
            with self._counting:
                waiting = Counter(self._rejected)
        counted = {account: kept.get(account, Counts()) for account in {*kept, *waiting}}
        return {account: replace(it, rejected=it.rejected + waiting[account]) for account, it in counted.items()}

    def _run(self) -> None:
        while True:
            jobs, ended = self._gather()
            if jobs:
                self._settle(jobs, self._write_all([job.work for job in jobs]))
            if ended or time.monotonic() - self._counted_at >= COUNTED_EVERY:
                self._write_rejected()
                self._counted_at = time.monotonic()
            if ended:
                return

    def _gather(self) -> tuple[list[_Job], bool]:
        """What is waiting, up to a group, or the first that comes."""
        jobs: list[_Job] = []
        try:
            job = self._jobs.get(timeout=COUNTED_EVERY)
            while job is not None:
                jobs.append(job)
                if len(jobs) == TOGETHER:
                    return jobs, False
                job = self._jobs.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _write_all(self, work: Sequence[Work]) -> list[Outcome]:
        try:
            return self._write(work)
        except Exception as error:  # noqa: BLE001  the thread must go on; who waits is told
            if _fails_for_all(error):
                log.error("the journal failed", kind=type(error).__name__)  # noqa: TRY400  the text may name the store
                return [JournalUnavailable("the store does not take it")] * len(work)
            if len(work) == 1:
                return [error]
        # One of them cannot be kept as it is: the others must not fail with it.
        middle = len(work) // 2
        return self._write_all(work[:middle]) + self._write_all(work[middle:])

    def _write(self, work: Sequence[Work]) -> list[Outcome]:
        with writing(self._engine) as connection:
            group = Group(connection, [one for one in work if isinstance(one, Report)], self._meanings)
            outcomes = [_done(group, connection, one) for one in work]
            group.write()
            for account, at, counts in _counts(work, outcomes):
                count(connection, account, at, **counts)
        self.until = group.until
        self._committed()
        return outcomes

    def _write_rejected(self) -> None:
        with self._counting:
            rejected = Counter(self._rejected)
        if not rejected:
            return
        with self._counted:
            try:
                with writing(self._engine) as connection:
                    for account, times in sorted(rejected.items()):
                        count(connection, account, None, rejected=times)
            except SQLAlchemyError:
                return  # they stay counted here
            with self._counting:
                self._rejected -= rejected

    def _settle(self, jobs: Sequence[_Job], outcomes: Sequence[Outcome]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Job, Outcome]]] = {}
        for job, outcome in zip(jobs, outcomes, strict=True):
            by_loop.setdefault(job.loop, []).append((job, outcome))
        for loop, settled in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, settled)


def _size(work: Work) -> int:
    if isinstance(work, Report):
        return len(work.raw or b"")
    return len(work.body) if isinstance(work, Illegible) else CHANGE_BYTES


def _fails_for_all(error: Exception) -> bool:
    """Whether it is the store that fails, and not something that one of the reports holds."""
    held = isinstance(error, DataError | IntegrityError) or type(error) is StatementError
    return isinstance(error, SQLAlchemyError) and not held


def _tell(settled: Sequence[tuple[_Job, Outcome]]) -> None:
    for job, outcome in settled:
        if job.done.done():  # nobody waits any more
            continue
        if isinstance(outcome, Exception):
            job.done.set_exception(outcome)
        else:
            job.done.set_result(outcome)


def _done(group: Group, connection: Any, work: Work) -> Outcome:
    if isinstance(work, Illegible):
        return _kept(connection, work)
    try:
        return group.add(work) if isinstance(work, Report) else Changed(group.change(work))
    except Exception as error:
        if _fails_for_all(error):
            raise
        return error  # it is this one's alone


def _kept(connection: Any, one: Illegible) -> Receipt:
    new = keep_illegible(connection, one)
    return Receipt(int(new), int(not new))


def _counts(work: Sequence[Work], outcomes: Sequence[Outcome]) -> "list[tuple[str, Any, dict[str, int]]]":
    """By account: when the last genuine delivery came, and what to add."""
    at: dict[str, Any] = {}
    sums: dict[str, Counter[str]] = {}
    for one, outcome in zip(work, outcomes, strict=True):
        if not isinstance(outcome, Receipt) or not isinstance(one, Report | Illegible):
            continue
        if isinstance(one, Report) and not one.delivered:
            continue
        known = outcome.repeats > 0 and outcome.new == 0
        word = "duplicates" if known else "accepted" if isinstance(one, Report) else "quarantined"
        sums.setdefault(one.account, Counter())[word] += 1
        at[one.account] = max(one.received_at, at.get(one.account, one.received_at))
    # In one order everywhere, so that processes that write at the same time wait for each other and not in a circle.
    return [(account, at[account], dict(counts)) for account, counts in sorted(sums.items())]
