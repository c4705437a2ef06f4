"""What each key may spend: so much at once, and so much a second."""

import math
import time
from collections.abc import Callable, Mapping

from cachetools import LRUCache

from domain.errors import RateLimited
from gateway.limits import LimitSettings

KEPT = 10_000  # keys; one that was not seen for so many others has its burst again


class Bucket:
    """Full in the beginning. `clock` is monotonic, in seconds."""

    def __init__(self, limits: LimitSettings, clock: Callable[[], float]) -> None:
        self._burst = float(limits.cost_burst)
        self._rate = float(limits.cost_per_second)
        self._clock = clock
        self._level = self._burst
        self._at = clock()
        self._policy = f'"cost";q={self._burst:.0f};w={math.ceil(self._burst / self._rate)}'

    @property
    def left(self) -> float:
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        return self._level

    def spend(self, cost: float) -> None:
        """Raises RateLimited."""
        missing = cost - self.left
        if missing > 0:
            seconds = math.ceil(missing / self._rate)
            message = f"this costs {cost:.0f}, and this key has {self.left:.0f} left: try again in {seconds} seconds"
            raise RateLimited(message, seconds)
        self._level -= cost

    def give_back(self, cost: float) -> None:
        self._level = min(self._burst, self.left + cost)

    def headers(self) -> Mapping[str, str]:
        """As the IETF's draft-ietf-httpapi-ratelimit-headers has them."""
        left = self.left
        full = math.ceil((self._burst - left) / self._rate)
        return {"ratelimit-policy": self._policy, "ratelimit": f'"cost";r={math.floor(left)};t={full}'}


class Buckets:
    """By the name of the key: keys that share a name share it. Of this process alone."""

    def __init__(self, limits: LimitSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._known: LRUCache[str, Bucket] = LRUCache(KEPT)

    def of(self, name: str) -> Bucket:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = Bucket(self._limits, self._clock)
        return found
