"""Prices ordered of Livello: what reaches the vendor, what is refused, what is left open, and what is read back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from connectors.acting import ReadsBack, TakesOrders
from connectors.guard import Limits
from domain.capabilities import Capability, UnavailableReason
from domain.errors import (
    BadInput,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from domain.money import Money
from domain.orders import MachineOrder, Order, SetPrice
from sandbox.livello import SCOPES, Livello
from tests.ordering import STRUCK, Struck, failure, ordering
from tests.vendors import TINY, Standing, standing

BASE = "/livello/api/v1"
SERIAL = "LIV-0001"
HOUR = timedelta(hours=1)


def emulated(**how: Any) -> Livello:
    return Livello(TINY, hourly=10**6, logins=10**6, **how)


@asynccontextmanager
async def stage(vendor: Livello | None = None, **changed: Any) -> AsyncIterator[Standing]:
    async with standing("livello", vendor=vendor or emulated(), **changed) as it:
        yield it


def cells(vendor: Any) -> list[dict[str, Any]]:
    return [cell for cell in vendor.truth()["slots"] if cell["serialNumber"] == SERIAL]


def line(vendor: Any, position: str | None = None) -> dict[str, Any]:
    """The product line at a position, or of the first load cell that has one."""
    found: dict[str, Any] = filled(vendor, position)["productLineData"]
    return found


def filled(vendor: Any, position: str | None = None) -> dict[str, Any]:
    return next(
        cell
        for cell in cells(vendor)
        if cell["productLineData"] is not None and position in (None, cell["planogramPosition"])
    )


def order(
    vendor: Any, amount: str = "1.79", currency: str = "EUR", position: str | None = None, **more: Any
) -> SetPrice:
    position = filled(vendor)["planogramPosition"] if position is None else position
    price = Money(Decimal(amount), currency)
    return SetPrice(machine=SERIAL, slot=f"{SERIAL}/{position}", position=position, price=price, **more)


def asked(it: Standing) -> list[str]:
    return [f"{one.method} {one.path.removeprefix(BASE)}" for one in it.wire.asked]


async def refused(it: Standing, asked: Order) -> BadInput:
    with pytest.raises(BadInput) as caught:
        await it.connector.prepare(asked)
    return caught.value


# ---- what reaches the vendor --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "body"),
    [
        ("1.79", b'{"price":1.79}'),
        ("2.00", b'{"price":2}'),
        ("0", b'{"price":0}'),
        ("0.10", b'{"price":0.1}'),
        ("8.20", b'{"price":8.2}'),
        ("1234567.89", b'{"price":1234567.89}'),
    ],
)
async def test_a_price_goes_to_the_slots_product_line(amount: str, body: bytes) -> None:
    async with stage() as it:
        wanted = order(it.vendor, amount)
        others = [cell for cell in cells(it.vendor) if cell["planogramPosition"] != wanted.position]
        before = repr(others)
        taken = await it.connector.send(await it.connector.prepare(wanted))
        sent = it.wire.asked[-1]
        native = str(line(it.vendor)["id"])
        assert asked(it) == [
            "POST /auth/token",
            f"GET /kiosks/{SERIAL}/inventory",
            f"POST /product-lines/{native}/price",
        ]
        assert (sent.body, sent.headers["content-type"], sent.query) == (body, "application/json", "")
        assert (taken.done, taken.vendor_id, taken.result) == (True, None, {"productLineId": native})
        assert Decimal(str(line(it.vendor)["price"])) == Decimal(amount)
        assert repr(others) == before
        assert await it.connector.fulfilled(wanted) is True


async def test_a_price_may_hold_for_a_while() -> None:
    at = datetime(2031, 5, 6, 7, 8, 9, 123987, tzinfo=timezone(2 * HOUR))
    async with stage() as it:
        wanted = order(it.vendor, valid_from=at, valid_to=at + HOUR)
        await it.connector.send(await it.connector.prepare(wanted))
        assert it.wire.asked[-1].body == (
            b'{"price":1.79,"validFrom":"2031-05-06T05:08:09.123Z","validTo":"2031-05-06T06:08:09.123Z"}'
        )
        await it.connector.send(await it.connector.prepare(order(it.vendor, valid_to=at)))
        assert it.wire.asked[-1].body == b'{"price":1.79,"validTo":"2031-05-06T05:08:09.123Z"}'


async def test_each_time_that_it_is_sent_it_is_another_record() -> None:
    async with stage() as it:
        request = await it.connector.prepare(order(it.vendor))
        for times in (1, 2):
            await it.connector.send(request)
            assert len(it.vendor.truth()["prices"]) == times


async def test_what_would_be_sent_can_be_seen_without_sending_it() -> None:
    async with stage(endpoints={"update-product-line-price": "PUT /v2/lines/{id}"}) as it:
        request = await it.connector.prepare(order(it.vendor))
        before = len(it.wire.asked)
        native = line(it.vendor)["id"]
        assert it.connector.shown(request) == ("PUT", f"/v2/lines/{native}", {"price": 1.79})
        assert len(it.wire.asked) == before


async def test_the_roles_are_played() -> None:
    async with stage() as it:
        assert all(isinstance(it.connector, role) for role in (TakesOrders, ReadsBack))
        assert Capability.SET_PRICE in it.connector.capabilities


async def test_an_order_may_spend_what_queries_leave() -> None:
    async with stage(limits=Limits(requests=8, per_seconds=3600, reserve=0.5)) as it:
        request = await it.connector.prepare(order(it.vendor))
        while not isinstance((await it.connector.slots([SERIAL]))[SERIAL], VendorRateLimited):
            assert len(it.wire.asked) < 8
        assert (await it.connector.send(request)).done


# ---- what is refused ----------------------------------------------------------------------------------------------

NOW = datetime.now(UTC)
NEVER_A_PRICE: Mapping[str, Mapping[str, Any]] = {
    "negative": {"amount": "-0.01"},
    "finer than money": {"amount": "1.795"},
    "no number": {"amount": "NaN"},
    "endless": {"amount": "Infinity"},
    "too large": {"amount": "1e99"},
    "over before it begins": {"valid_from": NOW + 2 * HOUR, "valid_to": NOW + HOUR},
    "over at once": {"valid_from": NOW + HOUR, "valid_to": NOW + HOUR},
    "over already": {"valid_from": NOW - 2 * HOUR, "valid_to": NOW - HOUR},
    "over": {"valid_to": NOW - HOUR},
}


@pytest.mark.parametrize("why", NEVER_A_PRICE)
async def test_what_can_never_be_is_refused_without_a_request(why: str) -> None:
    async with stage() as it:
        await refused(it, order(it.vendor, **NEVER_A_PRICE[why]))
        await refused(it, MachineOrder(kind=Capability.REBOOT, machine=SERIAL))
        assert it.wire.asked == []
        assert await it.connector.fulfilled(MachineOrder(kind=Capability.REBOOT, machine=SERIAL)) is None


async def test_a_slot_without_a_product_line_has_no_price() -> None:
    async with stage() as it:
        wanted = order(it.vendor)
        it.wire.rewrite = twice_named(None, {})
        for position in ("A1", "Z9"):
            error = await refused(it, replace(wanted, position=position))
            assert error.message == f"{position} has no product line, so no price to set"
        assert set(asked(it)) == {"POST /auth/token", f"GET /kiosks/{SERIAL}/inventory"}


async def test_another_currency_is_refused_once_the_slots_is_known() -> None:
    async with stage() as it:
        assert "in EUR" in (await refused(it, order(it.vendor, currency="USD"))).message
        assert asked(it) == ["POST /auth/token", f"GET /kiosks/{SERIAL}/inventory"]


def without_currencies(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: without_currencies(value) for key, value in data.items() if key != "currency"}
    return [without_currencies(item) for item in data] if isinstance(data, list) else data


async def test_a_currency_that_the_line_does_not_tell_is_its_organizations_or_the_accounts() -> None:
    async with stage(emulated(currencies=["CHF"])) as it:
        it.wire.rewrite = lambda data: without_currencies(data) if isinstance(data, list) else data
        assert (await it.connector.prepare(order(it.vendor, currency="CHF"))).body == {"price": 1.79}
        await refused(it, order(it.vendor))
    async with stage(currency="GBP") as it:
        it.wire.rewrite = without_currencies
        assert (await it.connector.prepare(order(it.vendor, currency="GBP"))).body == {"price": 1.79}
    async with stage(currency=None) as it:
        it.wire.rewrite = without_currencies
        assert "`currency`" in (await refused(it, order(it.vendor))).message


async def test_a_kiosk_that_is_not_there_is_the_vendors_word() -> None:
    async with stage() as it:
        price = Money(Decimal(1), "EUR")
        wanted = SetPrice(machine="LIV-9999", slot="LIV-9999/A1", position="A1", price=price)
        assert type(await failure(it.connector.prepare(wanted))) is VendorRejected


@pytest.mark.parametrize("scope", ["products:write", "inventory:read"])
async def test_what_the_scope_does_not_cover_is_not_permitted_and_costs_nothing(scope: str) -> None:
    vendor = emulated(scopes=" ".join(one for one in SCOPES.split() if one != scope))
    async with stage(vendor) as it:
        assert it.connector.refusal(Capability.SET_PRICE) is None  # not known yet
        error = await failure(it.connector.prepare(order(vendor)))
        assert (type(error), error.sent, scope in error.message) == (VendorForbidden, False, True)
        assert it.connector.refusal(Capability.SET_PRICE) is UnavailableReason.NOT_PERMITTED
        assert asked(it) == ["POST /auth/token"]


async def test_a_scope_that_shrinks_is_the_vendors_word() -> None:
    vendor = emulated()
    async with stage(vendor) as it:
        request = await it.connector.prepare(order(vendor))
        vendor.gate._scopes = "inventory:read"
        error = await failure(it.connector.send(request))
        assert type(error) is VendorForbidden
        assert vendor.truth()["prices"] == []


# ---- load cells that share ----------------------------------------------------------------------------------------


def twice_named(*lines: Any) -> Any:
    told = [{"planogramPosition": "A1", "productLineData": one} for one in lines]
    return lambda data: told if isinstance(data, list) else data


async def test_two_load_cells_of_one_name_have_a_price_where_they_have_one_product_line() -> None:
    one, other = ({"id": native, "price": 1, "currency": "eur"} for native in (7, 8))
    async with stage() as it:
        wanted = order(it.vendor, position="A1")
        it.wire.rewrite = twice_named(one, dict(one), None, {})
        assert (await it.connector.prepare(wanted)).path == {"id": "7"}
        assert await it.connector.fulfilled(wanted) is False
        it.wire.rewrite = twice_named(one, other)
        assert "more than one" in (await refused(it, wanted)).message
        assert await it.connector.fulfilled(wanted) is None
        it.wire.rewrite = twice_named({"price": 1})
        assert type(await failure(it.connector.prepare(wanted))) is VendorProtocolError


# ---- what becomes of it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("struck", STRUCK, ids=str)
async def test_each_way_of_failing_says_whether_it_may_have_been_done(struck: Struck) -> None:
    async with ordering("livello") as it:
        before = line(it.vendor)["price"]
        wanted = order(it.vendor, "7.77")
        error = await it.struck(wanted, struck, "/product-lines")
    assert (type(error), error.sent) == (struck.error, struck.sent)
    assert it.sent("/price") == struck.tries
    assert len(it.vendor.truth()["prices"]) == struck.done
    assert line(it.vendor, wanted.position)["price"] == (7.77 if struck.done else before)


async def test_a_token_that_has_ended_costs_one_more_request_and_no_second_record() -> None:
    vendor = emulated()
    async with stage(vendor) as it:
        request = await it.connector.prepare(order(vendor))
        vendor.gate.forget_token()
        assert (await it.connector.send(request)).done
        path = f"POST /product-lines/{line(vendor)['id']}/price"
        assert asked(it)[2:] == [path, "POST /auth/token", path]
        assert it.wire.asked[2].body == it.wire.asked[4].body
        assert len(vendor.truth()["prices"]) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(status_code=500), VendorUnavailable),
        (HTMLResponse("Sign in"), VendorProtocolError),
        (JSONResponse({}, 429), VendorRateLimited),
        (JSONResponse({}, 401), VendorUnauthorized),
    ],
)
@pytest.mark.parametrize("ended", [True, False], ids=["refused", "forgotten"])
async def test_where_no_token_is_to_be_had_nothing_was_done(answer: Response, kind: type, ended: bool) -> None:
    """Whether the one that there was is refused, or there was none: it is the login that failed."""
    vendor = emulated()
    async with stage(vendor) as it:
        request = await it.connector.prepare(order(vendor))
        vendor.gate.forget_token()
        if not ended:
            it.connector._client.login.current = None

        async def instead(request: Request) -> Response | None:
            return answer if request.url.path.endswith("/auth/token") else None

        it.wire.instead = instead
        error = await failure(it.connector.send(request))
        assert (type(error), error.sent) == (kind, False)
        assert it.wire.requests("/price") == ended
        assert vendor.truth()["prices"] == []


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        (JSONResponse({}), True),
        (JSONResponse({"id": 1, "price": "1.79"}, 201), True),
        (Response(status_code=201), True),
        (Response(status_code=204), True),
        (Response(status_code=200), False),
        (Response(status_code=202), False),
        (JSONResponse(None), False),
        (JSONResponse([]), False),
        (JSONResponse("done"), False),
        (JSONResponse({"success": False, "errorMessage": "no"}), False),
        (HTMLResponse("<p>Welcome"), False),
    ],
)
async def test_an_answer_says_that_it_was_done_or_leaves_it_open(answer: Response, done: bool) -> None:
    async with stage() as it:
        request = await it.connector.prepare(order(it.vendor))

        async def instead(request: Request) -> Response | None:
            return answer if request.method == "POST" else None

        it.wire.instead = instead
        if done:
            assert (await it.connector.send(request)).done
        else:
            error = await failure(it.connector.send(request))
            assert (type(error), error.sent) == (VendorProtocolError, True)
        assert it.wire.requests("/price") == 1


# ---- reading back -------------------------------------------------------------------------------------------------


async def test_a_price_is_read_back_while_it_is_to_hold() -> None:
    async with stage() as it:
        now = datetime.now(UTC)
        assert await it.connector.fulfilled(order(it.vendor, "9.99")) is False
        later = order(it.vendor, "9.99", valid_from=now + HOUR)
        await it.connector.send(await it.connector.prepare(later))
        reads = it.wire.requests("/inventory")
        assert await it.connector.fulfilled(later) is None
        assert await it.connector.fulfilled(order(it.vendor, valid_to=now - HOUR)) is None
        assert it.wire.requests("/inventory") == reads
        assert await it.connector.fulfilled(order(it.vendor, "9.99")) is False
        earlier = order(it.vendor, "9.99", valid_from=now - HOUR, valid_to=now + HOUR)
        await it.connector.send(await it.connector.prepare(earlier))
        assert await it.connector.fulfilled(earlier) is True


@pytest.mark.parametrize("price", [None, "", "1.790", 1.79])
async def test_a_price_is_read_back_however_it_is_told(price: Any) -> None:
    async with stage() as it:
        it.wire.rewrite = twice_named({"id": 7, "price": price})
        found = await it.connector.fulfilled(order(it.vendor, "1.79", position="A1"))
        assert found is (None if price in (None, "") else True)


async def test_a_price_that_cannot_be_read_is_a_broken_answer() -> None:
    async with stage() as it:
        it.wire.rewrite = twice_named({"id": 7, "price": "much"})
        wanted = order(it.vendor, position="A1")
        assert type(await failure(it.connector.fulfilled(wanted))) is VendorProtocolError
        it.wire.rewrite = twice_named()
        assert await it.connector.fulfilled(wanted) is None
