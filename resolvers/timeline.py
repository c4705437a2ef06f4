"""What an account recorded, newest first: stretches of its past, read backwards and kept for a while.

The past does not change, for `recorded_at` is the vendor's server's time; only the newest end grows. So a stretch that
is fresh serves every page that lies in it, is lengthened for the pages below, and stands in when the vendor fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from cachetools import TTLCache

from domain.errors import VendorError
from domain.paging import Slice
from domain.refs import Ref
from domain.times import Span, utc_now
from resolvers.cache import KEPT, hit
from resolvers.cursors import Position
from resolvers.merge import Order

AHEAD = timedelta(seconds=2)  # a vendor's clock may run a little ahead of ours
SETTLED = timedelta(hours=1)  # what is older than this when it is read will not be joined by more
LONGEST = 5_000  # items of one stretch: a page below so many starts a stretch of its own
STRETCHES = 4  # that are kept for one set of machines

Machines = frozenset[str] | None


class Recorded(Protocol):
    @property
    def ref(self) -> Ref: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def machine_ref(self) -> Ref | None: ...


T = TypeVar("T", bound=Recorded)


def position(item: Recorded) -> Position:
    return Position(item.recorded_at.isoformat(timespec="microseconds"), item.ref.text)


NEWEST_FIRST: Order[Any] = Order(position, newest_first=True)


@dataclass(frozen=True, slots=True)
class Wanted(Generic[T]):
    """`count` items that `keep` lets through, after `start`, within `span`."""

    span: Span
    start: Position | None
    count: int
    keep: Callable[[T], bool] | None = None


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """In order. `exhausted`: there are no more in the span. `error`: why this is not as fresh as it should be."""

    items: Sequence[T]
    exhausted: bool
    as_of: datetime
    error: VendorError | None = None


@dataclass(slots=True, eq=False)
class _Stretch(Generic[T]):
    """Everything from `since` up to `until`, in order. `head`: it began at the newest that there was."""

    until: datetime
    since: datetime
    head: bool
    as_of: datetime
    fresh_until: float
    items: list[T] = field(default_factory=list)
    flight: "asyncio.Task[VendorError | None] | None" = None


class Timeline(Generic[T]):
    """One list of one account. `read` is the connector's; `horizon` is how far back it is ever read.

    A set of machines (None: all) has stretches of its own; sets that are asked for together are read together."""

    def __init__(
        self,
        read: Callable[[Span, int, Machines], Awaitable[Slice[T]]],
        *,
        ttl: float,
        horizon: timedelta,
        late: Callable[[float], VendorError],
        size: int = 4_096,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._read = read
        self._ttl = ttl
        self._horizon = horizon
        self._late = late
        self._clock = clock
        self._now = now
        self._stretches: TTLCache[Machines, list[_Stretch[T]]] = TTLCache(size, KEPT, timer=clock)
        self._floors: TTLCache[Machines, datetime] = TTLCache(size, KEPT, timer=clock)
        self._tasks: set[asyncio.Task[VendorError | None]] = set()

    async def newest(
        self,
        sets: Iterable[Machines],
        wanted: Wanted[T],
        timeout: float,  # noqa: ASYNC109  flights outlive their waiters, so a cancel scope would not do
    ) -> dict[Machines, "Found[T] | VendorError"]:
        """For each set of machines the newest that are wanted, or why there are none."""
        ends = self._clock() + timeout
        chosen = {machines: self._choose(machines, wanted) for machines in sets}
        hit(sum(self._suffices(key, stretch, wanted) for key, stretch in chosen.items()))
        errors: dict[Machines, VendorError] = {}
        while short := {
            key: stretch
            for key, stretch in chosen.items()
            if key not in errors and not self._suffices(key, stretch, wanted)
        }:
            self._lengthen(short, wanted)
            flights = {key: stretch.flight for key, stretch in short.items() if stretch.flight is not None}
            _, pending = await asyncio.wait(set(flights.values()), timeout=max(0.0, ends - self._clock()))
            for key, flight in flights.items():
                error = self._late(timeout) if flight in pending else flight.result()
                if error is not None:
                    errors[key] = error
        return {key: self._result(key, stretch, wanted, errors.get(key)) for key, stretch in chosen.items()}

    def forget(self) -> None:
        """What is kept is no longer fresh; it still stands in when the vendor fails."""
        for stretches in self._stretches.values():
            for stretch in stretches:
                stretch.fresh_until = self._clock()

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _bottom(self, machines: Machines) -> datetime:
        """Below this nothing was ever recorded, as far as we look."""
        horizon = self._now() - self._horizon
        return max(horizon, self._floors.get(machines, horizon), self._floors.get(None, horizon))

    def _choose(self, machines: Machines, wanted: Wanted[T]) -> _Stretch[T]:
        newest = self._now() + AHEAD
        head = wanted.start is None and wanted.span.until >= newest
        top = newest if head else self._top(wanted)
        kept = self._stretches.get(machines, [])
        for stretch in kept:
            serves = stretch.head if head else self._covers(stretch, top)
            if serves and (self._clock() < stretch.fresh_until or stretch.flight is not None):
                return stretch
        fresh_until = self._clock() + self._ttl
        made = _Stretch[T](until=top, since=top, head=head, as_of=self._now(), fresh_until=fresh_until)
        self._stretches[machines] = [made, *kept][:STRETCHES]
        return made

    def _top(self, wanted: Wanted[T]) -> datetime:
        """Just above the start, for items may share its time."""
        if wanted.start is None:
            return wanted.span.until
        below = datetime.fromisoformat(wanted.start.key) + timedelta(microseconds=1)
        return min(below, wanted.span.until)

    def _covers(self, stretch: _Stretch[T], top: datetime) -> bool:
        return stretch.since <= top <= stretch.until and len(stretch.items) < LONGEST

    def _matching(self, stretch: _Stretch[T], wanted: Wanted[T]) -> list[T]:
        keep = wanted.keep
        found = [item for item in stretch.items if item.recorded_at in wanted.span and (keep is None or keep(item))]
        return NEWEST_FIRST.after(wanted.start, found)

    def _ended(self, machines: Machines, stretch: _Stretch[T], wanted: Wanted[T]) -> bool:
        return stretch.since <= max(wanted.span.since, self._bottom(machines))

    def _suffices(self, machines: Machines, stretch: _Stretch[T], wanted: Wanted[T]) -> bool:
        if self._ended(machines, stretch, wanted):
            return True
        return len(stretch.items) >= wanted.count and len(self._matching(stretch, wanted)) >= wanted.count

    def _lengthen(self, short: Mapping[Machines, _Stretch[T]], wanted: Wanted[T]) -> None:
        """Starts a flight for each group of stretches that end at the same time."""
        groups: dict[tuple[datetime, bool], dict[Machines, _Stretch[T]]] = {}
        for machines, stretch in short.items():
            if stretch.flight is None:
                groups.setdefault((stretch.since, machines is None), {})[machines] = stretch
        for (until, _), group in groups.items():
            lower = min(max(wanted.span.since, self._bottom(machines)) for machines in group)
            task = asyncio.create_task(self._fly(group, Span(lower, until), self._room(group, wanted)))
            self._tasks.add(task)
            task.add_done_callback(self._landed)
            for stretch in group.values():
                stretch.flight = task

    def _room(self, group: Mapping[Machines, _Stretch[T]], wanted: Wanted[T]) -> int:
        """How many to ask for: what is missing, and ever more where most of what comes is not kept."""
        missing = sum(max(1, wanted.count - len(self._matching(it, wanted))) for it in group.values())
        if wanted.keep is None:
            return missing
        return max(missing, min(LONGEST, 2 * sum(len(it.items) for it in group.values())))

    async def _fly(self, group: Mapping[Machines, _Stretch[T]], span: Span, want: int) -> VendorError | None:
        sets = [machines for machines in group if machines is not None]
        union = sets[0].union(*sets[1:]) if sets else None
        started = self._now()
        try:
            found = await self._read(span, want, union)
        except VendorError as error:
            self._drop_empty(group)
            return error
        finally:
            for stretch in group.values():
                stretch.flight = None
        self._share(group, found, started)
        return None

    def _share(self, group: Mapping[Machines, _Stretch[T]], found: Slice[T], started: datetime) -> None:
        owners: dict[str, list[_Stretch[T]]] = {}
        for machines, stretch in group.items():
            for machine in machines or ():
                owners.setdefault(machine, []).append(stretch)
        everything = group.get(None)
        for item in NEWEST_FIRST.sorted(found.items):
            if everything is not None:
                everything.items.append(item)
            elif item.machine_ref is not None:
                for stretch in owners.get(item.machine_ref.native, ()):
                    stretch.items.append(item)
        for machines, stretch in group.items():
            if stretch.since == stretch.until:
                stretch.as_of, stretch.fresh_until = started, self._clock() + self._ttl
            stretch.since = min(found.since, stretch.since - timedelta(microseconds=1))
            if stretch.since <= self._now() - self._horizon:
                oldest = stretch.items[-1].recorded_at if stretch.items else stretch.until
                self._floors[machines] = min(oldest, stretch.as_of - SETTLED)

    def _drop_empty(self, group: Mapping[Machines, _Stretch[T]]) -> None:
        for machines, stretch in group.items():
            kept = self._stretches.get(machines, [])
            if stretch.since == stretch.until and stretch in kept:
                self._stretches[machines] = [other for other in kept if other is not stretch]

    def _landed(self, task: "asyncio.Task[VendorError | None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits has it; nobody waiting is no reason to warn

    def _result(
        self, machines: Machines, stretch: _Stretch[T], wanted: Wanted[T], error: VendorError | None
    ) -> "Found[T] | VendorError":
        if error is None:
            return self._found(machines, stretch, wanted, None)
        head = stretch.head
        top = self._top(wanted)
        for old in self._stretches.get(machines, []):
            serves = old.head if head else self._covers(old, top)
            if serves and old.since < old.until and self._suffices(machines, old, wanted):
                return self._found(machines, old, wanted, error)
        return error

    def _found(
        self, machines: Machines, stretch: _Stretch[T], wanted: Wanted[T], error: VendorError | None
    ) -> Found[T]:
        matching = self._matching(stretch, wanted)
        exhausted = len(matching) <= wanted.count and self._ended(machines, stretch, wanted)
        return Found(matching[: wanted.count], exhausted, stretch.as_of, error)
