"""GraphQL over server-sent events: one operation a connection, and a cursor in each event's `id`.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import orjson
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from gateway.streams import Frame

MEDIA = "text/event-stream"
ALIVE_SECONDS = 15.0
SENDING_SECONDS = 30.0  # how long a client may take to accept an event
ALIVE = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
HEADERS = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}

Good = Callable[[], Awaitable[bool]]


def wanted(accept: str) -> bool:
    return MEDIA in accept


class EventStream(StreamingResponse):
    """Ends for a client that takes nothing any more, so that nothing is kept for it."""

    def __init__(self, events: AsyncIterator[bytes], request_id: str) -> None:
        super().__init__(events, headers={**HEADERS, "x-request-id": request_id}, media_type=MEDIA)

    async def stream_response(self, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(SENDING_SECONDS):
                await send(message)

        with suppress(TimeoutError):
            await super().stream_response(patiently)


async def refused(errors: Sequence[dict[str, Any]]) -> AsyncIterator[bytes]:
    """What is wrong before anything is executed is told as a result: an EventSource sees no other answer."""
    yield _next(Frame(orjson.dumps({"errors": errors}).decode()))
    yield COMPLETE


async def stream(frames: AsyncGenerator[Frame, None], good: Good, draining: asyncio.Event) -> AsyncIterator[bytes]:
    """`good()`: whether the key is still good, asked with each sign of life. Ends without `complete` where the gateway
    stops or the key has ended, so that clients come again; with it where all has been told."""
    clock = asyncio.get_running_loop().time
    stopped = asyncio.ensure_future(draining.wait())
    coming: asyncio.Task[Frame] | None = None
    yield ALIVE
    try:
        alive_at = clock() + ALIVE_SECONDS
        while not draining.is_set():
            coming = coming or asyncio.create_task(_coming(frames))
            await asyncio.wait(
                (coming, stopped), timeout=max(0.0, alive_at - clock()), return_when=asyncio.FIRST_COMPLETED
            )
            if coming.done():
                done, coming = coming, None
                yield _next(done.result())
            if clock() >= alive_at:
                if not await good():
                    return
                yield ALIVE
                alive_at = clock() + ALIVE_SECONDS
    except StopAsyncIteration:
        yield COMPLETE
    finally:
        stopped.cancel()
        if coming is not None:
            coming.cancel()
            await asyncio.wait((coming,))
        await frames.aclose()


async def _coming(frames: AsyncGenerator[Frame, None]) -> Frame:
    return await anext(frames)


def _next(frame: Frame) -> bytes:
    cursor = "" if frame.cursor is None else f"id: {frame.cursor}\n"
    return f"event: next\n{cursor}data: {frame.payload}\n\n".encode()
