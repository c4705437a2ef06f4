"""The body of an export, written as fast as it is taken.

A client that takes nothing is cut off by the server below; see `gateway.server`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from domain.exports import ExportState
from gateway.export_formats import Writer
from gateway.sse import Good, gone
from gateway.streams import until_first, within
from resolvers.export_merge import Placed
from resolvers.exporting import Export
from resolvers.exports import Sales

log = structlog.get_logger()

SECONDS = 7_200.0  # that one may last in all
AT_ONCE = 100  # sales that are written together: others have their turn in between


class ExportStream(Response):
    """What is broken off ends without the end of its encoding, so that no client takes it for the whole.

    `good()`: whether the key still is, asked every `alive` seconds. `ended(state)` is called once, however it ends."""

    def __init__(
        self,
        sales: Sales,
        writer: Callable[[], Awaitable[Writer]],
        export: Export,
        *,
        good: Good,
        draining: asyncio.Event,
        alive: float,
        ended: Callable[[ExportState], None],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._sales = sales
        self._writer = writer
        self._export = export
        self._good = good
        self._draining = draining
        self._alive = alive
        self._ended = ended
        self._state = ExportState.BROKEN

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await until_first(self._tell(send), self._watch(), gone(receive))
        except TimeoutError:
            log.warning("an export took too long")
        except Exception:
            log.exception("an export cannot go on")
        finally:
            self._ended(self._state)

    async def _tell(self, send: Send) -> None:
        writer = await self._writer()
        await _send(send, writer.begin())
        async with aclosing(self._sales.batches()) as batches:
            async for batch in batches:
                for at in range(0, len(batch), AT_ONCE):
                    await self._some(writer, batch[at : at + AT_ONCE], send)
        self._export.tell(sales=0, rows=0, sources=self._sales.sources)
        await _send(send, writer.end(self._export.progress()))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        self._state = ExportState.DONE

    async def _some(self, writer: Writer, sales: Sequence[Placed], send: Send) -> None:
        text, rows = writer.rows(sales)
        await _send(send, text)
        self._export.tell(sales=len(sales), rows=rows, sources=self._sales.sources)
        await asyncio.sleep(0)

    async def _watch(self) -> None:
        """Until the gateway stops, or the key is good no longer."""
        while not await within(self._draining, self._alive):
            if not await self._good():
                return


async def _send(send: Send, text: bytes) -> None:
    if text:
        await send({"type": "http.response.body", "body": text, "more_body": True})
