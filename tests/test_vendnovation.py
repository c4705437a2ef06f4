"""VendNovation's connector: over the sandbox against the truth, and over written answers for what that never does."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

import pytest
from starlette.responses import JSONResponse

from connectors.base import Secret
from connectors.budget import Traffic
from connectors.guard import Guard, Limits
from connectors.vendnovation import VendNovation, connect, parse, records
from connectors.vendnovation.client import RATES, TOKEN_LIFE
from connectors.vendnovation.timezones import iana
from domain.capabilities import UnavailableReason
from domain.errors import (
    VendorError,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorUnauthorized,
)
from domain.model import AccountStatus, Connectivity, EventState, MachineKind, Severity, Trust
from domain.money import Money
from domain.paging import Listing, Slice
from domain.refs import Kind
from domain.sales import DispenseOutcome, PaymentMethod, Sale, SaleStatus
from domain.times import Span
from sandbox.app import create_app
from sandbox.vendnovation import CREDENTIALS
from sandbox.vendnovation import VendNovation as Emulated
from sandbox.world import World
from tests.connected import Answer, Answering, Asked, account_of, fixture, over
from tests.scripted import Clock

START = datetime.now(UTC).replace(microsecond=0)
EVERYTHING = Span(START - timedelta(days=120), START + timedelta(seconds=2))
ALL = 10**6
ROOT = "/vendnovation/prod"
ACCOUNT = account_of(Emulated(World(scale=0.01, days=1)))
Row = dict[str, Any]


@pytest.fixture(scope="module")
def vendor() -> Emulated:
    return Emulated(World(scale=0.2, days=75, start=START, now=lambda: START), burst=100_000, per_day=100_000)


@pytest.fixture
def app(vendor: Emulated) -> Any:
    return create_app(vendors=[vendor])


@pytest.fixture
def connector(vendor: Emulated, app: Any) -> VendNovation:
    return connect(account_of(vendor), over(app))


def asked_of(app: Any) -> list[str]:
    return [f"{one.method} {one.path.removeprefix(ROOT)}" for one in app.state.controls.requests]


def answering(vendor: Emulated, answers: Mapping[str, Answer]) -> tuple[VendNovation, Answering]:
    """A connector that is let in, and what it talks to."""
    known: dict[str, Answer] = {"/authenticate/": fixture("vendnovation/authenticate"), "/machines": []}
    other = Answering({ROOT + path: answer for path, answer in {**known, **answers}.items()})
    return connect(account_of(vendor), other.client), other


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def usd(amount: object) -> Money:
    return Money(Decimal(str(amount)), "USD")


def transaction(**changed: Any) -> Row:
    return {**fixture("vendnovation/transaction"), **changed}


def alert(**changed: Any) -> Row:
    return {**fixture("vendnovation/alert"), **changed}


def stamp(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()


def listed(rows: Sequence[Row], *, at: str | None = None, machines: bool = True, largest: int = 100) -> Answer:
    """A route that gives `rows` page by page; `at` is the time by which it honours dates, where it does."""

    def answer(asked: Asked) -> list[Row]:
        sent = asked.body["requestFilter"]
        size, page = min(int(asked.headers["size"]), largest), int(asked.headers["page"])
        found = [
            row
            for row in rows
            if (at is None or utc(sent["startDate"]) <= utc(row[at]) < utc(sent["endDate"]))
            and (not machines or str(row["machineId"]) in sent.get("machineIdentifiers", [str(row["machineId"])]))
        ]
        return found[(page - 1) * size : page * size]

    return answer


def sale_of(row: Row) -> Sale:
    return records.sale(ACCOUNT, row)


# ---- Against the truth ------------------------------------------------------------------------------------------


async def test_machines_are_as_the_vendor_has_them(connector: VendNovation, vendor: Emulated) -> None:
    found = {machine.vendor_id: machine for machine in (await connector.machines()).items}
    truth = {str(row["id"]): row for row in vendor.truth()["machines"]}
    assert found.keys() == truth.keys()
    kinds = set()
    for native, row in truth.items():
        machine, seen = found[native], utc(row["lastHeartBeat"]["server"])
        never, online = seen.year == 1, machine.observed_at - seen <= timedelta(minutes=60)
        kinds.add((never, online))
        assert (machine.name, machine.serial_number, machine.model, machine.kind) == (
            row["name"],
            row["prose"],
            row["modelNumber"],
            MachineKind.OTHER,
        )
        assert machine.last_seen_at == (None if never else seen)
        assert machine.connectivity is (
            Connectivity.UNKNOWN if never else Connectivity.ONLINE if online else Connectivity.OFFLINE
        )
        assert machine.organization_ref == connector.account.to(Kind.ORGANIZATION, row["organizationId"])
        assert machine.place_ref == connector.account.to(Kind.PLACE, row["siteId"])
    assert len(kinds) >= 2, "the fleet has machines of only one kind"


async def test_organizations_and_sites_are_as_the_vendor_has_them(connector: VendNovation, vendor: Emulated) -> None:
    organizations = (await connector.organizations()).items
    assert {(one.ref.native, one.name, one.parent_ref) for one in organizations} == {
        (str(row["id"]), row["name"], None) for row in vendor.truth()["organizations"]
    }
    places = {place.ref.native: place for place in (await connector.places()).items}
    truth = vendor.truth()["sites"]
    assert places.keys() == {str(row["id"]) for row in truth}
    for row in truth:
        group, location = places[str(row["id"])].group, places[str(row["id"])].location
        assert group is not None
        assert location is not None
        assert (group.name, location.name, location.address) == (row["name"], row["name"], row["address"])
        assert location.timezone in available_timezones()


async def test_products_are_as_the_vendor_has_them(connector: VendNovation, vendor: Emulated) -> None:
    found = (await connector.products()).items
    assert {
        (it.vendor_id, it.name, it.gtin, it.description, it.manufacturer, it.category, it.price, it.cost, it.archived)
        for it in found
    } == {
        (
            str(row["id"]),
            row["name"],
            row["upc"],
            row["description"],
            row["manufacturer"],
            row["category"],
            usd(row["price"]),
            usd(row["cost"]),
            not row["isActive"],
        )
        for row in vendor.truth()["products"]
    }


async def test_slots_are_as_the_vendor_has_them(connector: VendNovation, vendor: Emulated) -> None:
    truth = vendor.truth()
    machines = [str(row["id"]) for row in truth["machines"]]
    found = await connector.slots(machines)
    assert list(found) == machines
    slots = [slot for of_machine in found.values() if not isinstance(of_machine, VendorError) for slot in of_machine]
    assert {
        (
            it.machine_ref.native,
            it.position,
            it.product_ref and it.product_ref.native,
            it.price,
            it.quantity,
            it.capacity,
        )
        for it in slots
    } == {
        (
            str(row["machineId"]),
            row["selectionNumber"],
            None if row["productId"] in {None, -1} else str(row["productId"]),
            usd(row["price"]),
            row["count"],
            row["depth"],
        )
        for row in truth["slots"]
    }
    assert len(slots) == len(truth["slots"])


def paid(payment: Row) -> tuple[PaymentMethod, SaleStatus]:
    word = payment["type"].strip()
    methods = {"Credit": "CARD", "Cash": "CASH", "Account": "ACCOUNT", "A": "ACCOUNT"}
    status = (payment["creditInformation"] or {}).get("paymentStatus")
    states = {"charged": "COMPLETED", "authorized": "PENDING", "void": "REFUNDED", "error": "FAILED", None: "COMPLETED"}
    return PaymentMethod(methods.get(word, "UNKNOWN")), SaleStatus(states.get(status, "UNKNOWN"))


async def test_sales_of_many_months_are_as_the_vendor_has_them(connector: VendNovation, vendor: Emulated) -> None:
    found = await connector.sales(EVERYTHING, ALL, None)
    truth = vendor.truth()["sales"]
    assert found.since == EVERYTHING.since
    assert sorted(sale.vendor_id for sale in found.items) == sorted(row["id"] for row in truth)
    sales = {sale.vendor_id: sale for sale in found.items}
    for row in truth:
        sale, lines = sales[row["id"]], row["lineItems"]
        method, status = paid(row["paymentInformation"])
        vended = [line["vendWasSuccessful"] for line in lines]
        if not all(vended) and status not in {SaleStatus.REFUNDED, SaleStatus.FAILED}:
            status = SaleStatus.PARTIAL if any(vended) else SaleStatus.FAILED
        assert (sale.status, sale.payments[0].method) == (status, method)
        assert (sale.total, sale.tax) == (usd(row["totalPrice"]), usd(row["totalTax"]))
        assert sale.recorded_at == utc(row["recordedAtUtc"])
        assert sale.occurred_at == utc(lines[0]["occurredAtUtc"])
        assert sale.machine_ref == connector.account.to(Kind.MACHINE, row["machineId"])
        assert [
            (it.product_name, it.position, it.quantity, it.unit_price, it.total, it.tax, it.tax_rate, it.dispensed)
            for it in sale.lines
        ] == [
            (
                line["productName"],
                line["selection"],
                line["quantity"],
                usd(line["unitPrice"]),
                usd(line["totalPrice"]),
                usd(line["taxCharged"]),
                Decimal(line["taxRate"]),
                DispenseOutcome.DISPENSED if line["vendWasSuccessful"] else DispenseOutcome.FAILED,
            )
            for line in lines
        ]
        assert [it.product_ref and it.product_ref.native for it in sale.lines] == [
            None if line["productId"] == -1 else str(line["productId"]) for line in lines
        ]
        holder = row["paymentInformation"]["accountInformation"]
        assert (sale.person and sale.person.name) == (holder and holder["nameOnAccount"])


async def test_alerts_are_as_the_vendor_has_them(connector: VendNovation, vendor: Emulated) -> None:
    found = await connector.events(EVERYTHING, ALL, None)
    assert found.since == EVERYTHING.since
    assert sorted(
        (it.vendor_id, it.code, it.message, it.state, it.recorded_at, it.machine_ref and it.machine_ref.native)
        for it in found.items
    ) == sorted(
        (
            str(row["id"]),
            row["code"],
            row["message"],
            EventState.RESOLVED if row["isCleared"] else EventState.ACTIVE,
            utc(row["raisedAt"]),
            str(row["machineId"]),
        )
        for row in vendor.truth()["events"]
    )
    assert {event.severity for event in found.items} == {Severity.WARNING}


async def test_every_sale_and_event_is_found_again_by_its_id(connector: VendNovation) -> None:
    sales = (await connector.sales(EVERYTHING, 10, None)).items[:10]
    for sale in sales:
        assert await connector.sale(sale.ref.native) == sale
    events = (await connector.events(EVERYTHING, 5, None)).items[:5]
    for event in events:
        assert await connector.event(event.ref.native) == event


async def test_an_id_that_no_one_gave_finds_nothing_and_asks_no_one(connector: VendNovation, app: Any) -> None:
    for native in (
        "",
        "B1",
        "B1@",
        "B1@-5",
        "B1@1e9",
        "B1@" + "9" * 15,
        "B1@" + "9" * 5000,
        "B1@٣",
        "@",
        "@1637103095193",
    ):
        assert await connector.sale(native) is None
        assert await connector.event(native) is None
    assert asked_of(app) == []


async def test_the_time_of_a_foreign_sale_does_not_find_it(connector: VendNovation) -> None:
    one, other = (await connector.sales(EVERYTHING, 2, None)).items[:2]
    recorded = one.ref.native.rpartition("@")[2]
    assert await connector.sale(f"B99999@{recorded}") is None
    assert await connector.event(f"{'9' * 40}@{recorded}") is None
    assert other.ref != one.ref


async def test_the_sales_of_some_machines_are_asked_for_by_their_ids(vendor: Emulated, connector: VendNovation) -> None:
    rows = vendor.truth()["sales"]
    machines = frozenset({str(row["machineId"]) for row in rows[:2]})
    found = await connector.sales(EVERYTHING, ALL, machines)
    assert sorted(sale.vendor_id for sale in found.items) == sorted(
        row["id"] for row in rows if str(row["machineId"]) in machines
    )


# ---- Login, keys, errors ----------------------------------------------------------------------------------------


async def test_the_key_goes_with_every_request_and_the_token_with_all_but_the_login(vendor: Emulated) -> None:
    connector, other = answering(vendor, {"/products": [], "/sites": []})
    await connector.products()
    await connector.places()
    login, *reads = other.asked
    assert login.body == {"username": CREDENTIALS["username"], "password": CREDENTIALS["password"]}
    assert "access-token" not in login.headers
    assert [one.path for one in reads] == [f"{ROOT}/products", f"{ROOT}/sites"]
    assert {one.headers["x-api-key"] for one in other.asked} == {CREDENTIALS["api_key"]}
    assert {one.headers["access-token"] for one in reads} == {fixture("vendnovation/authenticate")["accessToken"]}


async def test_a_token_lives_three_days_from_its_receipt_whatever_its_text_says(connector: VendNovation) -> None:
    """`issued` and `expires` are American texts that name no zone; in the documented sample they are long past."""
    before = datetime.now(UTC)
    await connector.sign_in()
    token = connector._client.login.current
    assert token is not None
    assert token.expires_at is not None
    assert before + TOKEN_LIFE <= datetime.fromtimestamp(token.expires_at, UTC) <= datetime.now(UTC) + TOKEN_LIFE
    assert timedelta(days=3) == TOKEN_LIFE


async def test_a_wrong_password_is_a_403_and_stays_one_request(vendor: Emulated, app: Any) -> None:
    account = account_of(vendor)
    wrong = replace(account, credentials={**account.credentials, "password": Secret("guess")})
    connector = connect(wrong, over(app))
    for _ in range(3):
        with pytest.raises(VendorUnauthorized) as refused:
            await connector.machines()
        assert not isinstance(refused.value, VendorForbidden), "the login itself was refused, not some data"
    assert asked_of(app) == ["POST /authenticate/"]
    assert connector.guard.status is AccountStatus.UNAUTHORIZED


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"message": "Unauthorized"}),
        (401, {"code": "INVALID_ACCESS_TOKEN", "message": "The access token is expired."}),
        (403, {"code": "INVALID_LOGIN", "message": "Please sign in."}),
        (403, {"message": "Forbidden"}),
    ],
)
async def test_a_token_that_is_refused_is_renewed_once_and_the_request_repeated(
    vendor: Emulated, status: int, body: Row
) -> None:
    def products(asked: Asked) -> Any:
        return [] if asked.headers["access-token"] == "second" else JSONResponse(body, status)

    tokens = iter(("first", "second"))
    connector, other = answering(
        vendor, {"/authenticate/": lambda _: {"accessToken": next(tokens)}, "/products": products}
    )
    assert (await connector.products()).items == []
    assert [one.path.removeprefix(ROOT) for one in other.asked] == ["/authenticate/", "/products"] * 2


async def test_data_of_others_is_forbidden_and_no_reason_to_sign_in_again(vendor: Emulated) -> None:
    refusal = JSONResponse({"code": "UNAUTHORIZED_DATA_ACCESS", "message": "Not among yours."}, 403)
    connector, other = answering(vendor, {"/products": refusal, "/sites": []})
    with pytest.raises(VendorForbidden, match=r"UNAUTHORIZED_DATA_ACCESS Not among yours\."):
        await connector.products()
    assert (await connector.places()).items == []
    assert len(other.of(f"{ROOT}/authenticate/")) == 1
    assert connector.guard.status is AccountStatus.OK


async def test_a_key_that_the_gateway_does_not_know_closes_the_account(vendor: Emulated) -> None:
    forbidden = JSONResponse({"message": "Forbidden"}, 403)
    connector, other = answering(vendor, {"/authenticate/": forbidden})
    for _ in range(3):
        with pytest.raises(VendorUnauthorized):
            await connector.products()
    assert len(other.asked) == 1
    assert connector.guard.status is AccountStatus.UNAUTHORIZED


async def test_reading_is_a_post_and_yet_repeated(vendor: Emulated) -> None:
    """Reads are POSTs with a filter; over HTTP alone that looks unsafe to repeat."""
    answers: Iterator[Any] = iter((JSONResponse({"message": "busy"}, 503), []))
    connector, other = answering(vendor, {"/products": lambda _: next(answers)})
    assert (await connector.products()).items == []
    assert [one.method for one in other.of(f"{ROOT}/products")] == ["POST", "POST"]


async def test_the_plan_allows_a_hundred_at_once_and_five_thousand_a_day() -> None:
    clock = Clock()
    guard = Guard(account="acme", vendor="vendnovation", limits=Limits(reserve=0.0), rates=RATES, clock=clock)

    async def spend() -> int:
        for spent in range(10_000):
            try:
                async with guard.admit(Traffic.QUERY):
                    pass
            except VendorRateLimited:
                return spent
        return 10_000

    guard.timeout = 0.0
    assert await spend() == 100
    clock.seconds += 1
    assert await spend() == 20
    spent = 120
    while (more := await spend()) or spent < 5000:
        spent += more
        clock.seconds += 5
    assert spent == 5000


# ---- Paths and pages --------------------------------------------------------------------------------------------


async def test_paths_are_as_they_are_written_with_and_without_a_slash(connector: VendNovation, app: Any) -> None:
    machines = [machine.vendor_id for machine in (await connector.machines()).items]
    await connector.slots(machines[:1])
    await connector.places()
    await connector.organizations()
    await connector.products()
    recent = Span(START - timedelta(minutes=1), START)
    await connector.sales(recent, 1, None)
    await connector.events(recent, 1, None)
    assert asked_of(app) == [
        "POST /authenticate/",
        "POST /machines",
        "POST /selections",
        "POST /sites",
        "POST /organizations",
        "POST /products",
        "POST /transactions/",
        "POST /alerts/",
    ]


@pytest.mark.parametrize(
    ("count", "largest", "pages"),
    [(0, 100, 1), (99, 100, 1), (100, 100, 2), (150, 100, 2), (250, 100, 3), (49, 50, 1), (50, 50, 2), (130, 50, 3)],
)
async def test_a_list_ends_with_a_page_shorter_than_what_the_route_gives_at_most(
    vendor: Emulated, count: int, largest: int, pages: int
) -> None:
    """Some routes give 50 where 100 are asked for, and do not say so."""
    rows = [{"id": number, "name": f"Site {number}"} for number in range(count)]
    connector, other = answering(vendor, {"/sites": listed(rows, machines=False, largest=largest)})
    assert len((await connector.places()).items) == count
    asked = [(one.headers["page"], one.headers["size"]) for one in other.of(f"{ROOT}/sites")]
    assert asked == [(str(page), "100") for page in range(1, pages + 1)]


async def test_what_moves_to_the_next_page_meanwhile_is_there_once(vendor: Emulated) -> None:
    rows: list[Row] = [{"id": number} for number in range(150)]

    def answer(asked: Asked) -> list[Row]:
        page = int(asked.headers["page"])
        shown = rows if page == 1 else [{"id": "new"}, *rows]
        return shown[(page - 1) * 100 : page * 100]

    connector, _ = answering(vendor, {"/products": answer})
    found = [product.vendor_id for product in (await connector.products()).items]
    assert found == [str(number) for number in range(150)]


async def test_a_route_that_ignores_the_page_does_not_go_on_for_ever(vendor: Emulated) -> None:
    rows = [{"id": number} for number in range(100)]
    connector, other = answering(vendor, {"/products": rows})
    with pytest.raises(VendorProtocolError, match="the same page"):
        await connector.products()
    assert len(other.of(f"{ROOT}/products")) == 2


async def test_the_slots_of_many_machines_come_in_one_list(connector: VendNovation, vendor: Emulated, app: Any) -> None:
    machines = [machine.vendor_id for machine in (await connector.machines()).items]
    app.state.controls.requests.clear()
    await connector.slots(machines)
    least = len(vendor.truth()["slots"]) // 100 + 1
    assert asked_of(app) == ["POST /selections"] * least


# ---- Filters and ranges that are ignored or clamped -------------------------------------------------------------


async def test_no_range_is_wider_than_the_vendor_answers_in_full(vendor: Emulated) -> None:
    """A wider one loses its beginning without a word, and a millisecond is enough."""
    connector, other = answering(vendor, {"/transactions/": [], "/alerts/": []})
    until = START + timedelta(microseconds=123_456)
    span = Span(until - timedelta(days=200, microseconds=77), until)
    assert (await connector.sales(span, 10, None)).since == span.since
    assert (await connector.events(span, 10, None)).since == span.since
    for path in ("/transactions/", "/alerts/"):
        sent = [one.body["requestFilter"] for one in other.of(ROOT + path)]
        ranges = [(utc(one["startDate"]), utc(one["endDate"])) for one in sent]
        assert max(end - begin for begin, end in ranges) <= timedelta(days=31)
        assert max(end - begin for begin, end in ranges) > timedelta(days=30)
        assert ranges[0][1] >= span.until
        assert ranges[-1][0] <= span.since
        assert all(later[0] <= earlier[1] for later, earlier in pairwise(ranges))


async def test_rows_of_other_times_and_other_machines_are_left_out(vendor: Emulated) -> None:
    """A filter that a route does not honour is ignored without an error, and everything comes."""
    inside, outside = START - timedelta(minutes=5), START - timedelta(days=3)
    rows = [
        transaction(id="B1", machineId=1, recordedAtUtc=stamp(inside)),
        transaction(id="B2", machineId="2", recordedAtUtc=stamp(inside)),
        transaction(id="B3", machineId=1, recordedAtUtc=stamp(outside)),
        transaction(id="B4", machineId=None, recordedAtUtc=stamp(inside)),
    ]
    connector, _ = answering(vendor, {"/transactions/": listed(rows, machines=False)})
    span = Span(START - timedelta(hours=1), START)
    assert [sale.vendor_id for sale in (await connector.sales(span, 10, frozenset({"1"}))).items] == ["B1"]
    assert [sale.vendor_id for sale in (await connector.sales(span, 10, None)).items] == ["B1", "B2", "B4"]


async def test_the_slots_of_other_machines_are_left_out(vendor: Emulated) -> None:
    selection = fixture("vendnovation/selection")
    rows = [selection, {**selection, "id": 2, "machineId": 99}]
    connector, _ = answering(vendor, {"/selections": rows})
    found = await connector.slots(["11398", "55"])
    assert {machine: len(list(_slots(slots))) for machine, slots in found.items()} == {"11398": 1, "55": 0}


def _slots(told: object) -> Sequence[Any]:
    assert isinstance(told, Sequence)
    return told


async def test_of_no_machine_at_all_nothing_is_asked(connector: VendNovation, app: Any) -> None:
    """As a filter an empty list filters nothing."""
    assert not (await connector.sales(EVERYTHING, 10, frozenset())).items
    assert not (await connector.events(EVERYTHING, 10, frozenset())).items
    assert asked_of(app) == []


@pytest.mark.parametrize("honoured", [True, False])
async def test_alerts_are_all_there_whether_their_dates_are_honoured_or_not(
    vendor: Emulated, *, honoured: bool
) -> None:
    raised = [START - timedelta(hours=7 * number) for number in range(230)]
    rows = [alert(id=number, machineId=1 + number % 2, raisedAt=stamp(at)) for number, at in enumerate(raised)]
    route = listed(rows, at="raisedAt" if honoured else None)
    connector, other = answering(vendor, {"/alerts/": route})
    span = Span(raised[-1], START + timedelta(seconds=2))
    found = await connector.events(span, ALL, None)
    assert sorted(int(event.vendor_id) for event in found.items) == list(range(230))
    assert found.since == span.since
    if not honoured:
        other.asked.clear()
        assert len((await connector.events(span, 10, None)).items) == 230
        assert [one.headers["page"] for one in other.asked] == ["1", "2", "3"], "all of it was read once"
    some = await connector.events(Span(raised[40], raised[20]), ALL, frozenset({"1"}))
    assert sorted(int(event.vendor_id) for event in some.items) == list(range(22, 41, 2))


async def test_only_as_many_sales_are_read_as_are_wanted(vendor: Emulated) -> None:
    times = [START - timedelta(minutes=number) for number in range(3000)]
    rows = [transaction(id=f"B{number}", recordedAtUtc=stamp(at)) for number, at in enumerate(times)]
    connector, other = answering(vendor, {"/transactions/": listed(rows, at="recordedAtUtc")})
    span = Span(START - timedelta(days=400), START + timedelta(seconds=2))
    found = await connector.sales(span, 50, None)
    assert {f"B{number}" for number in range(50)} <= {sale.vendor_id for sale in found.items}
    assert all(sale.recorded_at >= found.since for sale in found.items)
    assert len(found.items) < 200
    assert len(found.items) == sum(at >= found.since for at in times)
    first = len(other.of(f"{ROOT}/transactions/"))
    await connector.sales(span, 50, None)
    assert len(other.of(f"{ROOT}/transactions/")) - first <= first, "it has learned how many an hour brings"


async def test_a_window_that_was_read_to_its_end_is_used_though_it_held_more_than_wanted(vendor: Emulated) -> None:
    times = [START - timedelta(minutes=number) for number in range(130)]
    rows = [transaction(id=f"B{number}", recordedAtUtc=stamp(at)) for number, at in enumerate(times)]
    connector, other = answering(vendor, {"/transactions/": listed(rows, at="recordedAtUtc")})
    found = await connector.sales(Span(START - timedelta(days=1), START + timedelta(seconds=2)), 10, None)
    assert len(found.items) == 130
    assert [one.headers["page"] for one in other.of(f"{ROOT}/transactions/")] == ["1", "2"]


async def test_a_sale_is_asked_for_by_the_spelling_that_its_route_knows(vendor: Emulated) -> None:
    connector, other = answering(vendor, {"/transactions/": [transaction()], "/alerts/": [alert()]})
    sale = await connector.sale("B1467@1637103095193")
    assert sale is not None
    assert sale.ref.native == "B1467@1637103095193"
    (asked,) = other.of(f"{ROOT}/transactions/")
    assert asked.body["routeFilter"] == {"transactionIdentifiers": ["B1467"]}
    assert utc(asked.body["requestFilter"]["startDate"]) < sale.recorded_at
    assert utc(asked.body["requestFilter"]["endDate"]) > sale.recorded_at
    event = await connector.event("9001@1637103095160")
    assert event is not None
    assert other.of(f"{ROOT}/alerts/")[0].body["routeFilter"] == {"alertIds": [9001]}


async def test_a_single_sale_or_event_is_picked_out_where_the_filter_by_id_is_ignored(vendor: Emulated) -> None:
    answers = {"/transactions/": [transaction(id="B1"), transaction()], "/alerts/": [alert(id=1), alert()]}
    connector, _ = answering(vendor, answers)
    sale, event = await connector.sale("B1467@1637103095193"), await connector.event("9001@1637103095160")
    assert (sale and sale.vendor_id, event and event.vendor_id) == ("B1467", "9001")


# ---- What the words mean ----------------------------------------------------------------------------------------


def test_a_documented_transaction() -> None:
    sale = sale_of(transaction())
    assert (sale.vendor_id, sale.trust) == ("B1467", Trust.POLLED)
    assert sale.machine_ref is not None
    assert sale.machine_ref.native == "11398"
    assert (sale.total, sale.tax, sale.discount) == (usd("2.289"), usd("0.189"), None)
    assert (sale.person and sale.person.vendor_id, sale.person and sale.person.name) == ("40017", "Cardholder 17")
    first, second = sale.lines
    assert (first.product_ref and first.product_ref.native, first.quantity, first.unit_price) == (
        "49998",
        2,
        usd("0.7"),
    )
    assert (first.total, first.tax, first.tax_rate) == (usd("1.4"), usd("0.126"), Decimal(9))
    assert (second.quantity, second.unit_price, second.total) == (1, usd("0.7"), usd("0.7"))
    assert (second.product_ref, second.product_name) == (None, "Unknown")


def test_lines_that_did_not_vend_stand_in_the_sale_with_their_prices() -> None:
    sale = sale_of(transaction())
    assert [line.dispensed for line in sale.lines] == [DispenseOutcome.DISPENSED, DispenseOutcome.FAILED]
    assert sale.status is SaleStatus.PARTIAL
    lines = [{**line, "vendWasSuccessful": False} for line in transaction()["lineItems"]]
    assert sale_of(transaction(lineItems=lines)).status is SaleStatus.FAILED
    untold = [{key: value for key, value in line.items() if key != "vendWasSuccessful"} for line in lines]
    assert {line.dispensed for line in sale_of(transaction(lineItems=untold)).lines} == {DispenseOutcome.UNKNOWN}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("charged", SaleStatus.COMPLETED),
        ("authorized", SaleStatus.PENDING),
        ("void", SaleStatus.REFUNDED),
        ("error", SaleStatus.FAILED),
        ("unknown", SaleStatus.UNKNOWN),
        ("disputed", SaleStatus.UNKNOWN),
        ("Void ", SaleStatus.REFUNDED),
        (None, SaleStatus.COMPLETED),
    ],
)
def test_what_a_card_payment_came_to(word: str | None, status: SaleStatus) -> None:
    credit = fixture("vendnovation/credit")
    credit["creditInformation"]["paymentStatus"] = word
    lines = transaction()["lineItems"][:1]
    assert sale_of(transaction(paymentInformation=credit, lineItems=lines)).status is status


@pytest.mark.parametrize("word", ["void", "error"])
def test_a_payment_that_failed_or_was_taken_back_outweighs_what_vended(word: str) -> None:
    credit = fixture("vendnovation/credit")
    credit["creditInformation"]["paymentStatus"] = word
    assert sale_of(transaction(paymentInformation=credit)).status is records.PAYMENT_STATES[word]


@pytest.mark.parametrize(
    ("word", "method"),
    [
        ("Credit", PaymentMethod.CARD),
        ("Cash", PaymentMethod.CASH),
        ("Account", PaymentMethod.ACCOUNT),
        ("A ", PaymentMethod.ACCOUNT),
        ("cash  ", PaymentMethod.CASH),
        ("Unknown", PaymentMethod.UNKNOWN),
        ("Wallet", PaymentMethod.UNKNOWN),
        (None, PaymentMethod.UNKNOWN),
    ],
)
def test_methods_of_payment_come_as_words_or_as_padded_letters(word: str | None, method: PaymentMethod) -> None:
    payment = {**fixture("vendnovation/transaction")["paymentInformation"], "type": word}
    assert [one.method for one in sale_of(transaction(paymentInformation=payment)).payments] == [method]


def test_a_c_is_credit_where_there_are_details_of_a_card_and_else_cash() -> None:
    card = {**fixture("vendnovation/credit"), "type": "C "}
    empty = {**fixture("vendnovation/transaction")["paymentInformation"], "type": "C "}
    found = [sale_of(transaction(paymentInformation=one)).payments[0].method for one in (card, empty)]
    assert found == [PaymentMethod.CARD, PaymentMethod.CASH]


def test_a_sale_without_details_is_still_a_sale() -> None:
    sale = sale_of({"id": 5, "recordedAtUtc": "2021-11-16T22:51:35"})
    assert (sale.vendor_id, sale.status, sale.payments, sale.lines) == ("5", SaleStatus.COMPLETED, (), ())
    assert (sale.total, sale.tax, sale.machine_ref, sale.person) == (None, None, None, None)
    assert sale.occurred_at == sale.recorded_at


def test_secrets_of_cards_and_machines_are_shown_to_no_one() -> None:
    sale = sale_of(transaction(paymentInformation=fixture("vendnovation/credit")))
    assert sale.payments[0].reference == "3fe1b2a0"
    machine = _machine(fixture("vendnovation/machine"))
    shown = f"{sale}{machine}"
    for secret in ("tok_4f9d1c", "071934", "CI-11398"):
        assert secret not in shown


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize("digits", ["", ".1", ".16", ".193", ".1234", ".12345", ".123456", ".1234567"])
def test_times_have_no_offset_any_number_of_digits_and_are_utc(digits: str) -> None:
    sale = sale_of(transaction(recordedAtUtc=f"2021-11-16T22:51:35{digits}"))
    microseconds = int(digits[1:7].ljust(6, "0")) if digits else 0
    assert sale.recorded_at == datetime(2021, 11, 16, 22, 51, 35, microseconds, tzinfo=UTC)
    assert sale.recorded_at.utcoffset() == timedelta(0)


def test_the_local_time_of_a_vend_is_never_used() -> None:
    """In the documented sample it is on a clock of twelve hours that lost its half of the day."""
    assert sale_of(transaction()).occurred_at == datetime(2021, 11, 16, 22, 51, 31, tzinfo=UTC)
    lines = [{**line, "occurredAtUtc": "0001-01-01T00:00:00"} for line in transaction()["lineItems"]]
    assert sale_of(transaction(lineItems=lines)).occurred_at == datetime(2021, 11, 16, 22, 51, 35, 193_000, tzinfo=UTC)


def test_the_names_in_a_sale_are_of_its_time_and_its_machine_is_by_id() -> None:
    """Machines are renamed and moved: the sale's own names would be those of another time."""
    sale = sale_of(transaction(machineName="Its former name", siteName="Its former site"))
    assert sale.machine_ref is not None
    assert sale.machine_ref.native == "11398"
    assert sale.lines[0].product_name == "Ear Plugs"


