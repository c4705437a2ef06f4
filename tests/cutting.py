"""A connection that breaks: what passes through here is cut after a while, wherever it then is."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.running import Gateway


class Cutting:
    """`base` is the address of a gateway behind it. `cuts` counts; `cut()` cuts whatever is open."""

    def __init__(self, gateway: Gateway, most: int | None, seed: int) -> None:
        self._port = int(gateway.base.rpartition(":")[2])
        self._most = most
        self._random = random.Random(seed)  # noqa: S311  the same cuts each time
        self._open: set[asyncio.StreamWriter] = set()
        self.base = ""
        self.cuts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, back}
        asking = asyncio.create_task(_pass(reader, back, None))
        try:
            left = None if self._most is None else self._random.randint(1, self._most)
            self.cuts += await _pass(there, writer, left)
        finally:
            asking.cancel()
            for end in (writer, back):
                end.transport.abort()
                self._open.discard(end)

    def cut(self) -> None:
        for end in self._open:
            end.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None) -> bool:
    """Whether it was cut here: after as many bytes as are left."""
    try:
        while data := await reader.read(65_536):
            writer.write(data[:left])
            await writer.drain()
            if left is not None:
                left -= len(data)
                if left <= 0:
                    return True
    except ConnectionError:
        pass
    return False


@asynccontextmanager
async def cutting(gateway: Gateway, most: int | None = None, seed: int = 7) -> AsyncIterator[Cutting]:
    """Cuts each connection after at most so many bytes; without a number only when it is told to."""
    found = Cutting(gateway, most, seed)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        found.cut()
