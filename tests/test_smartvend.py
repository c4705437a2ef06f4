"""SmartVend's connector: over the sandbox against its truth, and over written answers for what that never does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from structlog.testing import capture_logs

from connectors.base import Account, Secret
from connectors.smartvend import SmartVend, connect, parse
from connectors.smartvend.texts import Texts
from domain.capabilities import Capability, UnavailableReason
from domain.errors import (
    VendorError,
    VendorProtocolError,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from domain.model import (
    AccountStatus,
    Connectivity,
    EventState,
    Machine,
    MachineEvent,
    MachineKind,
    Severity,
    Slot,
    Trust,
)
from domain.money import Money
from domain.orders import ORDERS
from domain.refs import Kind, Ref
from domain.sales import Payment, PaymentMethod, Sale, SaleKind, SaleStatus
from domain.times import Span
from sandbox import smartvend as emulated
from sandbox.world import World
from tests.connected import Answering, Asked, account_of, fixture, over
from tests.scripted import Clock

START = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
EVERYTHING = Span(START - timedelta(days=120), START + timedelta(seconds=1))
SALES, EVENTS = "/smartvend/v1/get-list-of-sales", "/smartvend/v1/get-list-of-events"
CONTROLLERS, MATRIX = "/smartvend/v1/get-list-of-controllers", "/smartvend/v1/get-controller-matrix"
PRODUCTS, TEXTS = "/smartvend/v1/get-list-of-products", "/smartvend/v1/get-dictionary-of-events"
CANARY = "canary-4f9d"
CREATED = 1767225600  # of the fixtures: 2026-01-01 in UTC
MANY = 10**6


@pytest.fixture(scope="module")
def vendor() -> emulated.SmartVend:
    return emulated.SmartVend(World(start=START, scale=0.1, now=lambda: START))


@pytest.fixture
async def smartvend(vendor: emulated.SmartVend) -> AsyncIterator[SmartVend]:
    client = over(Starlette(routes=[Mount("/smartvend", routes=vendor.routes())]))
    connector = connect(account_of(vendor), client)
    yield connector
    await connector.aclose()
    await client.aclose()


def account(**changed: Any) -> Account:
    whole = account_of(emulated.SmartVend(World(start=START, scale=0.01, days=1)))
    credentials = {"organization_key": Secret(CANARY)}
    known = {name: getattr(whole, name) for name in Account.__dataclass_fields__}
    return Account(**(known | {"credentials": credentials} | changed))


ACCOUNT = account()


def success(member: Any) -> Any:
    return {"id": "1", "result": {"$case": "success", "success": member}}


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def euros(cents: str | int | None) -> Money | None:
    return None if cents is None else Money(Decimal(int(cents)) / 100, "EUR")


async def failure(asked: Any) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await asked
    return caught.value


# ---- every value against the truth


async def test_machines_are_the_controllers(smartvend: SmartVend, vendor: emulated.SmartVend) -> None:
    listing = await smartvend.machines()
    assert listing.complete
    told = vendor.truth()["machines"]
    assert [shown(machine) for machine in listing.items] == [
        {
            "native": row["id"],
            "vendorId": row["id"],
            "serial": row["serialNumber"],
            "name": row["humanName"],
            "kind": {"coffee": MachineKind.COFFEE, "impulse": MachineKind.IMPULSE}[row["type"]],
            "place": (row["location"], row["city"], row["timezone"]),
            "connectivity": Connectivity(row["connectionStatus"].upper()),
            "data": row,
        }
        for row in told
    ]
    assert len(told) == 6


def shown(machine: Machine) -> dict[str, Any]:
    place = machine.location
    return {
        "native": machine.ref.native,
        "vendorId": machine.vendor_id,
        "serial": machine.serial_number,
        "name": machine.name,
        "kind": machine.kind,
        "place": place and (place.address, place.city, place.timezone),
        "connectivity": machine.connectivity,
        "data": machine.vendor_data,
    }


async def test_a_machine_says_what_the_vendor_never_tells(smartvend: SmartVend) -> None:
    machine = (await smartvend.machines()).items[0]
    assert {one.field: one.reason for one in machine.unavailable} == dict.fromkeys(
        ("model", "group", "lastSeenAt", "door", "temperature"), UnavailableReason.UNSUPPORTED_BY_VENDOR
    )
    assert (machine.group, machine.model, machine.last_seen_at, machine.temperature) == (None, None, None, None)
    assert (machine.organization_ref, machine.place_ref) == (None, None)
    reads = {Capability.SLOTS, Capability.SALES, Capability.EVENTS, Capability.WEBHOOKS, Capability.CASH_COLLECTIONS}
    assert {one for one in smartvend.capabilities if one not in ORDERS} == reads
    assert not any(smartvend.refusal(capability) for capability in Capability)


async def test_slots_are_the_cells_counted_along_the_rows(smartvend: SmartVend, vendor: emulated.SmartVend) -> None:
    truth = vendor.truth()
    found = await smartvend.slots([row["id"] for row in truth["machines"]])
    expected: dict[str, list[Any]] = {row["id"]: [] for row in truth["machines"]}
    for row in truth["slots"]:
        position = row["rowNumber"] * row["columnsNumber"] + row["columnNumber"] + 1
        place = (str(position), row["rowNumber"], row["columnNumber"])
        expected[row["controllerId"]].append((*place, row["productId"], euros(row["price"])))
    assert {machine: [cell(slot) for slot in slots] for machine, slots in read(found).items()} == expected
    slots = [slot for several in read(found).values() for slot in several]
    assert {(slot.quantity, slot.capacity) for slot in slots} == {(None, None)}
    assert len({slot.ref for slot in slots}) == len(truth["slots"])
    assert any(slot.product_ref is None for slot in slots)


def read(found: Any) -> dict[str, Sequence[Slot]]:
    assert not [one for one in found.values() if isinstance(one, VendorError)]
    return dict(found)


def cell(slot: Slot) -> tuple[Any, ...]:
    product = slot.product_ref and slot.product_ref.native
    return slot.position, slot.row, slot.column, product, slot.price


async def test_products_are_the_catalogue_with_what_is_archived(
    smartvend: SmartVend, vendor: emulated.SmartVend
) -> None:
    listing = await smartvend.products()
    found = [(one.vendor_id, one.ref.native, one.name, one.price, one.archived) for one in listing.items]
    told = vendor.truth()["products"]
    assert found == [(row["id"], row["id"], row["name"], euros(row["price"]), row["archive"]) for row in told]
    assert {row["archive"] for row in told} == {True, False}
    assert None in {row["price"] for row in told}


async def test_sales_are_what_was_sold(smartvend: SmartVend, vendor: emulated.SmartVend) -> None:
    told = vendor.truth()["sales"]
    found = await smartvend.sales(EVERYTHING, MANY, None)
    assert (found.since, found.complete) == (EVERYTHING.since, True)
    assert by_id([sold(sale) for sale in found.items]) == by_id([expected_sale(row) for row in told])
    assert len(found.items) == len(told) == 360


def by_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row["vendorId"]))


def sold(sale: Sale) -> dict[str, Any]:
    return {
        "vendorId": sale.vendor_id,
        "machine": sale.machine_ref and sale.machine_ref.native,
        "at": (sale.recorded_at, sale.occurred_at),
        "is": (sale.kind, sale.status, sale.trust),
        "money": (sale.total, sale.tax, sale.discount, sale.person),
        "payments": {payment.method: payment.amount for payment in sale.payments},
        "lines": [
            (
                line.product_ref and line.product_ref.native,
                line.product_name,
                line.position,
                line.quantity,
                line.unit_price,
                line.total,
            )
            for line in sale.lines
        ],
    }


MEMBERS = {
    "bill": PaymentMethod.BILL,
    "coin": PaymentMethod.COIN,
    "digital": PaymentMethod.CARD,
    "remotePayment": PaymentMethod.REMOTE_PAYMENT,
    "remoteDeposit": PaymentMethod.REMOTE_DEPOSIT,
}


def expected_sale(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "vendorId": row["saleId"],
        "machine": row["controllerId"],
        "at": (at(row["createdAt"]), at(row["controllerCreatedAt"])),
        "is": (SaleKind.PURCHASE, SaleStatus.COMPLETED, Trust.POLLED),
        "money": (euros(row["totalPrice"]), None, None, None),
        "payments": {method: euros(row[name]) for name, method in MEMBERS.items() if row[name] != "0"},
        "lines": [
            (
                line["productId"],
                line["name"],
                None if line["position"] is None else str(line["position"]),
                line["quantity"],
                euros(line["price"]),
                None if line["price"] is None else euros(int(line["price"]) * line["quantity"]),
            )
            for line in row["products"]
        ],
    }


async def test_events_are_told_in_words(smartvend: SmartVend, vendor: emulated.SmartVend) -> None:
    truth = vendor.truth()
    texts = {row["localizeKey"]: row["text"] for row in truth["dictionary"]}
    found = await smartvend.events(EVERYTHING, MANY, None)
    severities = {"info": Severity.INFO, "warning": Severity.WARNING, "danger": Severity.CRITICAL}
    states = {"relevant": EventState.ACTIVE, "irrelevant": EventState.RESOLVED}
    assert by_id([happened(event) for event in found.items]) == by_id(
        [
            {
                "vendorId": row["id"],
                "machine": row["controllerId"],
                "at": (at(row["createdAt"]), at(row["controllerCreatedAt"])),
                "code": (row["code"], texts.get(row["localizeKey"], row["localizeKey"]), row["source"]),
                "is": (severities.get(row["level"], Severity.WARNING), states[row["status"]], Trust.POLLED),
            }
            for row in truth["events"]
        ]
    )
    assert "event.Q9" in {event.message for event in found.items}


def happened(event: MachineEvent) -> dict[str, Any]:
    return {
        "vendorId": event.vendor_id,
        "machine": event.machine_ref and event.machine_ref.native,
        "at": (event.recorded_at, event.occurred_at),
        "code": (event.code, event.message, event.source),
        "is": (event.severity, event.state, event.trust),
    }


async def test_the_newest_come_first_and_nothing_is_missed_above_where_it_stopped(
    smartvend: SmartVend, vendor: emulated.SmartVend
) -> None:
    found = await smartvend.sales(EVERYTHING, 37, None)
    told = {row["saleId"] for row in vendor.truth()["sales"] if at(row["createdAt"]) >= found.since}
    assert {sale.vendor_id for sale in found.items} == told
    assert 37 <= len(told) <= 4 * 37


async def test_sales_of_some_machines_are_asked_for_by_machine(
    smartvend: SmartVend, vendor: emulated.SmartVend
) -> None:
    two = frozenset(row["id"] for row in vendor.truth()["machines"][:2])
    found = await smartvend.sales(EVERYTHING, MANY, two)
    assert {sale.machine_ref.native for sale in found.items if sale.machine_ref} == two
    assert len(found.items) == 120


async def test_a_record_is_found_again_by_its_id(smartvend: SmartVend) -> None:
    sales = (await smartvend.sales(EVERYTHING, 20, None)).items
    events = (await smartvend.events(EVERYTHING, 20, None)).items
    assert [await smartvend.sale(sale.ref.native) for sale in sales] == list(sales)
    assert [await smartvend.event(event.ref.native) for event in events] == list(events)


async def test_the_credentials_are_proven_by_a_list(smartvend: SmartVend, vendor: emulated.SmartVend) -> None:
    await smartvend.sign_in()
    client = over(Starlette(routes=[Mount("/smartvend", routes=vendor.routes())]))
    wrong = connect(account(credentials={"organization_key": Secret("other")}), client)
    error = await failure(wrong.sign_in())
    assert isinstance(error, VendorUnauthorized)
    assert wrong.guard.status is AccountStatus.UNAUTHORIZED


# ---- what is sent


class Told(Answering):
    """A SmartVend of written records. `pagination` tells which of its members a list shows; None is the bare array.

    Lists come in the order of their rows, which is none; both ends of a range belong to it."""

    def __init__(
        self,
        sales: Sequence[Any] = (),
        events: Sequence[Any] = (),
        *,
        pagination: Sequence[str] | None = ("currentPage", "perPage", "totalPages", "totalItems"),
        number: Callable[[int], Any] = int,
    ) -> None:
        self.sales, self.events = list(sales), list(events)
        self._pagination = pagination
        self._number = number
        super().__init__(
            {
                SALES: lambda asked: self.page(asked, self.sales),
                EVENTS: lambda asked: self.page(asked, self.events),
                TEXTS: success({"items": fixture("smartvend/dictionary")}),
            }
        )
        self.connector = connect(ACCOUNT, self.client)

    def page(self, asked: Asked, rows: list[Any]) -> Any:
        dates, page = asked.body["dateRange"], asked.body["pagination"]
        found = [row for row in rows if dates["from"] <= seconds(row) <= dates["to"]]
        first, size = (page["currentPage"] - 1) * page["perPage"], page["perPage"]
        items = found[first : first + size]
        if self._pagination is None:
            return success(items)
        told = {**page, "totalPages": ceil(len(found) / size), "totalItems": len(found)}
        return success({"items": items, "pagination": {name: self._number(told[name]) for name in self._pagination}})


def seconds(row: Any) -> float:
    """A record that does not tell its time is in every range."""
    told = row.get("createdAt") if isinstance(row, dict) else None
    if told is None:
        return float(CREATED)
    return float(told) / 1000 if float(told) > 10**11 else float(told)


SALE, EVENT = fixture("smartvend/sale"), fixture("smartvend/event")


def sale_row(number: int, **changed: Any) -> dict[str, Any]:
    return {**SALE, "saleId": f"sale-{number}", "createdAt": CREATED - 60 * number, **changed}


def event_row(number: int, **changed: Any) -> dict[str, Any]:
    return {**EVENT, "id": f"event-{number}", "createdAt": CREATED - 60 * number, **changed}


DAY = Span(at(CREATED) - timedelta(days=1), at(CREATED + 1))


async def test_a_list_of_sales_is_asked_for_by_pages_a_range_and_filters() -> None:
    vendor = Told([sale_row(0)])
    await vendor.connector.sales(DAY, 5, None)
    first = vendor.asked[0]
    assert (first.method, first.path, first.headers["x-organization-key"]) == ("POST", SALES, CANARY)
    assert first.headers["content-type"] == "application/json"
    assert first.body == {
        "pagination": {"currentPage": 1, "perPage": 100},
        "dateRange": {"from": CREATED + 1 - 12 * 3600, "to": CREATED + 1},
        "filters": {},
    }


async def test_filters_are_sent_even_where_there_are_none_and_names_that_were_lost_never() -> None:
    vendor = Told([sale_row(0)], [event_row(0)])
    machine = fixture("smartvend/controller")["id"]
    await vendor.connector.sales(DAY, 5, frozenset({machine}))
    await vendor.connector.events(DAY, 5, frozenset({machine}))
    lists = vendor.of(SALES) + vendor.of(EVENTS)
    assert lists
    assert all(asked.body.keys() == {"pagination", "dateRange", "filters"} for asked in lists)
    assert all(asked.body["filters"] == {"controllerIds": [machine]} for asked in lists)


async def test_sales_of_no_machine_are_not_asked_for() -> None:
    vendor = Told([sale_row(0)])
    found = await vendor.connector.sales(DAY, 5, frozenset())
    assert (list(found.items), found.since, vendor.asked) == ([], DAY.since, [])


async def test_a_page_never_holds_more_than_the_vendor_allows() -> None:
    vendor = Told([sale_row(number, createdAt=CREATED) for number in range(1500)])
    found = await vendor.connector.sales(DAY, 900, None)
    assert len(found.items) == 1500
    assert {asked.body["pagination"]["perPage"] for asked in vendor.of(SALES)} <= set(range(1, 1001))


async def test_a_user_is_named_where_the_configuration_names_one() -> None:
    vendor = Told()
    credentials = {"organization_key": Secret(CANARY), "user_id": Secret("user-7")}
    await connect(account(credentials=credentials), vendor.client).sales(DAY, 5, None)
    await vendor.connector.sales(DAY, 5, None)
    assert vendor.asked[0].headers["x-user-id"] == "user-7"
    assert "x-user-id" not in vendor.asked[-1].headers


async def test_without_an_address_of_its_own_an_account_is_at_the_vendors() -> None:
    hosts: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        hosts.append(dict(scope["headers"])[b"host"].decode() + scope["path"])
        await JSONResponse(success([]))(scope, receive, send)

    await connect(account(base_url=None), over(app)).machines()
    assert hosts == ["api.smartvend.ru/v1/get-list-of-controllers"]


async def test_an_operation_can_be_moved_by_the_configuration() -> None:
    vendor = Answering({"/smartvend/v1/controllers": success([])})
    moved = account(endpoints={"get-list-of-controllers": "POST /controllers"})
    assert (await connect(moved, vendor.client).machines()).items == []


async def test_a_matrix_is_asked_for_by_its_controller_and_not_by_its_own_id() -> None:
    vendor = Answering({MATRIX: success(fixture("smartvend/matrix"))})
    machine = fixture("smartvend/controller")["id"]
    found = read(await connect(ACCOUNT, vendor.client).slots([machine]))
    assert [asked.body for asked in vendor.asked] == [{"controllerId": machine}]
    assert [cell(slot) for slot in found[machine]] == [
        ("1", 0, 0, fixture("smartvend/product")["id"], euros(150)),
        ("6", 1, 2, None, euros(90)),
    ]


# ---- pages and windows


@pytest.mark.parametrize(
    "pagination",
    [
        ("currentPage", "perPage", "totalPages", "totalItems"),
        ("totalItems",),
        ("totalPages",),
        ("perPage", "totalItems"),
        (),
        None,
    ],
)
@pytest.mark.parametrize("number", [int, str])
async def test_all_pages_are_read_whatever_is_said_of_their_number(
    pagination: Sequence[str] | None, number: Callable[[int], Any]
) -> None:
    rows = [sale_row(number, createdAt=CREATED) for number in range(2300)]
    vendor = Told(rows, pagination=pagination, number=number)
    found = await vendor.connector.sales(Span(at(CREATED), at(CREATED + 1)), 5, None)
    assert {sale.vendor_id for sale in found.items} == {row["saleId"] for row in rows}
    assert len(found.items) == 2300


@pytest.mark.parametrize(("pagination", "requests"), [(("totalItems",), 3), (("totalPages",), 3), ((), 8), (None, 8)])
async def test_a_window_of_too_many_is_given_up_before_it_is_read(
    pagination: Sequence[str] | None, requests: int
) -> None:
    vendor = Told([sale_row(number, createdAt=CREATED - number) for number in range(5000)], pagination=pagination)
    found = await vendor.connector.sales(DAY, 20, None)
    assert 20 <= len(found.items) <= 100
    assert len(vendor.of(SALES)) <= requests


@pytest.mark.parametrize("told", [{"totalItems": "many", "totalPages": []}, {"totalItems": -1}, [], "none"])
async def test_what_is_no_count_is_not_counted_on(told: Any) -> None:
    vendor = Answering({SALES: success({"items": [sale_row(0)], "pagination": told})})
    found = await connect(ACCOUNT, vendor.client).sales(DAY, 1, None)
    assert [sale.vendor_id for sale in found.items] == ["sale-0"]


async def test_a_vendor_that_pays_no_heed_to_page_numbers_is_not_asked_for_ever() -> None:
    rows = [sale_row(number, createdAt=CREATED) for number in range(100)]
    vendor = Answering({SALES: success(rows)})
    found = await connect(ACCOUNT, vendor.client).sales(DAY, 5, None)
    assert len(found.items) == 100
    assert len(vendor.asked) == 2


@pytest.mark.parametrize("success_member", [{}, {"items": None}, {"pagination": {"totalItems": 0}}, [], {"items": []}])
async def test_an_empty_list_may_be_left_out(success_member: Any) -> None:
    vendor = Answering({SALES: success(success_member)})
    found = await connect(ACCOUNT, vendor.client).sales(DAY, 5, None)
    assert (list(found.items), found.since) == ([], DAY.since)


@pytest.mark.parametrize("success_member", [None, "none", {"rows": []}, {"items": {}}, {"items": None, "rows": []}])
async def test_what_is_no_list_is_no_empty_list(success_member: Any) -> None:
    vendor = Answering({CONTROLLERS: success(success_member)})
    error = await failure(connect(ACCOUNT, vendor.client).machines())
    assert isinstance(error, VendorProtocolError)


async def test_rows_that_come_while_pages_are_read_cost_no_other_its_place() -> None:
    """The last page is answered first; then a row comes in front of all, so that one moves to the last page."""
    vendor = Told([sale_row(number, createdAt=CREATED - number) for number in range(2500)])
    last_is_told = asyncio.Event()

    async def answer(asked: Asked) -> Any:
        number = asked.body["pagination"]["currentPage"]
        if number == 2 and not last_is_told.is_set():
            await last_is_told.wait()
            vendor.sales.insert(0, sale_row(9999, createdAt=CREATED))
        told = vendor.page(asked, vendor.sales)
        if number == 3:
            last_is_told.set()
        return told

    vendor.answers[SALES] = answer
    found = await vendor.connector.sales(DAY, 2500, None)
    assert {f"sale-{number}" for number in range(2500)} <= {sale.vendor_id for sale in found.items}
    assert len(found.items) == len({sale.ref for sale in found.items})


async def test_rows_that_come_while_pages_are_read_in_turn_come_once() -> None:
    vendor = Told([sale_row(number, createdAt=CREATED) for number in range(2100)], pagination=("totalPages",))

    def answer(asked: Asked) -> Any:
        if asked.body["pagination"]["currentPage"] > 1:
            vendor.sales.insert(0, sale_row(9000 + len(vendor.sales), createdAt=CREATED))
        return vendor.page(asked, vendor.sales)

    vendor.answers[SALES] = answer
    found = await vendor.connector.sales(Span(at(CREATED), at(CREATED + 1)), 5, None)
    natives = [sale.vendor_id for sale in found.items]
    assert {f"sale-{number}" for number in range(2100)} <= set(natives)
    assert len(natives) == len(set(natives))


async def test_a_list_has_no_order_and_its_newest_are_found_all_the_same() -> None:
    rows = [sale_row(number) for number in (7, 3, 9, 0, 4, 8, 1, 6, 2, 5)]
    found = await Told(rows).connector.sales(Span(at(CREATED - 250), at(CREATED + 1)), 100, None)
    assert {sale.vendor_id for sale in found.items} == {f"sale-{number}" for number in range(5)}


async def test_what_lies_at_the_end_of_a_range_belongs_to_the_next_span() -> None:
    """The vendor's range holds both its ends; a span does not hold its end."""
    vendor = Told([sale_row(0), sale_row(1), sale_row(2)])
    found = await vendor.connector.sales(Span(at(CREATED - 120), at(CREATED)), 100, None)
    assert {sale.vendor_id for sale in found.items} == {"sale-1", "sale-2"}


