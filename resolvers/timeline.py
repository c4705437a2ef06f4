"""What an account recorded, newest first: stretches of its past, read backwards and kept for a while.

The past does not change, for `recorded_at` is the vendor's server's time; only the newest end grows. So a stretch that
is fresh serves every page that lies in it, is lengthened for the pages below, and stands in when the vendor fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Generic, TypeVar

from cachetools import TTLCache

from domain.errors import VendorError
from domain.paging import Slice
from domain.times import Span, utc_now
from resolvers.cache import KEPT, Tally, hit
from resolvers.cursors import Gap
from resolvers.standing import Mark, Reading
from resolvers.stretches import (
    INSTANT,
    NEWEST_FIRST,
    NOBODY,
    SETS,
    Machines,
    Recorded,
    Stretch,
    Stretches,
    Wanted,
    at,
    position,
)

AHEAD = timedelta(minutes=1)  # a vendor's clock may run that much ahead of ours
SETTLED = timedelta(hours=1)  # what is older than this when it is read will not be joined by more
LONGEST = 5_000  # items of one stretch: a page below so many starts a stretch of its own
DOUBLED = 16  # times at most that a reading is doubled: by then it is as long as can be

T = TypeVar("T", bound=Recorded)
Read = Callable[[Span, int, Machines], Awaitable[Slice[T]]]


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """In order. `untold`: the gaps in what was wanted of which nothing is known, on account of `error`.

    `complete` is false where some that there are could not be read."""

    items: Sequence[T]
    as_of: datetime
    complete: bool
    error: VendorError | None = None
    untold: Sequence[Gap] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    mark: Mark
    fresh_until: float
    clock: Callable[[], float]
    counts: Tally

    def stands(self) -> bool:
        if not self.mark.stands() or self.clock() >= self.fresh_until:
            return False
        self.counts.hits += 1
        return True


Instead = Callable[[Mapping[Machines, VendorError], Wanted], Awaitable[Mapping[Machines, Found[T] | VendorError]]]


class Timeline(Generic[T]):
    """One list of one account. `read` is the connector's; `horizon` is how far back it is ever read.

    A set of machines (None: all) has stretches of its own; sets that are asked for together are read together.
    `tell` hears of every item that was read. `instead` is asked where the vendor fails and nothing is kept."""

    def __init__(
        self,
        read: Read[T],
        *,
        ttl: float,
        horizon: timedelta,
        late: Callable[[float], VendorError],
        tell: Callable[[Sequence[T]], None] = lambda _: None,
        instead: Instead[T] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._read = read
        self._ttl = ttl
        self._horizon = horizon
        self._late = late
        self._tell = tell
        self._instead = instead
        self._clock = clock
        self._now = now
        self._stretches: Stretches[T] = Stretches()
        self._floors: TTLCache[Machines, datetime] = TTLCache(SETS, KEPT, timer=clock)
        self._tasks: set[asyncio.Task[VendorError | None]] = set()
        self.counts = Tally()

    async def newest(
        self,
        sets: Iterable[Machines],
        wanted: Wanted,
        timeout: float,  # noqa: ASYNC109  flights outlive their waiters, so a cancel scope would not do
    ) -> "dict[Machines, Found[T] | VendorError]":
        """For each set of machines the newest that are wanted, or why there are none."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout
        newest = self._now() + AHEAD  # one moment for all, so that they are read together
        chosen = {machines: self._choose(machines, wanted, newest) for machines in sets}
        self._count(sum(self._suffices(machines, stretch, wanted) for machines, stretch in chosen.items()), len(chosen))
        errors: dict[Machines, VendorError] = {}
        while short := self._short(chosen, wanted, errors):
            if loop.time() < ends:
                self._lengthen(short, wanted)
            errors |= await self._landed(short, ends - loop.time(), timeout)
        found = {one: self._result(one, stretch, wanted, errors.get(one)) for one, stretch in chosen.items()}
        failed = {machines: one for machines, one in found.items() if isinstance(one, VendorError)}
        return {**found, **await self._instead(failed, wanted)} if failed and self._instead is not None else found

    def report(self, item: T) -> None:
        """It was recorded just now, or late: what is kept shows it, without the vendor being asked."""
        machine = None if item.machine_ref is None else item.machine_ref.native
        for stretch in self._stretches.having(machine):
            stretch.insert(item, position(item))

    def forget(self) -> None:
        """What was recorded is another by now: it is read again when somebody looks."""
        self._stretches.clear()
        self._floors.clear()

    def peek(self, machines: Machines, wanted: Wanted) -> Found[T] | None:
        """What is wanted, where all of it is fresh."""
        chosen = self._kept(machines, wanted, self._now() + AHEAD)
        if chosen is None or not self._suffices(machines, chosen, wanted):
            return None
        self._count(1, 1)
        return Found(chosen.found(wanted), chosen.as_of, chosen.complete)

    def reading(self, machines: Machines, wanted: Wanted) -> Reading | None:
        """What is wanted, as something that can be asked whether it is still all there and fresh; None where it is not.

        `wanted` begins at the newest and has no upper end: what that is would change with the time."""
        chosen = self._kept(machines, wanted, self._now() + AHEAD)
        if chosen is None or not self._suffices(machines, chosen, wanted) or not chosen.begun:
            return None
        return _Reading(chosen.mark, chosen.fresh_until, self._clock, self.counts)

    def _count(self, hits: int, asked: int) -> None:
        self.counts.hits += hits
        self.counts.misses += asked - hits
        hit(hits)

    @property
    def as_of(self) -> datetime | None:
        """When its newest end was read last."""
        return max((one.as_of for one in self._stretches if one.head and one.begun), default=None)

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _choose(self, machines: Machines, wanted: Wanted, newest: datetime) -> Stretch[T]:
        kept = self._kept(machines, wanted, newest)
        if kept is not None:
            return kept
        head = _is_head(wanted, newest)
        top = newest if head else wanted.until
        fresh_until = self._clock() + self._ttl
        made = Stretch[T](until=top, since=top, head=head, as_of=self._now(), fresh_until=fresh_until)
        self._stretches.add(machines, made)
        return made

    def _kept(self, machines: Machines, wanted: Wanted, newest: datetime) -> Stretch[T] | None:
        head = _is_head(wanted, newest)
        for stretch in self._stretches.of(machines):
            if _serves(stretch, wanted.until, head=head) and self._is_usable(machines, stretch, wanted):
                return stretch
        return None

    def _is_usable(self, machines: Machines, stretch: Stretch[T], wanted: Wanted) -> bool:
        joinable = stretch.flight is not None and not stretch.begun
        short = len(stretch.items) < LONGEST or self._suffices(machines, stretch, wanted)
        return short and (joinable or self._clock() < stretch.fresh_until)

    def _suffices(self, machines: Machines, stretch: Stretch[T], wanted: Wanted) -> bool:
        return self._ended(machines, stretch, wanted) or stretch.count(wanted) >= wanted.count

    def _ended(self, machines: Machines, stretch: Stretch[T], wanted: Wanted) -> bool:
        return machines == NOBODY or stretch.since <= max(wanted.since, self._bottom(machines))

    def _bottom(self, machines: Machines) -> datetime:
        """Below this nothing was ever recorded, as far as we look."""
        horizon = self._now() - self._horizon
        return max(horizon, self._floors.get(machines, horizon), self._floors.get(None, horizon))

    def _short(
        self, chosen: Mapping[Machines, Stretch[T]], wanted: Wanted, errors: Collection[Machines]
    ) -> dict[Machines, Stretch[T]]:
        """Those that do not reach far enough, but for those that cannot be lengthened now."""
        short: dict[Machines, Stretch[T]] = {}
        for machines, stretch in chosen.items():
            if self._suffices(machines, stretch, wanted):
                stretch.tries = 0
            elif machines not in errors:
                short[machines] = stretch
        return short

    def _lengthen(self, short: Mapping[Machines, Stretch[T]], wanted: Wanted) -> None:
        """Starts a flight for each group of stretches that end at the same time."""
        groups: dict[tuple[datetime, bool], dict[Machines, Stretch[T]]] = {}
        for machines, stretch in short.items():
            if stretch.flight is None:
                groups.setdefault((stretch.since, machines is None), {})[machines] = stretch
        for (until, _), group in groups.items():
            lower = min(max(wanted.since, self._bottom(machines)) for machines in group)
            task = asyncio.create_task(self._fly(group, Span(lower, until), _room(group, wanted)))
            self._tasks.add(task)
            task.add_done_callback(self._forget_task)
            for stretch in group.values():
                stretch.flight = task
                stretch.tries += 1

    def _forget_task(self, task: "asyncio.Task[VendorError | None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits has it; nobody waiting is no reason to warn

    async def _landed(
        self, short: Mapping[Machines, Stretch[T]], left: float, patience: float
    ) -> dict[Machines, VendorError]:
        """What went wrong, once all flights have landed or the time is over."""
        flights = {machines: stretch.flight for machines, stretch in short.items()}
        waited = {flight for flight in flights.values() if flight is not None}
        if waited:
            await asyncio.wait(waited, timeout=max(0.0, left))
        errors: dict[Machines, VendorError] = {}
        for machines, flight in flights.items():
            error = self._late(patience) if flight is None or not flight.done() else flight.result()
            if error is not None:
                errors[machines] = error
        return errors

    async def _fly(self, group: Mapping[Machines, Stretch[T]], span: Span, want: int) -> VendorError | None:
        sets = [machines for machines in group if machines is not None]
        union = sets[0].union(*sets[1:]) if sets else None
        started = self._now()
        try:
            found = await self._read(span, want, union)
        except VendorError as error:
            for machines, stretch in group.items():
                if not stretch.begun:
                    self._stretches.drop(machines, stretch)
            return error
        finally:
            for stretch in group.values():
                stretch.flight = None
        inside = [item for item in found.items if item.recorded_at in span]
        self._share(group, replace(found, items=inside), started)
        return None

    def _share(self, group: Mapping[Machines, Stretch[T]], found: Slice[T], started: datetime) -> None:
        placed = sorted(((position(item), item) for item in found.items), key=itemgetter(0), reverse=True)
        items = [item for _, item in placed]
        self._tell(items)
        for stretch in group.values():
            if not stretch.begun:
                stretch.as_of, stretch.fresh_until = started, self._clock() + self._ttl
                stretch.proven = items[0].recorded_at if items else None
            stretch.since = min(found.since, stretch.since - INSTANT)
            stretch.complete = stretch.complete and found.complete
        owners = _owners(group)
        for place, item in placed:
            for stretch in owners(item):
                stretch.add(item, place)
        for stretch in group.values():
            stretch.changed()
        for machines, stretch in group.items():
            if stretch.since <= self._now() - self._horizon:
                oldest = stretch.items[-1].recorded_at if stretch.items else stretch.until
                self._floors[machines] = min(oldest, stretch.as_of - SETTLED)
        self._stretches.trim()

    def _result(
        self, machines: Machines, chosen: Stretch[T], wanted: Wanted, error: VendorError | None
    ) -> Found[T] | VendorError:
        if error is None:
            return Found(chosen.found(wanted), chosen.as_of, chosen.complete)
        stretch = self._stand_in(machines, chosen, wanted)
        if stretch is None:
            return error
        untold: list[Gap] = []
        if stretch is not chosen and wanted.gap.after is None and stretch.head:
            untold += NEWEST_FIRST.above([wanted.gap], stretch.top)
        if not self._suffices(machines, stretch, wanted):
            untold += NEWEST_FIRST.below([wanted.gap], at(stretch.since))
        return Found(stretch.found(wanted), stretch.as_of, stretch.complete, error, untold)

    def _stand_in(self, machines: Machines, chosen: Stretch[T], wanted: Wanted) -> Stretch[T] | None:
        """What is known where the vendor failed: all that is wanted, or else as much as there is."""
        oldest = self._now() - timedelta(seconds=KEPT)
        known = [
            stretch
            for stretch in (chosen, *self._stretches.of(machines))
            if stretch.begun and stretch.as_of >= oldest and _serves(stretch, wanted.until, head=chosen.head)
        ]
        whole = (stretch for stretch in known if self._suffices(machines, stretch, wanted))
        return next(whole, next(iter(known), None))


def _is_head(wanted: Wanted, newest: datetime) -> bool:
    return wanted.gap.after is None and wanted.span.until >= newest


def _serves(stretch: Stretch[T], top: datetime, *, head: bool) -> bool:
    return stretch.head if head else stretch.covers(top)


def _room(group: Mapping[Machines, Stretch[T]], wanted: Wanted) -> int:
    """How many to ask for: a page for each, though it may lack less, for the next page comes; ever more if need be,
    whoever asks.

    What a page goes on from comes with it."""
    pages = len(group) * (wanted.count + (wanted.gap.after is not None))
    return min(max(pages, LONGEST), pages << min(DOUBLED, max(stretch.tries for stretch in group.values())))


def _owners(group: Mapping[Machines, Stretch[T]]) -> Callable[[T], Sequence[Stretch[T]]]:
    """Whose an item is: of the one that takes all, or of those whose set its machine is in."""
    if None in group:
        everything = (group[None],)
        return lambda _: everything
    by_machine: dict[str, list[Stretch[T]]] = {}
    for machines, stretch in group.items():
        for machine in machines or ():
            by_machine.setdefault(machine, []).append(stretch)
    return lambda item: () if item.machine_ref is None else by_machine.get(item.machine_ref.native, ())
