"""A process' commands: recorded before they are sent, each by one task, whoever asks and however often."""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from domain.commands import Command
from domain.errors import RateLimited
from journal import commands
from journal.intents import Intent
from journal.journal import Journal
from journal.writer import JournalUnavailable
from resolvers.sending import Sender, Work
from resolvers.sources import Source

AT_ONCE = 500  # commands under way in a process


class Dispatcher:
    """A process' commands. `answer_seconds`: how long a caller waits for what becomes of one."""

    def __init__(
        self, journal: Journal, *, answer_seconds: float = 2.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.owner = secrets.token_hex(8)
        self._journal = journal
        self._seconds = answer_seconds
        self._sender = Sender(journal, clock)
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @property
    def until(self) -> float:
        """UNIX seconds to which this process is at what it takes on now."""
        return self._sender.until

    async def place(self, source: Source, intent: Intent) -> Command:
        """The command as it is a moment later. Raises VendgraphError where it was not taken on; JournalUnavailable
        where it could not be recorded, so that nothing is sent."""
        if len(self._under_way) >= AT_ONCE:
            raise RateLimited("too many commands are under way here: try again in a moment")
        command, new = await self._placed(intent)
        if new:
            self.start(Work(native=command.ref.native, attempt=1, source=source, order=intent.order))
        return await self.seen(command)

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

    def start(self, work: Work) -> None:
        task = asyncio.create_task(self._sender.run(work))
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
        """Lets what is under way come to its end; what does not is UNKNOWN. Where that cannot be recorded either, the
        next process finds it."""
        waiting = set(self._under_way.values())
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=seconds)
            for task in waiting:
                task.cancel()
