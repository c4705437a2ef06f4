"""GraphQL over WebSocket, by the `graphql-transport-ws` protocol to the letter.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md

A client that takes nothing is cut off by the server below; see `gateway.server`."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, aclosing, suppress
from typing import Any

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from domain.errors import BadInput, ErrorCode, Unauthenticated, VendgraphError
from gateway import errors
from gateway.auth import Authenticator, authorization
from gateway.capacity import Capacity, Crowded
from gateway.channels import Broken, Frame
from gateway.jsons import loads
from gateway.request_ids import new_id
from gateway.requests import Operation, address_of, operation_of
from gateway.shedding import turned_away
from gateway.streams import Pace, Streams, until_first, within
from gateway.wires import CONNECTION, Connection, Wire
from resolvers.context import Viewer

log = structlog.get_logger()

PROTOCOL = "graphql-transport-ws"
OPERATIONS = 64  # at once on one socket
RESTARTING, AGAIN_LATER = 1012, 1013
LONGEST_REASON = 123  # bytes: RFC 6455, section 5.5
TOO_MANY = {
    "message": f"one socket may have {OPERATIONS} operations at once",
    "extensions": {"code": ErrorCode.RATE_LIMITED.value},
}


class Closed(Exception):
    """The socket is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:LONGEST_REASON].decode(errors="ignore")


class Gone(Exception):
    """There is nobody to send to."""


class Sockets:
    """An ASGI application for sockets. `draining`: set when the gateway is about to stop."""

    def __init__(
        self,
        authenticator: Authenticator,
        streams: Streams,
        draining: asyncio.Event,
        pace: Pace,
        capacity: Capacity,
    ) -> None:
        self._authenticator = authenticator
        self._streams = streams
        self._draining = draining
        self._pace = pace
        self._capacity = capacity
        self.open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # the connection itself
        if PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 4406, "reason": "Subprotocol not acceptable"})
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        told = authorization(Headers(scope=scope))
        self.open += 1
        try:
            socket = _Socket(told, receive, send, self._authenticator, self._streams, self._pace, self._capacity)
            socket.address = address_of(HTTPConnection(scope))
            socket.connection = scope.get(CONNECTION)
            await socket.run(self._draining)
        finally:
            self.open -= 1


