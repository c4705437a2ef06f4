"""Request budgets: windows that the documents, the configuration or the vendor's own answers set."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

SLICES = 100  # a window is counted in slices, so that it costs the same for 5 requests as for a million
TOLERANCE = 1e-9  # of floating point
SAME_WINDOW = 2.0  # seconds by which a vendor's own window may seem to move from answer to answer
LONGEST_TOLD = 86_400.0
FEED_RESERVE = 0.3
BULK_RESERVE = 0.5


class Traffic(IntEnum):
    """Who asks. Commands may spend everything; queries leave a reserve to them, feeds a larger one to both, and bulks
    of commands half of it to all of them."""

    COMMAND = 0
    QUERY = 1
    FEED = 2
    BULK = 3


LEFT_TO_OTHERS = {Traffic.COMMAND: 0.0, Traffic.QUERY: 0.0, Traffic.FEED: FEED_RESERVE, Traffic.BULK: BULK_RESERVE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`requests` in `per_seconds`. With `burst` it refills steadily, and so many may come at once; without, no
    window of that length, whenever it begins, holds more."""

    requests: int
    per_seconds: float
    burst: int | None = None


class Bucket:
    """A bucket of requests that refills steadily."""

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self.size = rate.burst or rate.requests
        self._refill = rate.requests / rate.per_seconds
        self._clock = clock
        self._left = float(self.size)
        self._at = clock()

    @property
    def left(self) -> float:
        now = self._clock()
        self._left = min(self.size, self._left + (now - self._at) * self._refill)
        self._at = now
        return self._left

    def wait(self, keep: float = 0) -> float:
        """Seconds until one may be taken with `keep` left behind; 0 is now."""
        lacking = min(1 + keep, self.size) - self.left
        return lacking / self._refill if lacking > TOLERANCE else 0.0

    def take(self) -> None:
        self._left = self.left - 1

    def seconds_to_full(self) -> float:
        return (self.size - self.left) / self._refill


@dataclass(slots=True)
class _Slice:
    begins: float
    last: float
    count: int


class Window:
    """At most so many in any stretch of time: where the vendor's own window begins is not known."""

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self.size = rate.requests
        self._seconds = rate.per_seconds
        self._clock = clock
        self._taken: deque[_Slice] = deque()
        self._used = 0

    @property
    def left(self) -> float:
        oldest = self._clock() - self._seconds
        while self._taken and self._taken[0].last <= oldest:
            self._used -= self._taken.popleft().count
        return self.size - self._used

    def wait(self, keep: float = 0) -> float:
        """Seconds until one may be taken with `keep` left behind; 0 is now."""
        lacking = min(1 + keep, self.size) - self.left
        for taken in self._taken:
            if lacking <= TOLERANCE:
                return 0.0
            lacking -= taken.count
            if lacking <= TOLERANCE:
                return taken.last + self._seconds - self._clock()
        return 0.0

    def take(self) -> None:
        now = self._clock()
        if not self._taken or now >= self._taken[-1].begins + self._seconds / SLICES:
            self._taken.append(_Slice(now, now, 0))
        self._taken[-1].last = now
        self._taken[-1].count += 1
        self._used += 1

    def seconds_to_full(self) -> float:
        return 0.0 if self.left == self.size else self._taken[-1].last + self._seconds - self._clock()


def counter(rate: Rate, clock: Callable[[], float]) -> Bucket | Window:
    return Window(rate, clock) if rate.burst is None else Bucket(rate, clock)


@dataclass(slots=True)
class Told:
    """What the vendor said of its own window: `left` requests until `ends` on our clock."""

    limit: int
    left: int
    ends: float


class Budget:
    """Every window of an account at once. All times are seconds on the clock that was passed in."""

    def __init__(self, rates: Sequence[Rate], reserve: float, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reserve = reserve
        self._counters = [counter(rate, clock) for rate in rates]
        self._told: Told | None = None
        self._paused_until = clock()

    def wait(self, traffic: Traffic) -> float:
        """Seconds until a request may go; 0 is now."""
        kept = self._share_kept(traffic)
        waits = [counter.wait(keep) for counter, keep in zip(self._counters, self.kept(traffic), strict=True)]
        told = self._current()
        if told is not None and told.left < min(1 + told.limit * kept, max(1, told.limit)):
            waits.append(told.ends - self._clock())
        return max(0.0, self.pause_left, *waits)

    def kept(self, traffic: Traffic) -> list[float]:
        """How many requests of each window this traffic leaves to others."""
        return [counter.size * self._share_kept(traffic) for counter in self._counters]

    def _share_kept(self, traffic: Traffic) -> float:
        """The part of a window that this traffic leaves to others."""
        return 0.0 if traffic is Traffic.COMMAND else max(self._reserve, LEFT_TO_OTHERS[traffic])

    def take(self) -> None:
        for counted in self._counters:
            counted.take()
        if self._told is not None:
            self._told.left -= 1

    def pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    @property
    def pause_left(self) -> float:
        return max(0.0, self._paused_until - self._clock())

    def tell(self, limit: int | None, left: int, seconds: float | None) -> None:
        """The vendor's own count; it may leave out the limit, and the seconds once it has told them."""
        known = self._current()
        ends = None if seconds is None else self._clock() + min(seconds, LONGEST_TOLD)
        if known is not None and (ends is None or abs(known.ends - ends) < SAME_WINDOW):
            # Answers may overtake each other, and requests are under way: the smaller number is right.
            self._told = Told(limit or known.limit, min(left, known.left), known.ends)
        elif ends is not None:
            self._told = Told(limit or (known.limit if known is not None else left), left, ends)

    def _current(self) -> Told | None:
        if self._told is not None and self._told.ends <= self._clock():
            self._told = None
        return self._told

    def tightest(self) -> tuple[int, int, float] | None:
        """Limit, requests left and seconds until it is whole again, of the window with the least left."""
        found = [(it.size, max(0, int(it.left)), it.seconds_to_full()) for it in self._counters]
        told = self._current()
        if told is not None:
            found.append((told.limit, max(0, told.left), told.ends - self._clock()))
        return min(found, key=lambda window: window[1] / max(1, window[0]), default=None)
