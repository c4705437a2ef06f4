"""Cold queries: how many requests they take and how long, against what cannot be avoided."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from bench.least import least
from bench.processes import Gateway, running
from bench.queries import QUERIES, Query

LATENCY = 0.05  # seconds that each answer of a vendor takes
ROUNDS = 2
CALLERS = 40
WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What one query came to, asked by one caller or by several at once."""

    data: Any
    seconds: float
    requests: Counter[str]


async def _ask(gateway: Gateway, query: str, callers: int = 1) -> Asked:
    """The connections stand before the clock starts, and the vendors have been asked nothing for this query."""
    async with httpx2.AsyncClient(timeout=WAIT_SECONDS, headers=gateway.headers) as client:

        async def post(text: str) -> Any:
            response = await client.post(f"{gateway.base}/graphql", json={"query": text})
            answer = response.json()
            if "errors" in answer:
                raise RuntimeError(f"{text[:60]}…: {answer['errors'][0]}")
            return answer["data"]

        await asyncio.gather(*(post("{ viewer { name } }") for _ in range(callers)))
        await client.delete(f"{gateway.vendors}/_sandbox/requests")
        started = time.perf_counter()
        data, *_ = await asyncio.gather(*(post(query) for _ in range(callers)))
        seconds = time.perf_counter() - started
        told = (await client.get(f"{gateway.vendors}/_sandbox/requests")).json()
    return Asked(data, seconds, Counter(one["vendor"] for one in told))


@dataclass(frozen=True, slots=True)
class Result:
    """`crowd` is None where it was not asked by many."""

    query: Query
    least: Mapping[str, int]
    chain: int
    cold: Asked
    warm: Asked
    crowd: Asked | None


def measure(query: Query) -> Result:
    """Each cold question is asked of a gateway that was just started, over vendors that were too."""
    cold: list[Asked] = []
    for _ in range(ROUNDS):
        with running(latency=LATENCY) as gateway:
            cold.append(asyncio.run(_ask(gateway, query.text)))
            warm = asyncio.run(_ask(gateway, query.text))
            truth = httpx2.get(f"{gateway.vendors}/_sandbox/truth").json() if len(cold) == ROUNDS else {}
    best = min(cold, key=lambda asked: asked.seconds)
    crowd = None
    if query.crowd:
        with running(latency=LATENCY) as gateway:
            crowd = asyncio.run(_ask(gateway, query.text, CALLERS))
    return Result(query, *least(query, truth, best.data), best, warm, crowd)


def show(results: Sequence[Result]) -> None:
    print(f"Requests to vendors: the least, cold, asked again at once, and cold by {CALLERS} callers at once")
    print(f"{'':<66}{'least':>6}{'cold':>6}{'ratio':>7}{'again':>6}{f'by {CALLERS}':>6}  more than the least")
    for one in results:
        fewest, cold = sum(one.least.values()), one.cold.requests.total()
        crowd = "" if one.crowd is None else one.crowd.requests.total()
        more = [f"{vendor} +{one.cold.requests[vendor] - known}" for vendor, known in one.least.items()]
        shown = ", ".join(text for text in more if not text.endswith("+0"))
        print(
            f"{one.query.name:<66}{fewest:>6}{cold:>6}{cold / fewest:>7.2f}"
            f"{one.warm.requests.total():>6}{crowd:>6}  {shown}"
        )
    print(f"\nTime of a cold query, ms, at {LATENCY * 1000:.0f} ms a request, against the longest chain of requests")
    print(f"{'':<66}{'chain':>6}{'floor':>7}{'cold':>7}{'ratio':>7}{'again':>7}")
    for one in results:
        floor = one.chain * LATENCY
        print(
            f"{one.query.name:<66}{one.chain:>6}{floor * 1000:>7.0f}{one.cold.seconds * 1000:>7.0f}"
            f"{one.cold.seconds / floor:>7.2f}{one.warm.seconds * 1000:>7.0f}"
        )


def main() -> None:
    show([measure(query) for query in QUERIES])
