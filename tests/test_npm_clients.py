"""Front ends follow with npm's clients: they connect, hear, are cut off, and go on."""

import pytest

from tests.following import Shop, subscribed
from tests.npm import NEEDS_NODE, client
from tests.proxy import wire
from tests.running import ADMIN, Gateway

SALES = "subscription Sales($after: String) { sales(after: $after) { cursor sale { vendorId } gap { message } } }"
TRANSPORTS = ("graphql-ws", "graphql-sse")
BOTH = pytest.mark.parametrize("transport", TRANSPORTS)

pytestmark = NEEDS_NODE


@BOTH
async def test_a_client_that_is_cut_off_goes_on_with_its_cursor_over_the_other_transport(
    gateway: Gateway, transport: str
) -> None:
    async with Shop(gateway) as shop:
        async with client(transport, gateway.base, SALES) as following:
            await subscribed(gateway)
            sold = await shop.sell(3)
            heard, cursor = await following.sales(3)
        await subscribed(gateway, 0)
        sold += await shop.sell(2)
        (other,) = set(TRANSPORTS) - {transport}
        async with client(other, gateway.base, SALES, cursor) as following:
            heard += (await following.sales(2))[0]
            sold += await shop.sell(1)
            heard += (await following.sales(1))[0]
    assert heard == sold
    await subscribed(gateway, 0)


@BOTH
async def test_a_client_goes_on_by_itself_after_a_break(gateway: Gateway, transport: str) -> None:
    async with (
        wire("127.0.0.1", int(gateway.base.rpartition(":")[2])) as line,
        Shop(gateway) as shop,
        client(transport, f"http://127.0.0.1:{line.port}", SALES) as following,
    ):
        await subscribed(gateway)
        sold = await shop.sell(2)
        heard, _ = await following.sales(2)
        for _ in range(3):
            await line.cut()
            await subscribed(gateway, 0)
            sold += await shop.sell(2)
            await line.mend()
            heard += (await following.sales(2))[0]
        await subscribed(gateway)
        sold += await shop.sell(2)
        heard += (await following.sales(2))[0]
    assert heard == sold
    await subscribed(gateway, 0)


@BOTH
async def test_a_query_is_answered_once(gateway: Gateway, transport: str) -> None:
    async with client(transport, gateway.base, "{ viewer { name } }") as asking:
        told = [await asking.hear() for _ in range(3)]
    viewer = {"viewer": {"name": ADMIN.removeprefix("vg_")}}
    assert told == [{"connected": True}, {"next": {"data": viewer}}, {"complete": True}]


@BOTH
async def test_what_is_wrong_is_told(gateway: Gateway, transport: str) -> None:
    async with client(transport, gateway.base, "{ nothing }") as asking:
        assert await asking.hear() == {"connected": True}
        told = await asking.hear()
    (error,) = told["error"] if transport == "graphql-ws" else told["next"]["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"


@BOTH
async def test_without_a_good_key_a_client_is_told_why(gateway: Gateway, transport: str) -> None:
    async with client(transport, gateway.base, SALES, key="wrong", attempts=0) as asking:
        assert await asking.hear() == {"error": 4403 if transport == "graphql-ws" else 401}
