"""Garbage is looked for among what is new: what has survived one look is left out of the next ones, so that none takes
long, however much is kept in memory.

Nearly all garbage is gone as soon as nobody refers to it. The look is for what refers to itself; and that, where it
became garbage only after it had survived, waits until all is looked through, which is done in a quiet moment."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

OLDEST = 2  # the generation that a whole look ends with
EVERY_SECONDS = 3600.0
LONGEST_SECONDS = 2 * EVERY_SECONDS  # where there is no quiet moment


class Garbage:
    """`clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = clock()

    @contextmanager
    def tended(self) -> Iterator[None]:
        gc.collect()
        gc.freeze()
        gc.callbacks.append(_leave_out)
        try:
            yield
        finally:
            gc.callbacks.remove(_leave_out)

    def tick(self, *, busy: bool) -> None:
        """To be called every now and then; all is looked through where it is time, and nobody waits."""
        since = self._clock() - self._looked_at
        if since >= LONGEST_SECONDS or (since >= EVERY_SECONDS and not busy):
            self._looked_at = self._clock()
            gc.unfreeze()
            gc.collect()


def _leave_out(phase: str, about: Mapping[str, int]) -> None:
    if phase == "stop" and about["generation"] == OLDEST:
        gc.freeze()
