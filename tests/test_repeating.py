"""Requests that come again byte for byte are answered as if they had been read, however their bytes arrive."""

import random
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tests.roads import FLEET, LONG, OWN
from tests.running import ADMIN, VIEWER, Gateway, Sandbox, running_gateway
from tests.sameness import FOREVER
from tests.test_road import short

OTHER = "{ machines(first: 2) { nodes { id } } }"
WRONG = "{ machines { nobodys } }"
SEQUENCES = 40
PATIENCE = 20.0  # seconds


def request(query: str = FLEET, *, key: str = ADMIN, version: str = "1.1", **headers: str) -> bytes:
    body = orjson.dumps({"query": query})
    told = {"host": "gateway", "authorization": f"Bearer {key}", "content-type": "application/json", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST /graphql HTTP/{version}\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def shown(self) -> tuple[int, Mapping[str, str], bytes]:
        """What is not of this request alone: neither its id nor its budget nor the time."""
        told = {name: value for name, value in self.headers.items() if name not in OWN}
        return self.status, told, self.body


class Client:
    """One connection, and the answers that come over it."""

    def __init__(self, gateway: Gateway, source: str = "127.0.0.1") -> None:
        there = urlsplit(gateway.base)
        assert there.hostname is not None
        self.socket = socket.create_connection((there.hostname, there.port), PATIENCE, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = self.socket.makefile("rb")

    def ask(self, sent: bytes) -> Answer:
        self.socket.sendall(sent)
        return self.answer()

    def answer(self) -> Answer:
        status = int(self._read.readline().split()[1])
        headers = {}
        while (line := self._read.readline().strip()) != b"":
            name, _, value = line.decode().partition(": ")
            assert name not in headers
            headers[name] = value
        return Answer(status, headers, self._read.read(int(headers["content-length"])))

    def has_ended(self) -> bool:
        return self._read.read(1) == b""

    def close(self) -> None:
        self._read.close()
        self.socket.close()


@contextmanager
def connected(gateway: Gateway, source: str = "127.0.0.1") -> Iterator[Client]:
    with closing(Client(gateway, source)) as client:
        yield client


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("repeating"), cache=FOREVER) as gateway:
        for query in (FLEET, OTHER):
            warm(gateway, request(query))
        yield gateway


def unread(gateway: Gateway) -> int:
    return short(gateway, "unread")


def warm(gateway: Gateway, sent: bytes, source: str = "127.0.0.1") -> None:
    """It is loaded, kept, known by its body, and then as it comes."""
    with connected(gateway, source) as client:
        for _ in range(5):
            assert client.ask(sent).status == 200


def test_it_is_answered_to_the_header_as_if_it_had_been_read(gateway: Gateway) -> None:
    with connected(gateway) as client:
        before = unread(gateway)
        known = [client.ask(request()) for _ in range(3)]
        assert unread(gateway) == before + 3
        read = client.ask(request(**LONG))
        assert unread(gateway) == before + 3
    assert read.status == 200
    for one in known:
        assert one.shown == read.shown
        assert one.headers.keys() == read.headers.keys()
    assert len({one.headers["x-request-id"] for one in known}) == 3


def test_it_is_known_whatever_connection_it_comes_over(gateway: Gateway) -> None:
    before = unread(gateway)
    for _ in range(3):
        with connected(gateway) as client:
            assert client.ask(request()).status == 200
    assert unread(gateway) == before + 3


def test_from_another_address_it_is_read(gateway: Gateway) -> None:
    """Whose key was not good from there yet; and a trusted proxy may stand at the one, and anybody at the other."""
    before = unread(gateway)
    with connected(gateway, "127.0.0.2") as client:
        assert client.ask(request()).status == 200
    assert unread(gateway) == before


@pytest.mark.parametrize(
    "sent",
    [
        request(connection="close"),
        request(version="1.0"),
        request(expect="100-continue"),
        request(upgrade="h2c", connection="upgrade"),
        request(**{"x-request-id": "mine"}),
        request(WRONG),
        request(key="vg_nobodys"),
    ],
    ids=["close", "1.0", "100-continue", "upgrade", "an id", "a wrong query", "a wrong key"],
)
def test_what_is_unusual_is_read_each_time(gateway: Gateway, sent: bytes) -> None:
    before = unread(gateway)
    for _ in range(5):
        with connected(gateway) as client:
            client.socket.sendall(sent)
            assert client.socket.recv(1) == b"H"
    assert unread(gateway) == before


def test_after_it_the_connection_is_what_it_was(gateway: Gateway) -> None:
    with connected(gateway) as client:
        assert client.ask(request()).status == 200
        assert client.ask(request(connection="close")).headers["connection"] == "close"
        assert client.has_ended()


def test_who_sends_no_more_is_not_waited_for(gateway: Gateway) -> None:
    """Such a connection ends after the seconds that any other may be idle."""
    with connected(gateway) as client:
        assert client.ask(request()).status == 200
        assert client.has_ended()


def test_who_has_spent_all_is_refused(sandbox: Sandbox, tmp_path: Any) -> None:
    limits = "\n[limits]\nmax_cost = 1000\ncost_burst = 1000\ncost_per_second = 1\n"
    with running_gateway(sandbox, tmp_path, cache=FOREVER, more=limits) as gateway, connected(gateway) as client:
        statuses = [client.ask(request(OTHER)).status for _ in range(4)]
        while statuses[-1] != 429:
            statuses.append(client.ask(request(OTHER)).status)
            assert len(statuses) < 5_000
        assert unread(gateway) > 0
        assert set(statuses) == {200, 429}


POSSIBLE = (
    request(),
    request(OTHER),
    request(key=VIEWER),
    request(OTHER, key=VIEWER),
    request(**LONG),
    request(WRONG),
    request(authorization="Basic YTpi"),
    b"GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n",
    b"\r\n" + request(),
)


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_however_the_bytes_arrive_each_request_has_its_answer(gateway: Gateway, seed: int) -> None:
    """Several at once, cut anywhere, and one before the other is answered."""
    chance = random.Random(seed)  # noqa: S311  nothing is kept secret by it
    sent = [chance.choice(POSSIBLE) for _ in range(12)]
    with connected(gateway) as client:
        wanted = {one: client.ask(one).shown for one in dict.fromkeys(sent)}
    line = b"".join(sent)
    ends = [sum(map(len, sent[: index + 1])) for index in range(len(sent))]
    cuts = sorted({*chance.sample(ends, 6), *(chance.randrange(len(line)) for _ in range(chance.choice((0, 4))))})
    with connected(gateway) as client:
        for begins, end in zip([0, *cuts], [*cuts, len(line)], strict=True):
            client.socket.sendall(line[begins:end])
            time.sleep(chance.choice((0, 0, 0.01)))
        assert [client.answer().shown for _ in sent] == [wanted[one] for one in sent]
