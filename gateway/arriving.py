"""Requests on their way in: how long one may take to arrive, and how long its head may be.

A head would else be waited for, and kept, for ever. What is wrong is told as the graph tells it, and logged once."""

import asyncio
from http import HTTPStatus

import structlog
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway import errors
from gateway.accept import JSON
from gateway.answers import encoded

log = structlog.get_logger()

LARGEST_HEAD = 64 * 1024  # bytes
ARRIVING_SECONDS = 30.0
WAITING = 256  # requests on one connection, behind one that is being answered


def last_words(status: HTTPStatus, why: str) -> bytes:
    """A whole answer, after which the connection ends."""
    body = encoded(errors.of_status(status, why))
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"content-type: {JSON}",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Arriving(HttpToolsProtocol):
    arriving_seconds = ARRIVING_SECONDS
    _due: asyncio.TimerHandle | None = None
    _head = 0  # bytes so far, of a request whose head is not complete
    _headed = False
    _under_way = False  # a request that has begun to arrive, and is not there
    _answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn tells the last request alone, which may wait behind the one that is being answered."""
        self._arrived()
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._headed:
            self._head += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self._headed and self._head > LARGEST_HEAD:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head of the request is too long")
        elif self._under_way or self._head:
            self._expect()  # only now: what comes all at once needs no timer. Empty lines count as a beginning

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._headed = False
        self._under_way = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """What comes after the body is no header: there may be any number of them, and nobody asks for one."""
        if not self._headed:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._headed, self._head = True, 0
        if len(self.pipeline) >= WAITING:
            raise BufferError("too many requests wait")  # which makes it no HTTP
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._headed, self._head = False, 0
        self._under_way = False
        self._arrived()

    def handle_websocket_upgrade(self) -> None:
        self._headed = True
        self._under_way = False
        self._arrived()
        super().handle_websocket_upgrade()

    def _unsupported_upgrade_warning(self) -> None:
        """Whoever offers to speak otherwise is answered in HTTP, and that is no news."""

    def send_400_response(self, msg: str) -> None:
        """Of what is no HTTP, and was logged as such."""
        self._end(HTTPStatus.BAD_REQUEST, msg)

    def refuse(self, status: HTTPStatus, why: str) -> None:
        log.info("refused", status=status.value, address=self.client[0] if self.client else None)
        self._end(status, why)

    def _end(self, status: HTTPStatus, why: str) -> None:
        """And reads no further."""
        self.transport.write(last_words(status, why))
        self.transport.close()

    def _expect(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(self.arriving_seconds, self._late)

    def _arrived(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _late(self) -> None:
        self._due = None
        if self._head and not self._headed:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive")
        else:
            self.transport.abort()