@pytest.mark.parametrize("created", [CREATED + 0.5, f"{CREATED}.5", CREATED * 1000 + 500, f"{CREATED * 1000 + 500}"])
async def test_times_are_seconds_or_milliseconds_as_number_or_text(created: Any) -> None:
    vendor = Told([sale_row(0, createdAt=created)], [event_row(0, createdAt=created)])
    recorded = at(CREATED) + timedelta(milliseconds=500)
    span = Span(recorded, recorded + timedelta(milliseconds=1))
    sale, event = (
        (await vendor.connector.sales(span, 5, None)).items[0],
        (await vendor.connector.events(span, 5, None)).items[0],
    )
    assert (sale.recorded_at, event.recorded_at) == (recorded, recorded)
    assert (sale.ref.native, event.ref.native) == (f"sale-0@{CREATED}", f"event-0@{CREATED}")
    assert await vendor.connector.sale(sale.ref.native) == sale
    assert await vendor.connector.event(event.ref.native) == event
    assert list((await vendor.connector.sales(Span(recorded - timedelta(days=1), recorded), 5, None)).items) == []


@pytest.mark.parametrize(
    "native", ["", "@", "sale-0", "sale-0@", "sale-0@soon", "sale-0@" + "9" * 40, "x@-1e30", "x@nan"]
)
async def test_an_id_that_was_never_given_out_stands_for_nothing(native: str) -> None:
    vendor = Told([sale_row(0)])
    assert await vendor.connector.sale(native) is None
    assert await vendor.connector.event(native) is None
    assert vendor.asked == []