def _machine(row: Row, at: datetime = START) -> Any:
    (machine,) = parse.machines(ACCOUNT, [row], at).items
    return machine


def test_a_documented_machine() -> None:
    seen = datetime(2021, 11, 16, 22, 51, 35, 123_456, tzinfo=UTC)
    machine = _machine(fixture("vendnovation/machine"), seen + timedelta(minutes=60))
    assert (machine.vendor_id, machine.serial_number, machine.name) == ("11398", "VN011398", "Crib by the gate")
    assert (machine.last_seen_at, machine.connectivity) == (seen, Connectivity.ONLINE)
    later = _machine(fixture("vendnovation/machine"), seen + timedelta(minutes=60, microseconds=1))
    assert later.connectivity is Connectivity.OFFLINE
    reasons = {one.field: one.reason for one in machine.unavailable}
    unsupported = UnavailableReason.UNSUPPORTED_BY_VENDOR
    assert reasons == {"door": unsupported, "temperature": unsupported}


@pytest.mark.parametrize("heartbeat", [{"server": "0001-01-01T00:00:00"}, {"server": None}, {}, None])
def test_the_year_one_means_never(heartbeat: Any) -> None:
    machine = _machine({**fixture("vendnovation/machine"), "lastHeartBeat": heartbeat})
    assert (machine.last_seen_at, machine.connectivity) == (None, Connectivity.UNKNOWN)
    reasons = {one.field: one.reason for one in machine.unavailable}
    assert reasons["lastSeenAt"] is UnavailableReason.NEVER_REPORTED


