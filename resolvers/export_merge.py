"""Many accounts' sales as one list, newest first, of which no more is in memory than a batch of each account."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncGenerator, Sequence
from operator import itemgetter

from domain.refs import spelt
from domain.sales import Sale
from resolvers.cursors import Position
from resolvers.stretches import at

Placed = tuple[Position, Sale]


async def merged(accounts: Sequence[AsyncGenerator[Sequence[Sale], None]]) -> AsyncGenerator[Sequence[Placed], None]:
    """In the order of the list of sales. Each account's batches come in that order; within one, any will do."""
    streams = [_Stream(account) for account in accounts]
    try:
        while True:
            await asyncio.gather(*(stream.fill() for stream in streams))
            streams = [stream for stream in streams if stream.waiting]
            if not streams:
                return
            floor = max(stream.floor for stream in streams)
            ready = [placed for stream in streams for placed in stream.down_to(floor)]
            yield sorted(ready, key=itemgetter(0), reverse=True)
    finally:
        for stream in streams:
            await stream.aclose()


class _Stream:
    """One account's: what it gave and has not been passed on, in order."""

    def __init__(self, batches: AsyncGenerator[Sequence[Sale], None]) -> None:
        self._batches = batches
        self.waiting: list[Placed] = []

    async def fill(self) -> None:
        """Empty afterwards only at its end."""
        while not self.waiting:
            batch = await anext(self._batches, None)
            if batch is None:
                return
            placed = ((at(sale.recorded_at, spelt(sale.ref)), sale) for sale in batch)
            self.waiting = sorted(placed, key=itemgetter(0), reverse=True)

    @property
    def floor(self) -> Position:
        """Nothing that it has yet to give lies above."""
        return self.waiting[-1][0]

    def down_to(self, floor: Position) -> Sequence[Placed]:
        waiting = self.waiting
        end = bisect_left(range(len(waiting)), True, key=lambda index: waiting[index][0] < floor)
        self.waiting = waiting[end:]
        return waiting[:end]

    async def aclose(self) -> None:
        await self._batches.aclose()
