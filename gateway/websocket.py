"""GraphQL over WebSocket, by the `graphql-transport-ws` protocol to the letter.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from typing import Any

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from domain.errors import ErrorCode, Unauthenticated
from gateway.auth import Authenticator
from gateway.requests import Operation
from gateway.streams import Frame, Streams
from resolvers.context import Viewer

log = structlog.get_logger()

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 3.0
SENDING_SECONDS = 30.0  # how long a client may take to accept a message
RECHECKED_SECONDS = 30.0  # how often it is asked whether the key is still good
OPERATIONS = 64  # at once on one socket
TOO_MANY = {
    "message": f"one socket may have {OPERATIONS} operations at once",
    "extensions": {"code": ErrorCode.RATE_LIMITED.value},
}


class Closed(Exception):
    """The socket is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Sockets:
    """`draining`: set when the gateway is about to stop."""

    def __init__(self, authenticator: Authenticator, streams: Streams, draining: asyncio.Event) -> None:
        self._authenticator = authenticator
        self._streams = streams
        self._draining = draining
        self.open = 0

    async def serve(self, websocket: WebSocket) -> None:
        if PROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(4406, "Subprotocol not acceptable")
            return
        await websocket.accept(PROTOCOL)
        self.open += 1
        try:
            await _Socket(websocket, self._authenticator, self._streams).run(self._draining)
        finally:
            self.open -= 1


class _Socket:
    def __init__(self, websocket: WebSocket, authenticator: Authenticator, streams: Streams) -> None:
        self._websocket = websocket
        self._authenticator = authenticator
        self._streams = streams
        self._authorization = websocket.headers.get("authorization")
        self._viewer: Viewer | None = None
        self._initialised = False
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def run(self, draining: asyncio.Event) -> None:
        """Until either side closes. Whatever ends first ends the others."""
        watching = [self._read(), self._recheck(), _drained(draining)]
        tasks = [asyncio.create_task(work) for work in watching]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        except Closed as closed:
            await self._close(closed)
        except (WebSocketDisconnect, ConnectionError):
            return
        finally:
            for task in (*tasks, *self._operations.values()):
                task.cancel()
            await asyncio.gather(*tasks, *self._operations.values(), return_exceptions=True)

    async def _close(self, closed: Closed) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, ConnectionError, TimeoutError):
                async with asyncio.timeout(SENDING_SECONDS):
                    await self._websocket.close(closed.code, closed.reason)

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                await self._handle(await self._receive())
                while self._viewer is None:
                    await self._handle(await self._receive())
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        while True:
            await self._handle(await self._receive())

    async def _receive(self) -> Mapping[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        if text is None:
            raise Closed(4400, "Invalid message received: text is expected")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closed(4400, "Invalid message received: it is not JSON") from None
        if not isinstance(message, dict):
            raise Closed(4400, "Invalid message received: an object is expected")
        return message

    async def _handle(self, message: Mapping[str, Any]) -> None:
        kind = message.get("type")
        if kind == "connection_init":
            await self._initialise(_payload(message))
        elif kind == "ping":
            answer: dict[str, Any] = {"type": "pong"}
            if _payload(message) is not None:
                answer["payload"] = message["payload"]
            await self._send(orjson.dumps(answer).decode())
        elif kind == "pong":
            _payload(message)
        elif kind == "subscribe":
            await self._subscribe(_id(message), message)
        elif kind == "complete":
            operation = self._operations.pop(_id(message), None)
            if operation is not None:
                operation.cancel()
        else:
            raise Closed(4400, "Invalid message received: its type is unknown")

    async def _initialise(self, payload: Mapping[str, Any] | None) -> None:
        if self._initialised:
            raise Closed(4429, "Too many initialisation requests")
        self._initialised = True
        told = {key.lower(): value for key, value in (payload or {}).items()}.get("authorization")
        if isinstance(told, str):
            self._authorization = told
        self._viewer = await self._authenticate()
        await self._send('{"type":"connection_ack"}')

    async def _authenticate(self) -> Viewer:
        try:
            return await self._authenticator.viewer(self._authorization)
        except Unauthenticated:
            raise Closed(4403, "Forbidden") from None

    async def _recheck(self) -> None:
        """A key that is revoked, or may see something else by now, ends what it began."""
        while True:
            await asyncio.sleep(RECHECKED_SECONDS)
            if self._viewer is not None and await self._authenticate() != self._viewer:
                raise Closed(4403, "Forbidden")

    async def _subscribe(self, id_: str, message: Mapping[str, Any]) -> None:
        if self._viewer is None:
            raise Closed(4401, "Unauthorized")
        if id_ in self._operations:
            raise Closed(4409, f"Subscriber for {id_} already exists"[:120])
        operation = _operation(message.get("payload"))
        if len(self._operations) >= OPERATIONS:
            await self._send(_error(id_, [TOO_MANY]))
            return
        task = asyncio.create_task(self._run(id_, operation, self._viewer))
        self._operations[id_] = task
        task.add_done_callback(lambda ended: self._ended(id_, ended))

    def _ended(self, id_: str, task: "asyncio.Task[None]") -> None:
        if self._operations.get(id_) is task:
            del self._operations[id_]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a subscription failed", exc_info=error)

    async def _run(self, id_: str, operation: Operation, viewer: Viewer) -> None:
        request_id = secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request_id=request_id, key=viewer.name):
            try:
                opened = await self._streams.open(operation, viewer, request_id)
                if isinstance(opened, list):
                    await self._send(_error(id_, opened))
                    return
                await self._forward(id_, opened)
                await self._send(f'{{"id":{orjson.dumps(id_).decode()},"type":"complete"}}')
            except (WebSocketDisconnect, ConnectionError, RuntimeError, TimeoutError):
                await self._close(Closed(1008, "messages are not read"))

    async def _forward(self, id_: str, frames: AsyncGenerator[Frame, None]) -> None:
        head = f'{{"id":{orjson.dumps(id_).decode()},"type":"next","payload":'
        async with aclosing(frames):
            async for frame in frames:
                await self._send(head + frame.payload + "}")

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(SENDING_SECONDS):
            await self._websocket.send({"type": "websocket.send", "text": text})


async def _drained(draining: asyncio.Event) -> None:
    await draining.wait()
    raise Closed(1012, "Service restart: subscribe again with the last cursor")


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Closed(4400, "Invalid message received: its payload must be an object")
    return payload


def _id(message: Mapping[str, Any]) -> str:
    found = message.get("id")
    if not isinstance(found, str) or not found:
        raise Closed(4400, "Invalid message received: its id must be a text")
    return found


def _operation(payload: Any) -> Operation:
    if not isinstance(payload, dict):
        raise Closed(4400, "Invalid message received: its payload must be an object")
    query, variables, name = payload.get("query"), payload.get("variables"), payload.get("operationName")
    if not isinstance(query, str):
        raise Closed(4400, "Invalid message received: `query` must be a text")
    if variables is not None and not isinstance(variables, dict):
        raise Closed(4400, "Invalid message received: `variables` must be an object")
    if name is not None and not isinstance(name, str):
        raise Closed(4400, "Invalid message received: `operationName` must be a text")
    return Operation(query, variables, name)


def _error(id_: str, errors: list[dict[str, Any]]) -> str:
    return orjson.dumps({"id": id_, "type": "error", "payload": errors}).decode()
