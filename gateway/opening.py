"""Sockets on their way in: a handshake that is none is refused as the graph tells it, and logged once.

What a client may have kept for it without end by the rules of WebSockets is not kept."""

from http import HTTPStatus

import structlog
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request
from websockets.protocol import State

from gateway.arriving import last_words
from gateway.wires import CONNECTION

log = structlog.get_logger()

PARTS = 1_000  # of a message
SIGNS = 1_000  # pings and pongs, in a second
NO_HANDSHAKE = "this does not open a WebSocket: RFC 6455, section 4.1"
TOO_LONG = "the head of the request is too long to open a WebSocket"


class Opening(WebSocketsSansIOProtocol):
    _since = 0.0
    _signs = 0  # pings and pongs since then

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, TOO_LONG)  # else it would wait, for ever

    def handle_connect(self, event: Request) -> None:
        status = self.conn.accept(event).status_code
        if status == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
            self.scope[CONNECTION] = self  # type: ignore[literal-required]  # one of our own
        else:
            self.refuse(HTTPStatus(status), NO_HANDSHAKE)

    def refuse(self, status: HTTPStatus, why: str) -> None:
        log.info("refused", status=status.value, address=self.client[0] if self.client else None)
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(last_words(status, why))
        self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        """A text goes out at once where nothing is in its way: there may be a thousand sockets to tell the same.

        An answer instead of a socket ends the handshake too."""
        if message["type"] == "websocket.send" and self.is_free():
            text = message.get("text")
            if text is not None:
                self.write_text(text.encode())
                return
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True
        await super().send(message)

    def write_text(self, *parts: bytes) -> None:
        self.transport.write(text_frame(*parts))

    def is_free(self) -> bool:
        gone = self.close_sent or self.disconnected or self.conn.extensions
        return self.handshake_complete and not gone and self.writable.is_set() and self.conn.state is State.OPEN

    def handle_cont(self, event: Frame) -> None:
        """Parts of a message are limited by their bytes elsewhere, so that there could be any number of empty ones."""
        if self.close_sent:
            return
        if len(self.frames) >= PARTS:
            self._fail(CloseCode.MESSAGE_TOO_BIG, f"a message may have {PARTS} parts")
            return
        super().handle_cont(event)

    def handle_ping(self) -> None:
        """Whoever does not read what is sent needs no further answers: they would be kept."""
        pong = b"".join(self.conn.data_to_send())
        if self._counted() and self.writable.is_set():
            self.transport.write(pong)

    def handle_pong(self, event: Frame) -> None:
        if self._counted():
            super().handle_pong(event)

    def _counted(self) -> bool:
        """Whether a sign of life is taken. Each costs as much to read as a message, and nothing to send."""
        if self.close_sent:
            return False
        now = self.loop.time()
        if now - self._since > 1:
            self._since, self._signs = now, 0
        self._signs += 1
        if self._signs > SIGNS:
            self._fail(CloseCode.POLICY_VIOLATION, f"{SIGNS} pings and pongs a second are the most")
            return False
        return True

    def _fail(self, code: CloseCode, why: str) -> None:
        self.conn.fail(code, why)
        self.handle_parser_exception()


def text_frame(*parts: bytes) -> bytes:
    """A whole message of a server's: RFC 6455, section 5.2."""
    length = sum(map(len, parts))
    if length < 126:
        return b"".join((b"\x81%c" % length, *parts))
    if length < 65536:
        return b"".join((b"\x81\x7e", length.to_bytes(2, "big"), *parts))
    return b"".join((b"\x81\x7f", length.to_bytes(8, "big"), *parts))