async def test_an_id_stands_for_its_own_record_only() -> None:
    vendor = Told([sale_row(0)])
    assert await vendor.connector.sale(f"sale-0@{CREATED}") is not None
    assert await vendor.connector.sale(f"sale-0@{CREATED}.0") is None
    assert await vendor.connector.sale(f"sale-1@{CREATED}") is None
    assert await vendor.connector.sale(f"sale-0@{CREATED - 5}") is None


# ---- one record that cannot be read


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "sale",
        {},
        sale_row(1, saleId=None),
        sale_row(1, createdAt=None),
        sale_row(1, createdAt="yesterday"),
        sale_row(1, totalPrice="a lot"),
        sale_row(1, products=[None]),
        sale_row(1, products={"name": "Espresso"}),
        sale_row(1, paymentTypes="cash", bill="0"),
    ],
)
async def test_a_sale_that_cannot_be_read_costs_the_others_nothing(broken: Any) -> None:
    if isinstance(broken, dict) and broken.get("createdAt") == "yesterday":
        vendor = Told()
        vendor.answers[SALES] = success({"items": [sale_row(0), broken, sale_row(2)]})
    else:
        vendor = Told([sale_row(0), broken, sale_row(2)])
    with capture_logs() as logs:
        found = await vendor.connector.sales(DAY, 5, None)
    assert {sale.vendor_id for sale in found.items} == {"sale-0", "sale-2"}
    assert not found.complete
    assert {(line["event"], line["kind"], line["account"]) for line in logs} == {("unreadable", "sale", ACCOUNT.key)}


