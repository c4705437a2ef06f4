"""Prices and planograms ordered of VendNovation: selections written whole, what is refused, and what is read back."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from connectors.acting import ReadsBack, TakesOrders
from connectors.guard import Limits
from connectors.vendnovation.planogram import arranged
from domain.capabilities import Capability
from domain.errors import (
    BadInput,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnavailable,
)
from domain.money import Money
from domain.orders import MachineOrder, Order, PlanogramCell, SetPrice, UpdatePlanogram
from sandbox.vendnovation import VendNovation
from sandbox.world import World
from tests.ordering import Struck, but, failure, ordering
from tests.vendors import START, Standing, a_world, standing

BASE = "/vendnovation/prod"
TWO = a_world(0.04)  # of which the second is no order's business
READING = ["POST /authenticate/", "POST /selections"]
Row = dict[str, Any]


def emulated(world: World = TWO) -> VendNovation:
    return VendNovation(world, per_second=10**6, burst=10**6, per_day=10**6)


@asynccontextmanager
async def stage(vendor: VendNovation | None = None, **changed: Any) -> AsyncIterator[Standing]:
    async with standing("vendnovation", vendor=vendor or emulated(), **changed) as it:
        yield it


def usd(amount: str, currency: str = "USD") -> Money:
    return Money(Decimal(amount), currency)


def machine(vendor: Any) -> str:
    return str(min(row["id"] for row in vendor.truth()["machines"]))


def selections(vendor: Any) -> list[Row]:
    """Those of the machine, by their numbers, as they are by now."""
    found = [row for row in vendor.truth()["slots"] if str(row["machineId"]) == machine(vendor)]
    return sorted((dict(row) for row in found), key=lambda row: int(row["selectionNumber"]))


def others(vendor: Any) -> list[Row]:
    return [dict(row) for row in vendor.truth()["slots"] if str(row["machineId"]) != machine(vendor)]


def priced(vendor: Any, amount: str = "1.79", currency: str = "USD", at: int = 0, **more: Any) -> SetPrice:
    row = selections(vendor)[at]
    return SetPrice(
        machine=machine(vendor),
        slot=f"{row['machineId']}/{row['id']}",
        position=row["selectionNumber"],
        price=usd(amount, currency),
        **more,
    )


def cell(at: int, row: Row, columns: int = 8) -> PlanogramCell:
    """Just as the selection is."""
    down, across = divmod(at, columns)
    product = None if row["productId"] in (None, -1) else str(row["productId"])
    return PlanogramCell(row=down, column=across, product=product, price=usd(str(row["price"])))


def planogram(vendor: Any, cells: Sequence[PlanogramCell] | None = None, **more: Any) -> UpdatePlanogram:
    """All as it is, unless `cells` say otherwise, in rows of eight."""
    found = selections(vendor)
    told = [cell(at, row) for at, row in enumerate(found)] if cells is None else cells
    known: dict[str, Any] = {"rows": -(-len(found) // 8), "columns": 8, **more}
    return UpdatePlanogram(machine=machine(vendor), cells=told, **known)


def asked(it: Standing) -> list[str]:
    return [f"{one.method} {one.path.removeprefix(BASE)}" for one in it.wire.asked]


async def order(it: Standing, wanted: Order) -> list[Row]:
    """What reached the vendor, once it was sent."""
    taken = await it.connector.send(await it.connector.prepare(wanted))
    assert (taken.done, taken.vendor_id, taken.result) == (True, None, {"effective": "NEXT_CHECK_IN"})
    body = json.loads(it.wire.asked[-1].body)
    assert asked(it)[-2:] == ["POST /selections", "PATCH /selections"]
    assert list(body) == ["body"]
    return list(body["body"])


async def refused(it: Standing, wanted: Order) -> str:
    with pytest.raises(BadInput) as caught:
        await it.connector.prepare(wanted)
    return caught.value.message


# ---- a price ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "written"), [("1.79", "1.79"), ("2.00", "2"), ("0", "0"), ("0.10", "0.1")])
async def test_a_price_goes_with_the_whole_selection_as_it_was_read(amount: str, written: str) -> None:
    async with stage() as it:
        before, elsewhere = selections(it.vendor), others(it.vendor)
        wanted = priced(it.vendor, amount, at=3)
        assert await it.connector.fulfilled(wanted) is False
        assert await order(it, wanted) == [before[3] | {"price": float(amount)}]
        assert f'"price":{written},'.encode() in it.wire.asked[-1].body
        assert it.wire.asked[-1].headers["content-type"] == "application/json"
        assert selections(it.vendor) == [*before[:3], before[3] | {"price": float(amount)}, *before[4:]]
        assert others(it.vendor) == elsewhere
        assert await it.connector.fulfilled(wanted) is True


async def test_what_comes_along_goes_back_as_it_came() -> None:
    """Members that nobody knows, numbers as texts, and those that can only be read."""
    odd = {"count": "4", "depth": "10", "selectionNumber": 104, "planogramRow": {"shelf": [1]}, "isActive": None}
    async with stage() as it:
        row = selections(it.vendor)[0]
        it.wire.rewrite = lambda data: [row | odd] if isinstance(data, list) else data
        request = await it.connector.prepare(priced(it.vendor))
        assert request.body == {"body": [row | odd | {"price": 1.79}]}


async def test_a_price_waits_for_the_next_check_in() -> None:
    moment = [START]
    vendor = emulated(World(scale=0.04, start=START, now=lambda: moment[0]))
    async with stage(vendor) as it:

        def pending() -> bool:
            row = next(row for row in vendor.truth()["machines"] if str(row["id"]) == machine(vendor))
            return bool(row["hasPlanogramChange"])

        assert not pending()
        await order(it, priced(vendor, "9.99"))
        assert pending()
        moment[0] += timedelta(minutes=45)
        assert not pending()


async def test_a_price_that_is_there_already_is_written_once_more() -> None:
    async with stage() as it:
        before = selections(it.vendor)
        wanted = priced(it.vendor, "3.5")
        await order(it, wanted)
        assert await order(it, wanted) == [before[0] | {"price": 3.5}]


async def test_what_would_be_sent_can_be_seen_without_sending_it() -> None:
    async with stage(endpoints={"update-selections": "POST /v3/slots"}) as it:
        row = selections(it.vendor)[0]
        request = await it.connector.prepare(priced(it.vendor))
        assert it.connector.shown(request) == ("POST", "/v3/slots", {"body": [row | {"price": 1.79}]})
        assert asked(it) == READING


async def test_the_roles_are_played() -> None:
    async with stage() as it:
        assert all(isinstance(it.connector, role) for role in (TakesOrders, ReadsBack))
        assert {Capability.SET_PRICE, Capability.UPDATE_PLANOGRAM} <= it.connector.capabilities
        assert not any(it.connector.refusal(capability) for capability in Capability)


async def test_an_order_may_spend_what_queries_leave() -> None:
    async with stage(limits=Limits(requests=8, per_seconds=3600, reserve=0.5)) as it:
        request = await it.connector.prepare(priced(it.vendor))
        name = machine(it.vendor)
        while not isinstance((await it.connector.slots([name]))[name], VendorRateLimited):
            assert len(it.wire.asked) < 8
        assert (await it.connector.send(request)).done


NEVER_A_PRICE: Mapping[str, Mapping[str, Any]] = {
    "negative": {"amount": "-0.01"},
    "finer than money": {"amount": "1.795"},
    "no number": {"amount": "NaN"},
    "endless": {"amount": "Infinity"},
    "too large": {"amount": "1e99"},
    "another currency": {"currency": "EUR"},
    "from a time": {"valid_from": datetime.now(UTC)},
    "to a time": {"valid_to": datetime.now(UTC) + timedelta(hours=1)},
}


@pytest.mark.parametrize("why", NEVER_A_PRICE)
async def test_what_can_never_be_is_refused_without_a_request(why: str) -> None:
    async with stage() as it:
        await refused(it, priced(it.vendor, **NEVER_A_PRICE[why]))
        assert it.wire.asked == []


async def test_what_is_no_such_order_is_refused_without_a_request() -> None:
    async with stage() as it:
        reboot = MachineOrder(kind=Capability.REBOOT, machine=machine(it.vendor))
        await refused(it, reboot)
        assert await it.connector.fulfilled(reboot) is None
        assert it.wire.asked == []
    async with stage(currency=None) as it:
        assert "`currency`" in await refused(it, priced(it.vendor))
        assert it.wire.asked == []


async def test_a_selection_of_another_machine_is_not_written() -> None:
    """Even where the vendor ignores the filter, and tells of all machines."""
    async with stage() as it:
        everything = it.vendor.truth()["slots"]
        it.wire.rewrite = lambda data: everything if isinstance(data, list) else data
        stranger = others(it.vendor)[0]
        wanted = replace(priced(it.vendor), slot=f"{stranger['machineId']}/{stranger['id']}")
        assert await refused(it, wanted) == f"machine {machine(it.vendor)} has no selection {stranger['id']}"
        assert await it.connector.fulfilled(wanted) is None
        assert asked(it) == [*READING, "POST /selections"]
        await refused(it, replace(priced(it.vendor), machine="1"))


# ---- a planogram --------------------------------------------------------------------------------------------------


async def test_a_planogram_writes_what_changes_in_one_request() -> None:
    async with stage() as it:
        before, elsewhere = selections(it.vendor), others(it.vendor)
        assert len(before) > 9
        product = next(row["id"] for row in it.vendor.truth()["products"] if row["id"] != before[9]["productId"])
        cells = list(planogram(it.vendor).cells)
        cells[0] = replace(cells[0], price=usd("4.25"))
        cells[9] = PlanogramCell(row=1, column=1, product=str(product), price=usd("0.99"))
        wanted = planogram(it.vendor, cells)
        after = {0: before[0] | {"price": 4.25}, 9: before[9] | {"productId": product, "price": 0.99}}
        assert await it.connector.fulfilled(wanted) is False
        assert sorted(await order(it, wanted), key=lambda row: row["id"]) == list(after.values())
        assert selections(it.vendor) == [after.get(at, row) for at, row in enumerate(before)]
        assert others(it.vendor) == elsewhere
        assert await it.connector.fulfilled(wanted) is True


async def test_what_a_planogram_does_not_name_is_empty_from_then_on_and_stays_counted() -> None:
    async with stage() as it:
        before = selections(it.vendor)
        adjustments = len(it.vendor.truth()["adjustments"])
        wanted = planogram(it.vendor, [cell(0, before[0])])
        sent = await order(it, wanted)
        emptied = [row | {"productId": None} for row in before[1:] if row["productId"] not in (None, -1)]
        assert sorted(sent, key=lambda row: row["id"]) == emptied
        assert {row["count"] for row in emptied} != {0}
        assert len(it.vendor.truth()["adjustments"]) == adjustments
        assert all(row["productId"] in (None, -1) for row in selections(it.vendor)[1:])
        assert await it.connector.fulfilled(wanted) is True
        assert await it.connector.fulfilled(planogram(it.vendor, [])) is False


async def test_a_planogram_of_what_is_there_already_is_written_whole() -> None:
    """With prices that are finer than any money, as long as they stay as they are."""
    async with stage() as it:
        before = selections(it.vendor)
        assert any(Decimal(str(row["price"])) % Decimal("0.01") for row in before)
        wanted = planogram(it.vendor)
        assert await it.connector.fulfilled(wanted) is True
        assert sorted(await order(it, wanted), key=lambda row: row["id"]) == before
        assert selections(it.vendor) == before


NEVER_A_PLANOGRAM: Mapping[str, Callable[[PlanogramCell], PlanogramCell]] = {
    "negative": lambda cell: replace(cell, price=usd("-1")),
    "no number": lambda cell: replace(cell, price=usd("NaN")),
    "too large": lambda cell: replace(cell, price=usd("1e99")),
    "another currency": lambda cell: replace(cell, price=usd("1", "EUR")),
    "a word": lambda cell: replace(cell, product="cola"),
    "nothing": lambda cell: replace(cell, product="0"),
    "less than nothing": lambda cell: replace(cell, product="-1"),
    "no text": lambda cell: replace(cell, product=""),
    "foreign digits": lambda cell: replace(cell, product="٤٩٩٠١"),
    "padded": lambda cell: replace(cell, product="049901"),
}


@pytest.mark.parametrize("why", NEVER_A_PLANOGRAM)
async def test_a_planogram_that_can_never_be_is_refused_without_a_request(why: str) -> None:
    async with stage() as it:
        cells = list(planogram(it.vendor).cells)
        cells[-1] = NEVER_A_PLANOGRAM[why](cells[-1])
        await refused(it, planogram(it.vendor, cells))
        assert it.wire.asked == []


async def test_a_planogram_that_does_not_fit_the_machine_is_refused() -> None:
    async with stage() as it:
        cells = list(planogram(it.vendor).cells)
        finer = replace(cells[0], price=usd("1.005"))
        nowhere = [replace(cells[0], row=row, column=column) for row, column in ((-1, 0), (0, -1), (0, 8), (99, 0))]
        for wrong in (
            planogram(it.vendor, [finer]),
            planogram(it.vendor, [cells[0], cells[0]]),
            *(planogram(it.vendor, [cell]) for cell in nowhere),
            planogram(it.vendor, columns=7),
            planogram(it.vendor, rows=2, columns=4),
            planogram(it.vendor, rows=0),
            planogram(it.vendor, rows=1),
            replace(planogram(it.vendor), machine="1", rows=1, columns=0),
            replace(planogram(it.vendor), machine="1", rows=2, columns=0, cells=[]),
        ):
            await refused(it, wrong)
        assert set(asked(it)) == set(READING)
        assert await it.connector.fulfilled(planogram(it.vendor, nowhere[:1])) is None


async def test_a_product_that_the_vendor_does_not_know_is_its_refusal() -> None:
    async with stage() as it:
        cells = [replace(planogram(it.vendor).cells[0], product="1")]
        before = selections(it.vendor)
        error = await failure(order(it, planogram(it.vendor, cells)))
        assert type(error) is VendorForbidden
        assert selections(it.vendor) == before


# ---- which selection a cell names ---------------------------------------------------------------------------------


def slots(*labels: str | None, numbers: Sequence[Any] | None = None) -> list[Row]:
    told = range(100, 100 + len(labels)) if numbers is None else numbers
    return [
        {"id": at, "machineId": 5, "productId": 7, "price": 1, "selectionNumber": number, "friendlyNumber": label}
        for at, (label, number) in enumerate(zip(labels, told, strict=True))
    ]


def named(rows: Sequence[Row], grid: tuple[int, int], *places: tuple[int, int]) -> list[int]:
    """The ids of the selections that are named by cells there, in order."""
    cells = [
        PlanogramCell(row=row, column=column, product=str(at + 1), price=usd("1"))
        for at, (row, column) in enumerate(places)
    ]
    found = arranged(UpdatePlanogram(machine="5", rows=grid[0], columns=grid[1], cells=cells), rows)
    assert len(found) == len(rows)
    holding = {row["productId"]: row["id"] for row in found if row["productId"] is not None}
    return [holding[at + 1] for at in range(len(places))]


def test_a_friendly_number_is_a_row_and_a_column() -> None:
    rows = slots("A1", "A2", "C1", "B10", "B2")
    assert named(rows, (3, 10), (0, 0), (0, 1), (2, 0), (1, 9), (1, 1)) == [0, 1, 2, 3, 4]
    for grid in ((2, 10), (3, 9), (5, 1)):
        with pytest.raises(BadInput):
            named(rows, grid, (0, 0))
    for nowhere in ((0, 2), (1, 0), (2, 1)):
        with pytest.raises(BadInput):
            named(rows, (3, 10), nowhere)


@pytest.mark.parametrize(
    "labels",
    [("A1", "A1", "B1", "B2"), ("A1", None, "B1", "B2"), ("A1", "A2", "3", "B2"), ("a1", "A2", "A0", "AA1")],
)
def test_without_them_selections_count_along_the_rows(labels: Sequence[str | None]) -> None:
    rows = slots(*labels, numbers=["10", 9, "11", "100"])
    assert named(rows, (2, 2), (0, 0), (0, 1), (1, 0), (1, 1)) == [1, 0, 2, 3]
    for grid in ((1, 3), (2, 3), (3, 2), (0, 4), (-2, -2)):
        with pytest.raises(BadInput):
            named(rows, grid, (0, 0))


def test_one_row_is_a_list_of_all() -> None:
    rows = slots("A1", "B1", "A2", "B3", numbers=["101", "201", "102", None])
    rows[3]["friendlyNumber"] = "B3"
    assert named(rows, (1, 4), (0, 0), (0, 1), (0, 2), (0, 3)) == [0, 2, 1, 3]


@pytest.mark.parametrize("price", [1, 1.0, "1", "1.00", "much", None])
def test_a_price_is_written_anew_only_where_it_is_another(price: Any) -> None:
    (found,) = arranged(
        UpdatePlanogram(
            machine="5",
            rows=1,
            columns=1,
            cells=[PlanogramCell(row=0, column=0, product="7", price=usd("1.00"))],
        ),
        [slots("A1")[0] | {"price": price}],
    )
    assert found["price"] == (1 if price in ("much", None) else price)


# ---- what becomes of it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("struck", but(403, tries=2), ids=str)
async def test_each_way_of_failing_says_whether_it_may_have_been_done(struck: Struck) -> None:
    async with ordering("vendnovation") as it:
        before = selections(it.vendor)[0]["price"]
        error = await it.struck(priced(it.vendor, "7.77"), struck, "/selections")
    assert (type(error), error.sent) == (struck.error, struck.sent)
    assert it.sent("/selections") == struck.tries
    assert selections(it.vendor)[0]["price"] == (7.77 if struck.done else before)


async def test_a_selection_that_is_no_longer_as_it_was_is_the_vendors_refusal() -> None:
    async with stage() as it:
        request = await it.connector.prepare(priced(it.vendor))
        request.body["body"][0]["alertLevel"] = 99
        error = await failure(it.connector.send(request))
        assert (type(error), "SELECTION_VALIDATION" in error.message) == (VendorRejected, True)


async def test_a_token_that_has_ended_costs_one_more_request() -> None:
    vendor = emulated()
    async with stage(vendor) as it:
        request = await it.connector.prepare(priced(vendor))
        vendor._tokens._expiry.clear()
        assert (await it.connector.send(request)).done
        assert asked(it)[2:] == ["PATCH /selections", "POST /authenticate/", "PATCH /selections"]
        assert it.wire.asked[2].body == it.wire.asked[4].body


@pytest.mark.parametrize(
    ("answer", "kind"), [(Response(status_code=500), VendorUnavailable), (HTMLResponse("Sign in"), VendorProtocolError)]
)
async def test_where_no_token_is_to_be_had_nothing_was_done(answer: Response, kind: type) -> None:
    vendor = emulated()
    async with stage(vendor) as it:
        before = selections(vendor)
        request = await it.connector.prepare(priced(vendor))
        vendor._tokens._expiry.clear()

        async def instead(request: Request) -> Response | None:
            return answer if request.url.path.endswith("/authenticate/") else None

        it.wire.instead = instead
        error = await failure(it.connector.send(request))
        assert (type(error), error.sent) == (kind, False)
        assert selections(it.vendor) == before


@pytest.mark.parametrize(
    ("told", "done"),
    [
        (lambda row: [row], True),
        (lambda row: [{"id": str(row["id"]), "price": "1.790", "productId": str(row["productId"])}], True),
        (lambda row: [{"id": 1}, None, row], True),
        (lambda row: [row | {"price": 1.78}], False),
        (lambda row: [row | {"productId": None}], False),
        (lambda row: [row | {"price": "much"}], False),
        (lambda row: [{"id": row["id"]}], False),
        (lambda row: [row["id"]], False),
        (lambda row: row, False),
        (lambda _: [], False),
        (lambda _: None, False),
    ],
)
async def test_an_answer_shows_what_was_sent_or_leaves_it_open(told: Callable[[Row], Any], done: bool) -> None:
    async with stage() as it:
        request = await it.connector.prepare(priced(it.vendor))
        (row,) = request.body["body"]
        assert row["productId"] not in (None, -1)

        async def instead(request: Request) -> Response | None:
            return JSONResponse(told(row)) if request.method == "PATCH" else None

        it.wire.instead = instead
        if done:
            assert (await it.connector.send(request)).done
        else:
            error = await failure(it.connector.send(request))
            assert (type(error), error.sent) == (VendorProtocolError, True)
        assert asked(it).count("PATCH /selections") == 1


@pytest.mark.parametrize("status", [200, 204])
async def test_no_answer_leaves_it_open(status: int) -> None:
    async with stage() as it:
        request = await it.connector.prepare(priced(it.vendor))

        async def instead(request: Request) -> Response | None:
            return Response(status_code=status) if request.method == "PATCH" else None

        it.wire.instead = instead
        assert type(await failure(it.connector.send(request))) is VendorProtocolError


async def test_a_selection_without_an_id_is_a_broken_answer() -> None:
    async with stage() as it:
        wanted = priced(it.vendor)
        row = {name: value for name, value in selections(it.vendor)[1].items() if name != "id"}
        it.wire.rewrite = lambda data: [*data, row] if isinstance(data, list) else data
        assert type(await failure(it.connector.prepare(wanted))) is VendorProtocolError
