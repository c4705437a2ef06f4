"""Counts ordered of VendNovation: a fresh read, one delta, an adjustment that proves it; and what adjustments tell."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.vendnovation.stock import movements
from domain.errors import BadInput, VendorProtocolError
from domain.model import Vendor
from domain.orders import AdjustStock
from domain.refs import Kind
from domain.stock import MovementKind
from tests.ordering import Struck, but, ordering
from tests.test_vendnovation_orders import asked, machine, selections, stage
from tests.vendors import BY_NAME, START, TINY, Standing, account_of

Row = dict[str, Any]
# As the documents show one: a take counts up, and the type is left out where it is not told.
ADJUSTMENT: Mapping[str, Any] = {
    "id": 52001,
    "eventType": "take",
    "adjustmentOccurredAt": "2021-11-16T22:51:35.16",
    "takeOccurredAt": "2021-11-16T22:51:31",
    "siteId": 1625,
    "siteExternalId": None,
    "machineId": "11398",
    "machineExternalId": None,
    "selection": "A1",
    "productId": "49998",
    "userId": 0,
    "externalUserIdentifier": None,
    "adjustmentSize": 1,
    "newStockLevel": 4,
}


def counted(vendor: Any, at: int = 0, **wanted: Any) -> AdjustStock:
    row = counting(vendor)[at]
    return AdjustStock(machine=str(row["machineId"]), slot=f"{row['machineId']}/{row['id']}", asked_at=START, **wanted)


def counting(vendor: Any) -> list[Row]:
    """Selections of the machine that hold something."""
    return [row for row in selections(vendor) if row["productId"] not in (None, -1) and row["count"] > 1]


def rows(vendor: Any) -> dict[int, Row]:
    return {row["id"]: dict(row) for row in vendor.truth()["slots"]}


async def order(it: Standing, wanted: AdjustStock) -> Row:
    """What reached the vendor, once it was sent."""
    taken = await it.connector.send(await it.connector.prepare(wanted))
    native = wanted.slot.partition("/")[2]
    count = rows(it.vendor)[int(native)]["count"]
    assert (taken.done, taken.vendor_id, taken.result) == (True, None, {"count": count})
    assert taken.subject == it.account.to(Kind.SLOT, wanted.slot)
    assert asked(it)[-2:] == ["POST /selections", "POST /selections/apply-delta"]
    found: Row = json.loads(it.wire.asked[-1].body)
    return found


async def refused(it: Standing, wanted: AdjustStock) -> str:
    with pytest.raises(BadInput) as caught:
        await it.connector.prepare(wanted)
    assert "POST /selections/apply-delta" not in asked(it)
    return caught.value.message


@pytest.mark.parametrize("delta", [1, 3, -1])
async def test_a_delta_is_sent_as_it_was_ordered(delta: int) -> None:
    async with stage() as it:
        before = rows(it.vendor)
        wanted = counted(it.vendor, delta=delta)
        native = int(wanted.slot.partition("/")[2])
        assert await order(it, wanted) == {"body": [{"selectionId": native, "delta": delta}]}
        changed = before[native] | {"count": before[native]["count"] + delta}
        assert rows(it.vendor) == before | {native: changed}


async def test_a_level_is_sent_as_the_difference_to_what_is_counted_then() -> None:
    async with stage() as it:
        wanted = counted(it.vendor, level=9)
        row = counting(it.vendor)[0]
        [sent] = (await order(it, wanted))["body"]
        assert sent == {"selectionId": row["id"], "delta": 9 - row["count"]}
        assert rows(it.vendor)[row["id"]]["count"] == 9


async def test_what_cannot_be_counted_so_is_refused_before_anything_is_sent() -> None:
    async with stage() as it:
        row = counting(it.vendor)[0]
        assert "already" in await refused(it, counted(it.vendor, level=row["count"]))
        assert "cannot be taken off" in await refused(it, counted(it.vendor, delta=-row["count"] - 1))
        elsewhere = next(one for one in it.vendor.truth()["slots"] if str(one["machineId"]) != machine(it.vendor))
        for native in (str(elsewhere["id"]), "0", "x", ""):
            foreign = replace(counted(it.vendor, delta=1), slot=f"{machine(it.vendor)}/{native}")
            assert "has no selection" in await refused(it, foreign)


@pytest.mark.parametrize("wanted", [{"delta": 2}, {"delta": -1}, {"level": 9}])
async def test_an_adjustment_of_the_vendors_proves_it_and_its_absence_proves_nothing(wanted: dict[str, int]) -> None:
    async with stage() as it:
        one = counted(it.vendor, **wanted)
        assert await it.connector.fulfilled(one) is None
        await order(it, one)
        assert await it.connector.fulfilled(one) is True
        later = replace(one, asked_at=START + timedelta(seconds=1))
        assert await it.connector.fulfilled(later) is None


async def test_what_is_sold_meanwhile_is_no_proof() -> None:
    async with stage() as it:
        row = next(one for one in counting(it.vendor) if one["count"] > 1)
        wanted = replace(counted(it.vendor, level=row["count"] - 1), slot=f"{row['machineId']}/{row['id']}")
        for _ in range(300):
            it.vendor.make_sales(1, machine=machine(it.vendor))
            if rows(it.vendor)[row["id"]]["count"] == row["count"] - 1:
                break
        assert rows(it.vendor)[row["id"]]["count"] == row["count"] - 1
        assert await it.connector.fulfilled(wanted) is None


async def test_two_that_fit_prove_neither() -> None:
    async with stage() as it:
        one = counted(it.vendor, delta=1)
        for _ in range(2):
            await it.connector.send(await it.connector.prepare(one))
        assert await it.connector.fulfilled(one) is None


@pytest.mark.parametrize(
    "answer",
    [{}, [], None, [{"id": 1, "count": 3}], [{"count": 3}], "done", [{"id": "SENT"}], [{"id": "SENT", "count": "x"}]],
)
async def test_an_answer_that_does_not_show_the_count_leaves_it_open(answer: Any) -> None:
    async with stage() as it:
        request = await it.connector.prepare(counted(it.vendor, delta=1))
        sent = request.body["body"][0]["selectionId"]

        async def instead(_: Request) -> Response:
            told = (
                [{**row, "id": sent} if row.get("id") == "SENT" else row for row in answer]
                if answer and isinstance(answer, list)
                else answer
            )
            return JSONResponse(told)

        it.wire.instead = instead
        with pytest.raises(VendorProtocolError) as caught:
            await it.connector.send(request)
        assert caught.value.sent


@pytest.mark.parametrize("struck", but(403, tries=2), ids=str)
async def test_each_way_of_failing_says_whether_it_may_have_been_done(struck: Struck) -> None:
    async with ordering("vendnovation") as it:
        wanted = counted(it.vendor, delta=2)
        native = int(wanted.slot.partition("/")[2])
        before = rows(it.vendor)[native]["count"]
        error = await it.struck(wanted, struck, "/apply-delta")
    assert (type(error), error.sent) == (struck.error, struck.sent)
    assert it.sent("/apply-delta") == struck.tries
    assert rows(it.vendor)[native]["count"] == before + (2 if struck.done else 0)


# ---- what adjustments tell -----------------------------------------------------------------------------------------


def movement(**changed: Any) -> Any:
    case = BY_NAME["vendnovation"]
    account = account_of(case, case.emulate(TINY))
    row = {**ADJUSTMENT, **changed}
    [found] = movements(account, [{name: value for name, value in row.items() if value != "GONE"}]).items
    return found


def test_the_documents_sample_is_one_less_though_it_counts_up() -> None:
    found = movement()
    assert (found.kind, found.delta, found.level, found.vendor) == (MovementKind.TAKE, -1, 4, Vendor.VENDNOVATION)
    assert (found.position, found.vendor_id, found.person) == ("A1", "52001", None)
    assert (found.machine_ref.native, found.product_ref.native) == ("11398", "49998")
    assert found.recorded_at == datetime(2021, 11, 16, 22, 51, 35, 160_000, UTC)
    assert found.occurred_at == datetime(2021, 11, 16, 22, 51, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "size", "kind", "delta"),
    [
        ("take", -2, "TAKE", -2),
        ("take", 2, "TAKE", -2),
        ("stock", 5, "RESTOCK", 5),
        ("stock", -5, "RESTOCK", None),
        ("stock", 0, "RESTOCK", 0),
        ("adjustment", 3, "ADJUSTMENT", None),
        ("adjustment", -3, "ADJUSTMENT", None),
        ("spoilage", -1, "UNKNOWN", None),
        ("GONE", 1, "UNKNOWN", None),
        (None, 1, "UNKNOWN", None),
        ("take", None, "TAKE", None),
        ("take", "GONE", "TAKE", None),
        ("stock", "4", "RESTOCK", 4),
    ],
)
def test_the_kind_says_whether_it_is_more_or_less_and_no_sign_does(
    told: Any, size: Any, kind: str, delta: int | None
) -> None:
    found = movement(eventType=told, adjustmentSize=size)
    assert (found.kind.value, found.delta) == (kind, delta)


@pytest.mark.parametrize("user", [77, "77"])
def test_who_did_it_is_told_apart_from_the_record(user: Any) -> None:
    found = movement(userId=user, externalUserIdentifier="E-9")
    assert found.person.vendor_id == "77"
    assert not {"userId", "externalUserIdentifier"} & found.vendor_data.keys()


@pytest.mark.parametrize("member", ["id", "adjustmentOccurredAt"])
def test_one_that_cannot_be_read_costs_the_others_nothing(member: str) -> None:
    case = BY_NAME["vendnovation"]
    account = account_of(case, case.emulate(TINY))
    broken = {name: value for name, value in ADJUSTMENT.items() if name != member}
    told = movements(account, [broken, ADJUSTMENT, 5])
    assert ([one.vendor_id for one in told.items], told.complete) == (["52001"], False)