async def test_an_event_that_cannot_be_read_costs_the_others_nothing() -> None:
    found = await Told(events=[event_row(0), event_row(1, createdAt=None)]).connector.events(DAY, 5, None)
    assert [event.vendor_id for event in found.items] == ["event-0"]
    assert not found.complete


@pytest.mark.parametrize("broken", [None, {}, {"id": None}, {"id": ""}])
async def test_a_machine_without_an_id_costs_the_others_nothing(broken: Any) -> None:
    vendor = Answering({CONTROLLERS: success([broken, fixture("smartvend/controller")])})
    listing = await connect(ACCOUNT, vendor.client).machines()
    assert [machine.name for machine in listing.items] == ["Lobby coffee"]
    assert not listing.complete


async def test_a_product_that_cannot_be_read_costs_the_others_nothing() -> None:
    vendor = Answering({PRODUCTS: success({"items": [{"id": "1", "price": "free"}, fixture("smartvend/product")]})})
    listing = await connect(ACCOUNT, vendor.client).products()
    assert [product.name for product in listing.items] == ["Espresso"]
    assert not listing.complete


async def test_a_list_of_which_nothing_can_be_read_is_an_error_and_no_empty_fleet() -> None:
    vendor = Answering({CONTROLLERS: success([{"controllerId": "1"}, {"controllerId": "2"}])})
    error = await failure(connect(ACCOUNT, vendor.client).machines())
    assert isinstance(error, VendorProtocolError)
    assert error.message.startswith("controller ? cannot be read")


