"""Asks one small question again and again, over one connection: `python -m bench.quick PORT`.

A JSON object on standard input, in a line, holds `query` and `key`; it asks until that input ends. An empty line on
standard output tells that it was answered. At the end a JSON list tells of each question when it was sent, by the clock
that all processes of a machine share, and how many milliseconds its answer took."""

import asyncio
import sys
import time

import orjson
import uvloop

from bench.load import exchange, request

EVERY = 0.002  # seconds


async def ask(port: int, sent: bytes, ended: asyncio.Event) -> list[tuple[float, float]]:
    """Raises RuntimeError for an answer that is none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    while not ended.is_set():
        at = time.monotonic()
        head, body = await exchange(reader, writer, sent)
        found.append((at, (time.monotonic() - at) * 1000))
        if not head.startswith(b"http/1.1 200") or not body.startswith(b'{"data"'):
            raise RuntimeError(f"{head[:20]!r} is no answer")
        if len(found) == 1:
            sys.stdout.buffer.write(b"\n")
            sys.stdout.buffer.flush()
        await asyncio.sleep(EVERY)
    writer.close()
    return found


async def _until_told(port: int) -> list[tuple[float, float]]:
    given, ended = orjson.loads(sys.stdin.buffer.readline()), asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    return await ask(port, request(port, given["query"], given["key"]), ended)


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(_until_told(int(sys.argv[1])))))
