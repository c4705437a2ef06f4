"""How much at once: sockets and operations, of each key and in all. Whoever finds no place is told to come again."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import Field

from domain.errors import RateLimited
from gateway.fields import Section
from gateway.lag import SHED_AT_SECONDS, Lag

AGAIN_SECONDS = 5.0
EVERYBODY = ""  # the key of a crowd that is counted as one


class CapacitySettings(Section):
    """Of this process. Event streams count as sockets. `shed_at_seconds`: 0 never turns anybody away."""

    sockets: int = Field(default=20_000, ge=1, le=1_000_000)
    sockets_per_key: int = Field(default=5_000, ge=1, le=1_000_000)
    operations_per_key: int = Field(default=5_000, ge=1, le=1_000_000)
    shed_at_seconds: float = Field(default=SHED_AT_SECONDS, ge=0, le=60)


class Crowded(RateLimited):
    """There are as many as there may be; some will end."""


class Crowd:
    """`what` they are, as callers read it; `at_most`: for each key."""

    def __init__(self, what: str, at_most: int) -> None:
        self._what = what
        self._at_most = at_most
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    def has_room(self, key: str) -> bool:
        return self._counts[key] < self._at_most

    @contextmanager
    def place(self, key: str = EVERYBODY) -> Iterator[None]:
        """Raises Crowded."""
        if self._counts[key] >= self._at_most:
            raise Crowded(f"there are {self._at_most} {self._what} at once, and that is the most", AGAIN_SECONDS)
        self._counts[key] += 1
        try:
            yield
        finally:
            self._counts[key] -= 1
            if self._counts[key] == 0:
                del self._counts[key]


class Capacity:
    """`sockets`: of everybody; the others by the name of the key."""

    def __init__(self, settings: CapacitySettings | None = None) -> None:
        settings = settings or CapacitySettings()
        self.sockets = Crowd("sockets and event streams", settings.sockets)
        self.sockets_of = Crowd("sockets and event streams of this key", settings.sockets_per_key)
        self.operations_of = Crowd("operations of this key", settings.operations_per_key)
        self.lag = Lag(settings.shed_at_seconds)
