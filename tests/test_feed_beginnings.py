"""With what a feed begins: what was recorded since there was one, and nothing older. And how it ends."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.facts import FactKind, Origin
from domain.sales import Sale
from gateway.feeds import Feed
from journal import leases, log, reports
from journal.appending import NO_MEANINGS
from journal.bus import Bus
from journal.journal import Journal
from journal.leases import StoreLeases, acquire
from journal.store import open_store
from resolvers.sources import CacheTimes, Source
from sandbox.smartvend import SmartVend
from sandbox.world import World
from tests.vendors import standing


class Clock:
    """The vendor's and ours."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def go_on(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Feeding:
    """An account of SmartVend, and the journal that it is read into."""

    def __init__(self, clock: Clock, vendor: SmartVend, source: Source, journal: Journal) -> None:
        self.clock = clock
        self.vendor = vendor
        self._source = source
        self._journal = journal

    def sell(self) -> str:
        (sale,) = self.vendor.make_sales(1)
        return str(sale["saleId"])

    def feed(self, every_seconds: float = 60) -> Feed:
        """As a process begins with it."""
        own = StoreLeases(self._journal.engine, "me")
        return Feed(self._source, self._journal, own, every_seconds=every_seconds, now=self.clock)

    async def read(self, feed: Feed, times: int = 2) -> None:
        """What is unknown at the second reading is missing."""
        for _ in range(times):
            self.clock.go_on(60)
            await feed.read()

    @property
    def told(self) -> list[tuple[str, Origin]]:
        """The sales of the journal."""
        entries = log.after(self._journal.engine, 0, 1000).entries
        return [(one.content.vendor_id, one.origin) for one in entries if isinstance(one.content, Sale)]

    @property
    def missed(self) -> Any:
        mark = reports.watermark(self._journal.engine, self._source.key, FactKind.SALE)
        return None if mark is None else mark.missed_at


@asynccontextmanager
async def feeding(folder: Path, *, hooked: bool = True) -> AsyncIterator[Feeding]:
    clock = Clock()
    vendor = SmartVend(World(scale=0.02, days=2, start=clock.moment, now=clock))
    clock.go_on(3600)
    changed: dict[str, Any] = {} if hooked else {"webhook": None}
    async with standing("smartvend", vendor=vendor, **changed) as standing_:
        engine = open_store(f"sqlite:///{folder}/store.db")
        journal = Journal(engine, Bus(), NO_MEANINGS)
        await journal.start()
        source = Source(standing_.connector, CacheTimes(), journal)
        yield Feeding(clock, vendor, source, journal)
        await journal.close()
        engine.dispose()


@pytest.mark.parametrize(("hooked", "origin"), [(True, Origin.BACKFILL), (False, Origin.POLL)])
async def test_what_was_recorded_before_anybody_listened_is_no_news(
    tmp_path: Path, hooked: bool, origin: Origin
) -> None:
    async with feeding(tmp_path, hooked=hooked) as feeding_:
        feeding_.sell()
        feeding_.clock.go_on(30)
        feed = feeding_.feed()
        await feeding_.read(feed)
        assert (feeding_.told, feeding_.missed) == ([], None)
        sold = feeding_.sell()
        await feeding_.read(feed)
        assert feeding_.told == [(sold, origin)]


async def test_what_was_recorded_while_no_process_was_there_is_missed(tmp_path: Path) -> None:
    async with feeding(tmp_path) as feeding_:
        await feeding_.read(feeding_.feed())
        sold, at = feeding_.sell(), feeding_.clock.moment
        feeding_.clock.go_on(86_400)
        await feeding_.read(feeding_.feed())
        assert feeding_.told == [(sold, Origin.BACKFILL)]
        assert feeding_.missed == at


@pytest.mark.parametrize(("hooked", "origin"), [(True, Origin.BACKFILL), (False, Origin.POLL)])
async def test_what_was_there_before_the_first_start_is_no_news_after_the_second(
    tmp_path: Path, hooked: bool, origin: Origin
) -> None:
    """Though the second begins to read before the first one's beginning: what is recorded late is looked for."""
    async with feeding(tmp_path, hooked=hooked) as feeding_:
        feeding_.sell()
        feeding_.clock.go_on(30)
        await feeding_.read(feeding_.feed())
        sold = feeding_.sell()
        again = feeding_.feed()
        await feeding_.read(again)
        assert feeding_.told == [(sold, origin)]


async def test_what_is_recorded_as_a_process_begins_is_not_lost(tmp_path: Path) -> None:
    """A vendor tells whole seconds: the sale lies before the beginning by up to one."""
    async with feeding(tmp_path) as feeding_:
        feeding_.clock.go_on(0.9)
        feed = feeding_.feed()
        sold = feeding_.sell()
        await feeding_.read(feed)
        assert feeding_.told == [(sold, Origin.BACKFILL)]


async def test_who_is_stopped_while_a_lease_is_taken_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs in a thread goes on when nobody waits for it any more."""
    taking, go_on, taken = threading.Event(), threading.Event(), threading.Event()

    def slowly(*told: Any) -> bool:
        taking.set()
        go_on.wait()
        held = acquire(*told)
        taken.set()
        return held

    monkeypatch.setattr(leases, "acquire", slowly)
    async with feeding(tmp_path) as feeding_:
        feed = feeding_.feed(every_seconds=0.01)
        running = asyncio.create_task(feed.run())
        await asyncio.to_thread(taking.wait)
        running.cancel()
        await asyncio.wait({running}, timeout=0.3)  # it does not end before
        go_on.set()
        await asyncio.wait({running})
        await asyncio.to_thread(taken.wait)
        assert acquire(feed._journal.engine, feed._lease, "another", 10)
