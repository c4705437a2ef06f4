"""Reading a list that comes newest first, page by page, no further than is wanted."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from domain.paging import Slice
from domain.refs import Ref
from domain.times import Span

INSTANT = timedelta(microseconds=1)


class Recorded(Protocol):
    @property
    def ref(self) -> Ref: ...
    @property
    def recorded_at(self) -> datetime: ...


T = TypeVar("T", bound=Recorded)


async def newest(
    pages: AsyncIterator[Sequence[T]], span: Span, want: int, counts: Callable[[T], bool] = lambda _: True
) -> Slice[T]:
    """About `want` of those that `counts`, and with them everything as new as the oldest of them.

    The order is checked as it comes: vendors fall back to another one without a word, and then the list is read
    to its end. Rows that arrive meanwhile push others down onto the next page, where they are met again."""
    found: dict[Ref, T] = {}
    oldest: datetime | None = None
    ordered = True
    async for page in pages:
        for item in page:
            if item.ref in found:
                continue
            found[item.ref] = item
            ordered = ordered and (oldest is None or item.recorded_at <= oldest)
            oldest = item.recorded_at
        if not ordered or oldest is None:
            continue
        if oldest < span.since:
            break
        whole = [item for item in found.values() if item.recorded_at > oldest and item.recorded_at in span]
        if whole and sum(map(counts, whole)) >= want:
            return Slice(whole, oldest + INSTANT)
    return Slice([item for item in found.values() if item.recorded_at in span], span.since)


def together(slices: Iterable[Slice[T]]) -> Slice[T]:
    """Slices of one span as one: it is whole only down to where the first of them stopped."""
    parts = list(slices)
    since = max(part.since for part in parts)
    found = {item.ref: item for part in parts for item in part.items if item.recorded_at >= since}
    return Slice(list(found.values()), since, all(part.complete for part in parts))
