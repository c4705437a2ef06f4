"""Sends signed deliveries, each once, over several connections: `python -m bench.deliver PORT ACCOUNT CONNECTIONS`.

A JSON list on standard input holds a delivery's body and signature each; an object on standard output tells what came
of them. Like `bench.load` it speaks bare HTTP/1.1."""

import asyncio
import sys
import time
from collections.abc import Iterator

import orjson

from bench.load import Outcome, exchange


def request(port: int, account: str, body: str, signature: str) -> bytes:
    raw = body.encode()
    head = (
        f"POST /webhooks/{account} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Signature: {signature}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw


async def _some(port: int, waiting: Iterator[bytes], outcome: Outcome) -> None:
    """Takes the next that nobody has sent yet, as soon as its last is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for sent in waiting:
        started = time.perf_counter()
        head, _ = await exchange(reader, writer, sent)
        outcome.milliseconds.append((time.perf_counter() - started) * 1000)
        outcome.failed += not head.startswith(b"http/1.1 200")
    writer.close()


async def deliver(port: int, requests: Iterator[bytes], connections: int) -> tuple[Outcome, float]:
    """What came of them, and how many seconds it took."""
    outcome = Outcome()
    started = time.perf_counter()
    await asyncio.gather(*(_some(port, requests, outcome) for _ in range(connections)))
    return outcome, time.perf_counter() - started


def main(port: int, account: str, connections: int) -> None:
    signed = orjson.loads(sys.stdin.buffer.read())
    requests = [request(port, account, body, signature) for body, signature in signed]
    outcome, seconds = asyncio.run(deliver(port, iter(requests), connections))
    told = {"milliseconds": outcome.milliseconds, "failed": outcome.failed, "seconds": seconds}
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
