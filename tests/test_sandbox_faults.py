"""A vendor breaks on request, in the very way that was asked for, and is whole again when it is healed."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from sandbox.smartvend import ORGANIZATION_KEY
from tests.running import Sandbox, running_sandbox

PATH = "/smartvend/v1/get-list-of-products"
COMMAND = "/smartvend/v1/create-encashment"
HEADERS = {"x-organization-key": ORGANIZATION_KEY}


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02, days=2) as sandbox:
        yield sandbox


def post(sandbox: Sandbox, path: str = PATH, body: Any = None, timeout: float = 5) -> httpx2.Response:
    return httpx2.post(sandbox.base + path, json=body or {}, headers=HEADERS, timeout=timeout)


@contextmanager
def connected(sandbox: Sandbox) -> Iterator[socket.socket]:
    address = urlsplit(sandbox.base)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(f"POST {PATH} HTTP/1.1\r\nhost: sandbox\r\ncontent-length: 0\r\n\r\n".encode())
        yield connection


@pytest.mark.parametrize(
    ("kind", "status", "media", "length"),
    [
        ("status", 418, "application/json", 31),
        ("redirect", 302, "application/json", 31),
        ("junk", 200, "application/json", 18),
        ("html", 200, "text/html", 70),
        ("empty", 200, "application/json", 0),
        ("deep", 200, "application/json", 3001),
        ("huge", 200, "application/json", 9 * 1024 * 1024 + 2),
    ],
)
def test_an_answer_is_replaced(sandbox: Sandbox, kind: str, status: int, media: str, length: int) -> None:
    sandbox.break_("smartvend", kind, status=418)
    answer = post(sandbox)
    found = (answer.status_code, answer.headers["content-type"], len(answer.content))
    assert found == (status, media, length)
    sandbox.heal()
    assert post(sandbox).json()["result"]["$case"] == "success"


def test_a_fault_strikes_as_often_as_it_was_told_and_only_what_it_was_told(sandbox: Sandbox) -> None:
    sandbox.break_("smartvend", "status", status=503, headers={"retry-after": "7"}, operation="products", times=2)
    assert post(sandbox, "/smartvend/v1/get-list-of-controllers").status_code == 200
    answers = [post(sandbox) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "7"


def test_a_reset_is_a_reset(sandbox: Sandbox) -> None:
    sandbox.break_("smartvend", "reset")
    with connected(sandbox) as connection, pytest.raises(ConnectionResetError):
        connection.recv(100)


def test_a_truncated_answer_ends_early_in_good_order(sandbox: Sandbox) -> None:
    sandbox.break_("smartvend", "truncate")
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete"):
        post(sandbox)


@pytest.mark.parametrize("kind", ["hang_before", "hang_after", "trickle"])
def test_whoever_hangs_up_is_no_longer_kept_waiting(sandbox: Sandbox, kind: str) -> None:
    sandbox.break_("smartvend", kind)
    with connected(sandbox) as connection:
        assert kind != "trickle" or connection.recv(100)
    deadline = time.monotonic() + 5
    while not sandbox.requests("smartvend") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sandbox.requests("smartvend") == [f"POST {PATH}"]


@pytest.mark.parametrize(("kind", "done"), [("hang_before", 0), ("hang_after", 1)])
def test_a_vendor_hangs_before_or_after_the_effect(sandbox: Sandbox, kind: str, done: int) -> None:
    controller = sandbox.truth("smartvend")["machines"][0]["id"]
    before = len(sandbox.truth("smartvend")["encashments"])
    sandbox.break_("smartvend", kind)
    with pytest.raises(httpx2.ReadTimeout):
        post(sandbox, COMMAND, {"controllerId": controller}, timeout=0.2)
    assert len(sandbox.truth("smartvend")["encashments"]) == before + done


def test_a_vendor_that_hangs_hangs_up_in_the_end(sandbox: Sandbox) -> None:
    sandbox.break_("smartvend", "hang_before", seconds=0.01)
    with connected(sandbox) as connection:
        assert connection.recv(100) == b""


def test_an_answer_drips(sandbox: Sandbox) -> None:
    sandbox.break_("smartvend", "trickle", seconds=0.2)
    with connected(sandbox) as connection:
        pieces = [connection.recv(10_000)]
        while not b"".join(pieces).endswith(b"}"):
            pieces.append(connection.recv(10_000))
    assert pieces[0].startswith(b"HTTP/1.1 401")
    assert len(pieces) > 5


def test_what_is_no_fault_is_refused(sandbox: Sandbox) -> None:
    wrong: list[dict[str, Any]] = [
        {},
        {"vendor": "nobody", "kind": "status"},
        {"vendor": "smartvend", "kind": "flood"},
        {"vendor": "smartvend", "kind": "status", "often": 3},
    ]
    for body in wrong:
        assert httpx2.post(f"{sandbox.base}/_sandbox/faults", json=body).status_code == 400
    assert post(sandbox).status_code == 200
