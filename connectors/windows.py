"""Reading a list that promises no order: whole windows of time, the newest first, as wide as they need to be."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
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


@dataclass(frozen=True, slots=True)
class Window(Generic[T]):
    """`total`: how many rows there are in the window; `rows` is all of them, or None where there were too many."""

    rows: Sequence[T] | None
    total: int


Fetch = Callable[[Span, int], Awaitable[Window[T]]]


class Windows:
    """Learns, for each set of machines, how many rows an hour brings, so that the next window fits.

    `widest` is the widest range that the vendor answers in full."""

    def __init__(self, widest: timedelta = WIDEST) -> None:
        self._widest = widest
        self._width: LRUCache[frozenset[str] | None, float] = LRUCache(maxsize=1024)  # seconds a row

    async def read(self, span: Span, want: int, machines: frozenset[str] | None, fetch: Fetch[T]) -> Slice[T]:
        """Windows from the end of the span backwards until `want` rows are found or the span is read.

        `fetch(window, room)` reads a window whole, and may give up on one of more than `room` rows."""
        found: list[T] = []
        until = span.until
        width = self._guess(want, machines)
        while until > span.since and len(found) < want:
            since = max(span.since, until - width)
            room = max(4 * (want - len(found)), 100)
            window = await fetch(Span(since, until), room if until - since > NARROWEST else 10**9)
            self._learn(machines, until - since, window.total)
            if window.rows is None:
                width = max(NARROWEST, self._guess(want - len(found), machines))
                width = min(width, (until - since) / 2)
                continue
            found.extend(window.rows)
            until = since
            width = self._next(width, window.total, want - len(found), machines)
        return Slice(found, until)

    def _guess(self, want: int, machines: frozenset[str] | None) -> timedelta:
        seconds_a_row = self._width.get(machines)
        if seconds_a_row is None:
            return min(FIRST, self._widest)
        return self._fit(timedelta(seconds=min(seconds_a_row * max(want, 1) * MARGIN, WIDEST.total_seconds())))

    def _next(self, width: timedelta, total: int, want: int, machines: frozenset[str] | None) -> timedelta:
        return self._fit(max(self._guess(want, machines), width) if total else width * GROWTH)

    def _fit(self, width: timedelta) -> timedelta:
        return max(NARROWEST, min(width, self._widest))

    def _learn(self, machines: frozenset[str] | None, width: timedelta, total: int) -> None:
        if total:
            self._width[machines] = width.total_seconds() / total
