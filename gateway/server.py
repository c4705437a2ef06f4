"""Serves on a socket of our own, so that an address that is taken is refused before anything else happens.

Who sends to a client waits while it takes nothing; that it does not wait for ever is seen to here, for all alike."""

import asyncio
import signal
import socket
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette

from gateway.garbage import Garbage
from gateway.opening import Opening
from gateway.repeating import Repeating
from gateway.requests import LARGEST_BODY
from gateway.road import Road

BACKLOG = 2048
PATIENCE_SECONDS = 30.0  # how long a client may take nothing
DRAINING_SECONDS = 25  # for requests that are being answered
LAST_WORDS_SECONDS = 0.1  # for streams
STUCK_SECONDS = 2.0  # for clients that take nothing
CLOSING_SECONDS = 0.5  # for clients that have broken the rules of WebSockets, to hear of it


def listen(host: str, port: int) -> socket.socket:
    """Port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: Starlette, listening: socket.socket) -> None:
    """Until Ctrl-C or SIGTERM, and then until the requests that are being answered are."""
    stopped_by_signal()
    garbage = Garbage()
    with suppress(KeyboardInterrupt), garbage.tended():
        serving(app, garbage=garbage).run(sockets=[listening])


def serving(app: Starlette, *, patience: float = PATIENCE_SECONDS, garbage: Garbage | None = None) -> "Draining":
    """`patience`: how long a client may take nothing of what is sent to it, or leave a ping without an answer."""
    config = Config(
        app,
        loop="uvloop",
        http=PatientHttp,
        ws=PatientSocket,
        ws_max_size=LARGEST_BODY,
        ws_ping_interval=patience,
        ws_ping_timeout=patience,
        ws_per_message_deflate=False,  # it would be done for each subscriber anew
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAINING_SECONDS,
        forwarded_allow_ips=app.state.trusted_proxies,
    )
    config.patience, config.road = patience, app.state.road
    return Draining(config, app.state.draining, garbage)


class Config(uvicorn.Config):
    patience: float
    road: Road | None


class Patient(asyncio.Protocol):
    """Cuts off a client that takes nothing: whoever sends to it would else wait for ever, and be kept for ever."""

    config: uvicorn.Config
    transport: asyncio.Transport
    _cut: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        assert isinstance(self.config, Config)
        self._cut = asyncio.get_running_loop().call_later(self.config.patience, self.transport.abort)

    def resume_writing(self) -> None:
        self._spare()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._spare()
        super().connection_lost(exc)

    def _spare(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None

    def cut_if_stuck(self) -> None:
        """Where something was to be sent, and still is."""
        if self._cut is not None or self.transport.is_closing():
            self.transport.abort()


class PatientHttp(Patient, Repeating):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        assert isinstance(self.config, Config)
        self.road = self.config.road


class PatientSocket(Patient, Opening):
    def send_receive_event_to_app(self) -> None:
        """A text that is none is the client's fault, and no news."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.conn.fail(1007, "invalid UTF-8")
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def handle_parser_exception(self) -> None:
        """Whoever is still sending hears why it ends: to close while something is unread would be a reset."""
        if self.close_sent:
            return
        closed = self.conn.close_sent
        assert closed is not None
        self.queue.put_nowait({"type": "websocket.disconnect", "code": closed.code, "reason": closed.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.close)

    def keepalive_timeout(self) -> None:
        """What is still to be sent would else keep the connection, of somebody who is not there."""
        super().keepalive_timeout()
        asyncio.get_running_loop().call_later(STUCK_SECONDS, self.transport.abort)


class Draining(uvicorn.Server):
    """Lets streams end in their own words when it is told to stop: they would else keep it waiting."""

    def __init__(self, config: uvicorn.Config, draining: asyncio.Event, garbage: Garbage | None) -> None:
        super().__init__(config)
        self._draining = draining
        self._garbage = garbage

    async def on_tick(self, counter: int) -> bool:
        if self._garbage is not None:
            self._garbage.tick(busy=bool(self.server_state.tasks))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        self._draining.set()
        await asyncio.sleep(LAST_WORDS_SECONDS)
        asyncio.get_running_loop().call_later(STUCK_SECONDS, self._cut_stuck)
        await super().shutdown(sockets)

    def _cut_stuck(self) -> None:
        for connection in list(self.server_state.connections):
            assert isinstance(connection, Patient)
            connection.cut_if_stuck()


def stopped_by_signal() -> None:
    """SIGTERM and Ctrl-C end the process by way of what has to be closed, even where a shell made it deaf to them."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.default_int_handler)
