"""GraphQL over server-sent events, distinct connections: what is streamed, how it ends, and how it is resumed."""

import asyncio
import json
import logging
import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from gateway.accept import events as wanted
from gateway.streams import Pace
from tests.following import (
    SALES,
    Shop,
    codes,
    events,
    heard,
    metric,
    narrow_socket,
    new_key,
    sold,
    subscribed,
    until,
)
from tests.running import ADMIN, Gateway, Sandbox, running_gateway

QUERY = "{ viewer { name } }"
LIVELY = Pace(alive=0.05, keys=0.0)
NEXT_AND_COMPLETE = ["next", "complete"]


async def raw(gateway: Gateway, **asked: Any) -> httpx2.Response:
    """A whole answer, to its end."""
    headers = {"authorization": f"Bearer {ADMIN}", "accept": "text/event-stream", **asked.pop("headers", {})}
    async with httpx2.AsyncClient(trust_env=False) as client:
        return await client.request(asked.pop("method", "POST"), f"{gateway.base}/graphql", headers=headers, **asked)


# What is streamed


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_subscription_is_a_stream_of_events_with_cursors(gateway: Gateway, method: str) -> None:
    async with events(gateway, SALES, {"after": None}, method=method) as stream, Shop(gateway) as shop:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"] == "text/event-stream"
        assert stream.response.headers["cache-control"] == "no-cache, no-transform"
        assert "content-length" not in stream.response.headers
        sales = await shop.sell(3)
        for sale in sales:
            event = await stream.hear()
            assert event is not None
            assert list(event) == ["event", "id", "data"]
            message = json.loads(event["data"])["data"]["sales"]
            assert (event["event"], event["id"], message["sale"]["vendorId"]) == ("next", message["cursor"], sale)


async def test_the_cursor_is_told_whether_or_not_it_is_asked_for(gateway: Gateway) -> None:
    query = "subscription { sales { sale { vendorId } } }"
    async with events(gateway, query) as stream, Shop(gateway) as shop:
        first, second = await shop.sell(2)
        event = await stream.hear()
        assert event is not None
    async with events(gateway, query, headers={"last-event-id": event["id"]}) as stream:
        assert sold(await stream.next()) == second != first


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_query_is_one_result_and_the_end(gateway: Gateway, method: str) -> None:
    async with events(gateway, QUERY, method=method) as stream:
        told = await stream.rest()
    assert [event["event"] for event in told] == NEXT_AND_COMPLETE
    assert json.loads(told[0]["data"]) == {"data": {"viewer": {"name": ADMIN.removeprefix("vg_")}}}
    assert told[1] == {"event": "complete", "data": ""}


async def test_the_bytes_are_those_of_the_standard(gateway: Gateway) -> None:
    answer = await raw(gateway, json={"query": QUERY})
    data = '{"data":{"viewer":{"name":"admin-of-acme"}}}'
    assert answer.text == f":\n\nevent: next\ndata: {data}\n\nevent: complete\ndata:\n\n"


async def test_an_error_of_a_field_comes_with_the_data(gateway: Gateway) -> None:
    async with events(gateway, "{ sales(first: 5000) { nodes { id } } }") as stream:
        told = await stream.rest()
    result = json.loads(told[0]["data"])
    assert "data" in result
    assert codes(result["errors"]) == ["BAD_INPUT"]
    assert [event["event"] for event in told] == NEXT_AND_COMPLETE


# What is wrong

WRONG: dict[str, dict[str, Any]] = {
    "a syntax error": {"json": {"query": "{"}},
    "a field that is none": {"json": {"query": "{ nothing }"}},
    "a variable that is missing": {"json": {"query": "query Q($id: ID!) { machine(id: $id) { id } }"}},
    "no query": {"json": {}},
    "no object": {"json": [{"query": QUERY}]},
    "no JSON": {"content": b"{", "headers": {"content-type": "application/json"}},
    "another kind of body": {"content": QUERY, "headers": {"content-type": "application/graphql"}},
    "a body that is too long": {"json": {"query": QUERY, "extensions": {"x": "x" * 300_000}}},
    "nothing in the address": {"method": "GET"},
    "variables that are no JSON": {"method": "GET", "params": {"query": QUERY, "variables": "{"}},
    "a change in the address": {"method": "GET", "params": {"query": "mutation { nothing }"}},
    "a subscription of two fields": {"json": {"query": "subscription { sales { cursor } events { cursor } }"}},
    "a cursor that is none": {"json": {"query": SALES, "variables": {"after": "x"}}},
    "a last event that never was": {"json": {"query": SALES}, "headers": {"last-event-id": "x"}},
    "an operation that is not there": {"json": {"query": SALES, "operationName": "Other"}},
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_wrong_is_told_as_a_result(gateway: Gateway, what: str) -> None:
    answer = await raw(gateway, **WRONG[what])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    first, last = answer.text.removesuffix("\n\n").split("\n\n")
    assert last == "event: complete\ndata:"
    assert first.startswith("event: next\ndata: ")
    result = json.loads(first.removeprefix("event: next\ndata: "))
    assert list(result) == ["errors"]
    assert set(codes(result["errors"])) == {"BAD_INPUT"}


@pytest.mark.parametrize("told", [{}, {"authorization": "Bearer wrong"}])
async def test_without_a_good_key_there_is_no_stream(gateway: Gateway, told: dict[str, str]) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{gateway.base}/graphql", json={"query": SALES}, headers={"accept": "text/event-stream", **told}
        )
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert codes(answer.json()["errors"]) == ["UNAUTHENTICATED"]


