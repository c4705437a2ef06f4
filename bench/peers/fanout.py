"""Messages to equal subscribers: ours, each from a webhook that is verified and recorded, and npm's graphql-ws."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import httpx2

from bench import fanout
from bench.fanout import Followed, Tell
from bench.peers import cores
from bench.processes import running, running_graphql_ws

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Told:
    """`cpu` in microseconds of a delivery."""

    per_second: float
    cpu: float
    megabytes: float


def measure(*, quick: bool) -> tuple[Told, Told]:
    """Ours and theirs, in rounds by turns. Raises NoNode."""
    subscribers, messages, rounds = (50, 8, 1) if quick else (fanout.SUBSCRIBERS, fanout.MESSAGES, ROUNDS)
    with ExitStack() as stack:
        with cores.on(cores.SERVERS):
            gateway = stack.enter_context(running())
            base, pid = stack.enter_context(running_graphql_ws())
        stack.enter_context(cores.on(cores.OTHERS))
        client = stack.enter_context(httpx2.Client(timeout=fanout.WAIT_SECONDS))
        message = fanout.a_message(client, gateway)

        def tell() -> None:
            client.post(base, json=message).raise_for_status()

        def follow(address: str, server: int, key: str, tells: Sequence[Tell]) -> Followed:
            return fanout.follow(address, server, key, subscribers, tells, at_once=fanout.AT_ONCE)

        ours, theirs = list[Followed](), list[Followed]()
        for _ in range(rounds):
            deliveries = [fanout.delivering(client, gateway) for _ in range(messages)]
            ours.append(follow(gateway.base, gateway.pid, gateway.key, deliveries))
            theirs.append(follow(base, pid, "", [tell] * messages))
        return _told(ours, gateway.pid), _told(theirs, pid)


def _told(rounds: Sequence[Followed], pid: int) -> Told:
    return Told(
        per_second=median(one.per_second for one in rounds),
        cpu=median(one.cpu_microseconds for one in rounds),
        megabytes=cores.megabytes(pid),
    )
