"""How a process learns that the journal has grown: from itself, and, where there are several, from each other.

The bus carries no facts, only the news that there are some: the journal stays the truth. Losing the bus costs
latency, for whoever follows the journal looks at it from time to time anyway."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

CHANNEL = "vendgraph:journal"
AGAIN_AFTER = 1.0  # seconds between tries to reach Redis


class Bus:
    """Within one process. `start` and `close` belong to the loop that `wait` is called on."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def close(self) -> None:
        self._loop = None

    def announce(self) -> None:
        """There is something new. From any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._announced)

    def _announced(self) -> None:
        self._news.set()

    async def wait(self, seconds: float) -> None:
        """Returns when something new was announced since it returned last, or after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()


class RedisBus(Bus):
    """Between processes, over Redis' publish and subscribe."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis
        self._tasks: set[asyncio.Task[None]] = set()
        self._publishing = False

    async def start(self) -> None:
        await super().start()
        self._keep(self._listen())

    async def close(self) -> None:
        await super().close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _announced(self) -> None:
        super()._announced()
        if not self._publishing:  # the one under way tells the others all there is
            self._publishing = True
            self._keep(self._publish())

    async def _publish(self) -> None:
        self._publishing = False
        with suppress(RedisError, OSError):
            await self._redis.publish(CHANNEL, b"")

    async def _listen(self) -> None:
        reached = True
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    reached = True
                    async for _ in channel.listen():
                        self._news.set()
            except (RedisError, OSError) as error:
                if reached:
                    log.warning("the bus is lost", kind=type(error).__name__)
                reached = False
            await asyncio.sleep(AGAIN_AFTER)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