# Who gets a stream

ACCEPTED = {
    "text/event-stream": (True, True),
    "Text/Event-Stream": (True, True),
    "text/event-stream, application/json": (True, True),
    "text/event-stream;q=0.9, */*;q=0.1": (True, True),
    "application/json;q=0.5, text/event-stream": (True, True),
    "text/event-stream, multipart/mixed": (True, True),
    "text/event-stream; charset=utf-8": (True, True),
    "application/json, text/event-stream": (True, False),
    "application/graphql-response+json, application/json, text/event-stream, multipart/mixed": (True, False),
    "text/event-stream;q=0.5, application/json": (True, False),
    "text/event-stream;q=0": (False, False),
    "text/event-streams": (False, False),
    "text/*": (False, False),
    "*/*": (False, False),
    "application/json": (False, False),
    "": (False, False),
}


@pytest.mark.parametrize("accept", ACCEPTED)
def test_a_stream_is_for_who_names_it(accept: str) -> None:
    assert tuple(wanted(accept)) == ACCEPTED[accept]


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_a_query_is_streamed_to_who_would_rather_have_a_stream(gateway: Gateway, accept: str) -> None:
    answer = await raw(gateway, json={"query": QUERY}, headers={"accept": accept})
    streamed = answer.headers["content-type"] == "text/event-stream"
    assert streamed == ACCEPTED[accept][1]
    assert streamed or answer.json()["data"]["viewer"]


@pytest.mark.parametrize("accept", ACCEPTED)
async def test_a_subscription_is_streamed_to_whoever_takes_a_stream(gateway: Gateway, accept: str) -> None:
    async with events(gateway, SALES, headers={"accept": accept}) as stream:
        streamed = stream.response.headers["content-type"] == "text/event-stream"
        assert streamed == ACCEPTED[accept][0]
        if not streamed:
            assert codes(json.loads(await stream.response.aread())["errors"]) == ["BAD_INPUT"]


# Resuming


async def test_the_last_event_is_where_it_goes_on(gateway: Gateway) -> None:
    """Whatever the request began with: a browser repeats that when it comes again."""
    async with events(gateway, SALES) as stream, Shop(gateway) as shop:
        sales = await shop.sell(4)
        first = await stream.hear()
        second = await stream.hear()
    assert first is not None
    assert second is not None
    told = {"last-event-id": second["id"]}
    async with events(gateway, SALES, {"after": first["id"]}, headers=told) as stream:
        assert await heard(stream, 2) == sales[2:]
    async with events(gateway, SALES, {"after": first["id"]}, headers={"last-event-id": ""}) as stream:
        assert await heard(stream, 3) == sales[1:]


# How it goes on, and ends


def test_a_stream_shows_every_fifteen_seconds_that_it_is_alive() -> None:
    assert Pace().alive == 15.0


async def test_a_quiet_stream_shows_that_it_is_alive(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path, pace=LIVELY) as gateway:
        async with events(gateway, SALES) as stream, Shop(gateway) as shop:
            hearing = asyncio.create_task(stream.hear())
            async with asyncio.timeout(10):
                while stream.comments < 4:  # noqa: ASYNC110  comments are counted on the way
                    await asyncio.sleep(0.01)
            assert not hearing.done()
            (sale,) = await shop.sell()
            event = await hearing
            assert event is not None
            assert json.loads(event["data"])["data"]["sales"]["sale"]["vendorId"] == sale


async def test_a_key_that_is_revoked_ends_the_stream(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """Not as one that has told everything, so that its client comes again and is told why."""
    with running_gateway(shared_sandbox, tmp_path, pace=LIVELY) as gateway:
        key, revoke = new_key(tmp_path)
        async with events(gateway, SALES, key=key) as stream, events(gateway, SALES) as other:
            revoke()
            assert await stream.rest() == []
            await subscribed(gateway, 1)
            async with Shop(gateway) as shop:
                assert await shop.sell() == [sold(await other.next())]


@pytest.mark.parametrize("politely", [True, False])
async def test_a_client_that_leaves_leaves_nothing_behind(
    gateway: Gateway, politely: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as ours:
        for _ in range(3):
            async with events(gateway, SALES) as stream, Shop(gateway) as shop:
                await shop.sell()
                assert await stream.next()
                assert metric(gateway, "subscribers") == 1
                if not politely:
                    stream.response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
            await subscribed(gateway, 0)
    assert ours == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_client_that_takes_nothing_is_not_kept(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """It follows much, reads none of it, and stays."""
    with running_gateway(shared_sandbox, tmp_path, patience=0.2) as gateway:
        stuck = narrow_socket(gateway)
        many = " ".join(f"a{number}: vendorData" for number in range(200))
        body = json.dumps({"query": f"subscription {{ sales {{ sale {{ {many} }} }} }}"})
        head = (
            "POST /graphql HTTP/1.1\r\nHost: gateway\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {ADMIN}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        stuck.sendall(head.encode() + body.encode())
        await subscribed(gateway)
        async with Shop(gateway) as shop:
            await shop.sell(40)
        await until(gateway, "subscribers", 0)
        stuck.close()
