"""Work as it comes from many: what `bench.soak` asks for without pause, each kind of it at a pace of its own."""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson
import websockets

from bench.processes import Gateway
from bench.queries import QUERIES
from tests.telling import signed, smartvend_sale

WAIT_SECONDS = 30.0
PAST = 30 * 86_400  # seconds, in which times are picked
MANY = 50
MACHINES = "{ machines(first: 1000) { nodes { id vendor vendorId } } }"
KEPT = "{ machines(first: 50) { nodes { id name connectivity } } }"
VARYING = (
    "query Some($id: ID!, $first: Int!, $filter: SaleFilter) { machine(id: $id) { name slots { quantity } }"
    " sales(first: $first, filter: $filter) { nodes { recordedAt machine { name } total { amount currency } } } }"
)
FOLLOWED = (
    "subscription Sales($filter: SaleFilter) { sales(filter: $filter) { cursor sale { id total { amount } } } }",
    "subscription Machines { machines { cursor machine { name } } }",
)
WRONG = (
    "{{ {} ",
    "{{ {} }}",
    "query Q{} {{ machine {{ id }} }}",
    '{{ machines(after: "{}") {{ nodes {{ id }} }} }}',
    "{{ {}: sales(first: 5000) {{ nodes {{ id }} }} viewer {{ name }} }}",
)
EVENTS = {"accept": "text/event-stream"}


class Unexpected(Exception):
    """The message says what came."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """`machines`: the ids of all of them; `controllers`: those that report, as their vendor calls them."""

    gateway: Gateway
    client: httpx2.AsyncClient
    machines: Sequence[str]
    controllers: Sequence[str]

    async def post(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> httpx2.Response:
        asked = {"query": query, "variables": variables or {}}
        sent = {**self.gateway.headers, **headers}
        return await self.client.post(f"{self.gateway.base}/graphql", json=asked, headers=sent)


Ask = Callable[[Fleet], Awaitable[None]]


def fleet(gateway: Gateway, client: httpx2.AsyncClient) -> Fleet:
    found = gateway.ask(MACHINES)["machines"]["nodes"]
    reporting = [one["vendorId"] for one in found if one["vendor"] == "SMARTVEND"]
    return Fleet(gateway, client, [one["id"] for one in found], reporting)


async def kept(asked: Fleet) -> None:
    _good(await asked.post(KEPT))


async def usual(asked: Fleet) -> None:
    _good(await asked.post(random.choice(QUERIES).text))  # noqa: S311  it guards nothing


async def new_variables(asked: Fleet) -> None:
    first, machine = random.randint(1, MANY), random.choice(asked.machines)  # noqa: S311
    _good(await asked.post(VARYING, {"id": machine, "first": first, "filter": _filter(asked)}))


async def new_document(asked: Fleet) -> None:
    name, first = _word(), random.randint(1, MANY)  # noqa: S311
    nodes = f"nodes {{ id name slots {{ {name}: quantity }} }}"
    _good(await asked.post(f"query {name} {{ {name}: machines(first: {first}) {{ {nodes} }} }}"))


async def errors(asked: Fleet) -> None:
    answer = await asked.post(random.choice(WRONG).format(_word()))  # noqa: S311
    if not answer.json().get("errors"):
        raise Unexpected(answer.text[:200])


async def wrong_key(asked: Fleet) -> None:
    answer = await asked.post(KEPT, authorization=f"Bearer {_word()}")
    if answer.status_code not in {401, 429}:
        raise Unexpected(answer.text[:200])


async def delivery(asked: Fleet) -> None:
    """One in ten comes twice, and one in ten is not what was signed."""
    body, headers = signed(smartvend_sale(controllerId=random.choice(asked.controllers)))  # noqa: S311
    luck = random.randrange(10)  # noqa: S311
    for _ in range(2 if luck == 0 else 1):
        sent = body + b" " if luck == 1 else body
        sent = sent.replace(b"Espresso", b"Mocha") if luck == 1 else sent
        url = f"{asked.gateway.base}/webhooks/acme-coffee"
        answer = await asked.client.post(url, content=sent, headers=headers)
        if answer.is_success == (luck == 1):
            raise Unexpected(f"{answer.status_code} for a delivery: {answer.text[:200]}")


async def export(asked: Fleet) -> None:
    """Half of them are broken off."""
    url = f"{asked.gateway.base}/exports/sales.{random.choice(('csv', 'ndjson'))}"  # noqa: S311
    since: str = _filter(asked)["from"]
    async with asked.client.stream("GET", url, params={"from": since}, headers=asked.gateway.headers) as answer:
        if answer.status_code not in {200, 429}:
            raise Unexpected(f"{answer.status_code} for an export")
        whole = random.random() < 0.5  # noqa: S311
        async for _ in answer.aiter_bytes():
            if not whole:
                return


async def socket(asked: Fleet) -> None:
    """Several subscriptions, equal to others' and not; most are ended, and some sockets just break off."""
    address = asked.gateway.base.replace("http", "ws") + "/graphql"
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(address, subprotocols=[protocol], compression=None) as one:
        await _say(one, type="connection_init", payload={"authorization": f"Bearer {asked.gateway.key}"})
        await one.recv()
        payloads: list[dict[str, Any]] = [{"query": query} for query in FOLLOWED]
        payloads.append({"query": FOLLOWED[0], "variables": {"filter": {"from": _filter(asked)["from"]}}})
        for number, payload in enumerate(payloads):
            await _say(one, type="subscribe", id=str(number), payload=payload)
        for _ in range(random.randint(1, 20)):  # noqa: S311
            async with asyncio.timeout(WAIT_SECONDS):  # `wait_for` may lose that it was cancelled
                told = await one.recv()
            if orjson.loads(told)["type"] != "next":
                raise Unexpected(str(told)[:200])
        if random.random() < 0.2:  # noqa: S311
            one.transport.abort()
            return
        await _say(one, type="complete", id="0")


async def stream(asked: Fleet) -> None:
    """Server-sent events, until one has come."""
    headers, body = {**asked.gateway.headers, **EVENTS}, {"query": FOLLOWED[0]}
    async with asked.client.stream("POST", f"{asked.gateway.base}/graphql", json=body, headers=headers) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: next"):
                return
    raise Unexpected("a stream of events ended")


KINDS: Mapping[Ask, float] = {  # with the seconds between one and the next
    kept: 0.25,
    usual: 5.0,
    new_variables: 1.2,
    new_document: 1.7,
    errors: 1.2,
    wrong_key: 1.2,
    delivery: 0.5,
    export: 20.0,
    socket: 1.2,
    stream: 2.5,
}


async def _say(one: websockets.ClientConnection, **message: Any) -> None:
    await one.send(orjson.dumps(message).decode())


def _good(answer: httpx2.Response) -> None:
    """Where a vendor fails or is asked too much, an answer has errors beside its data, which is no surprise; nor is it
    that somebody is turned away while the gateway is late."""
    if answer.status_code == 503:
        return
    if answer.status_code != 200 or not answer.json().get("data"):
        raise Unexpected(f"{answer.status_code}: {answer.text[:200]}")


def _filter(asked: Fleet) -> dict[str, Any]:
    """One as it never was before."""
    since = datetime.now(UTC) - timedelta(seconds=60 + random.random() * PAST)  # noqa: S311
    return {"from": since.isoformat(), "machines": random.sample(asked.machines, 3)}


def _word() -> str:
    return f"w{secrets.token_hex(8)}"
