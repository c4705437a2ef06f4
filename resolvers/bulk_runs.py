"""A process' bulks: each is gone through by one task here, and by one process at a time.

An account's items are looked at one after the other and recorded, and then sent, a few at a time, while there is room
in the account's budget. What was recorded and not sent by a process that ended is taken over, or made anew, by who is
asked for the same bulk again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from connectors.guard import Traffic
from domain.commands import CommandStatus
from domain.errors import RateLimited, VendgraphError
from domain.orders import Order
from journal import bulks
from journal.bulks import KeptBulk, KeptItem
from journal.intents import Intent
from journal.journal import Journal
from journal.ledger import Ledger
from journal.writer import JournalUnavailable
from resolvers.bulk_lines import Line
from resolvers.bulk_plan import Look, Plan
from resolvers.pace import LAP, Pace
from resolvers.sending import HELD_EVERY, LEASE, Sender, Work
from resolvers.sources import Source

log = structlog.get_logger()

AT_ONCE = 16  # bulks in a process
LOOKED_AT_ONCE = 20  # items of an account
PATIENCE = 3600.0  # seconds for all that waits for room in a budget
FOLLOWED_SECONDS = 3 * LEASE  # for which a bulk that another process is at is looked after
FOLLOWED_EVERY = 0.25


class Bulks:
    def __init__(self, journal: Journal, sender: Sender, owner: str) -> None:
        self._journal = journal
        self._sender = sender
        self._owner = owner
        self._runs: dict[str, Run] = {}

    def check(self) -> None:
        """Raises RateLimited."""
        if len(self._runs) >= AT_ONCE:
            raise RateLimited("too many bulks are under way here: try again in a moment")

    def run(self, bulk: KeptBulk, plan: Plan, *, new: bool) -> "Run":
        """The one that there is, or another."""
        run = self._runs.get(bulk.id)
        if run is None:
            run = self._runs[bulk.id] = Run(self._journal, self._sender, self._owner, bulk, plan)
            run.task = asyncio.create_task(run.go(1 if new else None))
            run.task.add_done_callback(lambda _: self._runs.pop(bulk.id, None))
        return run

    def stop(self) -> "list[asyncio.Task[None]]":
        """No more is begun. What is under way comes to its end."""
        for run in self._runs.values():
            run.stop()
        return [run.task for run in self._runs.values() if run.task is not None]


class Run:
    """`looked`: every item has been looked at."""

    def __init__(self, journal: Journal, sender: Sender, owner: str, bulk: KeptBulk, plan: Plan) -> None:
        self.task: asyncio.Task[None] | None = None
        self.looked = asyncio.Event()
        self._journal = journal
        self._sender = sender
        self._owner = owner
        self._bulk = bulk
        self._plan = plan
        self._attempt = 0
        self._ends = time.monotonic() + PATIENCE
        self._lines: list[Line] = []
        self._unlooked = 0
        self._stopped = False

    async def go(self, attempt: int | None) -> None:
        """`attempt`: the number under which this process is at it already."""
        try:
            self._attempt = await self._taken_over() if attempt is None else attempt
            if self._attempt:
                await self._held(self._through())
        except (SQLAlchemyError, JournalUnavailable) as error:  # whoever asks again finds it again
            log.warning("a bulk was left", kind=type(error).__name__)
        except Exception:
            log.exception("a bulk was left")
        finally:
            self.looked.set()

    async def seen(self, by: float, left: Callable[[], float]) -> None:
        """Returns at its end, or `by` then on the loop's clock; where not all was looked at by then, when it is or no
        time is left."""
        assert self.task is not None
        await asyncio.wait([self.task], timeout=max(0.0, by - asyncio.get_running_loop().time()))
        with suppress(TimeoutError):
            await asyncio.wait_for(self.looked.wait(), left())

    def stop(self) -> None:
        self._stopped = True
        self._ends = 0.0
        for line in self._lines:
            line.stop()

    async def _taken_over(self) -> int:
        """0 where there is nothing to do, or another process does it."""
        followed = time.monotonic() + FOLLOWED_SECONDS
        while not self._stopped and time.monotonic() < followed:
            seen = await asyncio.to_thread(bulks.find, self._journal.engine, self._bulk.id)
            assert seen is not None, "bulks are never removed"
            if seen.until is None or seen.until < self._sender.now:
                if not await self._left():
                    return 0
                take = partial(bulks.take_over, seen=seen, owner=self._owner, until=self._sender.until)
                attempt = await self._journal.change(take)
                if attempt is not None:
                    return attempt
            await asyncio.sleep(FOLLOWED_EVERY)
        return 0

    async def _left(self) -> Sequence[KeptItem]:
        """What may be sent and was not."""
        items = await asyncio.to_thread(bulks.items, self._journal.engine, self._bulk)
        return [item for item in items if item.unsent]

    async def _held(self, work: Awaitable[None]) -> None:
        """Others know that somebody is at it."""
        holding = asyncio.create_task(self._hold())
        try:
            await work
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
        await self._journal.change(partial(bulks.leave, id_=self._bulk.id, attempt=self._attempt))

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(HELD_EVERY)
            waiting = [work.native for line in self._lines for work in line.queue]
            hold = partial(bulks.hold, id_=self._bulk.id, attempt=self._attempt, owner=self._owner, waiting=waiting)
            with suppress(JournalUnavailable):
                await self._journal.change(partial(hold, until=self._sender.until))

    async def _through(self) -> None:
        """Each account by itself: none waits for another's."""
        by_source: dict[Source | None, list[KeptItem]] = {}
        for item in await self._left():
            by_source.setdefault(self._plan.sources[item.index], []).append(item)
        self._unlooked = len(by_source)
        ended = await asyncio.gather(*(self._go_on(*one) for one in by_source.items()), return_exceptions=True)
        for outcome in ended:
            if outcome is not None:
                raise outcome

    async def _go_on(self, source: Source | None, items: Sequence[KeptItem]) -> None:
        line = None
        if source is not None:
            line = Line(self._journal.engine, self._sender, source)
            self._lines.append(line)
        try:
            for first in range(0, len(items), LOOKED_AT_ONCE):
                await self._look_at(items[first : first + LOOKED_AT_ONCE], line)
        finally:
            self._unlooked -= 1
            if not self._unlooked:
                self.looked.set()
        if line is not None and not self._stopped:
            await line.run()

    async def _look_at(self, items: Sequence[KeptItem], line: Line | None) -> None:
        """They are recorded in their order, as far as they can be."""
        if line is not None:
            await self._room(line.source)
        if self._stopped:
            return
        look = self._plan.looking()
        intents = await asyncio.gather(*(self._intent(item, look) for item in items))
        await asyncio.gather(*(self._take_on(*one, line) for one in zip(items, intents, strict=True)))

    async def _room(self, source: Source) -> None:
        """For what has to be read to know what is meant."""
        while time.monotonic() < self._ends and (wait := source.connector.guard.wait(Traffic.BULK)):  # noqa: ASYNC110
            await asyncio.sleep(min(wait, LAP))  # others may spend it meanwhile

    async def _intent(self, item: KeptItem, look: Look) -> Intent | VendgraphError | None:
        """None for one that has a command already."""
        if item.kept is not None and item.kept.command.status is CommandStatus.PENDING:
            return None
        pace = Pace(self._ends)
        while True:
            try:
                return await look(item.index, item.tries + 1)
            except VendgraphError as error:
                if not pace.allows(error) or self._stopped:
                    return error
                await pace.pause(error)
                look = self._plan.looking()

    async def _take_on(self, item: KeptItem, intent: Intent | VendgraphError | None, line: Line | None) -> None:
        if isinstance(intent, VendgraphError):
            await self._refuse(item, intent)
            return
        assert line is not None, "what has a command, or could have one, has an account"
        try:
            work = await (self._adopted(item, line.source) if intent is None else self._placed(item, intent, line))
        except VendgraphError as error:
            await self._refuse(item, error)
        else:
            if work is not None:
                line.queue.append(work)

    async def _placed(self, item: KeptItem, intent: Intent, line: Line) -> Work | None:
        """Raises VendgraphError."""
        number = item.tries + 1
        placed = await self._journal.change(
            lambda ledger: bulks.take_on(ledger, self._bulk.id, self._attempt, item.index, number, intent)
        )
        if placed is None or not placed[1]:
            return None  # somebody else is at it
        return self._work(placed[0].ref.native, 1, line.source, intent.order)

    async def _adopted(self, item: KeptItem, source: Source) -> Work | None:
        """One that was recorded, and that nobody has sent."""
        assert item.kept is not None
        native = item.kept.command.ref.native
        take = partial(
            Ledger.take_over, native=native, attempt=item.kept.attempt, owner=self._owner, until=self._sender.until
        )
        taken = await self._journal.change(take)
        if taken is None or taken.order is None:
            return None
        return self._work(native, taken.attempt, source, taken.order)

    def _work(self, native: str, attempt: int, source: Source, order: Order) -> Work:
        return Work(native=native, attempt=attempt, source=source, order=order, pace=Pace(self._ends))

    async def _refuse(self, item: KeptItem, error: VendgraphError) -> None:
        told = await self._plan.refused(item.index, error)
        refuse = partial(bulks.refuse, id_=self._bulk.id, attempt=self._attempt, index=item.index, error=told)
        await self._journal.change(refuse)
