"""Livello's lists, page by page: each page tells how many rows there were when it was made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

LARGEST = 100  # rows in one page
MOST = 1000  # pages of one list: no hour has more requests
URL_ROOM = 6_000  # characters of serial numbers in one URL
COMMA = 3  # characters that a comma takes in a URL


@dataclass(frozen=True, slots=True)
class Page:
    """`total`: the rows of the whole list, in all its pages."""

    rows: list[Any]
    total: int


async def whole(page: Callable[[int, int], Awaitable[Page]], expected: int = 0) -> Page:
    """All of a list, and how many rows it had at first. `page(number, size)` reads one, counted from 0.

    The first page tells how many there are, and the others are asked for together; those of them that hold the
    `expected` rows are asked for with the first. Where the vendor gives less than was asked for, all its pages are that
    small."""
    ahead = range(1, min(MOST, ceil(expected / LARGEST)))
    first, *early = await asyncio.gather(*(page(number, LARGEST) for number in (0, *ahead)))
    size = len(first.rows)
    there = dict(zip(ahead, early, strict=True)) if size == LARGEST else {}
    numbers = range(1, min(MOST, ceil(first.total / size))) if size else range(0)
    found = await _with(there, numbers, lambda number: page(number, size))
    return Page([row for one in (first, *found) for row in one.rows], first.total)


async def walk(
    page: Callable[[int], Awaitable[Page]], want: int, size: int = LARGEST, expected: int = 0
) -> AsyncIterator[Page]:
    """Pages of a list that grows at its beginning, in order. `page(at)` reads the one that begins `at` so many rows,
    `size` of them where the vendor gives as many as it is asked for.

    As many as hold `want` rows and one more are asked for together once the first has told how many there are, and with
    the first where that is what is `expected`; the rest one by one. A page from before a row arrived must not follow
    one from after it, for between the two a row is lost: it is asked for again. The other way round a row only comes
    twice."""
    ahead = range(size, min(expected, want + 1), size)
    first, *early = await asyncio.gather(*map(page, (0, *ahead)))
    yield first
    there = dict(zip(ahead, early, strict=True)) if len(first.rows) == size else {}
    at, total, size = len(first.rows), first.total, len(first.rows)
    starts = range(at, min(total, want + 1), size) if size else range(0)
    for start, one in zip(starts, await _with(there, starts, page), strict=True):
        if one.total < total:
            break
        yield one
        at, total = start + len(one.rows), one.total
    while at < total and size:
        one = await page(at)
        yield one
        at, total, size = at + len(one.rows), one.total, len(one.rows)


async def _with(
    there: Mapping[int, Page], wanted: Iterable[int], page: Callable[[int], Awaitable[Page]]
) -> Sequence[Page]:
    """The pages that are wanted: those that are there, and the others, asked for together."""
    lacking = [one for one in wanted if one not in there]
    found = {**there, **dict(zip(lacking, await asyncio.gather(*map(page, lacking)), strict=True))}
    return [found[one] for one in wanted]


def chunks(serials: frozenset[str] | None) -> list[list[str] | None]:
    """Serial numbers in parts that fit into a URL; one None for all kiosks."""
    if serials is None:
        return [None]
    found: list[list[str] | None] = []
    part: list[str] = []
    room = URL_ROOM
    for serial in sorted(serials):
        if part and room < len(serial) + COMMA:
            found.append(part)
            part, room = [], URL_ROOM
        part.append(serial)
        room -= len(serial) + COMMA
    return [*found, part] if part else found


def listed(serials: Iterable[str] | None) -> str | None:
    """Lists go into one parameter, with commas between."""
    return None if serials is None else ",".join(serials)
