"""Many sources' lists into one: one order, one page, and a cursor that loses nothing and repeats nothing.

Each source gives its next items in the order of the list, at least one more than the page holds where it has them.
A source that failed gives none; it stays behind, and its items come when it has healed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Generic, TypeVar

from domain.errors import VendorError
from domain.paging import Connection, Edge, PageInfo, SourceError, SourceState, SourceStatus
from domain.refs import Ref
from resolvers.cursors import Cursor, Position

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What one account gives to a page: items after its own start, in order, and all of them where `exhausted`."""

    account: str
    status: SourceStatus
    items: Sequence[T] = ()
    exhausted: bool = True
    failed: bool = False


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

    def after(self, start: Position | None, items: Sequence[T]) -> list[T]:
        return [item for item in items if start is None or self.before(start, self.position(item))]

    def sorted(self, items: Sequence[T]) -> list[T]:
        return sorted(items, key=self.position, reverse=self.newest_first)


def page(
    parts: Sequence[Part[T]],
    first: int,
    cursor: Cursor,
    order: Order[T],
    write: Callable[[Cursor], str],
    total_count: int | None = None,
) -> Connection[T]:
    taken, more = _take(parts, first, order)
    edges = [Edge(write(_at(order, order.position(item), cursor, parts)), item) for item in taken]
    info = PageInfo(
        has_next_page=more or (bool(edges) and any(part.failed for part in parts)),
        has_previous_page=cursor.position is not None or bool(cursor.behind),
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
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
    below = [
        Part(
            part.account,
            part.status,
            order.after(cursor.start(part.account), order.sorted(part.items)),
            failed=part.failed,
        )
        for part in parts
    ]
    total = sum(len(part.items) for part in parts) if complete else None
    return page(below, first, cursor, order, write, total)


def _take(parts: Sequence[Part[T]], first: int, order: Order[T]) -> tuple[list[T], bool]:
    together = merge(*(part.items for part in parts), key=order.position, reverse=order.newest_first)
    taken = list(islice(together, first + 1))
    return taken[:first], len(taken) > first or any(not part.exhausted for part in parts)


def _at(order: Order[T], here: Position, cursor: Cursor, parts: Sequence[Part[T]]) -> Cursor:
    """The cursor of an item: everything up to it has been read, except of those that failed or were behind."""
    position = here if order.before(cursor.position, here) else cursor.position
    behind = dict(cursor.behind)
    for part in parts:
        start = cursor.start(part.account)
        reached = start if part.failed or order.before(here, start) else here
        if order.before(reached, position):
            behind[part.account] = reached
        else:
            behind.pop(part.account, None)
    return Cursor(position, behind)


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
        retry_after_seconds=None if error.retry_after is None else max(1, round(error.retry_after)),
    )


def failed(account: Ref, error: VendorError) -> SourceStatus:
    return SourceStatus(account_ref=account, state=SourceState.FAILED, complete=False, as_of=None, error=failure(error))


def unsupported(account: Ref) -> SourceStatus:
    return SourceStatus(account_ref=account, state=SourceState.UNSUPPORTED, complete=True, as_of=None, error=None)