@pytest.mark.parametrize(
    "matrix",
    [
        None,
        [],
        {"products": []},
        {"columnsNumber": 3, "products": {}},
        {"columnsNumber": 3, "products": [{"columnNumber": None, "rowNumber": 0}]},
        {"columnsNumber": 3, "products": [{"columnNumber": 0, "rowNumber": 0, "price": "free"}]},
    ],
)
async def test_a_matrix_that_cannot_be_read_is_its_machines_error_alone(matrix: Any) -> None:
    good = fixture("smartvend/matrix")
    vendor = Answering({MATRIX: lambda asked: success(good if asked.body["controllerId"] == "good" else matrix)})
    found = await connect(ACCOUNT, vendor.client).slots(["good", "bad"])
    assert isinstance(found["bad"], VendorProtocolError)
    assert len(read({"good": found["good"]})["good"]) == 2


# ---- what may be null, absent, or of another type


def parsed_sale(**changed: Any) -> Sale:
    return parse.sale(ACCOUNT, sale_row(0, **changed))


def parsed_machine(**changed: Any) -> Machine:
    row = {**fixture("smartvend/controller"), **changed}
    return parse.machines(ACCOUNT, [row], START).items[0]


def test_a_sale_as_it_is_documented() -> None:
    sale = parsed_sale()
    assert sale.total == Money(Decimal("4.50"), "EUR")
    assert sale.payments == (Payment(method=PaymentMethod.BILL, amount=Money(Decimal("5.00"), "EUR")),)
    assert [(line.product_name, line.position, line.quantity) for line in sale.lines] == [
        ("Espresso", "1", 2),
        ("Кофе №1", None, 1),
    ]
    assert [line.total for line in sale.lines] == [euros(300), None]
    assert sale.lines[1].product_ref is None


