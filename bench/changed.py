"""What an answer costs after one machine of many has changed: the others are joined to it as they were.

In this process, over ASGI messages, by turns; `--write FILE` for the page between whose markers the table goes."""

import argparse
import asyncio
import itertools
import logging
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import structlog

from bench import pages
from bench.pages import table
from bench.queries import SALES, SLOTS
from bench.road import Bench, Sent, running
from compiled import Keeper
from domain.model import Machine, Vendor
from domain.refs import Kind, Ref
from resolvers.sources import Source

BEGIN, END = "<!-- the last run of changes -->", "<!-- the end of the last run of changes -->"
QUERY = f"{{ machines(first: 50, filter: {{ vendors: [LIVELLO] }}) {{ nodes {{ name {SLOTS} {SALES} }} }} }}"
ROUNDS = 41
KEPT, ANEW = "nothing has changed", "all of it made anew"


@dataclass(slots=True)
class Fleet:
    """Livello's machines as the gateway knows them: one after the other is changed."""

    bench: Bench
    source: Source
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @classmethod
    def of(cls, bench: Bench) -> "Fleet":
        sources = bench.endpoint._graph.sources.values()
        return cls(bench, next(one for one in sources if one.vendor is Vendor.LIVELLO))

    @property
    def machines(self) -> Sequence[Machine]:
        assert self.source.machines is not None
        kept = self.source.machines.peek()
        assert kept is not None
        return sorted(kept.items, key=lambda one: (one.name, one.id))[:50]

    def _next(self) -> tuple[Machine, int]:
        number = next(self.numbers)
        return self.machines[number % len(self.machines)], number

    def sell(self) -> None:
        """Its newest sale comes once more, under another id, a second later."""
        one, number = self._next()
        log = self.source.sales
        assert log is not None
        found = [sale for stretch in log.whole._stretches for sale in stretch.items if sale.machine_ref == one.ref]
        newest = max(found, key=lambda sale: sale.recorded_at)
        ref = Ref(Kind.SALE, self.source.key, f"{newest.ref.native}-{number}")
        log.report(replace(newest, ref=ref, recorded_at=newest.recorded_at + timedelta(seconds=1)))

    def count(self) -> None:
        """What is in it is counted anew."""
        one, number = self._next()
        slots, kept = self.source.peek_slots(one.ref.native), self.source._slots
        assert slots is not None
        assert kept is not None
        kept.put(one.ref.native, [replace(slot, quantity=number) for slot in slots])

    def see(self) -> None:
        """It gives a sign of life."""
        one, _ = self._next()
        assert self.source.machines is not None
        self.source.machines.amend(lambda told: replace(told, last_seen_at=datetime.now(UTC)), one.ref.native)

    def forget(self) -> None:
        execution = self.bench.endpoint.execution
        execution.kept, execution.pieces = Keeper(), Keeper()

    @property
    def changes(self) -> Mapping[str, Callable[[], None]]:
        return {
            KEPT: lambda: None,
            "one machine gave a sign of life": self.see,
            "one machine's slots were counted anew": self.count,
            "one machine sold something": self.sell,
            ANEW: self.forget,
        }


async def measured(bench: Bench) -> Mapping[str, float]:
    """Medians, in milliseconds of this thread's CPU."""
    fleet, sent = Fleet.of(bench), Sent(orjson.dumps({"query": QUERY}))
    took: dict[str, list[float]] = {name: [] for name in fleet.changes}
    for turn in range(-2, ROUNDS):
        for name, change in fleet.changes.items():
            change()
            spent = await _milliseconds(lambda: sent.through(bench.app))
            if turn >= 0:
                took[name].append(spent)
            for _ in range(2):  # so that all is kept again
                if b'"errors"' in (await sent.through(bench.app)).body:
                    raise RuntimeError("that is no answer")
    return {name: statistics.median(found) for name, found in took.items()}


async def _milliseconds(ask: Callable[[], Awaitable[object]]) -> float:
    before = time.thread_time_ns()
    await ask()
    return (time.thread_time_ns() - before) / 1_000_000


async def told() -> str:
    async with running(scale=1.0) as bench:
        took = await measured(bench)
        count = len(Fleet.of(bench).machines)
    rows = [(name, f"{spent:.2f}", f"{spent / took[ANEW]:.3f}") for name, spent in took.items()]
    return table((f"{count} machines with slots, products and 10 sales", "CPU ms", "of all of it made anew"), rows)


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.changed", description=__doc__)
    pages.takes_a_page(asked)
    page: Path | None = asked.parse_args().write
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    pages.show(f"{pages.run_here()}\n\n{asyncio.run(told())}", page, BEGIN, END)


if __name__ == "__main__":
    main()
