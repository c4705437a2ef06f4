"""Serves on a socket of our own, so that an address that is taken is refused before anything else happens."""

import asyncio
import signal
import socket
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.applications import Starlette

BACKLOG = 2048
DRAINING_SECONDS = 25


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
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAINING_SECONDS,
    )
    stopped_by_signal()
    with suppress(KeyboardInterrupt):
        Draining(config, app.state.draining).run(sockets=[listening])


class Draining(uvicorn.Server):
    """Tells streams to end as soon as it is told to stop: they would else keep it waiting."""

    def __init__(self, config: uvicorn.Config, draining: asyncio.Event) -> None:
        super().__init__(config)
        self._draining = draining

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._draining.set()
        super().handle_exit(sig, frame)


def stopped_by_signal() -> None:
    """SIGTERM and Ctrl-C end the process by way of what has to be closed, even where a shell made it deaf to them."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.default_int_handler)
