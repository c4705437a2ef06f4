"""Reading all pages of a list that has no order, and that grows while it is read."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.parsing import text
from connectors.windows import NO_LIMIT, Window


@dataclass(frozen=True, slots=True)
class Page:
    """`total`: rows in all, `pages`: pages in all, as far as the answer says."""

    rows: list[Any]
    total: int | None
    pages: int | None


class Pages:
    """`ask(number)` reads one page, from 1. `id_key`: what tells rows apart; all of it where they have none."""

    def __init__(self, ask: Callable[[int], Awaitable[Page]], id_key: str, per_page: int) -> None:
        self._ask = ask
        self._id_key = id_key
        self._per_page = per_page

    async def read(self, room: int) -> Window[Any]:
        """Every row once; or how many there are, if over `room`."""
        first = await self._ask(1)
        least = first.total or ((first.pages or 1) - 1) * self._per_page
        if least > room:
            return Window(None, least)
        if first.total is None:
            return await self._in_turn(first, room)
        others = await asyncio.gather(*map(self._ask, range(2, (first.pages or 1) + 1)))
        found = self._once(row for page in (first, *others) for row in page.rows)
        if len(found) < max(page.total or 0 for page in (first, *others)):
            # A row that came in between moves others to later pages, perhaps to one that was already read.
            again = await self._in_turn(await self._ask(1), NO_LIMIT)
            found |= self._once(again.rows or ())
        return Window(list(found.values()), len(found))

    async def _in_turn(self, page: Page, room: int) -> Window[Any]:
        """From page 1 on to the last: rows only ever move to later pages, so that none is missed."""
        found: dict[str, Any] = {}
        number = 1
        while True:
            known = len(found)
            found |= self._once(page.rows)
            if self._ends(page, number) or len(found) == known:
                return Window(list(found.values()), len(found))
            if len(found) > room:
                return Window(None, len(found))
            number += 1
            page = await self._ask(number)

    def _ends(self, page: Page, number: int) -> bool:
        """Without a count the last page is the first that is not full."""
        return len(page.rows) != self._per_page if page.pages is None else number >= page.pages

    def _once(self, rows: Iterable[Any]) -> dict[str, Any]:
        return {self._identity(row): row for row in rows}

    def _identity(self, row: Any) -> str:
        told = text(row.get(self._id_key)) if isinstance(row, dict) else None
        return told or orjson.dumps(row).decode()
