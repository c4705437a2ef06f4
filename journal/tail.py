"""The end of the journal, read once in a process for all who follow it.

The newest entries are kept in memory. Who follows is served from there while they keep up, and from the store when
they have fallen behind: there is no queue for each of them that could grow."""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from journal import log as journal
from journal.bus import Bus
from journal.log import Entry, Page

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


@dataclass(frozen=True, slots=True)
class Part:
    """What there is after a number, in order, and the number up to which that is all."""

    found: Sequence[Entry | Lost]
    until: int


class Tail:
    """`head` is the newest number that is known here. Listeners are told of new entries, in order, before followers."""

    def __init__(self, engine: Engine, bus: Bus) -> None:
        self._engine = engine
        self._bus = bus
        self._listeners: list[Listener] = []
        self._kept: Sequence[Entry] = []  # all there are after `_since`, up to `head`
        self._since = 0
        self._grown = asyncio.Event()
        self.head = 0

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def start(self) -> None:
        """From the journal's end. Raises SQLAlchemyError where the store does not answer."""
        self.head = self._since = (await asyncio.to_thread(journal.read_head, self._engine)).seq

    async def run(self) -> None:
        """Until it is cancelled."""
        failing = False
        while True:
            await self._bus.wait(IDLE_SECONDS)
            try:
                await self._catch_up()
                failing = False
            except Exception as error:  # noqa: BLE001  whatever it is, who follows must not be left for ever
                if not failing:
                    log.error("the journal cannot be read", kind=type(error).__name__)  # noqa: TRY400  may name the store
                failing = True

    async def _catch_up(self) -> None:
        while (page := await asyncio.to_thread(journal.after, self._engine, self.head, PAGE)).until > self.head:
            self._keep(page)
            for listener in self._listeners:
                _tell(listener, page.entries)
            grown, self._grown = self._grown, asyncio.Event()
            grown.set()

    def _keep(self, page: Page) -> None:
        if page.after > self.head:  # it was away for so long that what it missed is gone
            self._kept, self._since = [], page.after
        self._kept = [*self._kept, *page.entries]
        self.head = page.until
        if len(self._kept) > KEPT:
            self._since = self._kept[-KEPT - 1].seq
            self._kept = self._kept[-KEPT:]

    async def reach(self, seq: int) -> None:
        """Returns when listeners were told up to a number, or some time has passed without."""
        if self.head >= seq:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_SECONDS):
                while self.head < seq:
                    await self._grown.wait()

    async def after(self, seq: int) -> Part:
        """What comes next after a number, as soon as there is something; what is gone is told as lost.

        While the store does not answer, that which is not in memory is waited for."""
        while True:
            grown = self._grown
            part = self._remembered(seq) if seq >= self._since else await self._stored(seq)
            if part.until > seq:
                return part
            await grown.wait()

    def _remembered(self, seq: int) -> Part:
        at = bisect_right(self._kept, seq, key=lambda entry: entry.seq)
        some = self._kept[at : at + READ]
        return Part(some, max(seq, self.head) if at + READ >= len(self._kept) else some[-1].seq)

    async def _stored(self, seq: int) -> Part:
        while True:
            try:
                return await asyncio.to_thread(self._read, seq)
            except SQLAlchemyError:
                await asyncio.sleep(IDLE_SECONDS)

    def _read(self, seq: int) -> Part:
        page = journal.after(self._engine, seq, READ)
        if page.until > seq:
            return _lost(seq, page.after) if page.after > seq else Part(page.entries, page.until)
        gone = journal.read_head(self._engine).pruned
        return _lost(seq, gone) if gone > seq else Part([], seq)


def _lost(after: int, until: int) -> Part:
    return Part([Lost(after, until)], until)


def _tell(listener: Listener, entries: Sequence[Entry]) -> None:
    """One that fails must not keep the others waiting."""
    try:
        listener(entries)
    except Exception:
        log.exception("entries were not heard", seq=entries[0].seq if entries else None)
