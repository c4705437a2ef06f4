"""Clients of both transports as the protocols describe them, and deliveries for them to hear of."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx2
import websockets
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection

from domain.model import Role
from journal import keys
from journal.store import open_store
from tests.running import ADMIN, Gateway
from tests.telling import signed, smartvend_sale

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")
SALES = (
    "subscription Sales($after: String, $filter: SaleFilter) { sales(after: $after, filter: $filter)"
    " { cursor origin sale { vendorId } gap { from to message } } }"
)
WAIT_SECONDS = 20.0
Message = dict[str, Any]


class Socket:
    """A socket of graphql-transport-ws. Without a key, `connection_init` is left to the test."""

    def __init__(self, gateway: Gateway, key: str | None = ADMIN, **options: Any) -> None:
        self._address = gateway.base.replace("http", "ws") + "/graphql"
        self._key = key
        self._options = {"subprotocols": [PROTOCOL], "compression": None, "max_queue": None, **options}
        self.connection: ClientConnection

    async def __aenter__(self) -> Self:
        self.connection = await websockets.connect(self._address, **self._options)
        if self._key is not None:
            await self.say({"type": "connection_init", "payload": {"authorization": f"Bearer {self._key}"}})
            assert await self.hear() == {"type": "connection_ack"}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.connection.close()

    async def say(self, message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> Any:
        return json.loads(await asyncio.wait_for(self.connection.recv(), WAIT_SECONDS))

    async def subscribe(self, query: str, variables: Any = None, *, id_: str = "1") -> None:
        payload = {"query": query} if variables is None else {"query": query, "variables": variables}
        await self.say({"id": id_, "type": "subscribe", "payload": payload})

    async def next(self, id_: str = "1") -> Message:
        """The data of the next message."""
        message = await self.hear()
        assert (message["id"], message["type"]) == (id_, "next"), message
        assert "errors" not in message["payload"], message
        data: Message = message["payload"]["data"]
        return data

    async def quiet(self) -> bool:
        """Whether nothing was said before the answer to a ping, which is the last thing that is heard."""
        await self.say({"type": "ping"})
        return bool(await self.hear() == {"type": "pong"})

    async def closed(self) -> tuple[int, str]:
        """How the gateway closes it, after whatever else it says."""
        with suppress(websockets.ConnectionClosed):
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    await self.connection.recv()
        frame = self.connection.protocol.close_rcvd
        assert frame is not None, "it was cut off"
        return frame.code, frame.reason


def narrow_socket(gateway: Gateway) -> socket.socket:
    """A connection that can hold little of what is not read."""
    connected = socket.socket()
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, _, port = gateway.base.removeprefix("http://").partition(":")
    connected.connect((host, int(port)))
    return connected


def narrow(gateway: Gateway) -> dict[str, Any]:
    """Options of a `Socket` over such a connection."""
    return {"sock": narrow_socket(gateway), "max_queue": 1}


class Events:
    """An event stream that is being read."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.comments = 0

    async def hear(self) -> Message | None:
        """The next event, by the names of its fields; None at the end of the stream."""
        event: Message = {}
        while True:
            line = await asyncio.wait_for(anext(self._lines, None), WAIT_SECONDS)
            if line is None:
                return None
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(":")
                event[name] = value.removeprefix(" ")
            elif event:
                return event

    async def next(self) -> Message:
        """The data of the next message, whose cursor is its event's id."""
        event = await self.hear()
        assert event is not None
        assert event["event"] == "next", event
        result = json.loads(event["data"])
        assert "errors" not in result, result
        (message,) = result["data"].values()
        assert event["id"] == message.get("cursor", event["id"])
        data: Message = result["data"]
        return data

    async def rest(self) -> list[Message]:
        """All events to the end of the stream."""
        found = []
        while (event := await self.hear()) is not None:
            found.append(event)
        return found


@asynccontextmanager
async def events(
    gateway: Gateway,
    query: str,
    variables: Any = None,
    *,
    key: str = ADMIN,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    base: str | None = None,
) -> AsyncIterator[Events]:
    """Entered when the gateway has begun to answer: then the subscription stands. `base`: another address for it."""
    sent = {"accept": "text/event-stream", "authorization": f"Bearer {key}", **(headers or {})}
    body: Message = {"query": query} if variables is None else {"query": query, "variables": variables}
    asked: Message = {"json": body}
    if method == "GET":
        asked = {"params": {name: value if name == "query" else json.dumps(value) for name, value in body.items()}}
    address = f"{base or gateway.base}/graphql"
    async with (
        httpx2.AsyncClient(timeout=WAIT_SECONDS, trust_env=False) as client,
        client.stream(method, address, headers=sent, **asked) as response,
    ):
        yield Events(response)


class Shop:
    """Sells over one connection: each sale is a signed webhook that the gateway has recorded."""

    def __init__(self, gateway: Gateway, account: str = "acme-coffee") -> None:
        self._address = f"{gateway.base}/webhooks/{account}"
        self._client = httpx2.AsyncClient(timeout=WAIT_SECONDS, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def sell(self, count: int = 1, **changed: Any) -> list[str]:
        """The vendor's ids of the sales, in order."""
        found = []
        for _ in range(count):
            sale = smartvend_sale(**changed)
            content, headers = signed(sale)
            answer = await self._client.post(self._address, content=content, headers=headers)
            assert answer.status_code == 200, answer.text
            found.append(sale["saleId"])
        return found


def sold(data: Message) -> str:
    """The vendor's id of the sale that a message tells of."""
    (message,) = data.values()
    found: str = message["sale"]["vendorId"]
    return found


async def heard(listener: Socket | Events, count: int) -> list[str]:
    """The vendor's ids of the next sales."""
    return [sold(await listener.next()) for _ in range(count)]


def metric(gateway: Gateway, name: str) -> float:
    text = httpx2.get(f"{gateway.base}/metrics", trust_env=False).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return families[f"vendgraph_{name}"].samples[0].value


async def until(gateway: Gateway, name: str, value: float) -> None:
    """Waits until a metric has a value."""
    async with asyncio.timeout(WAIT_SECONDS):
        while await asyncio.to_thread(metric, gateway, name) != value:  # noqa: ASYNC110  it is told over HTTP
            await asyncio.sleep(0.01)


async def subscribed(gateway: Gateway, count: int = 1) -> None:
    """Waits until so many subscriptions stand: over a socket nobody is told."""
    await until(gateway, "subscribers", count)


def codes(errors: Sequence[Message]) -> list[str]:
    return [error["extensions"]["code"] for error in errors]


def new_key(folder: Path) -> tuple[str, Callable[[], None]]:
    """A key of a gateway whose store is in this folder, and what revokes it."""
    engine = open_store(f"sqlite:///{folder}/vendgraph.db")
    text, key = keys.create(engine, name="passing", role=Role.VIEWER, organizations=["acme"])

    def revoke() -> None:
        assert keys.revoke(engine, key.id)
        engine.dispose()

    return text, revoke
