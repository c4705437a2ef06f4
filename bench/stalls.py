"""How long anybody else waits while the largest legal requests are answered: part of
`make bench`, and alone `python -m bench.stalls [WORDS OF A NAME]`.

One client asks a small question every 2 ms, another sends large requests one at a time. What counts is the longest
wait of the first."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx2
import orjson

from bench.largest import Large, all_of
from bench.processes import ROOT, Gateway, running
from schema.root import build

FOREVER = 3600.0
ROUNDS = 5
IDLE_SECONDS = 0.5
PAUSE_SECONDS = 0.1
AIM = 100.0  # milliseconds
QUICK = "{ viewer { name } }"
RIGHTS = 'role = "admin"\nintrospection = true'
SLOTS = "{ machines(first: 100, filter: { vendors: [SMARTVEND] }) { nodes { id slots { id } } } }"


@dataclass(slots=True)
class Seen:
    """`rounds`: of each the waits of the quick client, in milliseconds, while it was under way; `own`: how long each
    of the large requests took itself."""

    name: str
    rounds: list[list[float]]
    own: list[float]

    @property
    def longest(self) -> float:
        """Of the best round: the others have a machine's other work in them."""
        return min(max(one) for one in self.rounds)

    @property
    def worst(self) -> float:
        return max(max(one) for one in self.rounds)

    @property
    def p99(self) -> float:
        """Of the best round."""
        return min(sorted(one)[int(0.99 * (len(one) - 1))] for one in self.rounds)


@dataclass(frozen=True, slots=True)
class Span:
    """When a round of something was under way, by the clock of the machine."""

    name: str
    begins: float
    ends: float


def _spans(gateway: Gateway, large: Sequence[Large], rounds: int) -> Iterator[Span]:
    for _ in range(rounds):
        begins = time.monotonic()
        time.sleep(IDLE_SECONDS)
        yield Span("nobody else", begins, time.monotonic())
    with httpx2.Client(timeout=120) as client:
        for at, one in enumerate(large):
            one.ask(client, gateway, at * (rounds + 1))  # so that all lists are there
            for number in range(rounds):
                time.sleep(PAUSE_SECONDS)
                begins = time.monotonic()
                one.ask(client, gateway, at * (rounds + 1) + number + 1)
                yield Span(one.name, begins, time.monotonic())


def _together(spans: Sequence[Span], waits: Sequence[tuple[float, float]]) -> list[Seen]:
    """Waits count for what was under way at some moment of theirs."""
    found: dict[str, Seen] = {}
    for span in spans:
        seen = found.setdefault(span.name, Seen(span.name, [], []))
        seen.own.append((span.ends - span.begins) * 1000)
        during = [took for at, took in waits if at < span.ends and at + took / 1000 > span.begins]
        seen.rounds.append(during or [0.0])
    return list(found.values())


def measured(gateway: Gateway, large: Sequence[Large], rounds: int = ROUNDS) -> list[Seen]:
    command = [sys.executable, "-m", "bench.quick", gateway.base.rpartition(":")[2]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as quick:  # noqa: S603
        assert quick.stdin is not None
        assert quick.stdout is not None
        quick.stdin.write(orjson.dumps({"query": QUICK, "key": gateway.key}) + b"\n")
        quick.stdin.flush()
        quick.stdout.readline()  # it has begun
        spans = list(_spans(gateway, large, rounds))
        told, _ = quick.communicate(b"\n")
    return _together(spans, orjson.loads(told))


def largest(gateway: Gateway) -> Sequence[Large]:
    machines = gateway.ask(SLOTS)["machines"]["nodes"]
    slots = [slot["id"] for machine in machines for slot in machine["slots"]]
    return all_of(build()._schema, machines[0]["id"], slots)  # noqa: SLF001


def main(only: str = "") -> None:
    with running(cache_seconds=FOREVER, rights=RIGHTS) as gateway:
        large = [one for one in largest(gateway) if only in one.name]
        print(f"How long a small question every 2 ms waits while a large one is answered: ms, best of {ROUNDS} rounds")
        print(f"Aim: at most {AIM:.0f}")
        print(f"{'':<52}{'its own time':>13}{'longest wait':>13}{'p99':>8}{'of all rounds':>14}")
        for seen in measured(gateway, large):
            own = sorted(seen.own)[len(seen.own) // 2]
            print(f"{seen.name:<52}{own:>13.0f}{seen.longest:>13.1f}{seen.p99:>8.1f}{seen.worst:>14.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
