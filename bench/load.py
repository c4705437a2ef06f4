"""Sends one request again and again, over several connections: `python -m bench.load PORT CONNECTIONS SECONDS`.

A JSON object on standard input holds `query` and `key`; one on standard output tells what came of it. It speaks bare
HTTP/1.1, so that the load costs little beside what it loads."""

import asyncio
import sys
import time
from dataclasses import dataclass, field

import orjson

LENGTH = b"content-length: "


@dataclass(slots=True)
class Outcome:
    """`milliseconds` of each answer; `failed` counts answers that are none, or have errors."""

    milliseconds: list[float] = field(default_factory=list)
    failed: int = 0


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[bytes, bytes]:
    """The answer's head, in lower case, and its body."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    at = head.index(LENGTH) + len(LENGTH)
    return head, await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))


async def _one(port: int, request: bytes, ends: float, outcome: Outcome) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (started := time.perf_counter()) < ends:
        head, body = await exchange(reader, writer, request)
        outcome.milliseconds.append((time.perf_counter() - started) * 1000)
        outcome.failed += not head.startswith(b"http/1.1 200") or not body.startswith(b'{"data"')
    writer.close()


def request(port: int, query: str, key: str) -> bytes:
    body = orjson.dumps({"query": query})
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, sent: bytes, connections: int, seconds: float) -> Outcome:
    outcome = Outcome()
    ends = time.perf_counter() + seconds
    await asyncio.gather(*(_one(port, sent, ends, outcome) for _ in range(connections)))
    return outcome


def main(port: int, connections: int, seconds: float) -> None:
    given = orjson.loads(sys.stdin.buffer.read())
    outcome = asyncio.run(load(port, request(port, given["query"], given["key"]), connections, seconds))
    sys.stdout.buffer.write(orjson.dumps({"milliseconds": outcome.milliseconds, "failed": outcome.failed}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
