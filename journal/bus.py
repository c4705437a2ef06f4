"""How a process learns that the journal has grown: from itself, and, where there are several, from each other.

The bus carries no facts, only the news that there are some: the journal stays the truth. Losing the bus costs
latency, for whoever follows the journal looks at it from time to time anyway."""

import asyncio
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

CHANNEL = "vendgraph:journal"
AGAIN_AFTER = 1.0  # seconds between tries to reach Redis
PUBLISHING_SECONDS = 2.0
LISTENING_SECONDS = 30.0


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
    """Between processes, over Redis' publish and subscribe. `redis` is closed with it."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis
        self._untold = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await super().start()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._publish())]

    async def close(self) -> None:
        await super().close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    def _announced(self) -> None:
        super()._announced()
        self._untold.set()

    async def _publish(self) -> None:
        """One message for all that was announced while the last one was under way."""
        while True:
            await self._untold.wait()
            self._untold.clear()
            with suppress(RedisError, OSError):
                async with asyncio.timeout(PUBLISHING_SECONDS):
                    await self._redis.publish(CHANNEL, b"")

    async def _listen(self) -> None:
        reached = True
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    if not reached:
                        log.info("the bus is back")
                    reached = True
                    self._news.set()  # there may have been some meanwhile
                    while True:
                        if await channel.get_message(timeout=LISTENING_SECONDS) is not None:
                            self._news.set()
            except (RedisError, OSError) as error:
                if reached:
                    log.warning("the bus is lost", kind=type(error).__name__)
                reached = False
            await asyncio.sleep(AGAIN_AFTER)
