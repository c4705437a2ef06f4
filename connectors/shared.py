"""What several gateways on one set of accounts share, so that together they keep a vendor's limits: in Redis.

Nothing of record lives here. Where Redis does not answer each gateway goes by its own count until it does."""

import asyncio
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from math import ceil
from typing import Any, Protocol, TypeVar

import orjson
import structlog
from cryptography.fernet import Fernet, InvalidToken
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import LockError, RedisError

from connectors.budget import Rate
from connectors.token import Token

log = structlog.get_logger()
T = TypeVar("T")

SECONDS = 0.5  # for Redis to answer
LOST_SECONDS = 1.0  # how long Redis is left alone after it has failed
LOGIN_SECONDS = 10.0  # how long one gateway may be at a login before another tries
UNTOLD_LIFE = 3600  # seconds that a token is kept whose end the vendor does not tell

# KEYS: the pause, then one for each rate. ARGV: for each rate its requests, seconds, burst (0 for a window), and how
# many are to be left behind. Answers with the milliseconds to wait; 0 means that one was taken.
TAKE = """
local told = redis.call('TIME')
local now = told[1] * 1000 + math.floor(told[2] / 1000)
local wait = math.max(0, redis.call('PTTL', KEYS[1]))
for i = 2, #KEYS do
  local at = (i - 2) * 4
  local size, span = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]) * 1000
  local burst, keep = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  if burst > 0 then
    local left = tonumber(redis.call('HGET', KEYS[i], 'left') or burst)
    local since = tonumber(redis.call('HGET', KEYS[i], 'at') or now)
    left = math.min(burst, left + (now - since) * size / span)
    redis.call('HSET', KEYS[i], 'left', left, 'at', now)
    redis.call('PEXPIRE', KEYS[i], math.ceil(burst * span / size) + 1000)
    local lacking = math.min(1 + keep, burst) - left
    if lacking > 0.000001 then wait = math.max(wait, math.ceil(lacking * span / size)) end
  else
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - span)
    local lacking = math.min(1 + keep, size) - (size - redis.call('ZCARD', KEYS[i]))
    if lacking > 0 then
      local oldest = redis.call('ZRANGE', KEYS[i], lacking - 1, lacking - 1, 'WITHSCORES')
      if oldest[2] then wait = math.max(wait, oldest[2] + span - now + 1) end
    end
  end
end
if wait > 0 then return wait end
for i = 2, #KEYS do
  local at = (i - 2) * 4
  if tonumber(ARGV[at + 3]) > 0 then
    redis.call('HINCRBYFLOAT', KEYS[i], 'left', -1)
  else
    redis.call('ZADD', KEYS[i], now, now .. ':' .. redis.call('INCR', KEYS[i] .. ':n'))
    redis.call('PEXPIRE', KEYS[i], ARGV[at + 2] * 1000 + 1000)
    redis.call('PEXPIRE', KEYS[i] .. ':n', ARGV[at + 2] * 1000 + 1000)
  end
end
return 0
"""


class Shared(Protocol):
    """One account's. Nothing here raises: what cannot be shared is everyone's own."""

    async def take(self, name: str, rates: Sequence[Rate], kept: Sequence[float]) -> float:
        """Takes one request of every rate, with `kept` left behind of each, and answers 0; or seconds to wait."""
        ...

    def pause(self, seconds: float) -> None:
        """Nobody asks for so long."""
        ...

    async def token(self) -> Token | None:
        """The one that was got last, by whichever gateway."""
        ...

    async def keep_token(self, token: Token) -> None: ...

    def logging_in(self) -> AbstractAsyncContextManager[None]:
        """While one gateway is at it the others wait, though not for ever."""
        ...


class RedisLink:
    """A gateway's one way to Redis: while that is lost, nobody waits for it twice."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.take = redis.register_script(TAKE)
        self._lost_until = 0.0

    @classmethod
    def to(cls, url: str) -> "RedisLink":
        """Redis fails fast here: it is worth a moment, and no more."""
        retry = Retry(NoBackoff(), 0)
        return cls(Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=retry))

    async def ask(self, asked: Awaitable[T]) -> T | None:
        """None where Redis does not answer."""
        if time.monotonic() < self._lost_until:
            _drop(asked)
            return None
        try:
            return await asked
        except LockError:
            raise
        except (RedisError, OSError) as error:
            if time.monotonic() >= self._lost_until:
                log.warning("what is shared is lost for a moment", kind=type(error).__name__)
            self._lost_until = time.monotonic() + LOST_SECONDS
            return None

    async def aclose(self) -> None:
        await self.redis.aclose()


class RedisShared:
    """`key`: of the account. `secret`: tokens are kept encrypted under it; it is 32 bytes."""

    def __init__(self, link: RedisLink, key: str, secret: bytes) -> None:
        self._link = link
        self._redis = link.redis
        self._prefix = f"vendgraph:{key}:"
        self._cipher = Fernet(urlsafe_b64encode(secret))
        self._tasks: set[asyncio.Task[Any]] = set()

    async def take(self, name: str, rates: Sequence[Rate], kept: Sequence[float]) -> float:
        keys = [f"{self._prefix}pause", *(f"{self._prefix}{name}:{at}" for at in range(len(rates)))]
        told = (
            (rate.requests, rate.per_seconds, rate.burst or 0, keep) for rate, keep in zip(rates, kept, strict=True)
        )
        wait = await self._link.ask(self._link.take(keys=keys, args=[value for row in told for value in row]))
        return float(wait or 0) / 1000

    def pause(self, seconds: float) -> None:
        self._keep(self._link.ask(self._redis.set(f"{self._prefix}pause", b"", px=max(1, ceil(seconds * 1000)))))

    async def token(self) -> Token | None:
        sealed = await self._link.ask(self._redis.get(f"{self._prefix}token"))
        try:
            value, expires_at, scope = orjson.loads(self._cipher.decrypt(sealed)) if sealed else (None, None, None)
        except (InvalidToken, ValueError):
            return None
        return None if value is None else Token(value, expires_at, None if scope is None else frozenset(scope))

    async def keep_token(self, token: Token) -> None:
        life = UNTOLD_LIFE if token.expires_at is None else token.expires_at - time.time()
        if life >= 1:
            scope = None if token.scope is None else sorted(token.scope)
            sealed = self._cipher.encrypt(orjson.dumps([token.value, token.expires_at, scope]))
            await self._link.ask(self._redis.set(f"{self._prefix}token", sealed, ex=int(life)))

    @asynccontextmanager
    async def logging_in(self) -> AsyncIterator[None]:
        lock = self._redis.lock(f"{self._prefix}login", timeout=LOGIN_SECONDS, blocking_timeout=LOGIN_SECONDS)
        held = await self._link.ask(lock.acquire())
        try:
            yield
        finally:
            if held:
                with suppress(LockError):  # it took so long that another may be at it already
                    await self._link.ask(lock.release())

    def _keep(self, work: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[Any] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _drop(asked: Awaitable[object]) -> None:
    """It is not waited for: a coroutine would else complain."""
    if asyncio.iscoroutine(asked):
        asked.close()
