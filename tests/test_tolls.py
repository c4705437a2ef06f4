"""Messages are paid for: who has nothing left is told so, and goes on later with nothing lost."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from tests.following import SALES, Message, Shop, Socket, events, sold
from tests.refusals import TRANSPORTS, codes
from tests.running import ADMIN, CLIENT, OPERATOR, VIEWER, Gateway, Sandbox, running_gateway

# Of a key that has 100 at once: one message is heard, and then it takes three seconds to afford the next.
PRICE = 85
DEAR = (
    "subscription Sales($after: String) { sales(after: $after)"
    " { cursor sale { vendorId machine { sales(first: 80) { nodes { id } } } } } }"
)
LIMITS = "\n[limits]\nmax_cost = 100\ncost_burst = 100\ncost_per_second = 30\n"
BOTH = pytest.mark.parametrize(("transport", "key"), [("websocket", ADMIN), ("sse", OPERATOR)])


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("tolls"), more=LIMITS) as gateway:
        yield gateway


async def over_socket(gateway: Gateway, key: str, after: str) -> tuple[list[Message], list[Any]]:
    """What is told until it ends, and the errors with which it does."""
    told = []
    async with Socket(gateway, key) as socket:
        await socket.subscribe(DEAR, {"after": after})
        while (message := await socket.hear())["type"] == "next":
            told.append(message["payload"]["data"])
        assert (message["id"], message["type"]) == ("1", "error")
        assert await socket.quiet()  # the socket stays
    return told, message["payload"]


async def over_events(gateway: Gateway, key: str, after: str) -> tuple[list[Message], list[Any]]:
    async with events(gateway, DEAR, key=key, headers={"last-event-id": after}) as stream:
        *heard, wrong, last = await stream.rest()
    assert [event["event"] for event in (*heard, wrong, last)] == ["next"] * (len(heard) + 1) + ["complete"]
    assert "id" not in wrong  # the last message's is where it goes on
    result = orjson.loads(wrong["data"])
    assert list(result) == ["errors"]
    return [orjson.loads(event["data"])["data"] for event in heard], result["errors"]


@BOTH
async def test_who_has_spent_all_is_told_so_and_goes_on_from_where_it_was(
    gateway: Gateway, transport: str, key: str
) -> None:
    """The first of the sales tells from where on; the last one is the last of what is heard here."""
    following = over_socket if transport == "websocket" else over_events
    async with events(gateway, SALES, key=VIEWER) as stream, Shop(gateway) as shop:
        before, *expected = await shop.sell(4)
        first = await stream.next()
        assert sold(first) == before
    heard: list[str] = []
    after, cuts = first["sales"]["cursor"], 0
    with capture_logs() as logs:
        while len(heard) < len(expected) - 1:
            told, (error,) = await following(gateway, key, after)
            assert error["extensions"]["code"] == "RATE_LIMITED"
            assert told  # whoever comes back as soon as it may goes on
            heard += map(sold, told)
            after, cuts = told[-1]["sales"]["cursor"], cuts + 1
            await asyncio.sleep(error["extensions"]["retryAfterSeconds"])
    assert [one["code"] for one in logs if one["event"] == "refused"] == ["RATE_LIMITED"] * cuts
    assert cuts > 0
    async with events(gateway, DEAR, {"after": after}, key=key) as stream:
        heard += [sold(await stream.next()) for _ in expected[len(heard) :]]
    assert heard == expected


@pytest.mark.parametrize("transport", ["events", "socket"])
async def test_what_is_not_opened_is_not_paid_for(gateway: Gateway, transport: str) -> None:
    """More often than the key could pay for, but for reading it."""
    payload = {"query": DEAR.replace("80", "60"), "variables": {"after": "nowhere"}}
    for _ in range(5):
        assert codes(await TRANSPORTS[transport](gateway, payload, VIEWER)) == {"BAD_INPUT"}


async def test_each_subscriber_is_charged_and_equal_ones_of_a_key_share(
    shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By what is left after ten subscribers have heard three sales each: the first is what they opened with."""
    slowly = "\n[limits]\nmax_cost = 1000\ncost_burst = 10000\ncost_per_second = 1\n"
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("shared"), more=slowly) as gateway:
        async with Socket(gateway) as socket, Shop(gateway) as shop:
            assert await left(gateway, ADMIN) > 10_000 - 10
            for number in range(10):
                await socket.subscribe(DEAR, id_=str(number))
            assert await socket.quiet()
            for _ in range(3):
                await shop.sell()
                assert {(await socket.hear())["type"] for _ in range(10)} == {"next"}
            spent = 10_000 - await left(gateway, ADMIN)
    expected = 10 * PRICE + 2 * (PRICE + 9)
    assert expected - 30 < spent < expected + 30  # beside what it took to read and to ask, and what came back meanwhile


async def left(gateway: Gateway, key: str) -> int:
    headers = {"authorization": f"Bearer {key}"}
    asked = {"query": "{ __typename }"}
    answer = await asyncio.to_thread(CLIENT.post, f"{gateway.base}/graphql", json=asked, headers=headers)
    return int(answer.headers["ratelimit"].split("r=")[1].split(";")[0])
