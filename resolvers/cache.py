"""One shared cache above the connectors: bounded, one flight per key, and the last good value when a vendor fails.

A flight belongs to nobody who waits for it: a caller that gives up leaves it to land for the others."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from cachetools import LRUCache

from domain.errors import VendorError
from domain.times import utc_now
from resolvers.standing import Reading

K = TypeVar("K")
V = TypeVar("V")


class Tally:
    """Counts what was taken from caches, and what was not there: for one request, or for a cache."""

    __slots__ = ("hits", "misses")

    def __init__(self, hits: int = 0, misses: int = 0) -> None:
        self.hits = hits
        self.misses = misses

    @classmethod
    def total(cls, of: "Iterable[Tally]") -> "Tally":
        found = cls()
        for one in of:
            found.hits += one.hits
            found.misses += one.misses
        return found


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


GONE = -math.inf  # until when something is fresh that another has taken the place of


@dataclass(slots=True, eq=False)
class _Freshness:
    """Of one value, as a reading. It does not refer to that: what was made of it may be kept for long after."""

    until: float
    clock: Callable[[], float]
    counts: Tally

    def stands(self) -> bool:
        """Whether the cache would still give this value to whoever asks."""
        if self.clock() >= self.until:
            return False
        self.counts.hits += 1
        return True


@dataclass(slots=True, eq=False)
class _Entry(Generic[V]):
    """`told_at` and `fresh_until`: seconds on the cache's clock. Its value stays: a new one has an entry of its own.
    `reading`: where somebody asked for it."""

    value: V
    as_of: datetime
    told_at: float
    fresh_until: float
    reading: _Freshness | None = None

    def fall(self, at: float = GONE) -> None:
        self.fresh_until = at
        if self.reading is not None:
            self.reading.until = at


class _Entries(LRUCache[K, _Entry[V]]):
    """Those that leave it stand for nothing any more."""

    def popitem(self) -> tuple[K, _Entry[V]]:
        key, entry = super().popitem()
        entry.fall()
        return key, entry


@dataclass(frozen=True, slots=True)
class _Crash:
    """A fault of our own, carried to everyone who waits."""

    error: BaseException


Loaded = Mapping[K, V | VendorError]
Load = Callable[[list[K]], Awaitable[Loaded[K, V]]]
Outcome = Cached[V] | VendorError | _Crash


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
        self._entries: _Entries[K, V] = _Entries(maxsize=size)
        self._flights: dict[K, asyncio.Future[Outcome[V]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.counts = Tally()

    def peek(self, key: K) -> V | None:
        """The value, where it is fresh."""
        entry = self._entries.get(key)
        if entry is None or self._clock() >= entry.fresh_until:
            return None
        self._hit()
        return entry.value

    def reading(self, key: K) -> Reading | None:
        """The value that is fresh, as something that can be asked whether it still is."""
        entry = self._entries.get(key)
        if entry is None or self._clock() >= entry.fresh_until:
            return None
        if entry.reading is None:
            entry.reading = _Freshness(entry.fresh_until, self._clock, self.counts)
        return entry.reading

    def _hit(self) -> None:
        self.counts.hits += 1
        hit()

    def kept(self, key: K) -> V | None:
        """The last good value, fresh or not."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    def as_of(self, key: K) -> datetime | None:
        """When the last good value was told."""
        entry = self._entries.get(key)
        return None if entry is None else entry.as_of

    def amend(self, key: K, value: V) -> None:
        """The value has changed since it was told; it is as fresh as it was."""
        entry = self._entries.get(key)
        if entry is not None:
            self._enter(key, value, entry.as_of, entry.told_at, entry.fresh_until)

    def put(self, key: K, value: V) -> Cached[V]:
        """For what was told by the way."""
        now = self._clock()
        entry = self._enter(key, value, self._now(), now, now + self._ttl)
        return Cached(value, entry.as_of)

    def _enter(self, key: K, value: V, as_of: datetime, told_at: float, fresh_until: float) -> _Entry[V]:
        former = self._entries.get(key)
        if former is not None:
            former.fall()
        entry = self._entries[key] = _Entry(value, as_of, told_at, fresh_until)
        return entry

    def forget(self, key: K) -> None:
        """What was told is no longer fresh; it remains the last good value."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.fall(self._clock())

    def clear(self) -> None:
        """All of it is of before."""
        for entry in self._entries.values():
            entry.fall()
        self._entries.clear()

    async def get(self, key: K, load: Callable[[], Awaitable[V]], timeout: float) -> Cached[V]:  # noqa: ASYNC109
        """Raises VendorError where there is no last good value either."""

        async def load_one(_: list[K]) -> Loaded[K, V]:
            return {key: await load()}

        found = (await self.get_many([key], load_one, timeout))[key]
        if isinstance(found, VendorError):
            raise found
        return found

    async def get_many(
        self,
        keys: Iterable[K],
        load: Load[K, V],
        timeout: float,  # noqa: ASYNC109  flights outlive their waiters, so a cancel scope would not do
        *,
        at_once: int | None = None,
    ) -> dict[K, Cached[V] | VendorError]:
        """Each key's value or error. The keys that are neither fresh nor in flight are loaded together, or
        `at_once` by `at_once`, so that none waits for a slow one that it has nothing to do with.

        Without time left nothing is asked for that would come too late."""
        found: dict[K, Cached[V] | VendorError] = {}
        absent: list[K] = []
        for key in dict.fromkeys(keys):
            entry = self._entries.get(key)
            if entry is not None and self._clock() < entry.fresh_until:
                found[key] = Cached(entry.value, entry.as_of)
                self._hit()
            else:
                absent.append(key)
        self.counts.misses += len(absent)
        if timeout > 0:
            self._start([key for key in absent if key not in self._flights], load, at_once)
        flights = {key: self._flights[key] for key in absent if key in self._flights}
        if flights:
            await asyncio.wait(flights.values(), timeout=max(0.0, timeout))
        for key in absent:
            flight = flights.get(key)
            found[key] = self._told(key, flight.result() if flight and flight.done() else self._late(timeout))
        return found

    def _start(self, keys: list[K], load: Load[K, V], at_once: int | None) -> None:
        size = at_once or max(1, len(keys))
        for first in range(0, len(keys), size):
            together = keys[first : first + size]
            for key in together:
                self._flights[key] = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._fly(together, load))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fly(self, keys: list[K], load: Load[K, V]) -> None:
        loaded: Loaded[K, V] = {}
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
        landed: Outcome[V] = outcome if isinstance(outcome, VendorError | _Crash) else self.put(key, outcome)
        flight = self._flights.pop(key)
        if not flight.done():
            flight.set_result(landed)

    def _told(self, key: K, outcome: Outcome[V]) -> Cached[V] | VendorError:
        if isinstance(outcome, _Crash):
            raise outcome.error
        if not isinstance(outcome, VendorError):
            return outcome
        entry = self._entries.get(key)
        if entry is None or self._clock() - entry.told_at > KEPT:
            return outcome
        return Cached(entry.value, entry.as_of, outcome)

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for key in tuple(self._flights):  # of tasks that were ended before they began
            self._land(key, _Crash(asyncio.CancelledError()))

    def __len__(self) -> int:
        return len(self._entries)
