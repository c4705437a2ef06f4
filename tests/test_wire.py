"""The connections that reads go over, and vendors that do to them whatever a vendor can."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random

import httpx2
import pytest
from structlog.testing import capture_logs

from connectors.body import LARGEST_BYTES
from connectors.heads import lines
from connectors.http import UpstreamRequest, VendorHTTP, new_client, trace
from connectors.pooling import Client, Origin, Wire
from connectors.reaching import Reach
from connectors.wire import LARGEST_HEAD, Reply
from domain.errors import VendorError, VendorProtocolError, VendorUnavailable
from tests.scripted import guarded, over
from tests.wired import Then, Turn, Vendor, certified, good, says, until, vendor

GET = b"GET / HTTP/1.1\r\nhost: vendor\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
TO_THE_END = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire(Reach.ANYWHERE)
    yield made
    await made.aclose()
    assert made.open == 0


async def get(wire: Wire, origin: Origin, request: bytes = GET) -> Reply:
    reply = Reply()
    await wire.ask(origin, request, reply)
    return reply


async def failure(wire: Wire, origin: Origin) -> httpx2.TransportError:
    with pytest.raises(httpx2.TransportError) as caught:
        await get(wire, origin)
    return caught.value


def whole(answer: bytes) -> Sequence[bytes]:
    return [answer]


def bytewise(answer: bytes) -> Sequence[bytes]:
    return [answer[at : at + 1] for at in range(len(answer))]


def anywhere(answer: bytes) -> Sequence[bytes]:
    rng = Random(len(answer))  # noqa: S311  no secret
    cuts = [0, *sorted(rng.sample(range(1, len(answer)), 7)), len(answer)]
    return [answer[begin:end] for begin, end in pairwise(cuts)]


ANSWERS: dict[str, tuple[bytes, Then, int, bytes, int]] = {  # what is sent; status, body, connections for two requests
    "length": (good(b'{"a":1}'), Then.STAYS, 200, b'{"a":1}', 1),
    "empty": (good(b""), Then.STAYS, 200, b"", 1),
    "chunks": (CHUNKED + b"3\r\n[1,\r\n4;why=not\r\n 23]\r\n0\r\n\r\n", Then.STAYS, 200, b"[1, 23]", 1),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\nx-late: 1\r\ncontent-type: x/y\r\n\r\n", Then.STAYS, 200, b"{}", 1),
    "end": (TO_THE_END + b"[1, 2]", Then.CLOSES, 200, b"[1, 2]", 2),
    "nothing to the end": (TO_THE_END, Then.CLOSES, 200, b"", 2),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + good(), Then.STAYS, 200, b"{}", 1),
    "hints": (
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\ncontent-type: x/y\r\n\r\n" * 3 + good(),
        Then.STAYS,
        200,
        b"{}",
        1,
    ),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", Then.STAYS, 204, b"", 1),
    "304": (b"HTTP/1.1 304 Not Modified\r\netag: a\r\n\r\n", Then.STAYS, 304, b"", 1),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 50\r\n\r\n", Then.STAYS, 304, b"", 2),
    "close": (good(b"{}", b"Connection: close"), Then.STAYS, 200, b"{}", 2),
    "1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", Then.STAYS, 200, b"{}", 2),
    "1.0 kept": (
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}",
        Then.STAYS,
        200,
        b"{}",
        1,
    ),
    "1.0 to the end": (b"HTTP/1.0 200 OK\r\n\r\n{}", Then.CLOSES, 200, b"{}", 2),
    "500": (good(b"oh no").replace(b"200 OK", b"500 Oh No"), Then.STAYS, 500, b"oh no", 1),
    "bare line ends": (good(b"{}").replace(b"\r\n", b"\n"), Then.STAYS, 200, b"{}", 1),
}


@pytest.mark.parametrize("cut", [whole, bytewise, anywhere])
@pytest.mark.parametrize("what", ANSWERS)
async def test_an_answer_is_the_same_however_it_comes(
    what: str, cut: Callable[[bytes], Sequence[bytes]], wire: Wire
) -> None:
    answer, then, status, body, connections = ANSWERS[what]
    async with vendor(Turn(cut(answer), then), says(good(b"2"))) as asked:
        first = await get(wire, asked.origin)
        second = await get(wire, asked.origin)
    assert (first.status, first.body, first.cut) == (status, body, False)
    assert (second.status, second.body) == (200, b"2")
    assert (len(asked.heads), asked.met) == (2, connections)


async def test_headers_are_found_by_name_and_those_of_one_name_are_joined(wire: Wire) -> None:
    headers = (b"X-Odd:  a", b"x-odd: b", "X-Name: Caf\xe9".encode("latin-1"), "X-Utf: Caf\xe9".encode())
    async with vendor(says(good(b"{}", *headers))) as asked:
        found = (await get(wire, asked.origin)).headers
    assert [found.get(name) for name in ("x-odd", "x-name", "x-utf", "x-none")] == ["a, b", "Caf\xe9", "Caf\xe9", None]


@pytest.mark.parametrize("then", [Then.CLOSES, Then.RESETS])
@pytest.mark.parametrize(
    "answer", [good(b'{"a":1}'), CHUNKED + b"2\r\n{}\r\n0\r\nx: y\r\n\r\n"], ids=["length", "chunks"]
)
async def test_wherever_an_answer_breaks_off_it_is_broken_and_the_next_is_right(
    answer: bytes, then: Then, wire: Wire
) -> None:
    kinds = {httpx2.RemoteProtocolError} | ({httpx2.ReadError} if then is Then.RESETS else set())
    for at in range(len(answer)):
        async with vendor(says(answer[:at], then=then), says(good(b"2"))) as asked:
            assert type(await failure(wire, asked.origin)) in kinds
            assert (await get(wire, asked.origin)).body == b"2"
            assert len(asked.heads) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\x01\x02 garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/9.7 200 OK\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"2\r\n{}x\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nhello",
    ],
)
async def test_what_is_no_http_is_broken(answer: bytes, wire: Wire) -> None:
    async with vendor(says(answer), says(good(b"2"))) as asked:
        assert type(await failure(wire, asked.origin)) is httpx2.RemoteProtocolError
        assert (await get(wire, asked.origin)).body == b"2"
    assert asked.met == 2


@pytest.mark.parametrize("more", [b"x", good(b"bad"), b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n" + good(b"bad")])
async def test_what_comes_after_an_answer_is_not_the_next_one(more: bytes, wire: Wire) -> None:
    async with vendor(says(good(b"1") + more), says(good(b"2"), more), says(good(b"3"))) as asked:
        assert (await get(wire, asked.origin)).body == b"1"
        assert (await get(wire, asked.origin)).body == b"2"
        await until(lambda: wire.open == 0)
        assert (await get(wire, asked.origin)).body == b"3"
    assert asked.met == 3


FLOOD = b"x" * (LARGEST_HEAD + 64 * 1024)
FLOODS = {
    "one header": b"HTTP/1.1 200 OK\r\nx: " + FLOOD + b"\r\n\r\n",
    "headers": b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 30_000 + b"\r\n",
    "reason": b"HTTP/1.1 200 " + FLOOD + b"\r\n\r\n",
    "trailer": CHUNKED + b"2\r\n{}\r\n0\r\nx: " + FLOOD + b"\r\n\r\n",
    "chunk's extension": CHUNKED + b"2;" + FLOOD + b"\r\n{}\r\n0\r\n\r\n",
    "promise": b"HTTP/1.1 103 Hints\r\nx: " + FLOOD + b"\r\n\r\n" + good(),
}


@pytest.mark.parametrize("cut", [whole, anywhere])
@pytest.mark.parametrize("what", FLOODS)
async def test_what_is_no_body_has_a_bound(what: str, cut: Callable[[bytes], Sequence[bytes]], wire: Wire) -> None:
    async with vendor(Turn(cut(FLOODS[what]))) as asked:
        assert type(await failure(wire, asked.origin)) is httpx2.RemoteProtocolError
    assert wire.open == 0


async def test_a_long_head_within_the_bound_is_read(wire: Wire) -> None:
    async with vendor(says(good(b"[1]", b"x: " + b"y" * 60_000))) as asked:
        found = await get(wire, asked.origin)
    assert (found.body, len(found.headers.get("x") or "")) == (b"[1]", 60_000)


LONG = b" " * (LARGEST_BYTES + 1)


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        (good(LONG), Then.STAYS),
        (good(LONG).replace(b"200 OK", b"500 Oh No"), Then.STAYS),
        (CHUNKED + b"%x\r\n%s\r\n" % (len(LONG), LONG), Then.STAYS),
        (TO_THE_END + LONG, Then.CLOSES),
    ],
    ids=["length", "error", "chunks", "end"],
)
async def test_a_body_that_is_too_long_is_cut_and_its_connection_ends(answer: bytes, then: Then, wire: Wire) -> None:
    async with vendor(says(answer, then=then), says(good(b"2"))) as asked:
        found = await get(wire, asked.origin)
        assert (found.status, found.cut) == (500 if b"500" in answer[:20] else 200, True)
        assert (await get(wire, asked.origin)).body == b"2"


async def test_the_longest_body_is_read(wire: Wire) -> None:
    async with vendor(says(good(LONG[1:]))) as asked:
        found = await get(wire, asked.origin)
    assert (len(found.body), found.cut) == (LARGEST_BYTES, False)


@pytest.mark.parametrize(("begun", "status"), [(b"", None), (b"HTTP/1.1 200 OK\r\n", None), (good(b"{}")[:-1], 200)])
async def test_who_says_nothing_more_is_given_up(begun: bytes, status: int | None) -> None:
    wire, reply = Wire(Reach.ANYWHERE, patience=0.05), Reply()
    async with vendor(says(begun), says(good(b"2"))) as asked:
        with pytest.raises(httpx2.ReadTimeout):
            await wire.ask(asked.origin, GET, reply)
        assert (reply.status, wire.open) == (status, 0)
        assert (await get(wire, asked.origin)).body == b"2"
        await wire.aclose()


async def test_a_kept_connection_that_the_vendor_closed_is_not_used(wire: Wire) -> None:
    async with vendor(says(good(b"1"))) as asked:
        for met in (1, 2, 3):
            assert (await get(wire, asked.origin)).body == b"1"
            assert (asked.met, len(asked.heads)) == (met, met)
            next(iter(asked.open)).close()
            await until(lambda: wire.open == 0)


async def test_a_connection_is_not_kept_for_long() -> None:
    wire = Wire(Reach.ANYWHERE, idle=0.01)
    async with vendor(says(good(b"1"))) as asked:
        for _ in range(2):
            await get(wire, asked.origin)
            await until(lambda: wire.open == 0)
        await until(lambda: not asked.open)
    assert asked.met == 2
    await wire.aclose()


async def test_what_met_a_connection_that_just_ended_is_not_sent_again(wire: Wire) -> None:
    async with vendor(says(good(b"1")), says(b"", then=Then.CLOSES), says(good(b"3"))) as asked:
        await get(wire, asked.origin)
        assert type(await failure(wire, asked.origin)) is httpx2.RemoteProtocolError
        assert len(asked.heads) == 2
        assert (await get(wire, asked.origin)).body == b"3"


async def test_who_gives_up_in_the_middle_takes_the_connection_along(wire: Wire) -> None:
    async with vendor(says(good(b"the first")[:-3]), says(good(b"2"))) as asked:
        reply = Reply()
        task = asyncio.create_task(wire.ask(asked.origin, GET, reply))
        await until(lambda: reply.status is not None)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await get(wire, asked.origin)).body == b"2"
    assert asked.met == 2


async def test_who_gives_up_while_it_connects_leaves_nothing_open(wire: Wire) -> None:
    async with vendor(says(good(b"1"))) as asked:
        for turns in range(6):
            task = asyncio.create_task(get(wire, asked.origin))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert (await get(wire, asked.origin)).body == b"1"


def repeated(head: bytes) -> Turn:
    return Turn(anywhere(good(head.split(b" ")[1] * 50)))


async def test_each_of_many_has_its_own_answer(wire: Wire) -> None:
    async def ask(of: Vendor, at: int) -> None:
        found = await get(wire, of.origin, b"GET /%d HTTP/1.1\r\nhost: vendor\r\n\r\n" % at)
        assert found.body == b"/%d" % at * 50

    async with vendor(repeated) as one, vendor(repeated) as other:
        for _ in range(4):
            await asyncio.gather(*(ask(of, at) for at in range(60) for of in (one, other)))
        assert (one.met, other.met) == (60, 60)


async def test_only_so_many_connections_are_kept(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.pooling.KEPT", 3)
    async with vendor(says(good(b"1"))) as asked:
        await asyncio.gather(*(get(wire, asked.origin) for _ in range(10)))
        await until(lambda: wire.open == 3)
        await until(lambda: len(asked.open) == 3)
        assert (await get(wire, asked.origin)).body == b"1"
    assert asked.met == 10


async def test_nothing_is_left_open_when_it_is_closed(wire: Wire) -> None:
    async with vendor(says(good(b"1")), says(good(b"1")), says(b"")) as asked:
        await asyncio.gather(*(get(wire, asked.origin) for _ in range(2)))
        waiting = [asyncio.create_task(failure(wire, asked.origin)) for _ in range(3)]
        await until(lambda: len(asked.heads) == 5)
        await wire.aclose()
        assert wire.open == 0
        assert all(isinstance(error, httpx2.TransportError) for error in await asyncio.gather(*waiting))
        await until(lambda: not asked.open)
        with pytest.raises(RuntimeError, match="closed"):
            await get(wire, asked.origin)


async def test_the_next_address_is_tried_where_one_does_not_answer(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    async def reachable(*_: object) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    monkeypatch.setattr("connectors.pooling.reachable", reachable)
    async with vendor(says(good(b"1")), host="vendor.test") as asked:
        assert (await get(wire, asked.origin)).body == b"1"
    assert type(await failure(wire, asked.origin)) is httpx2.ConnectError


async def test_small_requests_do_not_wait_for_company(wire: Wire) -> None:
    async with vendor(says(good(b"1"))) as asked:
        await get(wire, asked.origin)
        (connection,) = wire._open
        assert connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_an_answer_to_who_asked_for_the_head_alone_has_no_body(wire: Wire) -> None:
    async with vendor(says(good(b"no body")[: -len(b"no body")]), says(good(b"2"))) as asked:
        reply = Reply()
        await wire.ask(asked.origin, GET, reply, bare=True)
        assert (reply.status, reply.body, reply.headers.get("content-length")) == (200, b"", "7")
        assert (await get(wire, asked.origin)).body == b"2"


@pytest.mark.parametrize("odd", ["a\r\nb: c", "a\nb", "a\rb", "a\0b"])
def test_what_would_be_another_header_is_not_sent(odd: str) -> None:
    for headers in ({"x-key": odd}, {odd: "x"}):
        with pytest.raises(httpx2.LocalProtocolError):
            lines(headers)


def trusting(client: ssl.SSLContext) -> Wire:
    return Wire(Reach.ANYWHERE, trust=lambda: client)


async def test_tls_is_spoken_and_kept(tmp_path: Path) -> None:
    serving, client = certified(tmp_path, "localhost")
    wire = trusting(client)
    async with vendor(says(good(b"1")), Turn(bytewise(good(b"22"))), tls=serving, host="localhost") as asked:
        found = [(await get(wire, asked.origin)).body for _ in range(3)]
        await wire.aclose()
        assert wire.open == 0
    assert (found, asked.met) == ([b"1", b"22", b"22"], 1)


async def test_an_answer_to_the_end_of_a_connection_over_tls(tmp_path: Path) -> None:
    serving, client = certified(tmp_path, "localhost")
    wire = trusting(client)
    async with vendor(says(TO_THE_END + b"[1]", then=Then.CLOSES), tls=serving, host="localhost") as asked:
        assert (await get(wire, asked.origin)).body == b"[1]"
    await wire.aclose()


@pytest.mark.parametrize("what", ["another name", "an unknown signer"])
async def test_who_cannot_prove_the_name_is_asked_nothing(what: str, tmp_path: Path) -> None:
    serving, client = certified(tmp_path, "elsewhere.test" if what == "another name" else "localhost")
    wire = Wire(Reach.ANYWHERE) if what == "an unknown signer" else trusting(client)
    async with vendor(says(good(b"1")), tls=serving, host="localhost") as asked:
        error = await failure(wire, asked.origin)
        await wire.aclose()
        assert (type(error), wire.open, asked.heads) == (httpx2.ConnectError, 0, [])


async def test_a_handshake_that_never_ends_is_given_up(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.pooling.CONNECT_SECONDS", 0.05)
    async with vendor(says(b"")) as asked:
        assert type(await failure(wire, asked.origin._replace(scheme="https"))) is httpx2.ConnectTimeout


# What a vendor's operations make of it.


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with new_client() as made:
        yield made


def http(client: Client, of: Vendor, **options: object) -> VendorHTTP:
    return over(client, guarded(), base_url=f"http://127.0.0.1:{of.origin.port}", **options)


async def refused(asked: VendorHTTP) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await asked.json("list")
    return caught.value


@pytest.mark.parametrize("cut", [whole, bytewise])
async def test_a_compressed_answer_is_read(cut: Callable[[bytes], Sequence[bytes]], client: Client) -> None:
    async with vendor(Turn(cut(good(gzip.compress(b'{"a":1}'), b"Content-Encoding: gzip")))) as asked:
        assert await http(client, asked).json("list") == {"a": 1}


async def test_the_trace_has_the_status_of_an_answer_that_broke_off(client: Client) -> None:
    seen: list[UpstreamRequest] = []
    token = trace.set(seen)
    async with vendor(says(good(b"{}")[:-1], then=Then.CLOSES), says(b"", then=Then.CLOSES), says(good())) as asked:
        assert await http(client, asked).json("list") == {}
    trace.reset(token)
    assert [one.status for one in seen] == [200, None, 200]


async def test_a_body_that_is_too_long_is_told_and_not_asked_for_again(client: Client) -> None:
    async with vendor(says(good(LONG))) as asked:
        error = await refused(http(client, asked))
    assert (type(error), "longer" in error.message, len(asked.heads)) == (VendorProtocolError, True, 1)


async def test_a_read_with_a_header_that_cannot_be_sent_is_not(client: Client) -> None:
    async with vendor(says(good())) as asked:
        with capture_logs():
            error = await refused(http(client, asked, headers={"x-key": "secret\n"}))
    assert (type(error), "secret" in error.message, asked.heads) == (VendorUnavailable, False, [])


async def test_reads_with_other_headers_do_not_mix(client: Client) -> None:
    async with vendor(says(good())) as asked:
        api = http(client, asked)
        await asyncio.gather(*(api.send("list", headers={"X-Page": str(at)}) for at in range(9)), api.send("list"))
        pages = [head.lower().partition(b"x-page: ")[2][:1] for head in asked.heads]
    assert sorted(pages) == [b"", *(b"%d" % at for at in range(9))]


async def test_a_read_with_a_body_says_how_long_it_is(client: Client) -> None:
    async with vendor(says(good())) as asked:
        await http(client, asked).send("read-by-post", body=[])
        await asyncio.sleep(0)
    head = asked.heads[0].lower()
    assert b"content-length: 2\r\n" in head
    assert b"content-type: application/json" in head
