"""One run: every side started, their answers compared, and then measured by turns."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from bench.peers import cores, fanout
from bench.peers.fanout import Told
from bench.peers.measuring import Different, Round, Upstream, answer, measure, middle
from bench.peers.queries import QUERIES, Query
from bench.peers.sides import FOREVER, OURS, SIDES, Missing, Server, vendor
from bench.processes import NoNode

DELAY = 50  # milliseconds that an answer of the vendor takes, where it takes any

Rounds = Mapping[tuple[str, str], Round]  # by side and query


@dataclass(frozen=True, slots=True)
class Pace:
    """`seconds` of a round, `rounds`, and `alone`: how often one is asked by itself of a slow vendor."""

    seconds: float
    rounds: int
    alone: int


USUAL = Pace(seconds=1.0, rounds=3, alone=7)
QUICK = Pace(seconds=0.2, rounds=1, alone=1)


@dataclass(slots=True)
class Results:
    """`missing`: why a side was not measured, by its name; `slow`: cold, with a vendor that takes its time."""

    warm: Rounds = field(default_factory=dict)
    cold: Rounds = field(default_factory=dict)
    slow: Rounds = field(default_factory=dict)
    megabytes: dict[str, float] = field(default_factory=dict)
    told: tuple[Told, Told] | None = None
    missing: dict[str, str] = field(default_factory=dict)


def run(pace: Pace) -> Results:
    found = Results()
    with vendor() as base:
        upstream = Upstream(base)
        with started(base, FOREVER, found) as servers:
            found.warm = _by_turns(servers, upstream, pace, {query: query.connections for query in QUERIES})
            found.megabytes = {name: cores.megabytes(server.pid) for name, server in servers.items()}
        with started(base, 0, found) as servers:
            found.cold = _by_turns(servers, upstream, pace, dict.fromkeys(QUERIES, 1))
            upstream.delay(DELAY)
            found.slow = _alone(servers, upstream, pace)
    try:
        _say("subscribers")
        found.told = fanout.measure(quick=pace is QUICK)
    except NoNode as missing:
        found.missing["npm graphql-ws"] = str(missing)
    return found


@contextmanager
def started(base: str, seconds: float, found: Results) -> Iterator[Mapping[str, Server]]:
    """All that can be, once they have given the same answers."""
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        for side in SIDES:
            if not (side.warm if seconds else side.cold):
                continue
            _say(f"starting {side.name}")
            try:
                servers[side.name] = stack.enter_context(side.start(base, seconds))
            except Missing as missing:
                found.missing[side.name] = str(missing)
        same(servers)
        yield servers


def same(servers: Mapping[str, Server]) -> None:
    """Raises Different where any answers otherwise than ours, at once or when it is asked again."""
    for query in QUERIES:
        expected = answer(servers[OURS.name], query)
        for name, server in servers.items():
            for _ in range(2):
                given = answer(server, query)
                if given != expected or given.keys() != {"data"}:
                    raise Different(
                        f"{name} answers {query.name} otherwise: {str(given)[:300]}, and not {expected!s:.300}"
                    )


def _by_turns(
    servers: Mapping[str, Server], upstream: Upstream, pace: Pace, connections: Mapping[Query, int]
) -> Rounds:
    """The first round of each is not counted: just-in-time compilers learn from it."""
    found: dict[tuple[str, str], list[Round]] = {}
    for query, count in connections.items():
        for turn in range(pace.rounds + 1):
            _say(f"{query.name}, {count} at once, round {turn}")
            for name, server in servers.items():
                one = measure(server, query, upstream, connections=count, seconds=pace.seconds)
                if turn:
                    found.setdefault((name, query.name), []).append(one)
    return {key: middle(rounds) for key, rounds in found.items()}


def _alone(servers: Mapping[str, Server], upstream: Upstream, pace: Pace) -> Rounds:
    return {
        (name, query.name): measure(server, query, upstream, connections=1, seconds=60, times=pace.alone)
        for query in QUERIES
        for name, server in servers.items()
    }


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
