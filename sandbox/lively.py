"""A fleet on which something happens every few seconds."""

import asyncio
from collections.abc import Sequence

from sandbox.world import Vendor, World

SECONDS = 2.0  # between one thing and the next


class Lively:
    """What happens depends on the seed alone; all vendors have their turn before one has its next."""

    def __init__(self, world: World, vendors: Sequence[Vendor], seconds: float) -> None:
        self._vendors = list(vendors)
        self._random = world.random("lively")
        self._seconds = seconds
        self._turns: list[Vendor] = []

    def step(self) -> None:
        if not self._turns:
            self._turns = self._random.sample(self._vendors, len(self._vendors))
        self._turns.pop().live()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            self.step()
