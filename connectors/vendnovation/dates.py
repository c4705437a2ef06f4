"""Reading what VendNovation dates: by windows, and single records by the time that goes with their id."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from connectors.windows import Window, Windows
from domain.model import MachineEvent
from domain.paging import Listing, Slice
from domain.sales import Sale
from domain.stock import StockMovement
from domain.times import Span

T = TypeVar("T", Sale, MachineEvent, StockMovement)

MINUTE = timedelta(minutes=1)
MILLISECONDS = re.compile(r"[0-9]{1,14}")

Ask = Callable[[Span, int, frozenset[str] | None], Awaitable[Window[Any]]]
Read = Callable[[Sequence[Any]], Listing[T]]


async def within(
    windows: Windows, ask: Ask, read: Read[T], span: Span, want: int, machines: frozenset[str] | None
) -> Slice[T]:
    """The newest of a span, from windows that are asked for whole."""

    async def fetch(window: Span, room: int) -> Window[T]:
        raw = await ask(window, room, machines)
        if raw.rows is None:
            return Window(None, raw.total)
        told = read(raw.rows)
        found = inside(told.items, window, machines)
        return Window(found, len(found), told.complete)

    return await windows.read(span, want, machines, fetch)


def wider(window: Span) -> Span:
    """What a window may bring when its ends are rounded."""
    return Span(window.since - MINUTE, window.until + MINUTE)


def around(native: str) -> tuple[str, Span | None]:
    """The vendor's id, and a minute on either side of the time that goes with it: unasked, a week counts.

    The text comes from a caller, so that it may hold anything: then there is no time in it."""
    wanted, _, recorded = native.rpartition("@")
    if not wanted or MILLISECONDS.fullmatch(recorded) is None:
        return wanted, None
    moment = datetime.fromtimestamp(int(recorded) / 1000, UTC)
    return wanted, Span(moment - MINUTE, moment + MINUTE)


def inside(rows: Iterable[T], window: Span, machines: frozenset[str] | None) -> list[T]:
    """Filters that a route does not honour are ignored without a word: what was not asked for is left out here."""
    return [row for row in rows if row.recorded_at in window and (machines is None or _machine(row) in machines)]


def _machine(row: T) -> str | None:
    return None if row.machine_ref is None else row.machine_ref.native
