"""The journal of a process: its writer, its tail, and what is read of it, off the event loop."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine

from domain.facts import FactKind
from domain.states import MachineState
from domain.times import Span
from journal import days, log, reports
from journal.appending import Illegible, Meanings, Receipt, Report
from journal.bus import Bus
from journal.ledger import Ledger
from journal.log import Entry
from journal.reports import Counts, Watermark
from journal.tail import Tail
from journal.writer import Writer

T = TypeVar("T")


class Journal:
    """Its methods raise SQLAlchemyError where the store does not answer."""

    def __init__(self, engine: Engine, bus: Bus, meanings: Meanings) -> None:
        self.engine = engine
        self.tail = Tail(engine, bus)
        self._bus = bus
        self._writer = Writer(engine, meanings, bus.announce)
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Before `follow`, so that who listens can begin with what there was. Raises SQLAlchemyError."""
        await self._bus.start()
        await self.tail.start()
        self._writer.start()

    def follow(self) -> None:
        self._following = asyncio.create_task(self.tail.run())

    async def close(self) -> None:
        """What waits to be written is written first."""
        await asyncio.to_thread(self._writer.close)
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._bus.close()

    async def append(self, work: Report | Illegible) -> Receipt:
        """Returns when it is durable. Raises JournalUnavailable."""
        return await self._writer.append(work)

    async def change(self, change: Callable[[Ledger], T]) -> T:
        """Changes the ledger, durably. Raises JournalUnavailable, or what the change raises."""
        return await self._writer.change(change)

    @property
    def is_caught_up(self) -> bool:
        """Whether listeners know what was recorded by this process."""
        return self.tail.head >= self._writer.until

    async def caught_up(self) -> None:
        """Returns when listeners know what was recorded by this process, or have not come to know it in a second."""
        await self.tail.reach(self._writer.until)

    def reject(self, account: str) -> None:
        self._writer.reject(account)

    async def head(self) -> int:
        """The newest number that there is, here or on another replica."""
        return (await asyncio.to_thread(log.read_head, self.engine)).seq

    async def history(
        self, account: str, kind: FactKind, span: Span, want: int, machines: Iterable[str] | None
    ) -> Sequence[Entry]:
        return await asyncio.to_thread(log.history, self.engine, account, kind, span, want, machines)

    async def find(self, account: str, kind: FactKind, identity: str) -> Entry | None:
        return await asyncio.to_thread(log.find, self.engine, account, kind, identity)

    async def known(self, account: str, kind: FactKind, identities: Iterable[str]) -> frozenset[str]:
        """Those of the identities that were ever told."""
        return await asyncio.to_thread(log.known, self.engine, account, kind, list(identities))

    async def counts(self) -> Mapping[str, Counts]:
        """By account; those that never got a webhook are not there."""
        return await asyncio.to_thread(self._writer.counts)

    async def missed(self) -> Mapping[str, datetime]:
        return await asyncio.to_thread(reports.missed, self.engine)

    async def watermark(self, account: str, kind: FactKind) -> Watermark | None:
        return await asyncio.to_thread(reports.watermark, self.engine, account, kind)

    async def states(self) -> Mapping[tuple[str, str], MachineState]:
        return await asyncio.to_thread(reports.all_states, self.engine)

    async def links(self) -> Mapping[str, Mapping[str, tuple[str, str]]]:
        return await asyncio.to_thread(reports.all_links, self.engine)

    async def sum_up_days(self, before: datetime) -> int:
        """How many days were; 0 where all that were over have their sums."""
        return await asyncio.to_thread(days.sum_up, self.engine, before)

    async def prune(self, before: datetime) -> int:
        return await asyncio.to_thread(log.prune, self.engine, before)
