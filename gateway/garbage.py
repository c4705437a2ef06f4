"""Garbage is looked for among what is new: what has survived for a while is left out of the next looks, so that none
takes long, however much is kept in memory.

Nearly all garbage is gone as soon as nobody refers to it. The look is for what refers to itself; and that, where it
became garbage only after it was left out, waits until all is looked through. That is done in a quiet moment, when a
quarter of all there is may be such, as CPython would have done at once."""

import gc
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

OLDEST = 2  # the generation that a whole look ends with
MANY = 10_000  # objects: to look through them takes a millisecond or two
SHARE = 4  # all is looked through when as many as this part of it have been left out since
EVERY_SECONDS = 3600.0  # and as often in any case
LONGEST = 2  # times: where there is no quiet moment


class Garbage:
    """`clock` is monotonic, in seconds. `many`: objects that survive a look are left out when there are so many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, many: int = MANY) -> None:
        self._clock = clock
        self._many = many
        self._looked_at = clock()
        self._all = 0  # objects, at the last look through all
        self._left_out = 0  # since then

    @contextmanager
    def tended(self) -> Iterator[None]:
        gc.collect()
        self._leave_out(many=0)
        self._begin()
        gc.callbacks.append(self._hear)
        try:
            yield
        finally:
            gc.callbacks.remove(self._hear)

    def tick(self, *, busy: bool) -> None:
        """To be called every now and then; all is looked through where it is time, and nobody waits."""
        late = LONGEST if busy else 1
        due = self._clock() - self._looked_at >= late * EVERY_SECONDS
        if due or self._left_out > late * max(self._many, self._all // SHARE):
            gc.unfreeze()
            gc.collect()  # and is left out again, for it is told of
            self._begin()

    def _begin(self) -> None:
        self._looked_at = self._clock()
        self._all, self._left_out = self._left_out, 0

    def _hear(self, phase: str, about: Mapping[str, int]) -> None:
        if phase == "stop" and about["generation"] == OLDEST:
            self._leave_out(self._many)

    def _leave_out(self, many: int) -> None:
        count = len(gc.get_objects(OLDEST))
        if count > many:
            gc.freeze()
            self._left_out += count
