"""The protocol graphql-transport-ws, word for word, over real sockets."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets
from structlog.testing import capture_logs

from gateway.requests import LARGEST_BODY
from gateway.streams import Pace
from tests.following import PROTOCOL, SALES, Shop, Socket, codes, metric, narrow, new_key, sold, subscribed, until
from tests.running import ADMIN, STRANGER, VIEWER, Gateway, Sandbox, running_gateway

INIT = {"type": "connection_init", "payload": {"authorization": f"Bearer {ADMIN}"}}
VIEWER_QUERY = "{ viewer { name } }"
QUERY = {"id": "1", "type": "subscribe", "payload": {"query": VIEWER_QUERY}}


@asynccontextmanager
async def opened(gateway: Gateway, **options: Any) -> AsyncIterator[Socket]:
    """Before `connection_init`."""
    async with Socket(gateway, None, **options) as socket:
        yield socket


def subscribe(**changed: Any) -> dict[str, Any]:
    """A message that is changed; None takes a member away."""
    message = {"id": "1", "type": "subscribe", "payload": {"query": VIEWER_QUERY}, **changed}
    return {name: value for name, value in message.items() if value is not None}


def payload(**changed: Any) -> dict[str, Any]:
    return {"query": VIEWER_QUERY, **changed}


# The sub-protocol


@pytest.mark.parametrize("offered", [[], ["graphql-ws"], ["graphql-transport-ws2", "soap"]])
async def test_another_sub_protocol_is_not_acceptable(gateway: Gateway, offered: list[str]) -> None:
    async with opened(gateway, subprotocols=[websockets.Subprotocol(one) for one in offered] or None) as socket:
        assert await socket.closed() == (4406, "Subprotocol not acceptable")


async def test_of_several_sub_protocols_ours_is_taken(gateway: Gateway) -> None:
    async with opened(gateway, subprotocols=[websockets.Subprotocol("graphql-ws"), PROTOCOL]) as socket:
        assert socket.connection.subprotocol == PROTOCOL
        await socket.say(INIT)
        assert await socket.hear() == {"type": "connection_ack"}


async def test_messages_are_not_compressed(gateway: Gateway) -> None:
    async with opened(gateway, compression="deflate") as socket:
        assert socket.connection.protocol.extensions == []


# The connection


@pytest.mark.parametrize("told", [{"authorization": f"Bearer {ADMIN}"}, {"Authorization": f"bearer {ADMIN}", "x": 1}])
async def test_the_key_comes_with_the_first_message(gateway: Gateway, told: dict[str, str]) -> None:
    async with opened(gateway) as socket:
        await socket.say({"type": "connection_init", "payload": told})
        assert await socket.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize("more", [{}, {"payload": None}, {"payload": {}}, {"payload": {"authorization": None}}])
async def test_the_key_may_come_with_the_request(gateway: Gateway, more: dict[str, Any]) -> None:
    async with opened(gateway, additional_headers={"Authorization": f"Bearer {ADMIN}"}) as socket:
        await socket.say({"type": "connection_init", **more})
        assert await socket.hear() == {"type": "connection_ack"}


async def test_the_key_of_the_first_message_goes_before_that_of_the_request(gateway: Gateway) -> None:
    async with opened(gateway, additional_headers={"Authorization": f"Bearer {STRANGER}"}) as socket:
        await socket.say(INIT)
        assert await socket.hear() == {"type": "connection_ack"}
        await socket.say(QUERY)
        assert (await socket.next())["viewer"]["name"] == ADMIN.removeprefix("vg_")


@pytest.mark.parametrize(
    "told", [None, {}, {"authorization": "Bearer wrong"}, {"authorization": ADMIN}, {"key": ADMIN}]
)
async def test_without_a_good_key_it_is_forbidden(gateway: Gateway, told: Any) -> None:
    async with opened(gateway) as socket:
        await socket.say({"type": "connection_init", "payload": told})
        assert await socket.closed() == (4403, "Forbidden")


async def test_who_does_not_begin_in_time_is_closed_and_who_has_begun_may_stay(
    shared_sandbox: Sandbox, tmp_path: Path
) -> None:
    """Whoever sends pings has not begun."""
    with running_gateway(shared_sandbox, tmp_path, pace=Pace(init=1.0)) as gateway:
        async with Socket(gateway) as begun, opened(gateway) as silent, opened(gateway) as pinging:
            assert await pinging.quiet()
            assert await silent.closed() == (4408, "Connection initialisation timeout")
            assert (await pinging.closed())[0] == 4408
            assert await begun.quiet()


def test_a_client_has_three_seconds_to_begin() -> None:
    assert Pace().init == 3.0


async def test_there_is_one_beginning(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        await socket.say(INIT)
        assert await socket.closed() == (4429, "Too many initialisation requests")


async def test_a_second_beginning_is_one_too_many_whether_or_not_the_first_was_answered(gateway: Gateway) -> None:
    async with opened(gateway) as socket:
        await socket.say(INIT)
        await socket.say(INIT)
        assert (await socket.closed())[0] == 4429


async def test_nothing_is_executed_before_the_beginning(gateway: Gateway) -> None:
    async with opened(gateway) as socket:
        await socket.say(QUERY)
        assert await socket.closed() == (4401, "Unauthorized")


async def test_a_key_that_is_revoked_ends_the_socket(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path, pace=Pace(recheck=0.05, keys=0.0)) as gateway:
        key, revoke = new_key(tmp_path)
        async with Socket(gateway, key) as socket, Socket(gateway) as other:
            await socket.subscribe(SALES)
            await other.subscribe(SALES)
            await subscribed(gateway, 2)
            revoke()
            assert await socket.closed() == (4403, "Forbidden")
            assert await other.quiet()
            await subscribed(gateway, 1)


def test_a_revoked_key_is_noticed_within_a_minute() -> None:
    assert Pace().recheck + Pace().keys < 60
    assert Pace().alive + Pace().keys < 60


# Ping and pong


@pytest.mark.parametrize("more", [{}, {"payload": None}])
async def test_a_ping_is_answered(gateway: Gateway, more: dict[str, Any]) -> None:
    async with Socket(gateway) as socket:
        await socket.say({"type": "ping", **more})
        assert await socket.hear() == {"type": "pong"}


@pytest.mark.parametrize("told", [{}, {"a": [1, None, "é"]}])
async def test_a_ping_is_answered_with_what_it_carries(gateway: Gateway, told: Any) -> None:
    async with Socket(gateway) as socket:
        await socket.say({"type": "ping", "payload": told})
        assert await socket.hear() == {"type": "pong", "payload": told}


async def test_a_ping_is_answered_before_the_beginning(gateway: Gateway) -> None:
    async with opened(gateway) as socket:
        assert await socket.quiet()


@pytest.mark.parametrize("more", [{}, {"payload": None}, {"payload": {"a": 1}}])
async def test_a_pong_needs_no_ping(gateway: Gateway, more: dict[str, Any]) -> None:
    async with Socket(gateway) as socket:
        await socket.say({"type": "pong", **more})
        assert await socket.quiet()


# Messages that are none

NO_MESSAGES = ["", " ", "ping", "{", "5", "null", "true", '"ping"', "[]", '[{"type":"ping"}]', "{}", "NaN"]
NO_MESSAGES += ['{"type":"ping"}{"type":"ping"}', '{"type":"ping","payload":{"a":"\\ud800"}}', "[" * 100_000]
NO_TYPES: list[Any] = [None, 5, ["ping"], "", "PING", "start", "stop", "connection_terminate"]
OURS_ALONE = ["connection_ack", "next", "error", "data", "ka"]
NO_PAYLOADS: list[Any] = ["text", 5, True, ["a"], []]
NO_IDS: list[Any] = ["", 1, 1.5, True, ["1"], {"id": "1"}]


@pytest.mark.parametrize("text", NO_MESSAGES, ids=lambda text: text[:30])
@pytest.mark.parametrize("begun", [True, False])
async def test_what_is_no_message_is_a_bad_request(gateway: Gateway, text: str, begun: bool) -> None:
    async with Socket(gateway, ADMIN if begun else None) as socket:
        await socket.connection.send(text)
        code, reason = await socket.closed()
        assert (code, reason[:24]) == (4400, "Invalid message received")


@pytest.mark.parametrize("data", [b"", b"\x00", json.dumps(QUERY).encode()], ids=["empty", "a byte", "a message"])
async def test_bytes_are_a_bad_request(gateway: Gateway, data: bytes) -> None:
    async with Socket(gateway) as socket:
        await socket.connection.send(data)
        assert (await socket.closed())[0] == 4400


@pytest.mark.parametrize("kind", [*NO_TYPES, *OURS_ALONE])
async def test_a_type_that_no_client_sends_is_a_bad_request(gateway: Gateway, kind: Any) -> None:
    async with Socket(gateway) as socket:
        await socket.say({"id": "1", "type": kind, "payload": {}})
        assert (await socket.closed())[0] == 4400


@pytest.mark.parametrize("told", NO_PAYLOADS)
@pytest.mark.parametrize("kind", ["connection_init", "ping", "pong", "subscribe"])
async def test_a_payload_is_an_object(gateway: Gateway, kind: str, told: Any) -> None:
    async with Socket(gateway, None if kind == "connection_init" else ADMIN) as socket:
        await socket.say({"id": "1", "type": kind, "payload": told})
        assert (await socket.closed())[0] == 4400


@pytest.mark.parametrize("id_", [*NO_IDS, None])
@pytest.mark.parametrize("kind", ["subscribe", "complete"])
async def test_an_id_is_a_text_that_is_not_empty(gateway: Gateway, kind: str, id_: Any) -> None:
    async with Socket(gateway) as socket:
        await socket.say({"id": id_, "type": kind, "payload": payload()})
        assert (await socket.closed())[0] == 4400


NO_QUERIES: list[Any] = [None, 5, ["{"], {"a": 1}]
NO_OBJECTS: list[Any] = ["{}", 5, [], True]
NO_NAMES: list[Any] = [5, [], {}, True]
NO_OPERATIONS: list[Any] = [
    {"type": "subscribe", "payload": payload()},
    subscribe(payload=None),
    {**subscribe(), "payload": None},
    subscribe(payload={}),
    *(subscribe(payload={"query": one}) for one in NO_QUERIES),
    *(subscribe(payload=payload(variables=one)) for one in NO_OBJECTS),
    *(subscribe(payload=payload(extensions=one)) for one in NO_OBJECTS),
    *(subscribe(payload=payload(operationName=one)) for one in NO_NAMES),
]


@pytest.mark.parametrize("message", NO_OPERATIONS, ids=json.dumps)
async def test_an_operation_that_is_none_is_a_bad_request(gateway: Gateway, message: Any) -> None:
    async with Socket(gateway) as socket:
        await socket.say(message)
        assert (await socket.closed())[0] == 4400


@pytest.mark.parametrize("more", [{"variables": None, "operationName": None, "extensions": None}, {"extensions": {}}])
async def test_what_may_be_null_may_be(gateway: Gateway, more: dict[str, Any]) -> None:
    async with Socket(gateway) as socket:
        await socket.say(subscribe(payload=payload(**more)))
        assert (await socket.next())["viewer"]
        assert await socket.hear() == {"id": "1", "type": "complete"}


async def test_a_message_that_is_longer_than_a_request_may_be_is_too_big(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        await socket.say(subscribe(payload=payload(extensions={"x": "x" * 200_000})))
        assert (await socket.next())["viewer"]
        assert (await socket.hear())["type"] == "complete"
        await socket.say(subscribe(payload=payload(extensions={"x": "x" * 300_000})))
        assert (await socket.closed())[0] == 1009


async def test_many_small_parts_make_no_bigger_message(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        parts = LARGEST_BODY // 10_000 + 1  # no more than what tells the gateway, so that its last word is not lost
        with pytest.raises(websockets.ConnectionClosed) as closed:  # noqa: PT012  it ends somewhere on the way
            await socket.connection.send("x" * 10_000 for _ in range(parts))
            await socket.connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


async def test_a_message_may_come_in_parts(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        text = json.dumps(QUERY)
        await socket.connection.send([text[:10], text[10:11], "", text[11:]])
        assert (await socket.next())["viewer"]


async def test_a_text_that_is_none_ends_the_socket_and_is_no_news(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    async with Socket(gateway) as socket:
        await socket.connection.send(b'{"type":"ping\xff"}', text=True)
        assert (await socket.closed())[0] == 1007
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# Operations


async def test_a_query_is_answered_once(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        await socket.say(QUERY)
        assert await socket.hear() == {
            "id": "1",
            "type": "next",
            "payload": {"data": {"viewer": {"name": ADMIN.removeprefix("vg_")}}},
        }
        assert await socket.hear() == {"id": "1", "type": "complete"}
        assert await socket.quiet()


async def test_a_query_takes_variables_and_a_name(gateway: Gateway) -> None:
    query = "query A { viewer { role } } query B($first: Int!) { machines(first: $first) { nodes { __typename } } }"
    async with Socket(gateway) as socket:
        told = {"query": query, "operationName": "B", "variables": {"first": 1}}
        await socket.say(subscribe(payload=told))
        assert await socket.next() == {"machines": {"nodes": [{"__typename": "Machine"}]}}


async def test_an_error_of_a_field_comes_with_the_data(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        await socket.subscribe("{ viewer { name } sales(first: 5000) { nodes { id } } }")
        message = await socket.hear()
        assert message["type"] == "next"
        assert codes(message["payload"]["errors"]) == ["BAD_INPUT"]
        assert "data" in message["payload"]
        assert (await socket.hear())["type"] == "complete"


REFUSED = {
    "a syntax error": payload(query="{ viewer {"),
    "an empty document": payload(query=""),
    "a field that is none": payload(query="{ nothing }"),
    "a variable that is missing": payload(query="query Q($id: ID!) { machine(id: $id) { id } }"),
    "a variable of another type": payload(
        query="query Q($first: Int) { machines(first: $first) { totalCount } }", variables={"first": "x"}
    ),
    "an operation that is not there": payload(operationName="Other"),
    "no name for one of several": payload(query="query A { viewer { name } } query B { viewer { name } }"),
    "a mutation that is none": payload(query="mutation { nothing }"),
    "a subscription to nothing": payload(query="subscription { nothing }"),
    "a subscription of two fields": payload(query="subscription { sales { cursor } events { cursor } }"),
    "a subscription to a type": payload(query="subscription { __typename }"),
    "a subscription that may be skipped": payload(query="subscription { sales @skip(if: true) { cursor } }"),
    "a subscription without a variable": payload(
        query="subscription S($a: SaleFilter!) { sales(filter: $a) { cursor } }"
    ),
    "a cursor that is none": payload(query='subscription { sales(after: "x") { cursor } }'),
    "a subscription by another name": payload(query="subscription S { sales { cursor } }", operationName="T"),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_wrong_with_one_operation_is_told_and_leaves_the_others_alone(
    gateway: Gateway, what: str
) -> None:
    async with Socket(gateway) as socket:
        await socket.subscribe(SALES, id_="live")
        await subscribed(gateway)
        await socket.say({"id": "bad", "type": "subscribe", "payload": REFUSED[what]})
        message = await socket.hear()
        assert (message["id"], message["type"]) == ("bad", "error")
        assert codes(message["payload"]) == ["BAD_INPUT"] * len(message["payload"])
        assert all(error["message"] for error in message["payload"])
        assert await socket.quiet()
        await socket.subscribe(VIEWER_QUERY, id_="bad")
        assert await socket.next("bad")
        assert (await socket.hear())["type"] == "complete"
        async with Shop(gateway) as shop:
            assert await shop.sell() == [sold(await socket.next("live"))]


async def test_a_client_that_has_heard_enough_hears_no_more(gateway: Gateway) -> None:
    async with Socket(gateway) as socket, Shop(gateway) as shop:
        await socket.subscribe(SALES, id_="a")
        await socket.subscribe("subscription { sales { sale { vendorId } } }", id_="b")
        await subscribed(gateway, 2)
        (first,) = await shop.sell()
        assert {(await socket.hear())["id"] for _ in range(2)} == {"a", "b"}
        await socket.say({"id": "a", "type": "complete"})
        await subscribed(gateway, 1)
        (second,) = await shop.sell()
        assert sold(await socket.next("b")) == second != first
        assert await socket.quiet()


async def test_to_end_what_is_not_there_is_no_mistake(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        await socket.say({"id": "never was", "type": "complete"})
        assert await socket.quiet()


@pytest.mark.parametrize("id_", ["1", "é" * 200, "😀" * 100, "x" * 5000], ids=["1", "Latin", "emoji", "long"])
async def test_an_id_stands_for_one_operation(gateway: Gateway, id_: str) -> None:
    async with Socket(gateway) as socket:
        await socket.subscribe(SALES, id_=id_)
        await socket.subscribe(SALES, id_=id_)
        code, reason = await socket.closed()
        assert code == 4409
        assert reason.startswith(f"Subscriber for {id_[:20]}")
        assert len(reason.encode()) <= 123


async def test_an_id_is_free_again_as_soon_as_its_operation_has_ended(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        for _ in range(20):
            await socket.say(QUERY)
            assert await socket.next()
            assert await socket.hear() == {"id": "1", "type": "complete"}
        await socket.say({"id": "1", "type": "subscribe", "payload": {"query": "{"}})
        assert (await socket.hear())["type"] == "error"
        await socket.say(QUERY)
        assert await socket.next()


async def test_an_id_is_free_again_as_soon_as_its_client_has_ended_it(gateway: Gateway) -> None:
    async with Socket(gateway) as socket, Shop(gateway) as shop:
        for _ in range(20):
            await socket.subscribe(SALES)
            await socket.say({"id": "1", "type": "complete"})
        await socket.subscribe(SALES)
        assert await socket.quiet()
        await subscribed(gateway)
        assert await shop.sell(2) == [sold(await socket.next()) for _ in range(2)]
        assert await socket.quiet()


async def test_after_its_end_is_known_an_operation_tells_nothing_whatever_is_sold_meanwhile(gateway: Gateway) -> None:
    async with Socket(gateway) as socket, Socket(gateway) as other, Shop(gateway) as shop:
        await other.subscribe(SALES)
        sales = []
        for _ in range(20):
            await socket.subscribe(SALES)
            await subscribed(gateway, 2)
            selling = asyncio.create_task(shop.sell(3))
            await socket.say({"id": "1", "type": "complete"})
            await socket.say({"type": "ping"})
            while (message := await socket.hear()) != {"type": "pong"}:
                assert (message["id"], message["type"]) == ("1", "next")
            sales += await selling
            assert await socket.quiet()
        assert [sold(await other.next()) for _ in sales] == sales


async def test_an_id_may_be_any_text(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        for id_ in (' "\\\n', "é😀", "__proto__", "x" * 5000):
            await socket.subscribe(VIEWER_QUERY, id_=id_)
            assert await socket.next(id_)
            assert await socket.hear() == {"id": id_, "type": "complete"}


async def test_one_socket_has_so_many_operations_and_no_more(gateway: Gateway) -> None:
    async with Socket(gateway) as socket, Shop(gateway) as shop:
        for number in range(65):
            await socket.subscribe(SALES, id_=str(number))
        message = await socket.hear()
        assert (message["id"], message["type"], codes(message["payload"])) == ("64", "error", ["RATE_LIMITED"])
        await subscribed(gateway, 64)
        (sale,) = await shop.sell()
        assert {(await socket.hear())["id"] for _ in range(64)} == {str(number) for number in range(64)}
        await socket.say({"id": "5", "type": "complete"})
        await socket.subscribe(VIEWER_QUERY, id_="64")
        assert await socket.next("64")
        assert sale


# Ends


@pytest.mark.parametrize("politely", [True, False])
async def test_a_client_that_leaves_leaves_nothing_behind(
    gateway: Gateway, politely: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as ours:
        async with Socket(gateway) as socket:
            for number in range(5):
                await socket.subscribe(SALES, id_=str(number))
            await subscribed(gateway, 5)
            assert metric(gateway, "sockets") == 1
            if not politely:
                socket.connection.transport.abort()
        await until(gateway, "sockets", 0)
        await subscribed(gateway, 0)
        async with Shop(gateway) as shop:
            await shop.sell()
    assert ours == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_client_that_takes_nothing_is_not_kept(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """It asks for much, reads none of it, and stays."""
    with running_gateway(shared_sandbox, tmp_path, patience=0.2) as gateway:
        async with Socket(gateway, **narrow(gateway)) as socket:
            socket.connection.transport.pause_reading()
            text = json.dumps({"type": "ping", "payload": {"echo": "x" * 200_000}})

            async def flood() -> None:
                while True:
                    await socket.connection.send(text)

            flooding = asyncio.create_task(flood())
            await until(gateway, "sockets", 0)
            socket.connection.transport.abort()
            with pytest.raises(websockets.ConnectionClosed):
                await flooding


async def test_a_client_that_answers_no_ping_is_not_kept(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path, patience=0.3) as gateway:
        async with Socket(gateway) as gone, Socket(gateway) as there:
            gone.connection.transport.pause_reading()
            await until(gateway, "sockets", 1)
            assert await there.quiet()
            gone.connection.transport.abort()


async def test_another_key_has_other_eyes_on_its_own_socket(gateway: Gateway) -> None:
    async with Socket(gateway, VIEWER) as viewer, Socket(gateway, STRANGER) as stranger:
        for socket, organization in ((viewer, "Acme Vending"), (stranger, "Other Vending")):
            await socket.subscribe("{ viewer { organizations { name } } }")
            assert await socket.next() == {"viewer": {"organizations": [{"name": organization}]}}


async def test_frames_that_break_the_rules_end_the_socket(gateway: Gateway) -> None:
    async with Socket(gateway) as socket:
        reserved = b"\xc1\x82" + bytes(4) + b"{}"
        socket.connection.transport.write(reserved)
        assert (await socket.closed())[0] == 1002
