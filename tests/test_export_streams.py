"""Exports under way: how far they have come, how many there may be, how they are broken off, and what they hold."""

import asyncio
import json
import re
import socket
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.streams import Pace
from tests.bulk import bulky_gateway, since
from tests.exporting import failed, get
from tests.following import Socket, events, narrow_socket, new_key
from tests.running import ADMIN, CLIENT, Gateway

COUNT = 8_000
ID = "an-export-of-this-test-"
PROGRESS = """subscription ($id: ID!) { exports(id: $id) { id state done sales rows known total complete
  sources { account { key } state complete } } }"""
WAIT_SECONDS = 20.0
Row = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bulky")


@pytest.fixture(scope="module")
def bulky(folder: Path) -> Iterator[Gateway]:
    with bulky_gateway(folder, COUNT, pace=Pace(alive=0.05, keys=0.0)) as gateway:
        yield gateway


@contextmanager
def stuck(gateway: Gateway, id_: str, key: str = ADMIN) -> Iterator[socket.socket]:
    """An export whose client has read no more than that it has begun."""
    with narrow_socket(gateway) as connection:
        parameters = httpx2.QueryParams({**since(COUNT), "id": id_})
        head = f"GET /exports/sales.ndjson?{parameters} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n"
        connection.sendall(head.encode())
        text = connection.recv(4_096)
        while b"recordedAt" not in text:
            text += connection.recv(4_096)
        assert text.startswith(b"HTTP/1.1 200")
        yield connection


async def follow(gateway: Gateway, id_: str, key: str = ADMIN) -> list[Row]:
    """All that is told of an export, to its end."""
    async with events(gateway, PROGRESS, {"id": id_}, key=key) as stream:
        told = await stream.rest()
    assert told.pop()["event"] == "complete"
    return [json.loads(one["data"])["data"]["exports"] for one in told]


async def ended(gateway: Gateway, id_: str, key: str = ADMIN) -> Row:
    found = await follow(gateway, id_, key)
    assert found[-1]["done"]
    return found[-1]


# ---- progress -----------------------------------------------------------------------------------------------------


async def test_a_subscription_follows_an_export_from_before_it_begins_to_its_end(bulky: Gateway) -> None:
    id_ = ID + "followed"
    async with Socket(bulky) as following:
        await following.subscribe(PROGRESS, {"id": id_})
        first = (await following.next())["exports"]
        assert (first["state"], first["done"], first["sales"], first["complete"]) == ("WAITING", False, 0, None)
        answer = await asyncio.to_thread(get, bulky, "sales.csv", {**since(3_000), "id": id_})
        told = []
        while (message := await following.hear())["type"] == "next":
            told.append(message["payload"]["data"]["exports"])
    assert message == {"id": "1", "type": "complete"}
    assert [one["sales"] for one in told] == sorted(one["sales"] for one in told)
    assert {one["state"] for one in told[:-1]} <= {"RUNNING"}
    last = told[-1]
    assert (last["id"], last["state"], last["done"], last["complete"]) == (id_, "DONE", True, True)
    assert (last["sales"], last["rows"], last["known"], last["total"]) == (3_000, 6_000, 3_000, 3_000)
    assert last["sources"] == [{"account": {"key": "acme-coffee"}, "state": "FRESH", "complete": True}]
    assert answer.text.count("\n") == 6_001


async def test_who_comes_later_hears_how_it_ended_by_the_id_in_the_head(bulky: Gateway) -> None:
    answer = await asyncio.to_thread(get, bulky, "sales.ndjson", since(10))
    (last,) = await follow(bulky, answer.headers["vendgraph-export-id"])
    assert (last["state"], last["sales"], last["rows"]) == ("DONE", 10, 10)


