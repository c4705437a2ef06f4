"""What looking for garbage costs the slowest answers: `python -m bench.garbage`, in half a minute.

One machine's answer is made anew for each request, in this process, with one way after the other of looking for
garbage: that is what leaves most behind. The ways go by turns; of each the times of all its rounds are put together, as
CPU of this thread, in which the pauses are and the neighbours are not."""

import asyncio
import gc
import logging
import time
from dataclasses import dataclass, field

import structlog

from bench import machine, road
from bench.measured import Measured
from bench.pages import table

ROUNDS = 8
ANSWERS = 2_000  # of a way in a round
USUAL = gc.get_threshold()


@dataclass(slots=True)
class Way:
    """`longest`: a pause of those that came by themselves, and `whole`: one look at everything, in milliseconds."""

    name: str
    frozen: bool
    thresholds: tuple[int, int, int] = USUAL
    measured: Measured = field(default_factory=Measured)
    collections: int = 0
    longest: float = 0.0
    whole: float = 0.0
    _began: float = 0.0

    def heard(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
            return
        self.collections += 1
        self.longest = max(self.longest, 1000 * (time.thread_time() - self._began))

    async def round(self, row: road.Row, answers: int) -> None:
        gc.set_threshold(*self.thresholds)
        gc.collect()
        if self.frozen:
            gc.freeze()
        gc.callbacks.append(self.heard)
        try:
            for _ in range(answers):
                began = time.thread_time()
                await row()
                self.measured.milliseconds.append(1000 * (time.thread_time() - began))
        finally:
            gc.callbacks.remove(self.heard)
            began = time.thread_time()
            gc.collect()
            self.whole = max(self.whole, 1000 * (time.thread_time() - began))
            gc.unfreeze()
            gc.set_threshold(*USUAL)


def ways() -> tuple[Way, ...]:
    return (
        Way(f"as CPython does, {USUAL}", frozen=False),
        Way("what is there at the start frozen", frozen=True),
        Way("frozen, (5000, 10, 10)", frozen=True, thresholds=(5_000, 10, 10)),
        Way("frozen, (50000, 10, 10)", frozen=True, thresholds=(50_000, 10, 10)),
        Way("frozen, (700, 10, 1000)", frozen=True, thresholds=(700, 10, 1_000)),
    )


async def tables() -> str:
    async with road.running() as bench:
        row, found = road.wholes(bench)[road.LONG_ANEW_POST], ways()
        for _ in range(ROUNDS):
            for way in found:
                await way.round(row, ANSWERS)
    titles = ("", "p50 ms", "p99 ms", "p99.9 ms", "collections", "longest ms", "all at once ms")
    return table(titles, [_row(way) for way in found])


def _row(way: Way) -> tuple[str, ...]:
    shares = (f"{way.measured.percentile(share):.2f}" for share in (0.5, 0.99, 0.999))
    return (way.name, *shares, f"{way.collections:,}", f"{way.longest:.1f}", f"{way.whole:.1f}")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print(machine.described(), end="\n\n")
    print(asyncio.run(tables()))


if __name__ == "__main__":
    main()
