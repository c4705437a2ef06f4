"""Memory over an hour: `python -m bench.soak --minutes 60`; `--write FILE` for the page of the last run.

The gateway as it is served, over the emulated vendors, is asked mixed things (`bench/mixed.py`) without pause, at a
rate that leaves most of a core idle. What counts is what it holds in memory: caches fill up, and then it stays."""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import linear_regression

import httpx2
import websockets

from bench import mixed, pages
from bench.machine import cpu_seconds
from bench.mixed import KINDS, WAIT_SECONDS, Ask, Fleet, Unexpected
from bench.pages import table
from bench.peers.cores import megabytes
from bench.processes import Gateway, running

BEGIN, END = "<!-- the last hour -->", "<!-- the end of the last hour -->"
CACHE_SECONDS = 2.0
EVERY_SECONDS = 10.0  # between samples; less where the run is short
SAMPLES = 20  # at least
POINTS = {"at the start": 0.0, "after a tenth": 0.1, "a quarter": 0.25, "half": 0.5, "three quarters": 0.75, "end": 1.0}
KEEPALIVE = httpx2.Limits(keepalive_expiry=2.0)  # shorter than the gateway's, so that none is closed as it is used
FAILURES = (Unexpected, httpx2.HTTPError, websockets.WebSocketException, OSError, ValueError)
SHOWN = 5  # failures that are told in full


@dataclass(slots=True)
class Soaked:
    """`samples`: seconds since the start, and megabytes then. `asked` and `failed`: how often, by kind."""

    samples: list[tuple[float, float]] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    cpu: float = 0.0

    @property
    def seconds(self) -> float:
        return self.samples[-1][0]

    @property
    def slope(self) -> float:
        """Megabytes an hour, by least squares over the second half."""
        later = [one for one in self.samples if one[0] >= self.seconds / 2]
        return 3600 * linear_regression(*zip(*later, strict=True)).slope

    def megabytes(self, share: float) -> float:
        """Of the sample nearest to that part of the run."""
        return min(self.samples, key=lambda one: abs(one[0] - share * self.seconds))[1]


def soak(minutes: float, kinds: Mapping[Ask, float] = KINDS) -> Soaked:
    with running(cache_seconds=CACHE_SECONDS) as gateway:
        return asyncio.run(_soaked(gateway, kinds, minutes * 60))


async def _soaked(gateway: Gateway, kinds: Mapping[Ask, float], seconds: float) -> Soaked:
    found, before = Soaked(), cpu_seconds(gateway.pid)
    async with httpx2.AsyncClient(timeout=WAIT_SECONDS, limits=KEEPALIVE) as client, asyncio.TaskGroup() as group:
        fleet = mixed.fleet(gateway, client)
        asking = [group.create_task(_without_pause(fleet, ask, every, found)) for ask, every in kinds.items()]
        await _sampled(gateway.pid, seconds, found)
        for one in asking:
            one.cancel()
    after = cpu_seconds(gateway.pid)
    found.cpu = 0.0 if before is None or after is None else after - before
    return found


async def _without_pause(fleet: Fleet, ask: Ask, every: float, found: Soaked) -> None:
    """Until it is cancelled. One that fails is told, and the others go on."""
    name = ask.__name__.replace("_", " ")
    while True:
        try:
            async with asyncio.timeout(2 * WAIT_SECONDS):
                await ask(fleet)
        except FAILURES as error:
            found.failed[name] += 1
            if found.failed.total() <= SHOWN:
                print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        found.asked[name] += 1
        await asyncio.sleep(every)


async def _sampled(pid: int, seconds: float, found: Soaked) -> None:
    every, began = min(EVERY_SECONDS, seconds / SAMPLES), time.monotonic()
    while (since := time.monotonic() - began) < seconds:
        found.samples.append((since, megabytes(pid)))
        print(f"{since:.0f} s: {found.samples[-1][1]:.1f} MB", file=sys.stderr, flush=True)
        await asyncio.sleep(every)
    found.samples.append((since, megabytes(pid)))


def page(found: Soaked) -> str:
    points = {f"{name}, {share * found.seconds / 60:.1f} min": found.megabytes(share) for name, share in POINTS.items()}
    rows = [(name, f"{size:.1f}") for name, size in points.items()]
    rows.append(("the most", f"{max(size for _, size in found.samples):.1f}"))
    rows.append(("growth over the second half, MB an hour", f"{found.slope:+.1f}"))
    asked = ", ".join(f"{count:,} {name}" for name, count in found.asked.items())
    core = f"The gateway used {100 * found.cpu / found.seconds:.0f} % of a core."
    told = f"Asked: {asked}; {found.failed.total()} without the answer that was due. {core}"
    return "\n\n".join((pages.run_here(), table(("", "resident MB"), rows), told))


def main(arguments: Sequence[str] | None = None) -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    asked.add_argument("--minutes", type=float, default=60.0)
    pages.takes_a_page(asked)
    given = asked.parse_args(arguments)
    told = ""
    with suppress(KeyboardInterrupt):
        told = page(soak(given.minutes))
    if told:
        pages.show(told, given.write, BEGIN, END)


if __name__ == "__main__":
    main()
