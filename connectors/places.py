"""The places of an account: how many of its requests are under way at once."""

import asyncio
from heapq import heappop, heappush
from itertools import count

from connectors.budget import Traffic


class Places:
    """A semaphore whose free place goes to the most urgent who waits, and among equals to the first."""

    def __init__(self, number: int) -> None:
        self.free = number
        self._waiting: list[tuple[Traffic, int, asyncio.Future[None]]] = []
        self._order = count()

    def take_free(self) -> bool:
        """False where there is none: nobody waits while there is one."""
        if self.free <= 0:
            return False
        self.free -= 1
        return True

    async def take(self, traffic: Traffic) -> None:
        if self.take_free():
            return
        handed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (traffic, next(self._order), handed))
        try:
            await handed
        except asyncio.CancelledError:
            if not handed.cancelled():  # a place was handed over in the same moment
                self.leave()
            raise

    def leave(self) -> None:
        while self._waiting:
            handed = heappop(self._waiting)[2]
            if not handed.done():
                handed.set_result(None)
                return
        self.free += 1
