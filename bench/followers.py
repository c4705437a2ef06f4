"""Follows one subscription over many WebSockets: `python -m bench.followers PORT COUNT`.

A JSON object on standard input holds `query` and `key`, and how many `messages` each socket waits for. "ready" on
standard output tells that all have subscribed; then a JSON list tells when the messages came, by the clock that all
processes of a machine share: for each message the times of all sockets. It speaks bare frames, so that listening
costs little beside telling."""

import asyncio
import secrets
import sys
import time
from base64 import b64encode
from typing import cast

import orjson
import uvloop

AT_ONCE = 100  # sockets that are being opened
TEXT, PING = 0x81, 0x89
ACKNOWLEDGED, NEXT = b"connection_ack", b'"next"'
HEAD = 100  # bytes of a message in which its type stands


class Heard:
    """`times` of all sockets, by message."""

    def __init__(self, messages: int, sockets: int) -> None:
        self.times: list[list[float]] = [[] for _ in range(messages)]
        self.done = asyncio.Event()
        self._sockets = sockets

    def hear(self, message: int, at: float) -> None:
        self.times[message].append(at)
        if message == len(self.times) - 1 and len(self.times[message]) == self._sockets:
            self.done.set()


class Follower(asyncio.Protocol):
    """Counts messages; what they tell is read by nobody."""

    transport: asyncio.Transport

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._unread = b""
        self._messages = 0
        self.acknowledged = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its ancestry

    def data_received(self, data: bytes) -> None:
        at = time.monotonic()
        data = self._unread + data
        begins = 0
        while begins + 4 <= len(data) and (ends := _end(data, begins)) <= len(data):
            self._take(data[begins : min(ends, begins + HEAD)], at)
            begins = ends
        self._unread = data[begins:]

    def _take(self, head: bytes, at: float) -> None:
        if NEXT in head:
            self._heard.hear(self._messages, at)
            self._messages += 1
        elif ACKNOWLEDGED in head or head.startswith(b"HTTP"):
            self.acknowledged.set()
        elif head[0] != PING:
            raise RuntimeError(head.decode(errors="replace"))


def _end(data: bytes, begins: int) -> int:
    """Where the frame ends that begins there, or the answer to the upgrade."""
    if data.startswith(b"HTTP", begins):
        return data.index(b"\r\n\r\n", begins) + 4
    size = data[begins + 1]
    return begins + (4 + int.from_bytes(data[begins + 2 : begins + 4], "big") if size == 126 else 2 + size)


def frame(text: bytes) -> bytes:
    """As a client sends it: masked, here by zeros."""
    size = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return bytes((TEXT,)) + size + bytes(4) + text


def upgrade(port: int) -> bytes:
    key = b64encode(secrets.token_bytes(16)).decode()
    return (
        f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    ).encode()


async def _open(heard: Heard, port: int, query: str, key: str, slots: asyncio.Semaphore) -> None:
    async with slots:
        loop = asyncio.get_running_loop()
        _, follower = await loop.create_connection(lambda: Follower(heard), "127.0.0.1", port)
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}
        follower.transport.write(upgrade(port))
        await follower.acknowledged.wait()
        follower.acknowledged.clear()
        follower.transport.write(frame(orjson.dumps(init)))
        await follower.acknowledged.wait()
        subscribe = {"id": secrets.token_hex(16), "type": "subscribe", "payload": {"query": query}}
        follower.transport.write(frame(orjson.dumps(subscribe)))


async def follow(port: int, sockets: int, query: str, key: str, messages: int) -> list[list[float]]:
    heard, slots = Heard(messages, sockets), asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_open(heard, port, query, key, slots) for _ in range(sockets)))
    print("ready", flush=True)
    await heard.done.wait()
    return heard.times


def main(port: int, sockets: int) -> None:
    given = orjson.loads(sys.stdin.buffer.readline())
    times = uvloop.run(follow(port, sockets, given["query"], given["key"], given["messages"]))
    with open(sys.stdout.fileno(), "wb", closefd=False) as whole:
        whole.write(orjson.dumps(times))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
