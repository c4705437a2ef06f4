"""One connection that reads go over, one after the other: a request's bytes go out, its answer comes whole.

It sends nothing twice, and gives nothing out that is not the answer to what was asked: what comes unasked, or after an
answer, ends the connection."""

import asyncio
from typing import cast

import httpx2
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from connectors.body import LARGEST_BYTES

LARGEST_HEAD = 64 * 1024  # bytes; also of what comes between two parts of a body, and after the last
PIECE = 16 * 1024  # bytes that are parsed before they are counted
FINAL = 200  # statuses below it say that an answer will come
WITHOUT_BODY = (204, 304)


class Fields:
    """An answer's headers. Those of one name are joined; one is decoded when it is asked for."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[bytes, bytes] = {}

    def add(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        before = self._found.get(name)
        self._found[name] = value if before is None else before + b", " + value

    def get(self, name: str) -> str | None:
        value = self._found.get(name.encode())
        if value is None:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.decode("latin-1")

    def raw(self) -> list[tuple[bytes, bytes]]:
        return list(self._found.items())


class Reply:
    """What came of an answer. `status` is None until its head is there; `body` is there at the end, as it was sent.

    `cut`: the body is longer than it may be, and not all there."""

    __slots__ = ("body", "cut", "headers", "status")

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers = Fields()
        self.body = b""
        self.cut = False

    @property
    def ends_with_its_connection(self) -> bool:
        """Nothing else says how long its body is."""
        chunked = (self.headers.get("transfer-encoding") or "").lower().rstrip().endswith("chunked")
        return self.status is not None and not chunked and self.headers.get("content-length") is None

    @property
    def promises_a_body_and_has_none(self) -> bool:
        length = self.headers.get("content-length") or "0"
        return self.status in WITHOUT_BODY and (length != "0" or self.headers.get("transfer-encoding") is not None)


NONE_YET = Reply()  # of a connection that is between two requests: nothing is written into it


class Enough(HttpParserError):
    """Nothing more of this connection is to be read."""


class Connection(asyncio.Protocol):
    """`patience`: seconds for which nothing may come while an answer is waited for. `among`: the open ones.

    `fit`: another request may go over it; `idle_since`, on the loop's clock, is for who keeps it meanwhile."""

    transport: asyncio.Transport

    def __init__(self, patience: float, among: set["Connection"]) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._among = among
        self._parser = _parser(self)
        self._waiting: asyncio.Future[None] | None = None
        self._reply = NONE_YET
        self._body: bytes | bytearray = b""
        self._bare = False
        self._over = True
        self._lasts = False
        self._quiet = 0  # bytes since there was a part of a body
        self._heard = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.fit = False
        self.idle_since = 0.0

    def ask(self, request: bytes, reply: Reply, *, bare: bool = False) -> asyncio.Future[None]:
        """Done when the whole answer is in `reply`; fails with httpx2's ReadTimeout, ReadError, RemoteProtocolError.

        `bare`: an answer to this has no body, whatever its head says."""
        self._reply, self._bare, self._body = reply, bare, b""
        self._over = self.fit = False
        self._quiet = 0
        self._heard = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._patience, self._look)
        self.transport.write(request)
        self._waiting = self._loop.create_future()
        return self._waiting

    def abort(self) -> None:
        self.fit = False
        self.transport.abort()

    def _look(self) -> None:
        """One timer for many requests: it rings seldom, and looks when something was heard last."""
        left = self._heard + self._patience - self._loop.time()
        self._timer = None
        if self._waiting is not None and left <= 0:
            self._fail(httpx2.ReadTimeout("timed out"))
        elif self._waiting is not None:
            self._timer = self._loop.call_later(left, self._look)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its ancestry
        self._among.add(self)
        self.fit = True

    def eof_received(self) -> None:
        self.fit = False

    def connection_lost(self, error: Exception | None) -> None:
        self._among.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if error is None and self._reply.ends_with_its_connection:
            self._finish(lasts=False)
        elif error is not None and self._reply.status is None:
            self._fail(httpx2.ReadError("reset"))
        else:
            self._fail(httpx2.RemoteProtocolError("broken"))

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        try:
            if len(data) <= PIECE:
                self._parse(data)
            else:
                for at in range(0, len(data), PIECE):
                    self._parse(data[at : at + PIECE])
        except (HttpParserError, HttpParserUpgrade):
            self._stop()
        else:
            if self._over and self._waiting is not None:
                self._finish(lasts=self._lasts)

    def _parse(self, piece: bytes) -> None:
        self._quiet += len(piece)
        self._parser.feed_data(piece)
        if self._quiet > LARGEST_HEAD:
            raise Enough

    def _stop(self) -> None:
        if self._over or self._reply.cut:
            self._finish(lasts=False)
        else:
            self._fail(httpx2.RemoteProtocolError("broken"))

    def _finish(self, *, lasts: bool) -> None:
        waiting, self._waiting = self._waiting, None
        self.fit = lasts
        if not lasts:
            self.transport.abort()
        if waiting is not None and not waiting.done():
            self._reply.body = bytes(self._body)
            waiting.set_result(None)
        self._reply, self._body = NONE_YET, b""

    def _fail(self, error: httpx2.TransportError) -> None:
        waiting, self._waiting = self._waiting, None
        self.abort()
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)

    def on_message_begin(self) -> None:
        if self._over:
            raise Enough

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reply.status is None:  # what comes later are trailers
            self._reply.headers.add(name, value)

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < FINAL:
            return
        self._reply.status = status
        if self._bare or (status in WITHOUT_BODY and self._reply.promises_a_body_and_has_none):
            self._over = True
            raise Enough

    def on_body(self, part: bytes) -> None:
        self._quiet = 0
        if not self._body:
            self._body = part
        else:
            if isinstance(self._body, bytes):
                self._body = bytearray(self._body)
            self._body += part
        if len(self._body) > LARGEST_BYTES:
            self._reply.cut = True
            raise Enough

    def on_message_complete(self) -> None:
        if self._reply.status is None:
            self._quiet = 0
            self._reply.headers = Fields()
        else:
            self._over = True
            self._lasts = self._parser.should_keep_alive()


def _parser(of: Connection) -> HttpResponseParser:
    """Vendors end lines with less than they should, and write into headers what does not belong there."""
    parser = HttpResponseParser(of)
    parser.set_dangerous_leniencies(
        lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
    )
    return parser
