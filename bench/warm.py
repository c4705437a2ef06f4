"""Warm queries: requests per second, against graphql-core executing the same on finished data."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.machine import cpu_seconds
from bench.measured import Measured
from bench.processes import ROOT, Gateway, running, running_reference
from bench.queries import SALES, SLOTS

FOREVER = 3600.0
SECONDS = 1.5
ROUNDS = 2
WITH_SLOTS = "[SMARTVEND, LIVELLO, VENDNOVATION]"


@dataclass(frozen=True, slots=True)
class Load:
    name: str
    query: str
    connections: int


def _loads(gateway: Gateway) -> Sequence[Load]:
    first = f"{{ machines(first: 1, filter: {{ vendors: {WITH_SLOTS} }}) {{ nodes {{ id }} }} }}"
    machine = gateway.ask(first)["machines"]["nodes"][0]["id"]
    fifty = f"machines(first: 50, filter: {{ vendors: {WITH_SLOTS} }})"
    return (
        Load(
            "one machine with slots and products", f'{{ machine(id: "{machine}") {{ name connectivity {SLOTS} }} }}', 16
        ),
        Load("50 machines, 4 fields each", f"{{ {fifty} {{ nodes {{ id name vendor connectivity }} }} }}", 16),
        Load("50 machines, slots, products, 10 sales", f"{{ {fifty} {{ nodes {{ name {SLOTS} {SALES} }} }} }}", 4),
    )


def fields(data: Any) -> int:
    if isinstance(data, dict):
        return len(data) + sum(map(fields, data.values()))
    return sum(map(fields, data)) if isinstance(data, list) else 0


def _load(base: str, load: Load, key: str, pid: int, into: Measured) -> None:
    """From a process of its own, so that the load takes nothing from what it loads but its core."""
    before = cpu_seconds(pid)
    command = [sys.executable, "-m", "bench.load", base.rpartition(":")[2], str(load.connections), str(SECONDS)]
    given = orjson.dumps({"query": load.query, "key": key})
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True, cwd=ROOT)  # noqa: S603
    after = cpu_seconds(pid)
    outcome = orjson.loads(done.stdout)
    if outcome["failed"]:
        raise RuntimeError(f"{load.name}: {outcome['failed']} answers were none")
    into.answers += len(outcome["milliseconds"])
    into.seconds += SECONDS
    into.cpu += 0.0 if before is None or after is None else after - before
    into.milliseconds += outcome["milliseconds"]


def main() -> None:
    with running(cache_seconds=FOREVER) as gateway, tempfile.TemporaryDirectory() as folder:
        loads = _loads(gateway)
        answers: Mapping[str, Any] = {load.query: gateway.ask(load.query) for load in loads}
        file = Path(folder) / "answers.json"
        file.write_bytes(orjson.dumps(answers))
        with running_reference(file) as (reference, pid):
            print("Requests per second, warm, of one process; the load comes from another")
            print("Reference: graphql-core on the finished answer, parsed and validated once, the same server")
            print(f"{'':<42}{'fields':>7}{'rps':>7}{'p50 ms':>8}{'p99 ms':>8}{'CPU ms':>8}", end="")
            print(f"{'reference rps':>15}{'CPU ms':>8}{'ratio':>7}")
            for load in loads:
                ours, theirs = Measured(), Measured()
                for _ in range(ROUNDS):
                    _load(gateway.base, load, gateway.key, gateway.pid, ours)
                    _load(reference, load, "", pid, theirs)
                _show(load, fields(answers[load.query]), ours, theirs)


def _show(load: Load, count: int, ours: Measured, theirs: Measured) -> None:
    print(f"{load.name:<42}{count:>7}{ours.per_second:>7.0f}", end="")
    print(f"{ours.percentile(0.5):>8.1f}{ours.percentile(0.99):>8.1f}{ours.cpu_milliseconds:>8.2f}", end="")
    print(f"{theirs.per_second:>15.0f}{theirs.cpu_milliseconds:>8.2f}{ours.per_second / theirs.per_second:>7.2f}")
