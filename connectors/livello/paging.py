"""Livello's lists, page by page: each page tells how many rows there were when it was made."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
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


async def whole(page: Callable[[int, int], Awaitable[Page]]) -> Page:
    """All of a list, and how many rows it had at first. `page(number, size)` reads one, counted from 0.

    The first page tells how many there are, and the others are asked for together. Where the vendor gives less than
    was asked for, all its pages are that small."""
    first = await page(0, LARGEST)
    size = len(first.rows)
    numbers = range(1, min(MOST, ceil(first.total / size))) if size else ()
    others = await asyncio.gather(*(page(number, size) for number in numbers))
    return Page([row for one in (first, *others) for row in one.rows], first.total)


async def walk(page: Callable[[int], Awaitable[Page]], want: int) -> AsyncIterator[list[Any]]:
    """Pages of a list that grows at its beginning, in order. `page(at)` reads the one that begins `at` so many rows.

    As many as hold `want` rows and one more are asked for together once the first has told how many there are, the
    rest one by one. A page from before a row arrived must not follow one from after it, for between the two a row
    is lost: it is asked for again. The other way round a row only comes twice."""
    first = await page(0)
    yield first.rows
    at, total, size = len(first.rows), first.total, len(first.rows)
    starts = range(at, min(total, want + 1), size) if size else range(0)
    for start, one in zip(starts, await asyncio.gather(*map(page, starts)), strict=True):
        if one.total < total:
            break
        yield one.rows
        at, total = start + len(one.rows), one.total
    while at < total and size:
        one = await page(at)
        yield one.rows
        at, total, size = at + len(one.rows), one.total, len(one.rows)


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
