"""Whatever is sent is refused in the graph's own shape, others are answered meanwhile, and the log stays small."""

import asyncio
import json
import socket as sockets
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import websockets

from domain.errors import ErrorCode
from tests.following import Socket
from tests.gateways import config
from tests.hostile import BODY, CANARY, FRAMES, Hostile, corpus, request
from tests.processes import Process, running
from tests.running import ADMIN, CLIENT, Gateway

LOG_BYTES = 400_000
WAIT_SECONDS = 30.0
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a reset
CODES = {code.value for code in ErrorCode}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Process]]:
    """In production, as a process of its own, with what it logs."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / "vendgraph.toml"
    path.write_text(config(f"sqlite:///{folder}/store.db"), encoding="utf-8")
    with running(folder, "serve", "--config", path) as process:
        process.wait_for('"serving"')
        (address,) = (line["address"] for line in process.told() if line["event"] == "serving")
        yield Gateway(address), process


def place(gateway: Gateway) -> tuple[str, int]:
    host, _, port = gateway.base.removeprefix("http://").partition(":")
    return host, int(port)


async def exchanged(gateway: Gateway, raw: bytes) -> bytes:
    """All that comes back until it closes. A gateway that closes early has said all it will."""
    reader, writer = await asyncio.open_connection(*place(gateway))
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            writer.write(raw)
            found = b""
            try:
                while chunk := await reader.read(65_536):
                    found += chunk
            except ConnectionError:
                pass
            return found
    finally:
        writer.transport.abort()


def answered(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def check(hostile: Hostile, raw: bytes) -> None:
    assert raw, f"{hostile.name}: no answer"
    status, headers, body = answered(raw)
    assert status == 200 or 400 <= status < 500, (hostile.name, status, body[:300])
    if headers.get("content-type", "").startswith("text/event-stream"):
        body = next(line for line in body.splitlines() if line.startswith(b"data: ")).removeprefix(b"data: ")
    told = json.loads(body)
    if not hostile.may_answer:
        assert told["errors"], (hostile.name, told)
    for error in told.get("errors", ()):
        assert error["message"]
        assert error["extensions"]["code"] in CODES - {"INTERNAL"}, (hostile.name, error)
    assert "x-injected" not in headers
    assert len(body) < 100_000, hostile.name


@asynccontextmanager
async def a_healthy_client(gateway: Gateway) -> AsyncIterator[list[Any]]:
    """Asks all the while; what it was answered."""
    answers: list[Any] = []

    async def ask() -> None:
        headers = {"authorization": f"Bearer {ADMIN}"}
        async with httpx2.AsyncClient(trust_env=False, timeout=WAIT_SECONDS, headers=headers) as client:
            while True:
                answer = await client.post(f"{gateway.base}/graphql", json={"query": "{ viewer { name } }"})
                answers.append((answer.status_code, answer.json()))
                await asyncio.sleep(0.01)

    asking = asyncio.create_task(ask())
    try:
        yield answers
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


def log_size(process: Process) -> int:
    return process.err.stat().st_size + process.out.stat().st_size


def lines_of(process: Process) -> list[dict[str, Any]]:
    """Less those of the vendor, which is out of reach and asked again by and by."""
    return [line for line in process.told() if line["event"] != "vendor failed"]


async def test_hostile_requests_are_refused_while_others_are_answered(served: tuple[Gateway, Process]) -> None:
    gateway, process = served
    hostiles = corpus()
    assert len(hostiles) >= 80
    before = log_size(process)
    async with a_healthy_client(gateway) as answers:
        for hostile in hostiles:
            check(hostile, await exchanged(gateway, hostile.raw))
    assert answers
    assert all(answer == (200, {"data": {"viewer": {"name": "admin"}}}) for answer in answers), answers
    assert log_size(process) - before < LOG_BYTES
    lines = process.told()
    assert not [line for line in lines if line["level"] in ("error", "critical") or "exception" in line]
    for secret in (CANARY, ADMIN):
        assert secret not in process.printed()


async def test_what_is_refused_is_one_line_of_the_log(served: tuple[Gateway, Process]) -> None:
    gateway, process = served
    before = len(lines_of(process))
    for at in range(10):
        answer = CLIENT.post(
            f"{gateway.base}/graphql",
            json={"query": "{ nothing }"},
            headers={"authorization": f"Bearer {ADMIN}", "x-request-id": f"refused-{at}"},
        )
        assert answer.headers["x-request-id"] == f"refused-{at}"
        assert gateway.ask("{ viewer { name } }")
    lines = lines_of(process)[before:]
    assert [(line["event"], line["request_id"], line["code"], line["key"]) for line in lines] == [
        ("refused", f"refused-{at}", "BAD_INPUT", "admin") for at in range(10)
    ]


async def test_hostile_frames_end_their_socket_and_nothing_else(served: tuple[Gateway, Process]) -> None:
    gateway, process = served
    before = log_size(process)
    async with a_healthy_client(gateway) as answers, Socket(gateway) as healthy:
        for name, frames in FRAMES.items():
            async with Socket(gateway, None) as socket:
                for frame in frames:
                    await socket.connection.send(frame)
                code, reason = await socket.closed()
            assert code in {1009, 4400, 4401, 4403, 4429}, (name, code)
            assert CANARY not in reason
        async with Socket(gateway, None, subprotocols=[websockets.Subprotocol("soap")]) as socket:
            assert (await socket.closed())[0] == 4406
        with pytest.raises(websockets.InvalidStatus):
            async with Socket(gateway, None, origin=websockets.Origin("https://evil.test")):
                pass
        assert await healthy.quiet()
    assert all(status == 200 for status, _ in answers)
    assert log_size(process) - before < 20_000
    assert not [line for line in process.told() if line["level"] == "error" or "exception" in line]
    assert CANARY not in process.printed()


async def leave(gateway: Gateway, raw: bytes, heard: bytes, *, reset: bool) -> None:
    """Sends, hears as much as that, and goes without a word."""
    reader, writer = await asyncio.open_connection(*place(gateway))
    writer.write(raw)
    if heard:
        async with asyncio.timeout(WAIT_SECONDS):
            await reader.readuntil(heard)
    if reset:
        writer.get_extra_info("socket").setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, AT_ONCE)
    writer.transport.abort()


STREAM = json.dumps({"query": "subscription { sales { cursor } }"}).encode()
OPENING = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "graphql-transport-ws",
}
LEAVING = {
    "before it is answered": (request(body=BODY), b""),
    "in the middle of its body": (request(body=BODY)[:-5], b""),
    "in the middle of its head": (request(body=BODY)[:40], b""),
    "in a stream of events": (request(body=STREAM, headers={"Accept": "text/event-stream"}), b":\n\n"),
    "in a socket": (request("GET", headers=OPENING, media=None), b"\r\n\r\n"),
}


@pytest.mark.parametrize("how", LEAVING)
async def test_who_goes_away_leaves_nothing_in_the_log(served: tuple[Gateway, Process], how: str) -> None:
    gateway, process = served
    raw, heard = LEAVING[how]
    before = lines_of(process)
    for at in range(10):
        await leave(gateway, raw, heard, reset=bool(at % 2))
    await until_left(gateway)
    assert lines_of(process) == before


async def test_who_goes_away_in_a_subscription_leaves_nothing_in_the_log(served: tuple[Gateway, Process]) -> None:
    gateway, process = served
    before = lines_of(process)
    for _ in range(5):
        async with Socket(gateway) as socket:
            await socket.subscribe("subscription { sales { cursor } }")
            assert await socket.quiet()
            socket.connection.transport.abort()
    await until_left(gateway)
    assert lines_of(process) == before


async def until_left(gateway: Gateway) -> None:
    """Until all that is open is what this asks with."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            told = CLIENT.get(f"{gateway.base}/metrics").text
            left = ("vendgraph_sockets 0.0", "vendgraph_subscribers 0.0", "vendgraph_operations 0.0")
            if all(one in told for one in left) and gateway.ask("{ viewer { name } }"):
                return
            await asyncio.sleep(0.02)
