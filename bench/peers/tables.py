"""What a run found, as Markdown."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.pages import run_here, table
from bench.peers.fanout import Told
from bench.peers.measuring import Round
from bench.peers.queries import QUERIES
from bench.peers.run import DELAY, Results, Rounds
from bench.peers.sides import ANEW, OF_US, OURS, PLAIN, REREAD, SIDES, Side, versions

FLOORS = {"W1": 50, "W2": 50, "W3": 100}  # milliseconds: the longest chain of requests that cannot be avoided
SHARING = tuple(side.name for side in SIDES if side.shares)
EXECUTING = tuple(side.name for side in SIDES if not side.shares and side not in OF_US)
NODE_JIT = ("Mercurius + graphql-jit", "Yoga + graphql-jit")
TAILCALL = "Tailcall"


def page(found: Results) -> str:
    parts = (_where(), _aims(found), *_tables(found), _memory(found), _fanout(found), _missing(found))
    return "\n\n".join(part for part in parts if part)


def _where() -> str:
    node = shutil.which("node")
    said = "" if node is None else subprocess.run([node, "--version"], capture_output=True, check=True).stdout.decode()  # noqa: S603
    peers = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"{run_here()}\nNode {said.strip() or 'is not there'}; {peers}."


def _tables(found: Results) -> Iterator[str]:
    """One for each query: what is kept, nothing kept, and nothing kept over a slow vendor."""
    for rounds, title in ((found.warm, "Warm"), (found.cold, "Cold")):
        for query in QUERIES:
            yield f"### {title}, {query.name}: {query.title}\n\n{_loaded(rounds, query.name)}"
    yield f"### Cold, one at a time, the vendor takes {DELAY} ms: milliseconds\n\n{_slow(found)}"


def _loaded(rounds: Rounds, query: str) -> str:
    titles = ("", "per second", "p50 ms", "p99 ms", "CPU s per 1,000", "of ours", "requests to the vendor")
    ours = rounds[OURS.name, query].cpu
    return table(
        titles,
        (
            (
                name,
                f"{one.per_second:,.0f}",
                f"{one.p50:.1f}",
                f"{one.p99:.1f}",
                f"{one.cpu:.3g}",
                f"{one.cpu / ours:.2f}",
                f"{one.requests:.3g}",
            )
            for name, one in _of(rounds, query)
        ),
    )


def _of(rounds: Rounds, query: str) -> list[tuple[str, Round]]:
    """What takes least first."""
    return sorted(
        ((name, one) for (name, asked), one in rounds.items() if asked == query), key=lambda pair: pair[1].cpu
    )


def _slow(found: Results) -> str:
    names = dict.fromkeys(name for name, _ in found.slow)
    queries = [query.name for query in QUERIES]
    floors = ("the longest chain of requests", *(str(FLOORS[query]) for query in queries))
    rows = ((name, *(f"{found.slow[name, query].p50:.0f}" for query in queries)) for name in names)
    return table(("", *queries), [floors, *rows])


def _memory(found: Results) -> str:
    plain = found.megabytes[PLAIN.name]
    rows = ((name, f"{one:.0f}", f"{one / plain:.2f}") for name, one in found.megabytes.items())
    return f"### Memory, warm, after the run\n\n{table(('', 'MB', 'of plain Strawberry'), rows)}"


def _fanout(found: Results) -> str:
    if found.told is None:
        return ""
    ours, theirs = found.told

    def row(name: str, one: Told) -> Sequence[str]:
        return (name, f"{one.per_second:,.0f}", f"{one.cpu:.1f}", f"{one.per_second / theirs.per_second:.2f}")

    titles = ("", "messages per second", "CPU µs of a message", "of graphql-ws")
    told = table(titles, [row(OURS.name, ours), row("npm graphql-ws", theirs)])
    return f"### 1,000 equal subscribers\n\n{told}"


def _missing(found: Results) -> str:
    return "\n".join(f"Not measured: {name}: {why}." for name, why in found.missing.items())


@dataclass(frozen=True, slots=True)
class Aim:
    """`most`: of what `ratio` tells."""

    what: str
    against: str
    ratio: float
    most: float

    @property
    def reached(self) -> bool:
        return self.ratio <= self.most

    @property
    def row(self) -> Sequence[str]:
        return (
            self.what,
            self.against,
            f"{self.ratio:.2f}",
            f"{self.most:.2f}",
            "yes" if self.reached else "no",
        )


def _aims(found: Results) -> str:
    """With whom we lose in so many words: that takes longer, or more of the processor."""
    aims = list(_all(found))
    titles = ("", "against", "ratio", "aim: at most", "reached")
    lost = [f"- {aim.what}: {aim.ratio:.1f} times {aim.against}" for aim in aims if aim.ratio > 1 and not aim.reached]
    said = "\n".join(("Where we lose:", "", *lost)) if lost else "We lose nowhere."
    return f"### Where we stand\n\n{table(titles, (aim.row for aim in aims))}\n\n{said}"


def _all(found: Results) -> Iterator[Aim]:
    for query, most in (("W1", 1.0), ("W2", 1.0), ("W3", 1 / 3)):
        yield from _cpu(f"warm {query}, CPU", found.warm, query, lambda name: name in EXECUTING, most)
        yield from _cpu(f"warm {query}, CPU", found.warm, query, lambda name: name in SHARING, most)
        yield from _cpu(f"warm {query}, made anew, CPU", found.warm, query, lambda name: name in EXECUTING, most, ANEW)
    for side, how in ((OURS, ""), (REREAD, ", bodies read anew")):
        for query in ("W1", "W2"):
            yield from _cpu(f"cold {query}{how}, CPU", found.cold, query, lambda name: name == TAILCALL, 1.0, side)
            yield from _cpu(f"cold {query}{how}, CPU", found.cold, query, lambda name: name in NODE_JIT, 1.0, side)
        yield from _cpu(f"cold W3{how}, CPU", found.cold, "W3", lambda name: name in NODE_JIT, 0.5, side)
        yield from _cpu(f"cold W3{how}, CPU", found.cold, "W3", lambda name: name == TAILCALL, 0.25, side)
    for query, most in (("W1", 1.2), ("W2", 1.15), ("W3", 1.15)):
        took = found.slow[OURS.name, query].p50
        yield Aim(f"{query} at {DELAY} ms, time", f"{FLOORS[query]} ms", took / FLOORS[query], most)
    if found.told is not None:
        ours, theirs = found.told
        yield Aim("1,000 subscribers, time", "npm graphql-ws", theirs.per_second / ours.per_second, 1 / 3)
    yield Aim("memory", PLAIN.name, found.megabytes[OURS.name] / found.megabytes[PLAIN.name], 2.0)


def _cpu(
    what: str, rounds: Rounds, query: str, fits: Callable[[str], bool], most: float, ours: Side = OURS
) -> Iterator[Aim]:
    """Against the best of those that fit, where there is one."""
    best = next(((name, one) for name, one in _of(rounds, query) if fits(name)), None)
    if best is not None:
        yield Aim(what, best[0], rounds[ours.name, query].cpu / best[1].cpu, most)
