"""What fails on the way is told as no more than that, and logged once."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.schema.config import StrawberryConfig
from structlog.testing import capture_logs

from connectors.base import Secret
from domain.facts import Origin
from domain.live import Message
from domain.model import Role
from gateway.auth import Authenticator
from gateway.graphql import Endpoint
from gateway.health import Health
from gateway.server import serving
from gateway.settings import KeySettings
from journal.appending import NO_MEANINGS
from journal.bus import Bus
from journal.journal import Journal
from journal.keys import digest
from journal.store import open_store
from resolvers.context import Info
from resolvers.live import Batch, Live
from sandbox.server import start
from schema import scalars
from schema.edge import attribute, stream
from schema.root import QuietSchema
from tests.following import Socket, codes, events, until
from tests.journals import bare
from tests.running import ADMIN, Gateway

CANARY = "canary-5d1c"
ODD = "subscription { odd { shown } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd(Message):
    shown: Any


Read = Callable[[int], Awaitable[Batch[Message]]]


def shows(*shown: Any) -> Read:
    """A message for each, and then no more."""

    async def read(seq: int) -> Batch[Message]:
        if seq < len(shown):
            message = Odd(seq=seq + 1, cursor=f"c{seq + 1}", origin=Origin.WEBHOOK, shown=shown[seq])
            return Batch([message], seq + 1)
        await asyncio.Event().wait()
        raise AssertionError

    return read


async def fails(_: int) -> Batch[Message]:
    raise LookupError(CANARY)


@dataclass(frozen=True, slots=True)
class Change:
    """One that is under way: it has begun, it may go on, it is done; and the gateway is about to end."""

    begun: threading.Event = field(default_factory=threading.Event)
    going: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    ending: threading.Event = field(default_factory=threading.Event)


async def happens(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)


@asynccontextmanager
async def following(folder: Path, read: Read | None, change: Change | None = None) -> AsyncIterator[Gateway]:
    """A gateway over a graph of one subscription, which cannot even be opened without `read`, and of one change."""

    async def messages(root: object, info: Info) -> Live[Message]:  # noqa: ARG001  as every resolver
        if read is None:
            raise LookupError(CANARY)
        return Live(0, read)

    @strawberry.type(name="Odd")
    class Shown:
        shown: scalars.JSON | None = attribute("Whatever it is given.")

    @strawberry.type
    class Subscription:
        odd: Shown = stream(messages, "Odd messages.")

    @strawberry.type
    class Query:
        @strawberry.field
        def odd(self) -> scalars.JSON:
            return scalars.JSON({"key": Secret(CANARY)})

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        async def change(self) -> str:
            assert change is not None
            change.begun.set()
            await happens(change.going)
            change.done.set()
            return "done"

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        if change is not None:
            change.ending.set()
        await served.streams.aclose()

    store = open_store(f"sqlite:///{folder}/store.db")
    key = KeySettings(name="x", sha256=digest(ADMIN), role=Role.ADMIN, organizations=["*"])
    graph = bare(Journal(store, Bus(), NO_MEANINGS))
    draining = asyncio.Event()
    served = Endpoint(
        QuietSchema(Query, Mutation, Subscription, config=StrawberryConfig(scalar_map=scalars.SCALARS)),
        graph,
        Authenticator([key], ["acme"], store),
        draining,
        development=False,
    )
    app = Starlette(
        routes=[
            Route("/graphql", served.serve, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", served.sockets),
            Route("/metrics", Health(graph, store, served).metrics),
        ],
        lifespan=lifespan,
    )
    app.state.draining = draining
    app.state.trusted_proxies, app.state.road = [], None
    with start(app, serving=serving) as server:
        yield Gateway(server.base, server=server)
    store.dispose()


def told(logs: list[Any]) -> list[str]:
    return [line["event"] for line in logs]


async def test_what_cannot_go_on_ends_without_complete_so_that_clients_come_again(tmp_path: Path) -> None:
    async with following(tmp_path, fails) as gateway:
        with capture_logs() as logs:
            async with events(gateway, ODD) as stream:
                assert await stream.rest() == []
        assert told(logs) == ["a subscription cannot go on"]


async def test_over_a_socket_it_ends_with_an_error_and_the_socket_stays(tmp_path: Path) -> None:
    async with following(tmp_path, fails) as gateway, Socket(gateway) as socket:
        with capture_logs() as logs:
            await socket.subscribe(ODD)
            message = await socket.hear()
        assert (message["type"], codes(message["payload"])) == ("error", ["INTERNAL"])
        assert CANARY not in json.dumps(message)
        assert told(logs) == ["a subscription cannot go on"]
        assert await socket.quiet()


async def test_a_message_that_cannot_be_told_is_a_failed_one_and_the_next_ones_follow(tmp_path: Path) -> None:
    async with following(tmp_path, shows("a", {"key": Secret(CANARY)}, "b")) as gateway:
        with capture_logs() as logs:
            async with events(gateway, ODD) as stream:
                assert (await stream.next())["odd"] == {"shown": "a"}
                event = await stream.hear()
                assert event is not None
                assert event["id"] == "c2"
                result = json.loads(event["data"])
                assert (result["data"], codes(result["errors"])) == (None, ["INTERNAL"])
                assert (await stream.next())["odd"] == {"shown": "b"}
        assert told(logs) == ["a message cannot be told"]
        assert CANARY not in event["data"]


async def test_what_cannot_be_opened_is_told_without_why(tmp_path: Path) -> None:
    async with following(tmp_path, None) as gateway, Socket(gateway) as socket:
        with capture_logs() as logs:
            await socket.subscribe(ODD)
            message = await socket.hear()
            async with events(gateway, ODD) as stream:
                (first, _) = await stream.rest()
        assert codes(message["payload"]) == codes(json.loads(first["data"])["errors"]) == ["INTERNAL"]
        assert CANARY not in json.dumps([message, first])
        assert told(logs) == ["unexpected", "unexpected"]


async def test_an_answer_that_cannot_be_told_is_told_without_why(tmp_path: Path) -> None:
    async with following(tmp_path, fails) as gateway, Socket(gateway) as socket:
        with capture_logs() as logs:
            await socket.subscribe("{ odd }")
            message = await socket.hear()
            async with events(gateway, "{ odd }") as stream:
                assert stream.response.status_code == 500
                answer = json.loads(await stream.response.aread())
        assert message["type"] == "error"
        assert codes(message["payload"]) == codes(answer["errors"]) == ["INTERNAL"]
        assert CANARY not in json.dumps([message, answer])
        assert told(logs) == ["an operation failed", "unexpected"]


async def test_what_changes_something_is_done_though_its_client_is_gone(tmp_path: Path) -> None:
    change = Change()
    async with following(tmp_path, fails, change) as gateway:
        async with Socket(gateway) as socket:
            await socket.subscribe("mutation { change }")
            await happens(change.begun)
            socket.connection.transport.abort()
        await until(gateway, "sockets", 0)
        change.going.set()
        await happens(change.done)


async def test_what_changes_something_is_done_before_the_gateway_ends(tmp_path: Path) -> None:
    change = Change()
    async with following(tmp_path, fails, change) as gateway, Socket(gateway) as socket:
        await socket.subscribe("mutation { change }")
        await happens(change.begun)
        assert gateway.server is not None
        stopping = asyncio.create_task(asyncio.to_thread(gateway.server.stop))
        assert (await socket.closed())[0] == 1012
        await happens(change.ending)
        assert gateway.server.thread.is_alive()
        change.going.set()
        await stopping
        assert not gateway.server.thread.is_alive()
        assert change.done.is_set()


async def test_a_change_is_answered_once(tmp_path: Path) -> None:
    change = Change()
    change.going.set()
    async with following(tmp_path, fails, change) as gateway, Socket(gateway) as socket:
        await socket.subscribe("mutation { change }")
        assert await socket.next() == {"change": "done"}
        assert await socket.hear() == {"id": "1", "type": "complete"}
        async with events(gateway, "mutation { change }") as stream:
            assert [event["event"] for event in await stream.rest()] == ["next", "complete"]
        async with events(gateway, "mutation { change }", method="GET") as stream:
            (first, _) = await stream.rest()
            assert codes(json.loads(first["data"])["errors"]) == ["BAD_INPUT"]