async def test_another_keys_export_is_like_none(bulky: Gateway, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.exports.BEGINS_WITHIN", 0.05)
    other, revoke = new_key(folder)
    await asyncio.to_thread(get, bulky, "sales.ndjson", {**since(5), "id": ID})
    assert [one["state"] for one in await follow(bulky, ID)] == ["DONE"]
    assert [one["state"] for one in await follow(bulky, ID, other)] == ["WAITING", "WAITING"]
    revoke()


# ---- how many -----------------------------------------------------------------------------------------------------


async def test_a_key_may_have_two_at_once(bulky: Gateway) -> None:
    with stuck(bulky, ID + "1"):
        with stuck(bulky, ID + "2"):
            third = await asyncio.to_thread(get, bulky, "sales.csv", since(1))
            assert failed(third) == (429, "RATE_LIMITED")
            assert int(third.headers["retry-after"]) > 0
        assert (await ended(bulky, ID + "2"))["state"] == "BROKEN"
        assert (await asyncio.to_thread(get, bulky, "sales.csv", since(1))).status_code == 200


async def test_an_id_is_of_one_export_at_a_time(bulky: Gateway) -> None:
    given = {**since(1), "id": ID + "again"}
    with stuck(bulky, given["id"]):
        assert failed(await asyncio.to_thread(get, bulky, "sales.csv", given)) == (409, "CONFLICT")
    await ended(bulky, given["id"])
    assert (await asyncio.to_thread(get, bulky, "sales.csv", given)).status_code == 200


# ---- how they are broken off --------------------------------------------------------------------------------------


async def test_work_stops_when_the_client_has_gone(bulky: Gateway) -> None:
    with stuck(bulky, ID + "gone"):
        pass
    last = await ended(bulky, ID + "gone")
    assert (last["state"], last["complete"]) == ("BROKEN", False)
    assert 0 < last["sales"] < COUNT


async def test_a_client_that_takes_nothing_is_cut_off(tmp_path: Path) -> None:
    with bulky_gateway(tmp_path, COUNT, patience=0.2) as gateway, stuck(gateway, ID + "stuck"):
        last = await ended(gateway, ID + "stuck")
    assert last["state"] == "BROKEN"
    assert last["sales"] < COUNT


async def test_a_key_that_is_revoked_ends_its_export_without_its_end(bulky: Gateway, folder: Path) -> None:
    key, revoke = new_key(folder)
    async with reading(bulky, key) as chunks:
        await anext(chunks)
        revoke()
        with pytest.raises(httpx2.RemoteProtocolError, match="incomplete"):
            await rest(chunks)


async def rest(chunks: AsyncIterator[bytes]) -> None:
    """Slowly, so that it takes longer than to look at the key again."""
    async for _ in chunks:
        await asyncio.sleep(0.05)


@asynccontextmanager
async def reading(gateway: Gateway, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
    headers = {"authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(timeout=WAIT_SECONDS, trust_env=False) as client,
        client.stream("GET", f"{gateway.base}/exports/sales.csv", params=since(COUNT), headers=headers) as answer,
    ):
        yield answer.aiter_raw(65_536)


# ---- memory -------------------------------------------------------------------------------------------------------


def test_thirteen_times_as_many_take_about_as_much_memory(bulky: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts that pydantic keeps, and such, are bounded, and still grow in so short a time."""
    monkeypatch.setattr("resolvers.exports.BATCH", 50)
    peak(bulky, 300)  # what is made once is there by now
    few, many = peak(bulky, 300), peak(bulky, 4_000)
    assert many < 2 * few


def peak(gateway: Gateway, count: int) -> int:
    """How many bytes it took at the most, gateway and reader together."""
    headers = {"authorization": f"Bearer {gateway.key}"}
    seen = 0
    tracemalloc.start()
    try:
        with CLIENT.stream(
            "GET", f"{gateway.base}/exports/sales.ndjson", params=since(count), headers=headers
        ) as answer:
            for chunk in answer.iter_raw(65_536):
                seen += len(re.findall(rb"\n", chunk))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == count + 1
    return most