class _Socket:
    """`told`: the Authorization header of the request that opened it."""

    def __init__(
        self,
        told: str | None,
        receive: Receive,
        send: Send,
        authenticator: Authenticator,
        streams: Streams,
        pace: Pace,
        capacity: Capacity,
    ) -> None:
        self._authorization = told
        self._receive = receive
        self._asgi_send = send
        self._authenticator = authenticator
        self._streams = streams
        self._pace = pace
        self._capacity = capacity
        self._places = ExitStack()
        self.address: str | None = None
        self.connection: Connection | None = None
        self._viewer: Viewer | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._full = False  # which is told the log once

    async def run(self, draining: asyncio.Event) -> None:
        """Until either side closes."""
        try:
            self._enter()
            await until_first(self._read(), self._watch(draining))
        except Closed as closed:
            if closed.code != RESTARTING:
                self._refused(close=closed.code)
            with suppress(Gone):
                await self._send({"type": "websocket.close", "code": closed.code, "reason": closed.reason})
        except Gone:
            pass
        finally:
            self._places.close()
            running = list(self._operations.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _enter(self) -> None:
        if self._capacity.lag.shedding:
            self._capacity.lag.shed += 1
            raise Closed(AGAIN_LATER, "Try again later")
        try:
            self._places.enter_context(self._capacity.sockets.place())
        except Crowded:
            raise Closed(AGAIN_LATER, "Try again later") from None

    def _refused(self, **why: object) -> None:
        if why.get("code") == ErrorCode.INTERNAL.value:
            return  # what went wrong is in the log
        key = None if self._viewer is None else self._viewer.name
        log.info("refused", route="/graphql", address=self.address, key=key, **why)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._pace.init):
                while self._viewer is None:
                    await self._handle(await self._next())
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        while True:
            await self._handle(await self._next())

    async def _watch(self, draining: asyncio.Event) -> None:
        """A key that is revoked, or may see something else by now, ends what it began."""
        while not await within(draining, self._pace.recheck):
            if self._viewer is not None and await self._authenticate() != self._viewer:
                raise Closed(4403, "Forbidden")
        raise Closed(RESTARTING, "Service restart: subscribe again with the last cursor")

    async def _next(self) -> Mapping[str, Any]:
        received = await self._receive()
        if received["type"] == "websocket.disconnect":
            raise Gone
        text = received.get("text")
        if text is None:
            raise _invalid("text is expected")
        try:
            message = loads(text.encode(errors="replace"))
        except BadInput as error:
            raise _invalid(error.message) from None
        if not isinstance(message, dict):
            raise _invalid("an object is expected")
        return message

    async def _handle(self, message: Mapping[str, Any]) -> None:
        kind = message.get("type")
        if kind == "connection_init":
            await self._initialise(_payload(message))
        elif kind == "ping":
            payload = _payload(message)
            await self._tell({"type": "pong"} if payload is None else {"type": "pong", "payload": payload})
        elif kind == "pong":
            _payload(message)
        elif kind == "subscribe":
            await self._subscribe(_id(message), _operation(message.get("payload")))
        elif kind == "complete":
            operation = self._operations.pop(_id(message), None)
            if operation is not None:
                operation.cancel()
        else:
            raise _invalid("its type is unknown")

    async def _initialise(self, payload: Mapping[str, Any] | None) -> None:
        if self._viewer is not None:
            raise Closed(4429, "Too many initialisation requests")
        told = {key.lower(): value for key, value in (payload or {}).items()}.get("authorization")
        if isinstance(told, str):
            self._authorization = told
        viewer = await self._authenticate()
        try:
            self._places.enter_context(self._capacity.sockets_of.place(viewer.name))
        except Crowded:
            raise Closed(4429, "Too many sockets") from None
        self._viewer = viewer
        await self._tell({"type": "connection_ack"})

    async def _authenticate(self) -> Viewer:
        try:
            return await self._authenticator.viewer(self._authorization, self.address)
        except Unauthenticated:
            raise Closed(4403, "Forbidden") from None

    async def _subscribe(self, id_: str, operation: Operation) -> None:
        if self._viewer is None:
            raise Closed(4401, "Unauthorized")
        if id_ in self._operations:
            raise Closed(4409, f"Subscriber for {id_} already exists")
        if len(self._operations) >= OPERATIONS:
            if not self._full:
                self._refused(code=ErrorCode.RATE_LIMITED.value)
            self._full = True
            await self._tell({"id": id_, "type": "error", "payload": [TOO_MANY]})
            return
        self._full = False
        self._operations[id_] = asyncio.create_task(self._run(id_, operation, self._viewer))

    async def _run(self, id_: str, operation: Operation, viewer: Viewer) -> None:
        request_id = new_id()
        with structlog.contextvars.bound_contextvars(request_id=request_id, key=viewer.name), suppress(Gone):
            try:
                with self._capacity.operations_of.place(viewer.name):
                    head = b'{"id":%b,"type":"next","payload":' % orjson.dumps(id_)
                    opened = await self._ask(operation, viewer, request_id, head)
                    if not isinstance(opened, list):
                        await self._forward(head, opened)
                        await self._end(id_, {"id": id_, "type": "complete"})
                        return
            except Gone:
                raise
            except VendgraphError as error:
                opened = errors.refusal(error)["errors"]
            except Broken:
                opened = [errors.masked(request_id)]
            except Exception:
                log.exception("an operation failed")
                opened = [errors.masked(request_id)]
            self._refused(code=opened[0]["extensions"]["code"])
            await self._end(id_, {"id": id_, "type": "error", "payload": opened})

    async def _ask(
        self, operation: Operation, viewer: Viewer, request_id: str, head: bytes
    ) -> AsyncGenerator[Frame, None] | list[dict[str, Any]]:
        """Raises RateLimited where the gateway has too much to do."""
        if self._capacity.lag.shedding:
            self._capacity.lag.shed += 1
            raise turned_away()
        wire = None if self.connection is None else Wire(self.connection, head)
        return await self._streams.ask(operation, viewer, request_id, self.address, wire)

    async def _forward(self, head: bytes, frames: AsyncGenerator[Frame, None]) -> None:
        async with aclosing(frames):
            async for frame in frames:
                await self._send({"type": "websocket.send", "text": (head + frame.payload + b"}").decode()})

    async def _end(self, id_: str, message: Mapping[str, Any]) -> None:
        """The id is free before the client hears of it."""
        del self._operations[id_]
        await self._tell(message)

    async def _tell(self, message: Mapping[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": orjson.dumps(message).decode()})

    async def _send(self, event: dict[str, Any]) -> None:
        """Raises Gone. Also for what comes after a `websocket.close`."""
        try:
            await self._asgi_send(event)
        except (OSError, RuntimeError):
            raise Gone from None


def _invalid(why: str) -> Closed:
    return Closed(4400, f"Invalid message received: {why}")


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _invalid("its payload must be an object")
    return payload


def _id(message: Mapping[str, Any]) -> str:
    found = message.get("id")
    if not isinstance(found, str) or not found:
        raise _invalid("its id must be a text")
    return found


def _operation(payload: Any) -> Operation:
    if not isinstance(payload, dict):
        raise _invalid("its payload must be an object")
    try:
        return operation_of(payload)
    except BadInput as error:
        raise _invalid(error.message) from None