def test_a_machine_of_which_little_is_told_keeps_its_id_as_its_name() -> None:
    machine = _machine({"id": 7, "name": None})
    assert (machine.vendor_id, machine.name, machine.organization_ref, machine.place_ref) == ("7", "7", None, None)
    assert _machine({"id": 7, "prose": "VN7"}).name == "VN7"


@pytest.mark.parametrize("empty", [None, -1, "-1"])
def test_a_selection_of_no_product_is_empty(empty: Any) -> None:
    selection = fixture("vendnovation/selection")
    rows = (selection, {**selection, "productId": empty})
    full, slot = parse.slots(ACCOUNT, rows, START)
    assert full.product_ref == ACCOUNT.to(Kind.PRODUCT, "49998")
    assert slot.product_ref is None
    assert (slot.position, slot.quantity, slot.capacity, slot.price) == ("104", 4, 10, usd("0.7"))


async def test_a_slot_that_cannot_be_read_costs_the_others_nothing(vendor: Emulated) -> None:
    selection = fixture("vendnovation/selection")
    broken = {"machineId": 2, "id": None}
    rows = [selection, broken, {"machineId": 2, "id": 5, "selectionNumber": "1"}, None, {**broken, "machineId": 3}]
    connector, _ = answering(vendor, {"/selections": rows})
    found = await connector.slots(["11398", "2", "3"])
    assert [len(_slots(found[machine])) for machine in ("11398", "2")] == [1, 1]
    assert isinstance(found["3"], VendorProtocolError)  # none of its slots can be read


