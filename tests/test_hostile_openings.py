"""Connections that are abused below GraphQL: refused in the graph's shape, with one line of the log, and never kept."""

import asyncio
import json
import struct

import pytest
from websockets.frames import Frame, Opcode

from gateway.arriving import WAITING
from gateway.opening import PARTS, SIGNS, text_frame
from tests.following import Socket, until
from tests.hostile import JSON, request
from tests.processes import Process
from tests.running import CLIENT, Gateway
from tests.test_hostile import OPENING, STREAM, WAIT_SECONDS, answered, exchanged, lines_of, place, served, until_left

__all__ = ["served"]

REST, TEXT, CLOSE, PING, PONG = 0, 1, 8, 9, 10


def opening(path: str = "/graphql", **headers: str | None) -> bytes:
    """`headers`: with underscores; None takes one away."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}
    told = {name: value for name, value in {**OPENING, **changed}.items() if value is not None}
    return request("GET", path, headers=told, media=None)


OPENINGS = {
    "no key": (opening(Sec_WebSocket_Key=None), 400, "BAD_INPUT"),
    "a key that is none": (opening(Sec_WebSocket_Key="x"), 400, "BAD_INPUT"),
    "an old version": (opening(Sec_WebSocket_Version="8"), 400, "BAD_INPUT"),
    "by POST": (opening().replace(b"GET", b"POST", 1), 405, "BAD_INPUT"),
    "protocols that are none": (opening(Sec_WebSocket_Protocol=",,;"), 400, "BAD_INPUT"),
    "20000 protocols": (opening(Sec_WebSocket_Protocol="a," * 20_000), 431, "BAD_INPUT"),
    "a page elsewhere": (opening(Origin="https://evil.test"), 403, "FORBIDDEN"),
    "a path without sockets": (opening("/metrics"), 404, "NOT_FOUND"),
    "a path that there is not": (opening("/nowhere%ff"), 404, "NOT_FOUND"),
}


@pytest.mark.parametrize("what", OPENINGS)
async def test_a_socket_that_is_opened_wrong_is_refused_as_the_graph_does(
    served: tuple[Gateway, Process], what: str
) -> None:
    gateway, process = served
    raw, expected, code = OPENINGS[what]
    before = len(lines_of(process))
    status, headers, body = answered(await exchanged(gateway, raw))
    assert (status, headers["content-type"].partition(";")[0]) == (expected, JSON)
    assert [error["extensions"]["code"] for error in json.loads(body)["errors"]] == [code]
    told = lines_of(process)[before:]
    assert [(line["event"], line["level"], line["status"]) for line in told] == [("refused", "info", expected)]


def frame(kind: int, data: bytes = b"", *, last: bool = True) -> bytes:
    """Of less than 126 bytes, masked by nothing."""
    return bytes([0x80 * last | kind, 0x80 | len(data)]) + bytes(4) + data


FLOODS = {
    "a message of empty parts": (frame(TEXT, b"{", last=False) + frame(REST, last=False) * (PARTS + 1), 1009),
    "pings": (frame(PING) * (SIGNS + 1), 1008),
    "pongs": (frame(PONG) * (SIGNS + 1), 1008),
}


@pytest.mark.parametrize("what", FLOODS)
async def test_a_flood_of_frames_ends_its_socket(served: tuple[Gateway, Process], what: str) -> None:
    gateway, process = served
    flood, code = FLOODS[what]
    before = lines_of(process)
    reader, writer = await asyncio.open_connection(*place(gateway))
    async with asyncio.timeout(WAIT_SECONDS):
        writer.write(opening())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(flood)
        found = await reader.read()
    writer.transport.abort()
    assert struct.pack("!H", code) == found.rpartition(bytes([0x80 | CLOSE]))[2][1:3]
    assert lines_of(process) == before


async def test_a_thousand_operations_too_many_are_one_line_of_the_log(served: tuple[Gateway, Process]) -> None:
    gateway, process = served
    before = len(lines_of(process))
    async with Socket(gateway) as socket:
        for at in range(1_064):
            await socket.subscribe("subscription { sales { cursor } }", id_=str(at))
        refused = [await socket.hear() for _ in range(1_000)]
        assert {message["type"] for message in refused} == {"error"}
        assert await socket.quiet()
    assert [line["code"] for line in lines_of(process)[before:]] == ["RATE_LIMITED"]


async def test_requests_that_wait_on_one_connection_have_a_bound(served: tuple[Gateway, Process]) -> None:
    gateway, process = served
    before = len(lines_of(process))
    waiting = request("GET", "/healthz", headers={"Connection": "keep-alive"})
    stream = request(body=STREAM, headers={"Accept": "text/event-stream", "Connection": "keep-alive"})
    found = await exchanged(gateway, stream + waiting * (WAITING + 1))
    assert b'"code":"BAD_INPUT"' in found
    assert len(lines_of(process)) == before + 1
    few = waiting * (WAITING - 1) + request("GET", "/healthz")
    assert (await exchanged(gateway, few)).count(b"HTTP/1.1 200") == WAITING


async def test_a_stream_with_a_request_behind_it_ends_with_its_client(served: tuple[Gateway, Process]) -> None:
    """The one that waits is not the only one to be told that the client has left."""
    gateway, _ = served
    reader, writer = await asyncio.open_connection(*place(gateway))
    stream = request(body=STREAM, headers={"Accept": "text/event-stream", "Connection": "keep-alive"})
    writer.write(stream + request("GET", "/healthz"))
    async with asyncio.timeout(WAIT_SECONDS):
        await reader.readuntil(b":\n\n")
    await until(gateway, "subscribers", 1)
    writer.transport.abort()
    await until_left(gateway)


def test_guesses_at_the_exports_are_slowed_too(served: tuple[Gateway, Process]) -> None:
    gateway, _ = served

    def guess(at: int) -> int:
        headers = {"authorization": f"Bearer wrong-{at}"}
        return CLIENT.get(f"{gateway.base}/exports/sales.csv", headers=headers).status_code

    assert 429 in {guess(at) for at in range(100)}
    answer = CLIENT.get(f"{gateway.base}/exports/sales.csv", headers={"authorization": "Bearer wrong"})
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert int(answer.headers["retry-after"]) == error["extensions"]["retryAfterSeconds"]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_a_text_is_framed_as_the_library_frames_it(length: int) -> None:
    data = b"x" * length
    assert text_frame(data) == Frame(Opcode.TEXT, data).serialize(mask=False)
