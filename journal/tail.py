"""The end of the journal, read once in a process for all who follow it.

The newest entries are kept in memory. Who follows is served from there while they keep up, and from the store when
they have fallen behind: there is no queue for each of them that could grow."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from journal import log as journal
from journal.bus import Bus
from journal.log import Entry

log = structlog.get_logger()

KEPT = 4_096  # entries in memory
PAGE = 500
READ = 100  # entries that a follower is given at once
IDLE_SECONDS = 1.0  # how late news comes at the worst, where the bus has lost it


@dataclass(frozen=True, slots=True)
class Lost:
    """Entries after `after`, up to and with `until`, that are no longer there."""

    after: int
    until: int


Listener = Callable[[Sequence[Entry]], None]


class Tail:
    """`head` is the newest number that is known here. Listeners are told of new entries, in order, before followers."""

    def __init__(self, engine: Engine, bus: Bus) -> None:
        self._engine = engine
        self._bus = bus
        self._listeners: list[Listener] = []
        self._entries: list[Entry] = []
        self._grown = asyncio.Event()
        self.head = 0

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def start(self) -> None:
        """From the journal's end. Raises SQLAlchemyError where the store does not answer."""
        self.head = (await asyncio.to_thread(journal.read_head, self._engine)).seq

    async def run(self) -> None:
        """Until it is cancelled."""
        failing = False
        while True:
            await self._bus.wait(IDLE_SECONDS)
            try:
                await self._catch_up()
                failing = False
            except Exception as error:  # noqa: BLE001  whatever it is, those who follow wait here
                if not failing:
                    log.error("the journal cannot be read", kind=type(error).__name__)  # noqa: TRY400  may name the store
                failing = True

    async def _catch_up(self) -> None:
        while found := await asyncio.to_thread(journal.after, self._engine, self.head, PAGE):
            whole = found[0].seq == self.head + 1
            self.head = found[-1].seq
            self._entries = [*self._entries, *found][-KEPT:] if whole else found
            for listener in self._listeners:
                listener(found)
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()

    async def after(self, seq: int) -> Sequence[Entry | Lost]:
        """What comes next after a number, as soon as there is something; what is gone is told as lost.

        While the store does not answer, whoever has fallen behind waits for it."""
        while True:
            grown = self._grown
            if self._reaches(seq):
                found: Sequence[Entry | Lost] = self._kept(seq)
            else:
                found = await self._stored(seq)
            if found:
                return found
            await grown.wait()

    def _reaches(self, seq: int) -> bool:
        return seq >= self.head or (bool(self._entries) and self._entries[0].seq <= seq + 1)

    def _kept(self, seq: int) -> Sequence[Entry]:
        """Numbers have no holes, so that an entry's place tells its number."""
        if seq >= self.head:
            return []
        at = seq + 1 - self._entries[0].seq
        return self._entries[at : at + READ]

    async def _stored(self, seq: int) -> Sequence[Entry | Lost]:
        while True:
            try:
                return await asyncio.to_thread(self._read, seq)
            except SQLAlchemyError:
                await asyncio.sleep(IDLE_SECONDS)  # `run` tells of it

    def _read(self, seq: int) -> Sequence[Entry | Lost]:
        """What is pruned meanwhile is gone from the beginning of what is found."""
        found = journal.after(self._engine, seq, READ)
        if found and found[0].seq == seq + 1:
            return found
        pruned = journal.read_head(self._engine).pruned
        return [Lost(seq, pruned)] if seq < pruned else found
