"""Reading a list that promises no order: whole windows of time, the newest first, as wide as they need to be."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from cachetools import LRUCache

from domain.paging import Slice
from domain.times import Span

T = TypeVar("T")

FIRST = timedelta(hours=12)
NARROWEST = timedelta(seconds=1)
WIDEST = timedelta(days=3650)
MARGIN = 1.3  # a window that should just hold what is wanted often holds a little less
GROWTH = 8  # how much wider the next window is where one was empty
ROOM = 4  # how many times as many rows as are still wanted a window may hold
LEAST_ROOM = 100
NO_LIMIT = 10**9


@dataclass(frozen=True, slots=True)
class Window(Generic[T]):
    """`total`: how many rows there are in the window; `rows` is all of them, or None where there were too many.

    `complete`: false where some of them could not be read."""

    rows: Sequence[T] | None
    total: int
    complete: bool = True


Fetch = Callable[[Span, int], Awaitable[Window[T]]]


class Windows:
    """Learns, for each set of machines, how many rows an hour brings, so that the next window fits.

    `widest` is the widest range that the vendor answers in full, `page` how many rows it gives at once."""

    def __init__(self, widest: timedelta = WIDEST, page: int = 1000) -> None:
        self._widest = widest
        self._page = page
        self._seconds: LRUCache[frozenset[str] | None, float] = LRUCache(maxsize=1024)  # a row

    async def read(self, span: Span, want: int, machines: frozenset[str] | None, fetch: Fetch[T]) -> Slice[T]:
        """Windows from the end of the span backwards until `want` rows are found or the span is read.

        `fetch(window, room)` reads a window whole, and may give up on one of more than `room` rows."""
        if machines is not None and not machines:
            return Slice((), span.since)  # a filter by nothing would be a filter that vendors take for none
        reading: _Reading[T] = _Reading(span, want, self._seconds.get(machines), self._widest, self._page)
        while not reading.done:
            window, room = reading.next()
            reading.take(window, await fetch(window, room))
        self._learn(machines, reading)
        return Slice(reading.found, reading.until, reading.complete)

    def _learn(self, machines: frozenset[str] | None, reading: "_Reading[T]") -> None:
        """A stretch without a row tells only that rows are no closer than that."""
        covered, known = (reading.span.until - reading.until).total_seconds(), self._seconds.get(machines)
        if reading.found:
            self._seconds[machines] = covered / len(reading.found)
        elif covered > (known or 0):
            self._seconds[machines] = covered


@dataclass(slots=True)
class _Reading(Generic[T]):
    """One reading of a span: `until` is how far down it has come, `seconds` what a row takes hereabouts.

    `crowded`: between it and `until` there are too many rows for one window, so that the next one takes at most
    half; just half where they are `lumped`, for then the rate says nothing. `narrowed`: how often there were."""

    span: Span
    want: int
    seconds: float | None
    widest: timedelta
    page: int
    found: list[T] = field(default_factory=list)
    complete: bool = True
    until: datetime = field(init=False)
    width: timedelta = field(init=False)
    crowded: datetime | None = None
    lumped: bool = False
    narrowed: int = 0

    def __post_init__(self) -> None:
        self.until = self.span.until
        self.width = self._fit(self._guess())

    @property
    def done(self) -> bool:
        return self.until <= self.span.since or self.missing <= 0

    @property
    def missing(self) -> int:
        return self.want - len(self.found)

    def next(self) -> tuple[Span, int]:
        """The next window, and the room for its rows. What stays crowded is read in the end: once narrowing has
        taken as many requests as reading would, or where it cannot be narrower."""
        since = max(self.span.since, self.until - min(self.width, self.until - self.span.since))
        room = max(ROOM * self.missing, LEAST_ROOM, self.page * (self.narrowed - 2))
        return Span(since, self.until), room if self.until - since > NARROWEST else NO_LIMIT

    def take(self, window: Span, got: Window[T]) -> None:
        if got.total:
            self.seconds = (window.until - window.since).total_seconds() / got.total
        if got.rows is None:
            self.crowded = window.since
            self.narrowed += 1
            self.width = self._fit(self.widest if self.lumped else self._guess())
        else:
            self._keep(window, got.rows)
            self.complete = self.complete and got.complete

    def _keep(self, window: Span, rows: Sequence[T]) -> None:
        fewer = GROWTH * len(rows) < self.missing
        self.found.extend(rows)
        self.until = window.since
        if self.crowded is not None and self.until <= self.crowded:
            self.crowded, self.narrowed = None, 0
        self.lumped = self.crowded is not None and (self.lumped or fewer)
        width = window.until - window.since
        self.width = self._fit(max(self._guess(), width) if rows else self._wider(width))

    def _guess(self) -> timedelta:
        if self.seconds is None:
            return FIRST
        return timedelta(seconds=min(self.seconds * max(self.missing, 1) * MARGIN, WIDEST.total_seconds()))

    def _wider(self, width: timedelta) -> timedelta:
        return self.widest if self.lumped else min(width * GROWTH, self.widest)

    def _fit(self, width: timedelta) -> timedelta:
        fitting = min(width, self.widest)
        if self.crowded is not None:
            fitting = min(fitting, (self.until - self.crowded) / 2)
        return max(NARROWEST, fitting)
