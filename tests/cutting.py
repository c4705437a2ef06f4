"""Connections that break: what passes through here is cut after a while, wherever it then is."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.running import Gateway


class Cutting:
    """`base`: the address of a gateway behind it. Each connection is cut after at most so many bytes; `cuts` counts."""

    def __init__(self, gateway: Gateway, most: int) -> None:
        self._port = int(gateway.base.rpartition(":")[2])
        self._most = most
        self._random = random.Random(7)  # noqa: S311  the same cuts each time
        self._carrying: set[asyncio.Task[None]] = set()
        self.base = ""
        self.cuts = 0

    def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._carrying)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        asking = asyncio.create_task(_pass(reader, back))
        answering = asyncio.create_task(_pass(there, writer, self._random.randint(1, self._most)))
        await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, back):
            end.transport.abort()
        _, cut = await asyncio.gather(asking, answering)
        self.cuts += cut


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None = None) -> bool:
    """Whether it was cut here: after as many bytes as are left."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data[:left])
            await writer.drain()
            if left is not None and len(data) >= left:
                return True
            left = None if left is None else left - len(data)
    return False


@asynccontextmanager
async def cutting(gateway: Gateway, most: int) -> AsyncIterator[Cutting]:
    found = Cutting(gateway, most)
    server = await asyncio.start_server(found.carry, "127.0.0.1", 0)
    found.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        server.close()
        await found.close()
