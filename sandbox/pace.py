"""How fast time passes for an emulated vendor, and what goes on there by itself."""

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import suppress

NOTHING = 1e-6  # seconds: what is left of a wait when a timer has gone off


class Pace:
    """`speed`: how many seconds of the vendor's pass in one. It may change while something waits.

    Nothing goes on before `begin` and after `end`: without them the vendor only answers."""

    def __init__(self) -> None:
        self._speed = 1.0
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._speed = speed
        self._changed.set()
        self._changed = asyncio.Event()

    def begin(self) -> None:
        self.loop = asyncio.get_running_loop()

    async def end(self) -> None:
        self.loop = None
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def start(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None] | None":
        """Goes on beside all else."""
        if self.loop is None:
            work.close()
            return None
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def follow(self, steps: Iterable[float]) -> None:
        """Each step is taken after the seconds that the one before it told."""
        for seconds in steps:
            await self.sleep(seconds)

    async def sleep(self, seconds: float) -> None:
        clock = asyncio.get_running_loop().time
        while seconds > NOTHING:
            began, speed, changed = clock(), self._speed, self._changed
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds / speed):
                    await changed.wait()
            seconds -= (clock() - began) * speed
