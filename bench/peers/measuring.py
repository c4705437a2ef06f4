"""Loads one server with one query, and says what that took."""

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx2
import orjson

from bench.peers import cores
from bench.peers.queries import Query
from bench.peers.sides import Server
from bench.processes import ROOT

PATIENCE = 60.0


class Different(Exception):
    """An answer is not the one that all others gave."""


class Upstream:
    """The vendor's own side: what it was asked, and how slow it is."""

    def __init__(self, base: str) -> None:
        self._control = "{0.scheme}://{0.netloc}/_bench/".format(urlsplit(base))

    def reset(self) -> None:
        self._get("reset")

    def delay(self, milliseconds: int) -> None:
        self._get(f"latency/{milliseconds}")

    @property
    def requests(self) -> int:
        return sum(self._get("requests").values())

    def _get(self, what: str) -> Any:
        return httpx2.get(self._control + what, timeout=PATIENCE).json()


@dataclass(frozen=True, slots=True)
class Round:
    """`cpu` in milliseconds of an answer; `requests` to the vendor for an answer."""

    per_second: float
    p50: float
    p99: float
    cpu: float
    requests: float


def measure(
    server: Server, query: Query, upstream: Upstream, *, connections: int, seconds: float, times: int | None = None
) -> Round:
    """From a process of its own. Raises Different where answers change meanwhile."""
    upstream.reset()
    before = cores.cpu(server.pid)
    told = _load(server, query, connections, seconds, times)
    used = cores.cpu(server.pid) - before
    if told["others"]:
        raise Different(f"{told['others']} of {told['answers']} answers to {query.name} were others than the first")
    return Round(
        per_second=told["answers"] / told["seconds"],
        p50=told["p50"],
        p99=told["p99"],
        cpu=1000 * used / told["answers"],
        requests=upstream.requests / told["answers"],
    )


def answer(server: Server, query: Query) -> Any:
    """The whole answer, asked once. Raises Different where it is no success."""
    headers = {"content-type": "application/json", "accept": "application/json", **server.headers}
    url = f"http://127.0.0.1:{server.port}/graphql"
    told = httpx2.post(url, content=_body(server, query), headers=headers, timeout=PATIENCE)
    if not told.is_success:
        raise Different(f"{query.name}: {told.status_code} {told.text[:300]}")
    return told.json()


def _body(server: Server, query: Query) -> bytes:
    return orjson.dumps({"query": query.text, "variables": query.variables(server.machine)})


def _load(server: Server, query: Query, connections: int, seconds: float, times: int | None) -> Any:
    given = {
        "path": "/graphql",
        "headers": dict(server.headers),
        "body": _body(server, query).decode(),
        "connections": connections,
        "seconds": seconds,
        "times": times,
    }
    command = [sys.executable, "-m", "bench.peers.load", str(server.port)]
    with cores.on(cores.OTHERS):
        done = subprocess.run(command, input=orjson.dumps(given), stdout=subprocess.PIPE, check=True, cwd=ROOT)  # noqa: S603
    return orjson.loads(done.stdout)


def middle(rounds: Iterable[Round]) -> Round:
    """The median of each number."""
    found = list(rounds)
    return Round(
        per_second=median(one.per_second for one in found),
        p50=median(one.p50 for one in found),
        p99=median(one.p99 for one in found),
        cpu=median(one.cpu for one in found),
        requests=median(one.requests for one in found),
    )
