"""Feeds: what vendors' lists tell is read into the journal, one process an account at a time.

Where a vendor sends webhooks the lists only show what they missed: a record that is still unknown when it is read
for the second time, or too old to be read again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from connectors.guard import Traffic
from connectors.http import asking
from connectors.reading import ReadsEvents, ReadsSales
from domain.errors import VendorError
from domain.facts import FactKind, Origin, identity_of, recorded
from domain.model import MachineEvent
from domain.paging import Slice
from domain.sales import Sale
from domain.times import Span, utc_now
from journal import reports
from journal.appending import Report
from journal.journal import Journal
from journal.leases import Leases
from journal.reports import Watermark
from journal.writer import JournalUnavailable
from resolvers.sources import Source

log = structlog.get_logger()

OVERLAP = timedelta(minutes=5)  # what was recorded late is found when the list is read once more
AHEAD = timedelta(seconds=2)  # a vendor's clock may run a little ahead of ours
BEHIND = timedelta(seconds=5)  # or behind it, and it may tell whole seconds
ROWS = 500  # asked for at once
STEP = timedelta(hours=6)  # of a backlog that is read, recorded and ticked off together
HURRY = 0.1  # part of the interval by which a reading may come early, so that feeds do not march in step
LONGER = 10.0  # seconds that a lease outlasts the interval
LOOKED = 5.0  # seconds between looks at a lease that another holds

Record = Sale | MachineEvent
Read = Callable[[Span, int, frozenset[str] | None], Awaitable[Slice[Sale] | Slice[MachineEvent]]]


@dataclass(frozen=True, slots=True)
class List:
    kind: FactKind
    read: Read


class Feed:
    """One account's."""

    def __init__(
        self,
        source: Source,
        journal: Journal,
        leases: Leases,
        *,
        every_seconds: float,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._source = source
        self._journal = journal
        self._leases = leases
        self._every = every_seconds
        self._now = now
        self._begun = now()
        self._awaited: dict[FactKind, frozenset[str]] = {}
        self._holding: asyncio.Task[bool] | None = None
        self._hooked = source.account.webhook is not None

    @property
    def _overlap(self) -> timedelta:
        return max(OVERLAP, timedelta(seconds=3 * self._every))

    @property
    def _lease(self) -> str:
        return f"feed:{self._source.key}"

    async def run(self) -> None:
        """Until it is cancelled; then another process may take over at once. It begins after one interval: what is
        recorded from the start on is found then, and queries go first."""
        asking.set(Traffic.FEED)
        try:
            held = True
            while True:
                wait = self._every * (1 - random.random() * HURRY)  # noqa: S311  it spreads load, it guards nothing
                await asyncio.sleep(wait if held else min(wait, LOOKED))
                held = await self._hold()
                if held:
                    await self.read()
        finally:
            await asyncio.shield(self._let_go())

    async def _hold(self) -> bool:
        self._holding = asyncio.create_task(self._leases.hold(self._lease, self._every + LONGER))
        try:
            return await asyncio.shield(self._holding)
        except SQLAlchemyError:
            return False

    async def _let_go(self) -> None:
        """After a renewal that is under way: it would else outlast this."""
        with suppress(SQLAlchemyError):
            if self._holding is not None:
                await asyncio.wait({self._holding})
            await self._leases.release(self._lease)

    async def read(self) -> None:
        """All lists once. A vendor or a store that fails is asked again the next time."""
        for one in self.lists():
            try:
                await self._read(one)
            except (VendorError, JournalUnavailable, SQLAlchemyError) as error:
                log.info("feed skipped", account=self._source.key, kind=one.kind, error=type(error).__name__)
            except Exception:
                log.exception("feed failed", account=self._source.key, kind=one.kind)

    def lists(self) -> Sequence[List]:
        connector = self._source.connector
        found: list[List] = []
        if isinstance(connector, ReadsSales):
            found.append(List(FactKind.SALE, connector.sales))
        if isinstance(connector, ReadsEvents):
            found.append(List(FactKind.EVENT, connector.events))
        return found

    async def _read(self, one: List) -> None:
        now = self._now()
        mark = await self._watermark(one.kind)
        unknown: set[str] = set()
        for window in _windows(self._lowest(mark, now), now + AHEAD):
            missed_at, left = await self._append(one.kind, await _all(one.read, window), now)
            unknown |= left
            read = min(window.until, now) - self._overlap
            await self._mark(one.kind, replace(mark, at=read, missed_at=missed_at))
            if window.until < now and not await self._hold():
                return  # it took so long that another is at it
        self._awaited[one.kind] = frozenset(unknown)

    async def _watermark(self, kind: FactKind) -> Watermark:
        mark = await self._journal.watermark(self._source.key, kind)
        if mark is None:
            since = self._begun - BEHIND  # nobody missed what was there before
            mark = Watermark(since=since, at=since)
            await self._mark(kind, mark)  # however long the vendor fails from now on
        return mark

    def _lowest(self, mark: Watermark, now: datetime) -> datetime:
        """Where to begin to read. A clock may have been put back since the mark was made."""
        lowest = min(mark.at, now - self._overlap)
        return max(lowest, mark.since) if mark.since < now else lowest

    async def _mark(self, kind: FactKind, mark: Watermark) -> None:
        await asyncio.to_thread(reports.set_watermark, self._journal.engine, self._source.key, kind, mark)

    async def _append(
        self, kind: FactKind, found: Sequence[Record], now: datetime
    ) -> tuple[datetime | None, frozenset[str]]:
        """When the newest was recorded that a webhook should have told of by now, if any; and what is unknown."""
        known = await self._journal.known(self._source.key, kind, (identity_of(item.ref) for item in found))
        unknown = {identity: item for item in found if (identity := identity_of(item.ref)) not in known}
        late = [item for identity, item in unknown.items() if self._is_late(kind, identity, item, now)]
        late.sort(key=lambda item: item.recorded_at)
        for at in range(0, len(late), ROWS):
            report = Report(
                account=self._source.key,
                facts=[recorded(identity_of(item.ref), item) for item in late[at : at + ROWS]],
                origin=Origin.BACKFILL if self._hooked else Origin.POLL,
                received_at=now,
            )
            await self._journal.append(report)
        return late[-1].recorded_at if late and self._hooked else None, frozenset(unknown)

    def _is_late(self, kind: FactKind, identity: str, item: Record, now: datetime) -> bool:
        """Whether no webhook is waited for any longer. What will not be read a second time is taken at once."""
        if not self._hooked or identity in self._awaited.get(kind, frozenset()):
            return True
        return item.recorded_at < now - self._overlap


def _windows(since: datetime, until: datetime) -> Iterable[Span]:
    """The oldest first, so that each one that is done stays done."""
    while since < until:
        end = min(since + STEP, until)
        yield Span(since, end)
        since = end


async def _all(read: Read, span: Span) -> list[Record]:
    found: dict[object, Record] = {}
    until = span.until
    while until > span.since:
        part = await read(Span(span.since, until), ROWS, None)
        found.update((item.ref, item) for item in part.items)
        until = part.since
    return list(found.values())
