"""GraphQL over server-sent events: one operation a connection, and a cursor in each event's `id`.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md

A client that takes nothing is cut off by the server below; see `gateway.server`."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import ExitStack, aclosing
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.errors import VendgraphError
from gateway import errors
from gateway.accept import EVENTS
from gateway.channels import Broken, Frame
from gateway.request_ids import note
from gateway.streams import until_first, within

ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
HEADERS = {"content-type": EVENTS, "cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}

Good = Callable[[], Awaitable[bool]]


class EventStream(Response):
    """Ends without `complete` where the gateway stops or the key is good no longer, so that clients come again; with it
    where all has been told, and after what is wrong, such as that the key has no more left.

    `good()`: whether the key still is, asked with each sign of life, every `alive` seconds. `held`: places that it has
    for as long as it lasts."""

    def __init__(
        self,
        frames: AsyncGenerator[Frame, None],
        *,
        good: Good,
        draining: asyncio.Event,
        alive: float,
        request_id: str,
        held: ExitStack,
    ) -> None:
        super().__init__(headers={**HEADERS, "x-request-id": request_id})
        del self.headers["content-length"]
        self._frames = frames
        self._good = good
        self._draining = draining
        self._alive = alive
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await _send(send, ALIVE)
            await until_first(self._tell(scope, send), self._live(send), gone(receive))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, scope: Scope, send: Send) -> None:
        try:
            async with aclosing(self._frames):
                async for frame in self._frames:
                    await _send(send, _next(frame))
        except Broken:
            return
        except VendgraphError as error:
            note(scope, code=error.code.value)
            await _send(send, _wrong(errors.refusal(error)["errors"]))
        await _send(send, COMPLETE)

    async def _live(self, send: Send) -> None:
        while not await within(self._draining, self._alive):
            if not await self._good():
                return
            await _send(send, ALIVE)


def refused(found: Sequence[dict[str, Any]], request_id: str) -> Response:
    """What is wrong before anything is executed is told as a result: an EventSource sees no other answer."""
    return Response(_wrong(found) + COMPLETE, headers={**HEADERS, "x-request-id": request_id})


def _wrong(found: Sequence[dict[str, Any]]) -> bytes:
    return _next(Frame(orjson.dumps({"errors": found})))


async def gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})


def _next(frame: Frame) -> bytes:
    cursor = b"" if frame.cursor is None else f"id: {frame.cursor}\n".encode()
    return b"event: next\n%bdata: %b\n\n" % (cursor, frame.payload)
