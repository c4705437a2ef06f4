"""Runs an application on a real socket in a thread: for the command line, for tests, and for the demo."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STARTING_SECONDS = 10.0
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: what is unsent is dropped, and the other side gets a reset


class Cuttable(HttpToolsProtocol):
    """Lets an application end its connection, which ASGI has no word for: `state` holds `close` and `reset`."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"] |= {"close": self.transport.close, "reset": self._reset}

    def _reset(self) -> None:
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.transport.abort()


@dataclass(slots=True)
class Running:
    """`base` is the server's address, without a trailing slash."""

    base: str
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=STARTING_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def emulating(app: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        app, http=Cuttable, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config)


def start(
    app: Any, port: int = 0, host: str = "127.0.0.1", serving: Callable[[Any], uvicorn.Server] = emulating
) -> Running:
    """Returns when it answers. Port 0 takes a free one."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    server = serving(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    ends = time.monotonic() + STARTING_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > ends:
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    return Running(f"http://{host}:{listening.getsockname()[1]}", server, thread)