def test_a_sale_that_was_late_tells_both_times() -> None:
    sale = parsed_sale()
    assert (sale.recorded_at, sale.occurred_at) == (at(CREATED), at(CREATED - 3600))


@pytest.mark.parametrize("clock", [None, 0, "0", ""])
def test_a_machine_without_a_clock_leaves_the_servers_time(clock: Any) -> None:
    assert parsed_sale(controllerCreatedAt=clock).occurred_at == at(CREATED)


def test_only_an_id_and_a_time_are_needed_of_a_sale() -> None:
    sale = parse.sale(ACCOUNT, {"saleId": 7, "createdAt": CREATED})
    assert (sale.vendor_id, sale.machine_ref, sale.total) == ("7", None, None)
    assert (sale.payments, sale.lines) == ((), ())
    nulls = parse.sale(ACCOUNT, dict.fromkeys(fixture("smartvend/sale")) | {"saleId": 7, "createdAt": CREATED})
    assert sold(nulls) == sold(sale)


async def test_a_sale_without_a_controller_is_found_again() -> None:
    vendor = Told([sale_row(0, controllerId=None)])
    sale = (await vendor.connector.sales(DAY, 1, None)).items[0]
    assert sale.machine_ref is None
    assert await vendor.connector.sale(sale.ref.native) == sale


@pytest.mark.parametrize("price", ["150", 150, 150.0, "150.00"])
def test_cents_are_exact_as_number_or_text(price: Any) -> None:
    sale = parsed_sale(
        totalPrice=price, products=[{"name": "Espresso", "quantity": 3.0, "price": price, "position": 5.0}]
    )
    assert sale.total == Money(Decimal("1.50"), "EUR")
    assert sale.lines[0].total == Money(Decimal("4.50"), "EUR")
    assert (sale.lines[0].quantity, sale.lines[0].position) == (3, "5")


def test_an_amount_of_no_known_currency_is_no_money() -> None:
    sale = parse.sale(account(currency=None), sale_row(0))
    assert (sale.total, sale.lines[0].unit_price) == (None, None)
    assert [payment.amount for payment in sale.payments] == [None]


@pytest.mark.parametrize(
    ("words", "methods"),
    [
        (["cash", "electronic"], [PaymentMethod.CASH, PaymentMethod.CARD]),
        (["coin", "credit"], [PaymentMethod.COIN, PaymentMethod.CARD]),
        (["remote-deposit", "remote-payment"], [PaymentMethod.REMOTE_DEPOSIT, PaymentMethod.REMOTE_PAYMENT]),
        (["barter"], [PaymentMethod.UNKNOWN]),
        ([], []),
        (None, []),
    ],
)
def test_without_amounts_the_words_tell_how_it_was_paid(words: Any, methods: list[PaymentMethod]) -> None:
    sale = parsed_sale(bill="0", paymentTypes=words)
    assert [(payment.method, payment.amount) for payment in sale.payments] == [(method, None) for method in methods]


def test_amounts_tell_how_it_was_paid_and_how_much() -> None:
    amounts: dict[str, str | int] = {
        "bill": "100",
        "coin": 50,
        "digital": "1",
        "remotePayment": "20",
        "remoteDeposit": "3",
    }
    sale = parsed_sale(**amounts, paymentTypes=["barter"])
    assert {payment.method: payment.amount for payment in sale.payments} == {
        MEMBERS[name]: euros(amount) for name, amount in amounts.items()
    }


def test_the_quantity_of_a_single_line_is_the_sales() -> None:
    line = {"name": "Espresso", "quantity": None, "price": "150"}
    assert parsed_sale(products=[line], quantity=3).lines[0].quantity == 3
    with pytest.raises(VendorProtocolError):
        parsed_sale(products=[line, line], quantity=3)


