"""One shared cache above the connectors: bounded, one flight per key, and the last good value when a vendor fails.

A flight belongs to nobody who waits for it: a caller that gives up leaves it to land for the others."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from cachetools import TTLCache

from domain.errors import VendorError
from domain.times import utc_now

K = TypeVar("K")
V = TypeVar("V")


class Tally:
    """Counts for one request what it took from the caches."""

    __slots__ = ("hits",)

    def __init__(self) -> None:
        self.hits = 0


tally: ContextVar[Tally | None] = ContextVar("tally", default=None)


def hit(times: int = 1) -> None:
    counting = tally.get()
    if counting is not None:
        counting.hits += times


KEPT = 86_400.0  # seconds: how old a last good value may be


@dataclass(frozen=True, slots=True)
class Cached(Generic[V]):
    """A value, the time it was told, and, where it is an old one, the error that kept us from a newer."""

    value: V
    as_of: datetime
    error: VendorError | None = None


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    as_of: datetime
    fresh_until: float


@dataclass(frozen=True, slots=True)
class _Crash:
    """A fault of our own, carried to everyone who waits."""

    error: BaseException


class Cache(Generic[K, V]):
    """`ttl` in seconds: 0 asks the vendor each time, though never twice at once. `size` bounds the entries.

    `late(seconds)` makes the error for a flight that did not land in time."""

    def __init__(
        self,
        *,
        ttl: float,
        size: int,
        late: Callable[[float], VendorError],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._ttl = ttl
        self._late = late
        self._clock = clock
        self._now = now
        self._entries: TTLCache[K, _Entry[V]] = TTLCache(maxsize=size, ttl=KEPT, timer=clock)
        self._flights: dict[K, asyncio.Future[V | VendorError | _Crash]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.hits = 0
        self.misses = 0

    def peek(self, key: K) -> V | None:
        """The value, where it is fresh."""
        entry = self._entries.get(key)
        if entry is None or self._clock() >= entry.fresh_until:
            return None
        self.hits += 1
        hit()
        return entry.value

    def forget(self, key: K) -> None:
        """What was told is no longer fresh; it remains the last good value."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = _Entry(entry.value, entry.as_of, self._clock())

    async def get(self, key: K, load: Callable[[], Awaitable[V]], timeout: float) -> Cached[V]:  # noqa: ASYNC109
        async def load_one(_: list[K]) -> Mapping[K, V | VendorError]:
            return {key: await load()}

        found = (await self.get_many([key], load_one, timeout))[key]
        if isinstance(found, VendorError):
            raise found
        return found

    async def get_many(
        self,
        keys: Iterable[K],
        load: Callable[[list[K]], Awaitable[Mapping[K, V | VendorError]]],
        timeout: float,  # noqa: ASYNC109  flights outlive their waiters, so a cancel scope would not do
    ) -> dict[K, Cached[V] | VendorError]:
        """Each key's value or error; the keys that are neither fresh nor in flight are loaded together."""
        found: dict[K, Cached[V] | VendorError] = {}
        missing: list[K] = []
        waiting: dict[K, asyncio.Future[V | VendorError | _Crash]] = {}
        now = self._clock()
        for key in keys:
            entry = self._entries.get(key)
            if entry is not None and now < entry.fresh_until:
                found[key] = Cached(entry.value, entry.as_of)
                self.hits += 1
                hit()
            elif key in self._flights:
                waiting[key] = self._flights[key]
            elif key not in waiting:
                waiting[key] = self._flights[key] = asyncio.get_running_loop().create_future()
                missing.append(key)
        if missing:
            self.misses += len(missing)
            self._start(missing, load)
        if waiting:
            await asyncio.wait(waiting.values(), timeout=timeout)
        for key, flight in waiting.items():
            found[key] = self._outcome(key, flight.result() if flight.done() else self._late(timeout))
        return found

    def _start(self, keys: list[K], load: Callable[[list[K]], Awaitable[Mapping[K, V | VendorError]]]) -> None:
        task = asyncio.create_task(self._fly(keys, load))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fly(self, keys: list[K], load: Callable[[list[K]], Awaitable[Mapping[K, V | VendorError]]]) -> None:
        loaded: Mapping[K, V | VendorError] = {}
        otherwise: VendorError | _Crash = _Crash(asyncio.CancelledError())
        try:
            loaded = await load(keys)
            otherwise = _Crash(KeyError("the loader left a key out"))
        except VendorError as error:
            otherwise = error
        except Exception as error:  # noqa: BLE001  it is carried to the waiters
            otherwise = _Crash(error)
        finally:
            for key in keys:
                self._land(key, loaded.get(key, otherwise))

    def _land(self, key: K, outcome: V | VendorError | _Crash) -> None:
        if not isinstance(outcome, VendorError | _Crash):
            self._entries[key] = _Entry(outcome, self._now(), self._clock() + self._ttl)
        flight = self._flights.pop(key)
        if not flight.done():
            flight.set_result(outcome)

    def _outcome(self, key: K, outcome: V | VendorError | _Crash) -> Cached[V] | VendorError:
        if isinstance(outcome, _Crash):
            raise outcome.error
        if not isinstance(outcome, VendorError):
            return Cached(outcome, self._now())
        entry = self._entries.get(key)
        return outcome if entry is None else Cached(entry.value, entry.as_of, outcome)

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._entries)


AnyCache = Cache[Any, Any]
