"""The journal's one writer in a process: reports that come at the same time are committed together.

Who appends waits until the disk has it. While one group is being committed the next one gathers, so that a flood
costs a commit for many reports and a single report waits for nobody."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from journal.appending import Group, Illegible, Receipt, Report, Taken, count, keep_illegible

log = structlog.get_logger()

WAITING = 10_000  # reports in the queue; more are refused
TOGETHER = 256  # reports in a transaction
COUNTED_EVERY = 1.0  # seconds: rejections are written that often, so that a flood of forgeries writes little


class JournalUnavailable(Exception):
    """It could not be recorded: the store failed, or too much is waiting. Nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Report | Illegible
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Receipt]"


Outcome = Receipt | Exception


class Writer:
    """`committed()` is called on the writer's thread after each commit that wrote something."""

    def __init__(self, engine: Engine, taken: Taken, committed: Callable[[], None]) -> None:
        self._engine = engine
        self._taken = taken
        self._committed = committed
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._rejected: Counter[str] = Counter()
        self._counting = threading.Lock()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Returns when all that was waiting is written."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    async def append(self, work: Report | Illegible) -> Receipt:
        """Returns when it is durable. Raises JournalUnavailable; anything else is a report that makes no sense."""
        if self._thread is None or self._jobs.qsize() >= WAITING:
            raise JournalUnavailable("too many reports are waiting to be recorded")
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        return await job.done

    def reject(self, account: str) -> None:
        """Counts a delivery that was refused."""
        with self._counting:
            self._rejected[account] += 1

    def waiting(self) -> Counter[str]:
        """Rejections by account that are counted and not yet written."""
        with self._counting:
            return Counter(self._rejected)

    def _run(self) -> None:
        while True:
            jobs, ended = self._gather()
            if jobs:
                self._settle(jobs, self._write_all([job.work for job in jobs]))
            self._write_rejected()
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

    def _write_all(self, work: Sequence[Report | Illegible]) -> list[Outcome]:
        try:
            return self._write(work)
        except (DataError, IntegrityError) as error:
            # One of them cannot be kept as it is: the others must not fail with it.
            if len(work) > 1:
                return [outcome for one in work for outcome in self._write_all([one])]
            return [error]
        except SQLAlchemyError as error:
            log.error("the journal failed", kind=type(error).__name__)  # noqa: TRY400  the text may name the store
            return [JournalUnavailable("the store does not take it")] * len(work)
        except Exception as error:  # noqa: BLE001  the thread must go on; who waits is told
            return [error] * len(work)

    def _write(self, work: Sequence[Report | Illegible]) -> list[Outcome]:
        reports = [one for one in work if isinstance(one, Report)]
        with self._engine.begin() as connection:
            group = Group(connection, reports, self._taken)
            outcomes = [_tried(group, one) if isinstance(one, Report) else _kept(connection, one) for one in work]
            group.write()
            for account, at, counts in _counts(work, outcomes):
                count(connection, account, at, **counts)
        self._committed()
        return outcomes

    def _write_rejected(self) -> None:
        with self._counting:
            rejected = Counter(self._rejected)
        if not rejected:
            return
        try:
            with self._engine.begin() as connection:
                for account, times in rejected.items():
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


def _tell(settled: Sequence[tuple[_Job, Outcome]]) -> None:
    for job, outcome in settled:
        if job.done.cancelled():
            continue
        if isinstance(outcome, Receipt):
            job.done.set_result(outcome)
        else:
            job.done.set_exception(outcome)


def _tried(group: Group, report: Report) -> Outcome:
    try:
        return group.add(report)
    except Exception as error:  # noqa: BLE001  it is this report's alone
        return error


def _kept(connection: Any, one: Illegible) -> Receipt:
    new = keep_illegible(connection, one)
    return Receipt(int(new), int(not new))


def _counts(work: Sequence[Report | Illegible], outcomes: Sequence[Outcome]) -> "list[tuple[str, Any, dict[str, int]]]":
    """By account: when the last genuine delivery came, and what to add."""
    at: dict[str, Any] = {}
    sums: dict[str, Counter[str]] = {}
    for one, outcome in zip(work, outcomes, strict=True):
        if not isinstance(outcome, Receipt) or (isinstance(one, Report) and not one.delivered):
            continue
        known = outcome.repeats > 0 and outcome.new == 0
        word = "duplicates" if known else "accepted" if isinstance(one, Report) else "quarantined"
        sums.setdefault(one.account, Counter())[word] += 1
        at[one.account] = max(one.received_at, at.get(one.account, one.received_at))
    return [(account, at[account], dict(counts)) for account, counts in sums.items()]
