"""A wire to a vendor that fails before or after what is sent is delivered, one request at a time, as a test says."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit

from tests.proxy import Wire

AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: what is unsent is dropped, and the other side gets a reset
JUNK = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"id": "1'
ERROR = b"HTTP/1.1 500 Oh No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Fault(Enum):
    """What the gateway gets to know of one that was delivered, or of one that was not, is the same."""

    NONE = auto()
    RESET_BEFORE = auto()
    CLOSE_BEFORE = auto()
    HANG_BEFORE = auto()
    ERROR_BEFORE = auto()
    RESET_AFTER = auto()
    CLOSE_AFTER = auto()
    HANG_AFTER = auto()
    ERROR_AFTER = auto()
    TRUNCATE_AFTER = auto()
    JUNK_AFTER = auto()
    HOLD = auto()  # the answer, until it is released
    HOLD_AND_DROP = auto()

    @property
    def delivers(self) -> bool:
        return not self.name.endswith("_BEFORE")


HELD = frozenset({Fault.HOLD, Fault.HOLD_AND_DROP})
FAULTS = tuple(one for one in Fault if one not in {Fault.NONE, *HELD})


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request as it came here, whether or not it went on."""

    path: str
    body: Any


class Lossy(Wire):
    """`decide` says by the path what is to happen to a request. `base`: the vendors' address here; `arrived` keeps
    what came. What is held goes on when `released` is set; `held` counts it."""

    def __init__(self, base: str) -> None:
        there = urlsplit(base)
        assert there.hostname is not None
        assert there.port is not None
        super().__init__(there.hostname, there.port)
        self.decide: Callable[[str], Fault] = lambda _: Fault.NONE
        self.arrived: list[Arrived] = []
        self.released = asyncio.Event()
        self.held = 0
        self.under_way = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hold(self, *parts: str) -> None:
        """The answers of every path with one of these in it."""
        self.decide = lambda path: Fault.HOLD if any(part in path for part in parts) else Fault.NONE

    def bodies(self, part: str) -> list[Any]:
        """Of the requests with this in their path."""
        return [one.body for one in self.arrived if part in one.path]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while await self._pass(reader, writer):
                    pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether another request may follow on the same connection."""
        request = await _message(reader)
        head, _, body = request.partition(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        self.arrived.append(Arrived(path, json.loads(body) if body else None))
        fault = self.decide(path)
        self.under_way += 1
        try:
            answer = await self._delivered(request) if fault.delivers else b""
            if fault in HELD:
                self.held += 1
                await self.released.wait()
            return await _answered(fault, answer, reader, writer)
        finally:
            self.under_way -= 1

    async def _delivered(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._to)
        try:
            writer.write(request)
            return await _message(reader)
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One request or answer. Raises IncompleteReadError at the end of a connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = (line.partition(b":") for line in head.split(b"\r\n"))
    length = next((int(value) for name, _, value in fields if name.lower() == b"content-length"), 0)
    return head + await reader.readexactly(length)


async def _answered(fault: Fault, answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    match fault:
        case Fault.NONE | Fault.HOLD:
            writer.write(answer)
        case Fault.ERROR_BEFORE | Fault.ERROR_AFTER:
            writer.write(ERROR)
        case Fault.JUNK_AFTER:
            writer.write(JUNK)
        case Fault.TRUNCATE_AFTER:
            writer.write(answer[: len(answer) - 5])
        case Fault.HANG_BEFORE | Fault.HANG_AFTER:
            await reader.read()  # until the gateway has hung up
        case Fault.RESET_BEFORE | Fault.RESET_AFTER:
            own: socket.socket = writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.transport.abort()
    await writer.drain()
    return fault in {Fault.NONE, Fault.HOLD, Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.JUNK_AFTER}


@asynccontextmanager
async def lossy(base: str) -> AsyncIterator[Lossy]:
    found = Lossy(base)
    await found.mend()
    try:
        yield found
    finally:
        found.released.set()
        await found.cut()
