"""Alerts, sites and machines ordered of VendNovation: what an answer has to show, and what is read back."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.parsing import need_iso
from domain.errors import BadInput, VendorConflict, VendorProtocolError, VendorRejected
from domain.facts import FactKind
from domain.model import EventState, MachineEvent
from domain.orders import Order
from domain.refs import Kind, Ref
from domain.upkeep import CreateSite, MachineTold, ProvisionMachine, ResolveEvent, UpdateMachine
from tests.ordering import STRUCK, Struck, failure, ordering
from tests.test_vendnovation_orders import asked, emulated, machine, stage
from tests.vendors import START, Standing

Row = dict[str, Any]
SITE = CreateSite(organization="101", customer_account="301", name="Harbor 7", timezone="America/Chicago")


def standing_alert(vendor: Any) -> Row:
    found: Row = next(row for row in vendor.truth()["events"] if not row["isCleared"])
    return found


def over(vendor: Any, message: str | None = None) -> ResolveEvent:
    """By the id that lists give it."""
    row = standing_alert(vendor)
    raised = int(need_iso(row["raisedAt"]).timestamp() * 1000)
    return ResolveEvent(event=f"{row['id']}@{raised}", message=message)


def renamed(vendor: Any) -> UpdateMachine:
    return UpdateMachine(machine=machine(vendor), group=None, told=MachineTold(name="Left", tax_rate=Decimal("8.25")))


def waiting(vendor: Any) -> ProvisionMachine:
    row = vendor._fleet.machine_rows.records()[0]
    row["callInCode"] = "CI-1"
    return ProvisionMachine(organization=str(row["organizationId"]), serial_number=row["prose"], asked_at=START)


def site(_: Any) -> CreateSite:
    return SITE


TRIED = ("status-400", "status-404", "status-500", "truncate", "reset")
ORDERS: dict[str, Callable[[Any], Order]] = {
    "/prod/alerts": over,
    "/prod/sites": site,
    "/prod/machines": renamed,
    "/machines/provision": waiting,
}


@pytest.mark.parametrize("path", ORDERS)
@pytest.mark.parametrize("struck", [one for one in STRUCK if str(one) in TRIED], ids=str)
async def test_each_is_sent_once_and_read_back(path: str, struck: Struck) -> None:
    if (path, struck.kind) == ("/machines/provision", "truncate"):
        return  # nothing of an empty answer can be cut off
    async with ordering("vendnovation", emulated) as it:
        order = ORDERS[path](it.vendor)
        error = await it.struck(order, struck, path)
        assert isinstance(error, struck.error)
        assert error.sent is struck.sent
        assert it.sent(path) <= struck.tries
        it.sandbox.heal()
        assert bool(await it.connector.fulfilled(order)) is struck.done


async def answered(it: Standing, order: Order, method: str, told: Any) -> Any:
    """What comes of it where this is the answer."""
    request = await it.connector.prepare(order)

    async def instead(request: Request) -> Response | None:
        mine = request.method == method and "authenticate" not in request.url.path
        return (told if isinstance(told, Response) else JSONResponse(told)) if mine else None

    it.wire.instead = instead
    return await it.connector.send(request)


async def test_a_cleared_alert_is_told_as_a_fact_of_its_own() -> None:
    async with stage() as it:
        order = over(it.vendor, "was nothing")
        taken = await it.connector.send(await it.connector.prepare(order))
        (fact,) = taken.facts
        assert isinstance(fact.content, MachineEvent)
        assert (fact.kind, fact.content.state) == (FactKind.EVENT, EventState.RESOLVED)
        assert fact.content.message == "was nothing"
        native = order.event.partition("@")[0]
        assert fact.identity == f"cleared:{native}"
        assert taken.subject == fact.content.ref == it.account.to(Kind.EVENT, order.event)
        assert await it.connector.fulfilled(order) == taken.subject
        with pytest.raises(VendorConflict):
            await it.connector.prepare(order)


@pytest.mark.parametrize("cleared", [{"isCleared": False}, {"id": 1}])
async def test_an_alert_that_is_not_shown_as_cleared_leaves_it_open(cleared: Row) -> None:
    async with stage() as it:
        row = {**standing_alert(it.vendor), "isCleared": True, **cleared}
        with pytest.raises(VendorProtocolError):
            await answered(it, over(it.vendor), "PATCH", [row])


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [("ALREADY_CLEARED", 400, VendorConflict), ("UNCLEARABLE", 422, VendorRejected)],
)
async def test_the_vendors_own_refusals_are_told_apart(code: str, status: int, error: type[Exception]) -> None:
    async with stage() as it:
        refusal = JSONResponse({"code": code, "message": "no"}, status_code=status)
        with pytest.raises(error):
            await answered(it, over(it.vendor), "PATCH", refusal)


async def test_where_alerts_cannot_be_updated_they_are_cleared_as_they_were_before() -> None:
    async with stage() as it:

        async def instead(request: Request) -> Response | None:
            gone = request.method == "PATCH" and request.url.path.endswith("/alerts")
            return JSONResponse({"message": "Not Found"}, status_code=404) if gone else None

        it.wire.instead = instead
        order = over(it.vendor)
        native = int(order.event.partition("@")[0])
        taken = await it.connector.send(await it.connector.prepare(order))
        assert asked(it)[-3:] == ["PATCH /alerts", "POST /alerts/clear", "POST /alerts/"]
        assert json.loads(it.wire.asked[-2].body) == {"routeFilter": {"alertIds": [native]}}
        (cleared,) = (row for row in it.vendor.truth()["events"] if row["id"] == native)
        assert cleared["isCleared"] is True
        assert taken.subject == it.account.to(Kind.EVENT, order.event)
        with pytest.raises(VendorRejected):  # a message cannot be kept so
            await it.connector.send(await it.connector.prepare(over(it.vendor, "was nothing")))
        assert asked(it)[-1] == "PATCH /alerts"


async def test_an_alert_that_is_not_there_is_no_order() -> None:
    async with stage() as it:
        for event in ("1@1600000000000", "1", "", "x@y"):
            with pytest.raises(BadInput):
                await it.connector.prepare(ResolveEvent(event=event))
        assert "PATCH /alerts" not in asked(it)


async def test_a_site_goes_out_as_the_documents_write_it() -> None:
    async with stage() as it:
        request = await it.connector.prepare(replace(SITE, largest_charge=Decimal("25.5")))
        (row,) = request.body["body"]
        assert row == {
            "AccountId": 301,
            "OrgId": 101,
            "Name": "Harbor 7",
            "IsActive": True,
            "TimeZone": "Central Standard Time",
            "MaxChargePrice": 25.5,
        }
        taken = await it.connector.send(request)
        assert isinstance(taken.subject, Ref)
        assert await it.connector.fulfilled(SITE) == taken.subject
        error = await failure(it.connector.send(request))  # as one who was faster would have it
        assert isinstance(error, VendorConflict)


@pytest.mark.parametrize("told", [[], [None], [1, 2], {"id": 1}, 7])
async def test_a_site_without_its_id_leaves_it_open(told: Any) -> None:
    async with stage() as it:
        with pytest.raises(VendorProtocolError):
            await answered(it, SITE, "PUT", told)


async def test_a_machine_goes_back_whole_and_is_shown_without_its_code() -> None:
    async with stage() as it:
        order = renamed(it.vendor)
        before = next(row for row in it.vendor.truth()["machines"] if str(row["id"]) == order.machine)
        request = await it.connector.prepare(order)
        (row,) = request.body["body"]
        changes = {name for name in row if row[name] != before[name]}
        assert row.keys() == before.keys()
        assert changes - {"lastHeartBeat"} == {"name", "taxPercentage"}
        assert "callInCode" not in it.connector.shown(request)[2]["body"][0]


@pytest.mark.parametrize("told", [[], [{"id": 1}], {"id": 1}, None])
async def test_a_machine_that_is_not_shown_as_it_was_sent_leaves_it_open(told: Any) -> None:
    async with stage() as it:
        with pytest.raises(VendorProtocolError):
            await answered(it, renamed(it.vendor), "PATCH", told)


async def test_only_the_empty_answer_says_that_a_machine_was_provisioned() -> None:
    async with stage() as it:
        order = waiting(it.vendor)
        assert await it.connector.fulfilled(order) is False
        assert await it.connector.fulfilled(replace(order, serial_number="VN0")) is None
        request = await it.connector.prepare(order)
        assert (await it.connector.send(request)).result == {"serialNumber": order.serial_number}
        assert isinstance(await it.connector.fulfilled(order), Ref)
        later = replace(order, asked_at=START + timedelta(minutes=5))
        assert await it.connector.fulfilled(later) is False
        with pytest.raises(VendorProtocolError):
            await answered(it, order, "POST", Response(status_code=200))


async def test_the_key_is_tried_by_itself_before_the_login() -> None:
    async with stage() as it:
        await it.connector.sign_in()
        assert asked(it) == ["POST /token-test/", "POST /authenticate/"]


@pytest.mark.parametrize(("status", "goes_on"), [(403, False), (404, True), (500, True)])
async def test_a_key_that_is_refused_says_so_and_no_test_at_all_says_nothing(status: int, goes_on: bool) -> None:
    async with stage() as it:

        async def instead(request: Request) -> Response | None:
            refusal = JSONResponse({"message": "Forbidden"}, status_code=status)
            return refusal if request.url.path.endswith("/token-test/") else None

        it.wire.instead = instead
        if goes_on:
            await it.connector.sign_in()
        else:
            assert "API key" in (await failure(it.connector.sign_in())).message
        assert ("POST /authenticate/" in asked(it)) is goes_on


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (JSONResponse({"message": "Not Found"}, status_code=404), []),
        (JSONResponse(["NS", {"code": "TF", "name": "Warm"}, {"id": 7}, None]), [("NS", None), ("TF", "Warm")]),
    ],
)
async def test_codes_of_alerts_are_read_however_they_are_told(told: Response, found: list[Any]) -> None:
    async with stage() as it:

        async def instead(request: Request) -> Response | None:
            return told if request.url.path.endswith("/alerts/codes/") else None

        it.wire.instead = instead
        assert [(one.code, one.description) for one in await it.connector.event_types()] == found


async def test_notes_are_asked_for_by_pages_and_years() -> None:
    async with stage() as it:
        day = 86_400_000
        sales = [f"B{number}@{1_600_000_000_000 + number * day * 4}" for number in range(150)] + ["made up", "B1@"]
        told = await it.connector.sale_metadata(sales)
        assert told.keys() == set(sales)
        assert all(one.tags == () for one in told.values())
        bodies = [json.loads(one.body) for one in it.wire.asked if one.path.endswith("/transactions/metadata")]
        assert [len(body["routeFilter"]["transactionIds"]) for body in bodies] == [91, 59]
        for body in bodies:
            since, until = (need_iso(body["requestFilter"][name]) for name in ("startDate", "endDate"))
            assert until - since <= timedelta(days=365)