async def test_what_cannot_be_read_costs_the_rest_nothing_and_is_owned_up_to(vendor: Emulated) -> None:
    recorded = stamp(START)
    answers = {
        "/machines": [{"id": 1}, {"name": "of no id"}],
        "/sites": [{"id": 1}, None],
        "/organizations": [{"id": 1}, {}],
        "/products": [{"id": 1}, {"id": 2, "price": "much"}],
        "/transactions/": [transaction(recordedAtUtc=recorded), transaction(id="B2", recordedAtUtc="yesterday")],
        "/alerts/": [alert(raisedAt=recorded), alert(id=2, raisedAt=None)],
    }
    connector, _ = answering(vendor, answers)
    recent = Span(START - timedelta(hours=1), START + timedelta(seconds=2))
    lists: list[Listing[Any] | Slice[Any]] = [
        await connector.machines(),
        await connector.places(),
        await connector.organizations(),
        await connector.products(),
        await connector.sales(recent, 5, None),
        await connector.events(recent, 5, None),
    ]
    assert [(len(one.items), one.complete) for one in lists] == [(1, False)] * len(lists)


def test_a_documented_alert_and_what_its_state_is() -> None:
    rows = [
        alert(),
        alert(isCleared=True, clearedAt="2021-11-17T00:00:00"),
        alert(isCleared=None, clearedAt="2021-11-17T00:00:00"),
        alert(isCleared=None, clearedAt="0001-01-01T00:00:00"),
    ]
    events = [records.event(ACCOUNT, row) for row in rows]
    resolved, unknown = EventState.RESOLVED, EventState.UNKNOWN
    assert [event.state for event in events] == [EventState.ACTIVE, resolved, resolved, unknown]
    assert (events[0].vendor_id, events[0].code, events[0].message) == ("9001", "NS", "No sales in 24 hours")
    assert events[0].recorded_at == datetime(2021, 11, 16, 22, 51, 35, 160_000, tzinfo=UTC)


