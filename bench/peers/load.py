"""Sends one request again and again over several connections: `python -m bench.peers.load PORT`.

Standard input holds a JSON object: `path`, `headers`, `body`, `connections`, and for how many `seconds` or how many
`times`; one on standard output tells what came of it. Answers are compared with the first as bytes, so that reading
them costs next to nothing."""

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import orjson
import uvloop

END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`p50` and `p99` in milliseconds; `first`: status and body of the first answer; `others`: how many were not it, or
    no success."""

    answers: int
    seconds: float
    p50: float
    p99: float
    first: bytes
    others: int


class Load:
    """`ends`: when the last request may set out, by the loop's clock; `left`: how many may."""

    def __init__(self, request: bytes, ends: float, left: float) -> None:
        self.request = request
        self.ends = ends
        self.left = left
        self.milliseconds: list[float] = []
        self.first: bytes | None = None
        self.others = 0  # answers that are not the first one's


class Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, load: Load) -> None:
        self._load = load
        self._parts: list[bytes] = []
        self._lacking = 0
        self._head: bytes | None = None
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its ancestry
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))

    def _next(self) -> None:
        now = time.perf_counter()
        if now >= self._load.ends or self._load.left <= 0:
            self.done.set_result(None)
            self.transport.close()
            return
        self._load.left -= 1
        self._parts, self._head, self._lacking, self._sent = [], None, 0, now
        self.transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        if self._head is None:
            self._begin(b"".join(self._parts))
        else:
            self._lacking -= len(data)
        if self._head is not None and self._ended():
            self._take()

    def _begin(self, data: bytes) -> None:
        ends = data.find(END)
        if ends < 0:
            return
        self._head = data[:ends]
        self._parts = [data[ends + len(END) :]]
        length = self._length()
        self._lacking = 0 if length is None else length - len(self._parts[0])

    def _length(self) -> int | None:
        """None for an answer in chunks."""
        assert self._head is not None
        head = self._head.lower()
        at = head.find(LENGTH)
        return None if at < 0 else int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0])

    def _ended(self) -> bool:
        if self._length() is not None:
            return self._lacking <= 0
        return b"".join(self._parts[-2:]).endswith(b"0\r\n\r\n")

    def _take(self) -> None:
        load = self._load
        load.milliseconds.append((time.perf_counter() - self._sent) * 1000)
        body = b"".join(self._parts)
        assert self._head is not None
        answer = self._head.split(b"\r\n", 1)[0] + END + (body if self._length() is not None else _whole(body))
        if load.first is None:
            load.first = answer
        load.others += answer != load.first or not answer.startswith(b"HTTP/1.1 200")
        self._next()


def _whole(chunks: bytes) -> bytes:
    found: list[bytes] = []
    at = 0
    while size := int(chunks[at : (line := chunks.index(b"\r\n", at))].split(b";")[0], 16):
        found.append(chunks[line + 2 : line + 2 + size])
        at = line + 4 + size
    return b"".join(found)


def request(port: int, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    told = {"host": f"127.0.0.1:{port}", "content-type": "application/json", "accept": "application/json"}
    told |= {**headers, "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def run(port: int, given: Mapping[str, Any]) -> Outcome:
    sent = request(port, given["path"], given["headers"], given["body"].encode())
    began = time.perf_counter()
    load = Load(sent, began + given["seconds"], given["times"] or float("inf"))
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: Connection(load), "127.0.0.1", port))[1]
        for _ in range(given["connections"])
    ]
    await asyncio.gather(*(one.done for one in opened))
    took = sorted(load.milliseconds)
    return Outcome(
        answers=len(took),
        seconds=time.perf_counter() - began,
        p50=took[(len(took) - 1) // 2],
        p99=took[int(0.99 * (len(took) - 1))],
        first=load.first or b"",
        others=load.others,
    )


def told(outcome: Outcome) -> bytes:
    """Without the answer itself: a pipe might not take it at once."""
    return orjson.dumps({name: one for name, one in asdict(outcome).items() if name != "first"})


if __name__ == "__main__":
    given = orjson.loads(sys.stdin.buffer.read())
    sys.stdout.buffer.write(told(uvloop.run(run(int(sys.argv[1]), given))))