def test_a_line_without_a_name_is_named_after_its_product() -> None:
    sale = parsed_sale(products=[{"productId": 12, "name": None, "quantity": 1}])
    assert (sale.lines[0].product_name, sale.lines[0].product_ref) == ("12", ACCOUNT.to(Kind.PRODUCT, "12"))


@pytest.mark.parametrize("timezone", [None, 3, {"offset": 3}, ["Europe/Lisbon"], ""])
def test_a_time_zone_may_be_anything_and_only_a_name_is_one(timezone: Any) -> None:
    assert parsed_sale(controllerTimezone=timezone).vendor_id == "sale-0"
    place = parsed_machine(timezone=timezone).location
    assert place is not None
    assert (place.city, place.timezone) == ("Lisbon", None)


def test_a_controller_of_which_only_the_id_is_told() -> None:
    machine = parse.machines(ACCOUNT, [{"id": 12}], START).items[0]
    assert (machine.ref, machine.vendor_id, machine.name) == (ACCOUNT.to(Kind.MACHINE, "12"), "12", "12")
    assert (machine.kind, machine.connectivity) == (MachineKind.OTHER, Connectivity.UNKNOWN)
    assert (machine.serial_number, machine.location) == (None, None)
    reasons = {one.field: one.reason for one in machine.unavailable}
    never = {field for field, reason in reasons.items() if reason is UnavailableReason.NEVER_REPORTED}
    assert never == {"serialNumber", "location", "connectivity"}


def test_a_controller_without_a_name_goes_by_its_serial_number() -> None:
    assert parsed_machine(humanName=None, serialNumber=1042).name == "1042"


@pytest.mark.parametrize("word", ["asleep", None, 7, [], {}])
def test_words_that_nobody_knows_are_unknown(word: Any) -> None:
    machine = parsed_machine(connectionStatus=word, type=word)
    event = parse.event(ACCOUNT, event_row(0, level=word, status=word, source=word), {})
    assert (machine.connectivity, machine.kind) == (Connectivity.UNKNOWN, MachineKind.OTHER)
    assert (event.severity, event.state) == (Severity.WARNING, EventState.UNKNOWN)


def test_a_product_of_which_only_the_id_is_told() -> None:
    product = parse.products(ACCOUNT, [{"id": 5, "price": None}]).items[0]
    assert (product.vendor_id, product.name, product.price, product.archived) == ("5", "5", None, False)


def test_a_matrix_of_texts_and_nulls() -> None:
    cells = [
        {"columnNumber": "1", "rowNumber": "2", "productId": 9, "price": "95"},
        {"columnNumber": 0, "rowNumber": 0},
    ]
    slots = parse.slots(ACCOUNT, "m", {"columnsNumber": "4", "products": cells}, START)
    assert [cell(slot) for slot in slots] == [("10", 2, 1, "9", euros(95)), ("1", 0, 0, None, None)]
    assert slots[0].ref == Ref(Kind.SLOT, ACCOUNT.key, "m/10")
    assert parse.slots(ACCOUNT, "m", {"columnsNumber": 4, "products": None}, START) == []


def test_an_event_without_words_goes_by_its_code_or_tag() -> None:
    texts = parse.dictionary(fixture("smartvend/dictionary"))
    assert parse.event(ACCOUNT, event_row(0), texts).message == "The milk is empty"
    assert parse.event(ACCOUNT, event_row(0, localizeKey=None), texts).message == "milk-empty"
    tagged = parse.event(ACCOUNT, {"id": 1, "createdAt": CREATED, "tag": "T1"}, texts)
    assert (tagged.code, tagged.message, tagged.machine_ref, tagged.source) == ("T1", "T1", None, None)


def test_a_dictionary_is_read_past_what_it_does_not_say() -> None:
    rows = [None, {"localizeKey": "a"}, {"text": "A"}, {"localizeKey": "b", "text": "B"}, "c"]
    assert parse.dictionary(rows) == {"b": "B"}


# ---- events without an id, as the documents show one


async def test_events_without_an_id_are_told_apart_and_found_again() -> None:
    rows = [event_row(0, id=None, code=code, createdAt=CREATED) for code in ("one", "two", "three")]
    vendor = Told(events=rows)
    found = (await vendor.connector.events(DAY, 9, None)).items
    assert {event.code for event in found} == {"one", "two", "three"}
    assert len({event.ref for event in found}) == len({event.vendor_id for event in found}) == 3
    assert [await vendor.connector.event(event.ref.native) for event in found] == list(found)


def test_an_event_without_an_id_stays_the_same_when_it_is_seen_to() -> None:
    before = parse.event(ACCOUNT, event_row(0, id=None), {})
    after = parse.event(ACCOUNT, event_row(0, id=None, status="irrelevant", createdAt=f"{CREATED}000"), {})
    other = parse.event(ACCOUNT, event_row(0, id=None, controllerId="other"), {})
    assert (before.ref, before.state, after.state) == (after.ref, EventState.ACTIVE, EventState.RESOLVED)
    assert before.ref != other.ref


# ---- refusals