def test_a_documented_product_and_site() -> None:
    (product,) = parse.products(ACCOUNT, [fixture("vendnovation/product")]).items
    assert (product.vendor_id, product.price, product.cost, product.archived) == (
        "49998",
        usd("0.7"),
        usd("0.3125"),
        True,
    )
    (place,) = parse.places(ACCOUNT, [fixture("vendnovation/site")]).items
    assert place.location is not None
    assert (place.location.name, place.location.timezone) == ("Plant 4", "America/Los_Angeles")


def test_an_address_in_parts_is_read_however_its_members_are_spelled() -> None:
    address = {"Address1": "40 Main St", "City": "Mesa", "zip": 85201, "Country": "US"}
    (place,) = parse.places(ACCOUNT, [{"id": 1, "address": address}]).items
    assert place.location is not None
    told = place.location
    assert (told.address, told.city, told.postal_code, told.country) == ("40 Main St", "Mesa", "85201", "US")


def test_windows_names_of_time_zones_become_iana_names() -> None:
    names = ("Pacific Standard Time", "W. Europe Standard Time", "E. South America Standard Time", "GMT Standard Time")
    assert [iana(name) for name in names] == [
        "America/Los_Angeles",
        "Europe/Berlin",
        "America/Sao_Paulo",
        "Europe/London",
    ]
    assert iana("America/Chicago") == "America/Chicago"
    assert iana("Middle Earth Standard Time") is None
    assert iana(None) is None


def test_without_a_currency_there_is_no_money() -> None:
    sale = records.sale(replace(ACCOUNT, currency=None), transaction())
    assert (sale.total, sale.payments[0].amount, sale.lines[0].unit_price) == (None, None, None)


async def test_credentials_are_in_no_error(vendor: Emulated) -> None:
    connector, _ = answering(vendor, {"/products": JSONResponse({"message": "no"}, 500)})
    with pytest.raises(VendorError) as caught:
        await connector.products()
    secrets = re.compile("|".join(map(re.escape, CREDENTIALS.values())))
    assert not secrets.search(f"{caught.value!r} {connector.guard.last_error} {connector.account!r}")
