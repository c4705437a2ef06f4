"""Many sources' lists into one: one order, one page, and a cursor that loses nothing and repeats nothing.

Each source gives what is unread of it in the order of the list, at least one more than the page holds where it has
that many. What it cannot tell it leaves as a gap in the cursor; its items come when it has healed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import chain, islice
from math import ceil
from typing import Generic, TypeVar

from domain.errors import VendorError
from domain.paging import Connection, Edge, PageInfo, SourceError, SourceState, SourceStatus
from domain.refs import Ref
from resolvers.cursors import BEGINNING, EVERYWHERE, Cursor, Gap, Position, joined

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What one account gives to a page: unread items, in order, and the gaps in them of which it could not tell."""

    account: str
    status: SourceStatus
    items: Sequence[T] = ()
    untold: Sequence[Gap] = ()


@dataclass(frozen=True, slots=True)
class Order(Generic[T]):
    """`position(item)`; `newest_first` reads the keys downwards."""

    position: Callable[[T], Position]
    newest_first: bool

    def before(self, one: Position | None, other: Position | None) -> bool:
        """Whether `one` comes strictly before `other`; None is the beginning."""
        if one is None or other is None:
            return one is None and other is not None
        return one > other if self.newest_first else one < other

    def holds(self, gap: Gap, position: Position) -> bool:
        return self.before(gap.after, position) and (gap.before is None or self.before(position, gap.before))

    def above(self, gaps: Iterable[Gap], here: Position) -> list[Gap]:
        """What lies of some gaps before a position."""
        return [
            Gap(after, before if before is not None and self.before(before, here) else here)
            for after, before in gaps
            if self.before(after, here)
        ]

    def below(self, gaps: Iterable[Gap], here: Position) -> list[Gap]:
        """What lies of some gaps after a position."""
        return [
            Gap(here if self.before(after, here) else after, before)
            for after, before in gaps
            if before is None or self.before(here, before)
        ]

    def sorted(self, items: Iterable[T]) -> list[T]:
        return sorted(items, key=self.position, reverse=self.newest_first)


def page(
    parts: Sequence[Part[T]],
    first: int,
    cursor: Cursor,
    order: Order[T],
    write: Callable[[Cursor], str],
    total_count: int | None = None,
) -> Connection[T]:
    """A page without edges ends where it began: what a source failed to tell is still to come from there."""
    lists = [part.items for part in parts if part.items]
    together = merge(*lists, key=order.position, reverse=order.newest_first) if len(lists) > 1 else chain(*lists)
    found = list(islice(together, first + 1))
    taken = found[:first]
    edges = [Edge(item, partial(_write_at, order, item, cursor, parts, write)) for item in taken]
    info = PageInfo(
        has_next_page=len(found) > first or (bool(edges) and any(part.untold for part in parts)),
        edges=edges,
        began=None if cursor == BEGINNING else partial(write, cursor),
    )
    return Connection(
        edges=edges,
        nodes=taken,
        page_info=info,
        sources=[part.status for part in parts],
        total_count=total_count,
    )


def whole_page(
    parts: Sequence[Part[T]], first: int, cursor: Cursor, order: Order[T], write: Callable[[Cursor], str]
) -> Connection[T]:
    """A page of lists that are all read whole, so that they can be counted; the parts are in any order."""
    complete = all(part.status.complete for part in parts)
    total = sum(len(part.items) for part in parts) if complete else None
    return page([_unread(part, cursor, order) for part in parts], first, cursor, order, write, total)


def _unread(part: Part[T], cursor: Cursor, order: Order[T]) -> Part[T]:
    gaps = cursor.unread(part.account)
    items = part.items
    if gaps != [EVERYWHERE]:
        items = [item for item in items if any(order.holds(gap, order.position(item)) for gap in gaps)]
    return Part(part.account, part.status, order.sorted(items), gaps if part.untold else ())


def _write_at(
    order: Order[T], item: T, cursor: Cursor, parts: Sequence[Part[T]], write: Callable[[Cursor], str]
) -> str:
    return write(_at(order, order.position(item), cursor, parts))


def _at(order: Order[T], here: Position, cursor: Cursor, parts: Sequence[Part[T]]) -> Cursor:
    """The cursor of an item: everything up to it has been read, but for what could not be told."""
    position = here if cursor.position is None or order.before(cursor.position, here) else cursor.position
    if not cursor.gaps and not any(part.untold for part in parts):
        return Cursor(position)
    gaps: dict[str, list[Gap]] = {}
    for part in parts:
        missed = order.above(part.untold, here)
        ahead = order.below(cursor.unread(part.account), here)
        if left := joined([*missed, *order.above(ahead, position)]):
            gaps[part.account] = left
    return Cursor(position, gaps)


def told(account: Ref, as_of: datetime, error: VendorError | None, *, complete: bool = True) -> SourceStatus:
    """Of a source that told its list: now, or, where an error kept us from asking again, at `as_of`."""
    return SourceStatus(
        account_ref=account,
        state=SourceState.FRESH if error is None else SourceState.STALE,
        complete=complete and error is None,
        as_of=as_of,
        error=None if error is None else failure(error),
    )


def failure(error: VendorError) -> SourceError:
    return SourceError(
        code=error.code,
        message=error.message,
        retry_after_seconds=None if error.retry_after is None else max(1, ceil(error.retry_after)),
    )


def failed(account: Ref, error: VendorError) -> SourceStatus:
    return SourceStatus(account_ref=account, state=SourceState.FAILED, complete=False, as_of=None, error=failure(error))


def unsupported(account: Ref) -> SourceStatus:
    return SourceStatus(account_ref=account, state=SourceState.UNSUPPORTED, complete=True, as_of=None, error=None)