async def test_http_200_is_no_success_yet() -> None:
    vendor = Answering({MATRIX: fixture("smartvend/refused"), CONTROLLERS: fixture("smartvend/refused")})
    connector = connect(ACCOUNT, vendor.client)
    error = (await connector.slots(["gone"]))["gone"]
    assert isinstance(error, VendorRejected)
    assert error.message == "smartvend refused get-controller-matrix: NOT_FOUND: there is no such controller"
    assert isinstance(await failure(connector.machines()), VendorRejected)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"$case": "error", "error": {"message": "no such page", "code": 7}}, "7: no such page"),
        ({"$case": "error", "error": {"message": "no such page"}}, "no such page"),
        ({"$case": "error", "error": "no such page"}, "no such page"),
        ({"$case": "error", "error": {}}, "without a reason"),
        ({"$case": "error", "error": None}, "without a reason"),
        ({"$case": "error"}, "without a reason"),
        ({"$case": "failure", "success": {"items": []}}, "without a reason"),
    ],
)
async def test_any_other_case_is_a_refusal(result: Any, words: str) -> None:
    vendor = Answering({CONTROLLERS: {"id": "1", "result": result}})
    error = await failure(connect(ACCOUNT, vendor.client).machines())
    assert isinstance(error, VendorRejected)
    assert error.message == f"smartvend refused get-list-of-controllers: {words}"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        "ok",
        {"result": None},
        {"result": {}},
        {"result": {"success": []}},
        {"result": {"$case": None, "success": {"items": []}}},
        {"result": {"$case": ["error"]}},
        {"result": {"$case": ""}},
    ],
)
async def test_an_answer_without_a_result_is_none(answer: Any) -> None:
    vendor = Answering({CONTROLLERS: JSONResponse(answer)})
    assert isinstance(await failure(connect(ACCOUNT, vendor.client).machines()), VendorProtocolError)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, VendorRejected, "VENDOR_REJECTED"),
        (401, VendorUnauthorized, "VENDOR_UNAUTHORIZED"),
        (500, VendorUnavailable, "VENDOR_UNAVAILABLE"),
    ],
)
@pytest.mark.parametrize(
    "body", [{"message": "the body is wrong"}, {"result": {"$case": "e", "e": {"message": "the body is wrong"}}}]
)
async def test_an_error_is_told_in_the_vendors_words(
    status: int, kind: type[VendorError], code: str, body: Any
) -> None:
    vendor = Answering({CONTROLLERS: lambda _: JSONResponse(body, status)})
    error = await failure(connect(ACCOUNT, vendor.client).machines())
    assert type(error) is kind
    assert error.code.value == code
    assert error.message == f"smartvend answered get-list-of-controllers with {status}: the body is wrong"


async def test_a_list_may_be_the_array_itself() -> None:
    rows = [fixture("smartvend/controller")]
    bare = await connect(ACCOUNT, Answering({CONTROLLERS: success(rows)}).client).machines()
    wrapped = await connect(ACCOUNT, Answering({CONTROLLERS: success({"items": rows})}).client).machines()
    assert [shown(machine) for machine in bare.items] == [shown(machine) for machine in wrapped.items]
    assert len(bare.items) == 1


async def test_the_key_is_public_by_name_and_secret_all_the_same() -> None:
    vendor = Answering({CONTROLLERS: Response("nothing here", 500, media_type="text/plain"), PRODUCTS: success(None)})
    connector = connect(ACCOUNT, vendor.client)
    with capture_logs() as logs:
        errors = [await failure(connector.machines()), await failure(connector.products())]
    assert vendor.asked[0].headers["x-organization-key"] == CANARY
    assert CANARY not in repr((logs, errors, [vars(error) for error in errors], connector.account))


# ---- the dictionary


async def test_events_come_without_their_texts_where_the_dictionary_fails_and_it_is_left_alone_for_a_while() -> None:
    vendor = Told(events=[event_row(0)])
    vendor.answers[TEXTS] = JSONResponse({"message": "no"}, 400)
    for _ in range(3):
        found = await vendor.connector.events(DAY, 1, None)
        assert [event.message for event in found.items] == ["event.milk-empty"]
    assert len(vendor.of(TEXTS)) == 1


async def test_the_dictionary_is_read_once_and_beside_the_list() -> None:
    vendor = Told(events=[event_row(0)])
    list_is_asked = asyncio.Event()

    async def texts(_: Asked) -> Any:
        await list_is_asked.wait()
        return success({"items": fixture("smartvend/dictionary")})

    def events(asked: Asked) -> Any:
        list_is_asked.set()
        return vendor.page(asked, vendor.events)

    vendor.answers |= {TEXTS: texts, EVENTS: events}
    found = await asyncio.gather(*(vendor.connector.events(DAY, 1, None) for _ in range(5)))
    assert {event.message for part in found for event in part.items} == {"The milk is empty"}
    assert [asked.body for asked in vendor.of(TEXTS)] == [{"language": "en"}]


async def test_texts_are_not_waited_for_long_and_are_there_when_they_have_come() -> None:
    come = asyncio.Event()

    async def read_texts() -> dict[str, str]:
        await come.wait()
        return {"a": "A"}

    texts = Texts(read_texts, patience=0)
    assert await texts.get() == {}
    come.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await texts.get() == {"a": "A"}
    await texts.aclose()


async def test_texts_are_read_again_after_a_day_and_meanwhile_the_old_ones_serve() -> None:
    clock, told = Clock(), [{"a": "A"}]

    async def read_texts() -> dict[str, str]:
        return told[-1]

    texts = Texts(read_texts, clock=clock)
    assert await texts.get() == {"a": "A"}
    told.append({"a": "B"})
    clock.seconds += 86_399
    assert await texts.get() == {"a": "A"}
    clock.seconds += 1
    assert await texts.get() == {"a": "A"}
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await texts.get() == {"a": "B"}


async def test_closing_ends_what_is_still_asked_for() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def read_texts() -> dict[str, str]:
        asked.set()
        await never.wait()
        return {}

    texts = Texts(read_texts, patience=0)
    await texts.get()
    await asked.wait()
    await texts.aclose()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
