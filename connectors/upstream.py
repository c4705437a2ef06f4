"""Requests as they went over the wire: who asked for them reads which they were, and who watches how long they took."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import accumulate

BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


@dataclass(slots=True)
class UpstreamRequest:
    """`status` is None where no answer came, or none yet. Times are those of `time.perf_counter`."""

    account: str
    operation: str
    started: float
    ended: float | None = None
    status: int | None = None

    @property
    def seconds(self) -> float:
        return (time.perf_counter() if self.ended is None else self.ended) - self.started

    @property
    def milliseconds(self) -> float:
        return self.seconds * 1000


trace: ContextVar[list[UpstreamRequest] | None] = ContextVar("trace", default=None)


class Latency:
    """How many took how long. `sum` in seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> Iterator[tuple[str, int]]:
        """As Prometheus has them: upper bounds, each with all that took no longer."""
        return zip((*map(str, BOUNDS), "+Inf"), accumulate(self._counts), strict=True)
