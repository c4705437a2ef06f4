"""How late the event loop is, and whether it is so late that who comes is better turned away."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

log = structlog.get_logger()

EVERY = 0.05  # seconds between measurements
IN_A_ROW = 3  # measurements: one pause, of a collection of garbage for one, is no overload
CALM_SECONDS = 1.0  # below half of what began it
LONGEST_SECONDS = 10.0  # for which everybody is turned away: a machine that is slow by itself still serves
REMEMBERED = 200  # measurements: some ten seconds
SHED_AT_SECONDS = 0.5


class Lag:
    """`shed_at`: seconds; 0 never sheds. `clock` is monotonic."""

    def __init__(self, shed_at: float = SHED_AT_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._shed_at = shed_at
        self._clock = clock
        self._recent: deque[float] = deque(maxlen=REMEMBERED)
        self._late = 0  # measurements in a row
        self._began: float | None = None
        self._calm_since = 0.0
        self.shed = 0  # requests that were turned away

    @property
    def shedding(self) -> bool:
        return self._began is not None

    @property
    def worst(self) -> float:
        """Of the last ten seconds or so."""
        return max(self._recent, default=0.0)

    def observe(self, seconds: float) -> None:
        """One measurement."""
        self._recent.append(seconds)
        now = self._clock()
        self._late = self._late + 1 if 0 < self._shed_at <= seconds else 0
        if self._began is None:
            if self._late >= IN_A_ROW:
                self._began = self._calm_since = now
                log.warning("turning callers away", lag_seconds=round(seconds, 3))
            return
        if seconds > self._shed_at / 2:
            self._calm_since = now
        if now - self._calm_since >= CALM_SECONDS or now - self._began >= LONGEST_SECONDS:
            self._began, self._late = None, 0
            log.info("serving callers again", turned_away=self.shed)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + EVERY
            await asyncio.sleep(EVERY)
            self.observe(max(0.0, loop.time() - due))
