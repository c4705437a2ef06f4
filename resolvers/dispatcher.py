"""A process' commands: recorded before they are sent, each by one task, whoever asks and however often."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from domain.commands import Command, CommandStatus
from domain.errors import RateLimited
from domain.times import utc_now
from journal import commands
from journal.intents import Intent, Kept
from journal.journal import Journal
from journal.ledger import Ledger
from journal.writer import JournalUnavailable
from resolvers.bulk_runs import Bulks
from resolvers.sending import PATIENCE, Sender, Work
from resolvers.sources import Source

AT_ONCE = 500  # commands under way in a process
FOLLOWED_EVERY = 0.25  # seconds between looks at one that another process is at


class Dispatcher:
    """A process' commands. `answer_seconds`: how long a caller waits for what becomes of one."""

    def __init__(
        self, journal: Journal, *, answer_seconds: float = 2.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.owner = secrets.token_hex(8)
        self._journal = journal
        self._seconds = answer_seconds
        self._sender = Sender(journal, clock)
        self.secrets = self._sender.secrets
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self.bulks = Bulks(journal, self._sender, self.owner)

    @property
    def until(self) -> float:
        """UNIX seconds to which this process is at what it takes on now."""
        return self._sender.until

    @property
    def now(self) -> float:
        """UNIX seconds."""
        return self._sender.now

    @property
    def answers_by(self) -> float:
        """When somebody who asks now has waited long enough, on the loop's clock."""
        return asyncio.get_running_loop().time() + self._seconds

    async def place(self, source: Source, intent: Intent, by: float | None = None) -> Command:
        """The command as it is a moment later. Raises VendgraphError where it was not taken on; JournalUnavailable
        where it could not be recorded, so that nothing is sent."""
        if len(self._under_way) >= AT_ONCE:
            raise RateLimited("too many commands are under way here: try again in a moment")
        command, new = await self._placed(intent)
        if not new:
            return await self.again(source, command, by)
        work = Work(native=command.ref.native, attempt=1, source=source, order=intent.order)
        self._start(work.native, self._sender.run(work))
        return await self.seen(command, by)

    async def _placed(self, intent: Intent) -> tuple[Command, bool]:
        """A store that fails while it commits may have kept it all the same."""
        try:
            return await self._journal.change(lambda ledger: ledger.place(intent))
        except JournalUnavailable:
            with suppress(SQLAlchemyError):
                kept = await asyncio.to_thread(commands.find, self._journal.engine, intent.command.ref.native)
                if kept is not None:
                    return kept.command, True
            raise

    async def again(self, source: Source, command: Command, by: float | None = None) -> Command:
        """What was asked for before. Where it was never sent, and nobody is at it any more, it is taken on now."""
        native = command.ref.native
        waits = command.status is CommandStatus.PENDING and len(self._under_way) < AT_ONCE
        if waits and native not in self._under_way:
            self._start(native, self._adopt(source, native))
        return await self.seen(command, by)

    def _start(self, native: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way[native] = task
        task.add_done_callback(lambda ended: self._forget(native, ended))

    def _forget(self, native: str, task: "asyncio.Task[None]") -> None:
        if self._under_way.get(native) is task:
            del self._under_way[native]

    async def _adopt(self, source: Source, native: str) -> None:
        with suppress(SQLAlchemyError, JournalUnavailable):  # whoever asks again finds it again
            kept = await self._abandoned(native)
            if kept is None:
                return
            take = partial(Ledger.take_over, native=native, attempt=kept.attempt, owner=self.owner, until=self.until)
            taken = await self._journal.change(take)
            if taken is not None and taken.order is not None:
                await self._sender.run(Work(native=native, attempt=taken.attempt, source=source, order=taken.order))

    async def _abandoned(self, native: str) -> Kept | None:
        """As soon as whoever was at it has said nothing for too long; None where it goes on without us."""
        while True:
            kept = await asyncio.to_thread(commands.find, self._journal.engine, native)
            if kept is None or kept.command.status is not CommandStatus.PENDING or late(kept, utc_now()):
                return None
            if kept.until is None or kept.until < self._sender.now:
                return kept
            await asyncio.sleep(FOLLOWED_EVERY)

    async def seen(self, command: Command, by: float | None = None) -> Command:
        """As it is when its sending is over, or when the caller has waited long enough: see `answers_by`."""
        task = self._under_way.get(command.ref.native)
        if task is not None:
            wait = self._seconds if by is None else by - asyncio.get_running_loop().time()
            await asyncio.wait([task], timeout=max(0.0, wait))
        with suppress(SQLAlchemyError):
            kept = await asyncio.to_thread(commands.find, self._journal.engine, command.ref.native)
            return command if kept is None else kept.command
        return command

    async def aclose(self, seconds: float = 10.0) -> None:
        """Lets what is under way come to its end; what does not is UNKNOWN. Where that cannot be recorded either, the
        next process finds it."""
        waiting = {*self._under_way.values(), *self.bulks.stop()}
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=seconds)
            for task in waiting:
                task.cancel()


def late(kept: Kept, now: datetime) -> bool:
    """Whether it waited for so long that it is not sent any more."""
    return (now - kept.command.created_at).total_seconds() > PATIENCE
