"""Subscriptions: a thousand equal subscribers, against npm's graphql-ws telling the same; how fresh messages are."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

import httpx2
import orjson

from bench.machine import cpu_seconds
from bench.processes import ROOT, Gateway, NoNode, running, running_graphql_ws
from tests.telling import signed, smartvend_sale

SUBSCRIPTION = (
    "subscription { sales { cursor origin sale { id vendor vendorId recordedAt trust total { amount currency }"
    " lines { productName quantity } } } }"
)
SUBSCRIBERS = 1000
MESSAGES = 60
AT_ONCE = 8
ROUNDS = 2
CROWDS = {1: 0.01, 100: 0.02, SUBSCRIBERS: 0.08}  # subscribers, and the seconds between deliveries to them
FRESH_MESSAGES = 50
SETTLING_SECONDS = 1.0  # a socket is not told when its subscription stands
WAIT_SECONDS = 60.0

Tell = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Followed:
    """`sent`: when each message set out, and `heard`: when it came to each subscriber, in the order of those that were
    sent one after the other; `cpu` in seconds of the server."""

    sent: Sequence[float]
    heard: Sequence[Sequence[float]]
    cpu: float

    @property
    def deliveries(self) -> int:
        return sum(map(len, self.heard))

    @property
    def per_second(self) -> float:
        return self.deliveries / (max(chain(*self.heard)) - min(self.sent))

    @property
    def cpu_microseconds(self) -> float:
        """Of a delivery."""
        return 1_000_000 * self.cpu / self.deliveries

    def milliseconds(self, share: float) -> float:
        """From setting out to being heard; `share` of all deliveries took no longer."""
        took = sorted(at - sent for sent, times in zip(self.sent, self.heard, strict=True) for at in times)
        return 1000 * took[int(share * (len(took) - 1))]


def follow(
    base: str, pid: int, key: str, subscribers: int, tells: Sequence[Tell], *, at_once: int = 1, pause: float = 0.0
) -> Followed:
    """Subscribes from a process of its own, and tells the messages, `at_once` of them, each after a pause."""
    command = [sys.executable, "-m", "bench.followers", base.rpartition(":")[2], str(subscribers)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as followers:  # noqa: S603
        assert followers.stdin is not None
        assert followers.stdout is not None
        try:
            given = {"query": SUBSCRIPTION, "key": key, "messages": len(tells)}
            followers.stdin.write(orjson.dumps(given) + b"\n")
            followers.stdin.flush()
            if followers.stdout.readline() != b"ready\n":
                raise RuntimeError("nobody could subscribe")
            time.sleep(SETTLING_SECONDS)
            before = cpu_seconds(pid)
            with ThreadPoolExecutor(at_once) as senders:
                sent = list(senders.map(lambda tell: _tell(tell, pause), tells))
            heard, _ = followers.communicate(timeout=WAIT_SECONDS)
            after = cpu_seconds(pid)
        finally:
            followers.kill()
    return Followed(sent, orjson.loads(heard), 0.0 if before is None or after is None else after - before)


def _tell(tell: Tell, pause: float) -> float:
    """When it set out."""
    time.sleep(pause)
    at = time.monotonic()
    tell()
    return at


def delivering(client: httpx2.Client, gateway: Gateway) -> Tell:
    """The delivery of a sale, signed beforehand."""
    content, headers = signed(smartvend_sale())

    def tell() -> None:
        client.post(f"{gateway.base}/webhooks/acme-coffee", content=content, headers=headers).raise_for_status()

    return tell


def a_message(client: httpx2.Client, gateway: Gateway) -> Any:
    """One as the gateway tells it."""
    headers = {**gateway.headers, "accept": "text/event-stream"}
    with client.stream("POST", f"{gateway.base}/graphql", json={"query": SUBSCRIPTION}, headers=headers) as events:
        delivering(client, gateway)()
        line = next(line for line in events.iter_lines() if line.startswith("data:"))
    return orjson.loads(line.removeprefix("data:"))["data"]["sales"]


def _ours(client: httpx2.Client, gateway: Gateway) -> Followed:
    tells = [delivering(client, gateway) for _ in range(MESSAGES)]
    return follow(gateway.base, gateway.pid, gateway.key, SUBSCRIBERS, tells, at_once=AT_ONCE)


def _theirs(client: httpx2.Client, message: Any) -> Followed:
    with running_graphql_ws() as (base, pid):

        def tell() -> None:
            client.post(base, json=message).raise_for_status()

        return follow(base, pid, "", SUBSCRIBERS, [tell] * MESSAGES, at_once=AT_ONCE)


def main() -> None:
    with running() as gateway, httpx2.Client(timeout=WAIT_SECONDS) as client:
        message = a_message(client, gateway)
        print(
            f"{MESSAGES} messages, {AT_ONCE} at once, to {SUBSCRIBERS} equal subscribers by WebSocket, best of {ROUNDS}"
        )
        print("Of ours each is a webhook that is verified and recorded; npm's graphql-ws gets the finished message")
        print(f"{'':<42}{'per second':>11}{'CPU µs':>8}{'ratio':>7}{'CPU':>7}")
        ours = _best([_ours(client, gateway) for _ in range(ROUNDS)])
        try:
            theirs = _best([_theirs(client, message) for _ in range(ROUNDS)])
        except NoNode as missing:
            print(f"{'vendgraph':<42}{ours.per_second:>11.0f}{ours.cpu_microseconds:>8.1f}  {missing}")
        else:
            ratios = ours.per_second / theirs.per_second, ours.cpu_microseconds / theirs.cpu_microseconds
            print(f"{'npm graphql-ws':<42}{theirs.per_second:>11.0f}{theirs.cpu_microseconds:>8.1f}")
            print(f"{'vendgraph':<42}{ours.per_second:>11.0f}{ours.cpu_microseconds:>8.1f}", end="")
            print(f"{ratios[0]:>7.2f}{ratios[1]:>7.2f}")
        _fresh(client, gateway)


def _best(rounds: Sequence[Followed]) -> Followed:
    return max(rounds, key=lambda one: one.per_second)


def _fresh(client: httpx2.Client, gateway: Gateway) -> None:
    print(
        f"\nFrom sending a webhook to its message, ms, {FRESH_MESSAGES} of them; the others share this machine's cores"
    )
    print(f"{'subscribers':<42}{'p50':>11}{'p99':>8}")
    for subscribers, pause in CROWDS.items():
        tells = [delivering(client, gateway) for _ in range(FRESH_MESSAGES)]
        found = follow(gateway.base, gateway.pid, gateway.key, subscribers, tells, pause=pause)
        print(f"{subscribers:<42}{found.milliseconds(0.5):>11.1f}{found.milliseconds(0.99):>8.1f}")
