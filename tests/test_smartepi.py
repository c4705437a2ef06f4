"""SmartEPI's connector: over the sandbox against the truth, and over written answers for what that never does."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from connectors.base import Secret
from connectors.breaker import REFUSED_SECONDS, Breaker
from connectors.guard import Limits
from connectors.smartepi import SmartEPI, connect, parse
from connectors.smartepi.history import OVERLAP
from domain.capabilities import Capability, UnavailableReason
from domain.errors import (
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from domain.model import AccountStatus, Connectivity, MachineKind, Trust
from domain.paging import Listing, Slice
from domain.refs import Kind
from domain.sales import DispenseOutcome, Sale, SaleKind, SaleStatus
from domain.times import Span
from journal.appending import NO_MEANINGS
from journal.bus import Bus
from journal.journal import Journal
from journal.store import open_store
from resolvers.sources import CacheTimes, Source
from sandbox.app import create_app
from sandbox.smartepi import API_KEY
from sandbox.smartepi import SmartEPI as Emulated
from sandbox.world import World
from tests.connected import Answer, Answering, Asked, account_of, fixture, over
from tests.scripted import Clock

START = datetime.now(UTC).replace(microsecond=0)
NOW = int(START.timestamp())
EVERYTHING = Span(START - timedelta(days=120), START + timedelta(seconds=2))
ALL = 10**6
ROOT = "/smartepi/v1"
LISTS = ("withdrawals", "returns", "exchanges")
STATES = {"SUCCESS": SaleStatus.COMPLETED, "FAILED": SaleStatus.FAILED}
OUTCOMES = {"SUCCESS": DispenseOutcome.DISPENSED, "FAILED": DispenseOutcome.FAILED}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def vendor() -> Emulated:
    return Emulated(World(scale=0.3, days=75, start=START, now=lambda: START), requests=100_000)


@pytest.fixture
def app(vendor: Emulated) -> Any:
    return create_app(vendors=[vendor])


@pytest.fixture
def connector(vendor: Emulated, app: Any) -> SmartEPI:
    return connect(account_of(vendor), over(app))


ACCOUNT = account_of(Emulated(World(scale=0.01, days=1)))


def asked_of(app: Any) -> list[str]:
    return [f"{one.method} {one.path.removeprefix(ROOT)}" for one in app.state.controls.requests]


def answering(answers: Mapping[str, Answer], **options: Any) -> tuple[SmartEPI, Answering]:
    """A connector, and what it talks to: lists that are not among `answers` are empty."""
    known: dict[str, Answer] = {f"/{path}": {"data": [], "cursor": None} for path in (*LISTS, "products")}
    other = Answering({ROOT + path: answer for path, answer in {**known, **answers}.items()})
    return SmartEPI(ACCOUNT, other.client, **options), other


def listed(rows: list[Row], *, before: Callable[[Asked], Any] = lambda _: None) -> Answer:
    """Newest first, in pages, within a window of time. `rows` may grow meanwhile; `before` may answer instead.

    A cursor is the id of the last row that was shown."""

    async def answer(asked: Asked) -> Any:
        instead = before(asked)
        if hasattr(instead, "__await__"):
            instead = await instead
        if instead is not None:
            return instead
        since, until = int(asked.query.get("createdSince", 0)), int(asked.query.get("createdUntil", 10**12))
        found = [row for row in rows if since <= row["createdAt"] <= until]
        found.sort(key=lambda row: (row["createdAt"], row["id"]), reverse=True)
        cursor, limit = asked.query.get("cursor"), int(asked.query["limit"])
        begin = 0 if cursor is None else 1 + [row["id"] for row in found].index(cursor)
        page = found[begin : begin + limit]
        return {"data": page, "cursor": page[-1]["id"] if begin + limit < len(found) else None}

    return answer


def withdrawal(**changed: Any) -> Row:
    return {**fixture("smartepi/withdrawal"), **changed}


def many(count: int, devices: int = 3, *, every: int = 60, newest: int = NOW) -> list[Row]:
    """The newest is first; each device comes in turn."""
    return [
        withdrawal(id=f"w-{count - at}", deviceId=f"dev-{at % devices}", deviceName=None, createdAt=newest - every * at)
        for at in range(count)
    ]


def sale_of(row: Row, transaction: parse.Transaction = parse.WITHDRAWALS) -> Sale:
    return parse.sale(ACCOUNT, transaction, row)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


# ---- Against the truth ------------------------------------------------------------------------------------------


async def test_devices_are_those_that_transactions_tell_of(connector: SmartEPI, vendor: Emulated) -> None:
    listing = await connector.machines()
    truth = vendor.truth()
    assert listing.complete
    assert {(one.vendor_id, one.name) for one in listing.items} == {
        (row["id"], row["name"] or row["id"]) for row in truth["machines"]
    }
    for machine in listing.items:
        seen = max(row["createdAt"] for row in truth["sales"] if row["deviceId"] == machine.vendor_id)
        assert machine.last_seen_at == moment(seen)
        assert (machine.kind, machine.connectivity) == (MachineKind.DISPENSER, Connectivity.UNKNOWN)
        assert (machine.organization_ref, machine.place_ref, machine.group, machine.location) == (None,) * 4


async def test_transactions_are_as_the_vendor_has_them(connector: SmartEPI, vendor: Emulated) -> None:
    found = await connector.sales(EVERYTHING, ALL, None)
    assert found.since == EVERYTHING.since
    truth = {row["id"]: row for row in vendor.truth()["sales"]}
    assert sorted(sale.vendor_id for sale in found.items) == sorted(truth)
    assert {sale.kind for sale in found.items} == {SaleKind.WITHDRAWAL, SaleKind.RETURN, SaleKind.EXCHANGE}
    for sale in found.items:
        row = truth[sale.vendor_id]
        word = row[f"{sale.kind.value.lower()}Status"]
        outcome = OUTCOMES.get(word, DispenseOutcome.UNKNOWN)
        assert sale.status is STATES.get(word, SaleStatus.UNKNOWN)
        assert sale.recorded_at == sale.occurred_at == moment(row["createdAt"])
        assert sale.machine_ref == connector.account.to(Kind.MACHINE, row["deviceId"])
        assert sale.person is not None
        assert (sale.person.vendor_id, sale.person.name) == (row["employeeId"], row["employeeName"])
        lines = [(row["productId"], row["productName"], row["quantity"], outcome)]
        if sale.kind is SaleKind.EXCHANGE:
            returned = row["returnedProductId"]
            lines.append((returned, returned, -row["returnedQuantity"], outcome))
        assert [
            (it.product_ref and it.product_ref.native, it.product_name, it.quantity, it.dispensed) for it in sale.lines
        ] == lines
        assert (sale.total, sale.tax, sale.discount, sale.payments) == (None, None, None, ())


async def test_products_are_as_the_vendor_has_them(connector: SmartEPI, vendor: Emulated) -> None:
    found = (await connector.products()).items
    assert {(it.vendor_id, it.name, it.sku, it.description) for it in found} == {
        (row["id"], row["name"], row["code"], row["description"]) for row in vendor.truth()["products"]
    }
    assert {(it.price, it.cost, it.archived) for it in found} == {(None, None, False)}


async def test_every_transaction_is_found_again_by_its_id(connector: SmartEPI) -> None:
    sales = (await connector.sales(EVERYTHING, ALL, None)).items
    for kind in (SaleKind.WITHDRAWAL, SaleKind.RETURN, SaleKind.EXCHANGE):
        sale = next(sale for sale in sales if sale.kind is kind)
        assert await connector.sale(sale.ref.native) == sale


async def test_a_foreign_id_is_as_if_it_never_was(connector: SmartEPI, app: Any) -> None:
    """The vendor hides what is of others, and has no way to ask for a single transaction."""
    (sale,) = (await connector.sales(EVERYTHING, 1, None)).items[:1]
    second = sale.ref.native.rpartition("@")[2]
    assert await connector.sale(f"w:w-99999@{second}") is None
    app.state.controls.requests.clear()
    for native in ("", "w:", "w:w-1", "w:w-1@", "w:w-1@-5", "w:w-1@" + "9" * 12, "w:w-1@٣", "q:w-1@5", f"w:@{second}"):
        assert await connector.sale(native) is None
    assert asked_of(app) == []


async def test_the_transactions_of_some_devices_are_picked_out_here(connector: SmartEPI, vendor: Emulated) -> None:
    rows = vendor.truth()["sales"]
    devices = frozenset({rows[0]["deviceId"], rows[1]["deviceId"]})
    found = await connector.sales(EVERYTHING, ALL, devices)
    assert sorted(sale.vendor_id for sale in found.items) == sorted(
        row["id"] for row in rows if row["deviceId"] in devices
    )


# ---- Keys and errors --------------------------------------------------------------------------------------------


async def test_the_key_goes_as_a_bearer_token(vendor: Emulated) -> None:
    connector, other = answering({})
    await connector.sign_in()
    (asked,) = other.asked
    assert (asked.path, dict(asked.query)) == (f"{ROOT}/products", {"limit": "1"})
    assert asked.headers["authorization"] == f"Bearer {API_KEY}"
    assert vendor.account("")["credentials"] == {"api_key": API_KEY}


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (JSONResponse({"message": "Unauthorized"}, 401), "Unauthorized"),
        (JSONResponse({"Message": "User is not authorized with an explicit deny"}, 403), "explicit deny"),
        (JSONResponse(fixture("smartepi/forbidden"), 403, media_type="application/problem+json"), "address"),
    ],
)
async def test_a_key_that_is_refused_closes_the_account_in_whatever_dialect(refusal: JSONResponse, words: str) -> None:
    """A key covers every endpoint, so that no 403 is about one request alone."""
    connector, other = answering({"/products": refusal})
    with pytest.raises(VendorUnauthorized, match=words):
        await connector.products()
    with pytest.raises(VendorUnauthorized):
        await connector.machines()
    assert len(other.asked) == 1
    assert connector.guard.status is AccountStatus.UNAUTHORIZED


async def test_a_key_that_is_not_active_yet_is_tried_again_after_a_while(vendor: Emulated, app: Any) -> None:
    clock = Clock()
    wrong = replace(account_of(vendor), credentials={"api_key": Secret("sk_not_yet")})
    early, connector = connect(wrong, over(app)), connect(account_of(vendor), over(app))
    connector.guard._breaker = early.guard._breaker = Breaker(clock)
    with pytest.raises(VendorUnauthorized):
        await early.sign_in()
    with pytest.raises(VendorUnauthorized):
        await connector.sign_in()
    clock.seconds += REFUSED_SECONDS
    await connector.sign_in()
    assert connector.guard.status is AccountStatus.OK


@pytest.mark.parametrize("words", ["Limit Exceeded", "Too Many Requests"])
async def test_too_many_requests_are_told_plainly_and_without_a_time(words: str) -> None:
    connector, _ = answering({"/products": JSONResponse({"message": words}, 429)})
    with pytest.raises(VendorRateLimited, match=words):
        await connector.products()


async def test_errors_of_the_application_are_problems_and_their_detail_is_told() -> None:
    problem = {"type": "urn:smartepi:error:bad_request", "title": "Bad Request", "status": 400, "detail": "No such."}
    answer = JSONResponse(problem, 400, media_type="application/problem+json")
    connector, _ = answering({"/products": answer})
    with pytest.raises(VendorRejected, match=r"No such\."):
        await connector.products()


async def test_the_key_is_in_no_error() -> None:
    connector, _ = answering({"/products": JSONResponse({"message": "no"}, 505)})
    with pytest.raises(VendorUnavailable) as caught:
        await connector.products()
    assert API_KEY not in f"{caught.value!r} {connector.guard.last_error} {connector.account!r}"


def test_without_the_address_of_its_host_there_is_no_account() -> None:
    with pytest.raises(ValueError, match="needs a base_url"):
        connect(replace(ACCOUNT, base_url=None), over(None))


# ---- Pages, windows, filters ------------------------------------------------------------------------------------


async def test_a_limit_is_from_1_to_100_for_the_vendor_clamps_nothing(connector: SmartEPI, vendor: Emulated) -> None:
    for want in (0, 1, 99, 100, 101, 5000):
        assert len((await connector.sales(EVERYTHING, want, None)).items) >= min(want, len(vendor.truth()["sales"]))
    limits = []
    scripted, other = answering({})
    for want in (0, 1, 99, 100, 5000):
        await scripted.sales(EVERYTHING, want, None)
        limits.append(int(other.asked[-1].query["limit"]))
    assert limits == [1, 2, 100, 100, 100]


async def test_a_cursor_is_handed_back_as_it_came_until_there_is_none() -> None:
    pages = {None: "a/+=?&\u00e9", "a/+=?&\u00e9": "0", "0": 7, "7": ""}
    found = iter(range(4))

    def answer(asked: Asked) -> Row:
        row = {"id": f"prd-{next(found)}", "name": "x"}
        return {"data": [row], "cursor": pages[asked.query.get("cursor")]}

    connector, other = answering({"/products": answer})
    assert [product.vendor_id for product in (await connector.products()).items] == [f"prd-{at}" for at in range(4)]
    assert [one.query.get("cursor") for one in other.asked] == [None, "a/+=?&\u00e9", "0", "7"]


async def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    def answer(asked: Asked) -> Row:
        last = asked.query.get("cursor") == "next"
        return {"data": [{"id": "prd-1", "name": "x"}] if last else [], "cursor": None if last else "next"}

    connector, _ = answering({"/products": answer})
    assert len((await connector.products()).items) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"data": [], "cursor": "again"}, "the same cursor"),
        ([], "an object was expected"),
        ({"cursor": None}, "a list was expected"),
    ],
)
async def test_what_is_no_list_or_has_no_end_is_an_error(answer: Any, why: str) -> None:
    connector, other = answering({"/products": answer})
    with pytest.raises(VendorProtocolError, match=why):
        await connector.products()
    assert len(other.asked) <= 2


async def test_no_relationship_is_asked_for_and_times_are_whole_seconds() -> None:
    """One relationship at most, and none beside a window of time: so all is picked out here."""
    connector, other = answering({})
    until = START + timedelta(microseconds=250_000)
    await connector.sales(Span(START - timedelta(hours=1, microseconds=7), until), 5, frozenset({"dev-1"}))
    assert sorted(one.path.removeprefix(f"{ROOT}/") for one in other.asked) == sorted(LISTS)
    for one in other.asked:
        assert dict(one.query) == {"createdSince": str(NOW - 3601), "createdUntil": str(NOW + 1), "limit": "100"}


async def test_the_end_of_a_span_is_not_in_it_though_the_vendor_s_window_holds_it() -> None:
    rows = many(11, every=10)
    connector, _ = answering({"/withdrawals": listed(rows)})
    found = await connector.sales(Span(moment(NOW - 100), moment(NOW)), ALL, None)
    assert sorted(NOW - int(sale.recorded_at.timestamp()) for sale in found.items) == list(range(10, 101, 10))


async def test_no_more_is_read_than_is_wanted() -> None:
    connector, other = answering({"/withdrawals": listed(many(1000))})
    found = await connector.sales(EVERYTHING, 50, None)
    assert len(other.asked) == len(LISTS)
    assert 50 <= len(found.items) <= 51
    assert all(sale.recorded_at >= found.since for sale in found.items)
    assert len(found.items) == sum(moment(row["createdAt"]) >= found.since for row in many(1000))


async def test_transactions_of_one_second_stay_together() -> None:
    rows = [withdrawal(id=f"w-{at}", createdAt=NOW - at // 70) for at in range(210)]
    connector, _ = answering({"/withdrawals": listed(rows)})
    found = await connector.sales(EVERYTHING, 10, None)
    assert len(found.items) in {70, 140, 210}


@pytest.mark.parametrize(
    ("times", "machines"),
    [
        ((5, 3, 6, 7, 8, 9, 10, 11, 0), None),
        ((5, 6, 7, 8, 1, 9, 10, 11, 12, 13, 14, 0), frozenset({"this"})),
        ((5, 6, 7, 8, 9, 12, 10, 13, 14, 15, 16, 0), frozenset({"this"})),
        ((5, 6, 7, 9, 8, 10, 11, 12, 13, 14, 15, 0), frozenset({"this"})),
    ],
)
async def test_a_list_that_comes_in_another_order_is_read_to_its_end(
    times: tuple[int, ...], machines: frozenset[str] | None
) -> None:
    """Also where only what is of other devices shows the disorder: between pages, or within one."""
    rows = [withdrawal(id=f"w-{at}", deviceId="this" if at in {0, 10} else "other", createdAt=NOW - at) for at in times]

    def answer(asked: Asked) -> Row:
        at = int(asked.query.get("cursor", 0))
        return {"data": rows[at : at + 4], "cursor": str(at + 4) if at + 4 < len(rows) else None}

    connector, _ = answering({"/withdrawals": answer})
    found = await connector.sales(EVERYTHING, 1, machines)
    assert len(found.items) == (len(rows) if machines is None else 2)
    assert found.since == EVERYTHING.since


async def test_a_device_that_is_seldom_used_is_searched_for_to_the_end() -> None:
    rows = many(2500, devices=2)
    rows[-1]["deviceId"] = "seldom"
    connector, _ = answering({"/withdrawals": listed(rows)})
    found = await connector.sales(EVERYTHING, 5, frozenset({"seldom"}))
    assert [sale.machine_ref and sale.machine_ref.native for sale in found.items] == ["seldom"]
    assert found.since == EVERYTHING.since


async def test_of_no_device_at_all_nothing_is_asked(connector: SmartEPI, app: Any) -> None:
    assert (await connector.sales(EVERYTHING, 10, frozenset())).items == []
    assert asked_of(app) == []


# ---- Devices: the whole past once, then what is new -------------------------------------------------------------


def ids(machines: Sequence[Any]) -> set[str]:
    return {machine.vendor_id for machine in machines}


async def test_the_past_is_read_once_and_then_only_what_came_since() -> None:
    rows = many(450, newest=NOW - 2000)
    connector, other = answering({"/withdrawals": listed(rows)})
    assert (await connector.machines()).complete
    assert len(other.of(f"{ROOT}/withdrawals")) == 5
    for newest in (NOW - 2000, NOW - 1000):
        other.asked.clear()
        rows.append(withdrawal(id=f"w-{newest}", deviceId=f"dev-{newest}", createdAt=newest + 1000))
        listing = await connector.machines()
        assert listing.complete
        assert f"dev-{newest}" in ids(listing.items)
        (asked,) = other.of(f"{ROOT}/withdrawals")
        assert int(asked.query["createdSince"]) == newest - OVERLAP.total_seconds()
        assert len(other.asked) == len(LISTS)
    assert len(listing.items) == 5


async def test_a_transaction_without_a_device_makes_none() -> None:
    connector, _ = answering({"/withdrawals": listed([withdrawal(deviceId=None, createdAt=NOW)])})
    listing = await connector.machines()
    assert (listing.items, listing.complete) == ([], True)


async def test_what_is_recorded_while_pages_are_read_is_found_the_next_time() -> None:
    rows = many(150)

    def grow(asked: Asked) -> None:
        if "cursor" in asked.query and len(rows) == 150:
            rows.append(withdrawal(id="w-late", deviceId="late", createdAt=NOW - 1))

    connector, _ = answering({"/withdrawals": listed(rows, before=grow)})
    assert "late" not in ids((await connector.machines()).items)
    assert "late" in ids((await connector.machines()).items)


async def test_a_device_is_known_from_a_return_or_an_exchange_alone() -> None:
    answers = {
        "/returns": {"data": [fixture("smartepi/return")], "cursor": None},
        "/exchanges": {"data": [fixture("smartepi/exchange")], "cursor": None},
    }
    connector, _ = answering(answers)
    machines = {machine.vendor_id: machine for machine in (await connector.machines()).items}
    assert machines.keys() == {"4711", "dev_5c1f00a2b7"}
    assert (machines["4711"].name, machines["dev_5c1f00a2b7"].name) == ("4711", "Gate 1")


async def test_a_device_bears_the_last_name_that_it_was_given() -> None:
    rows = [
        withdrawal(id="w-3", deviceName=None, createdAt=NOW - 10),
        withdrawal(id="w-2", deviceName="New name", createdAt=NOW - 20),
        withdrawal(id="w-1", deviceName="Old name", createdAt=NOW - 30),
    ]
    connector, _ = answering({"/withdrawals": listed(rows)})
    (machine,) = (await connector.machines()).items
    assert (machine.name, machine.last_seen_at) == ("New name", moment(NOW - 10))
    rows.append(withdrawal(id="w-4", deviceName="Newest name", createdAt=NOW))
    (machine,) = (await connector.machines()).items
    assert (machine.name, machine.last_seen_at, machine.observed_at) == ("Newest name", moment(NOW), moment(NOW))


async def test_a_transaction_of_the_future_does_not_hide_those_of_today() -> None:
    rows = [withdrawal(id="w-1", deviceId="ahead", createdAt=NOW + 10**8)]
    connector, _ = answering({"/withdrawals": listed(rows)})
    await connector.machines()
    rows.append(withdrawal(id="w-2", deviceId="today", createdAt=int(datetime.now(UTC).timestamp())))
    assert ids((await connector.machines()).items) == {"ahead", "today"}


async def test_a_list_that_was_empty_is_read_again() -> None:
    rows: list[Row] = []
    connector, _ = answering({"/withdrawals": listed(rows)})
    empty = await connector.machines()
    assert (empty.items, empty.complete) == ([], True)
    rows.append(withdrawal(createdAt=NOW - 5000))
    assert len((await connector.machines()).items) == 1


class Gate:
    """Holds back what comes with a cursor until it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.reached = asyncio.Event()

    async def __call__(self, asked: Asked) -> None:
        if "cursor" in asked.query:
            self.reached.set()
            await self.open.wait()


async def test_a_long_past_is_read_on_and_meanwhile_the_devices_known_so_far_are_told() -> None:
    gate = Gate()
    rows = many(250)
    rows[-1]["deviceId"] = "oldest"
    connector, other = answering({"/withdrawals": listed(rows, before=gate)}, patience=0.05)
    partly = await connector.machines()
    assert (partly.complete, partly.growing) == (False, True)
    assert ids(partly.items) == {"dev-0", "dev-1", "dev-2"}
    again = await connector.machines()
    assert (again.complete, len(other.of(f"{ROOT}/withdrawals"))) == (False, 2), "it is read once, whoever asks"
    gate.open.set()
    flight = connector._history._flight
    assert flight is not None
    await flight
    whole = await connector.machines()
    assert (whole.complete, whole.growing) == (True, False)
    assert "oldest" in ids(whole.items)
    assert len(other.of(f"{ROOT}/withdrawals")) == 4, "three pages, and what came since"


async def test_only_who_comes_soon_after_its_beginning_waits_for_a_reading() -> None:
    gate = Gate()
    connector, _ = answering({"/withdrawals": listed(many(150), before=gate)}, patience=30.0)
    first = asyncio.create_task(connector.machines())
    await gate.reached.wait()
    connector._history._began -= 60
    later = await asyncio.wait_for(connector.machines(), timeout=5)
    assert (later.complete, len(later.items)) == (False, 3)
    gate.open.set()
    assert (await first).complete


def test_the_devices_known_so_far_are_told_before_a_query_gives_up_its_source() -> None:
    limits = Limits(timeout_seconds=2.0)
    connector = connect(replace(ACCOUNT, limits=limits), over(None))
    assert 1 < connector._patience < limits.timeout_seconds


async def test_a_list_that_is_growing_is_not_kept_until_it_has_grown_old(tmp_path: Path) -> None:
    gate = Gate()
    connector, _ = answering({"/withdrawals": listed(many(150, devices=120), before=gate)}, patience=0.05)
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    source = Source(connector, CacheTimes(), Journal(store, Bus(), NO_MEANINGS))
    assert source.machines is not None
    partly = (await source.machines.get(1.0)).value
    assert (len(partly.items), partly.complete) == (100, False)
    assert source.machines.peek() is None
    gate.open.set()
    flight = connector._history._flight
    assert flight is not None
    await flight
    assert (len((await source.machines.get(1.0)).value.items), source.machines.peek() is not None) == (120, True)
    await source.aclose()
    store.dispose()


async def test_reading_that_is_under_way_ends_with_the_account() -> None:
    gate = Gate()
    connector, _ = answering({"/withdrawals": listed(many(150), before=gate)}, patience=0.0)
    await connector.machines()
    await gate.reached.wait()
    flight = connector._history._flight
    assert flight is not None
    await connector.aclose()
    assert flight.cancelled()


async def test_reading_that_failed_goes_on_where_it_stopped() -> None:
    """What was read is kept: a past of hundreds of pages would hardly ever be read in one go."""
    broken, rows = True, many(550)

    def fail(asked: Asked) -> JSONResponse | None:
        third = asked.query.get("cursor") == rows[199]["id"]
        return JSONResponse({"message": "broken"}, 505) if broken and third else None

    rows[-1]["deviceId"] = "oldest"
    connector, other = answering({"/withdrawals": listed(rows, before=fail)})
    partly = await connector.machines()
    assert (partly.complete, partly.growing) == (False, False)
    assert ids(partly.items) == {"dev-0", "dev-1", "dev-2"}
    broken = False
    other.asked.clear()
    whole = await connector.machines()
    assert whole.complete
    assert "oldest" in ids(whole.items)
    new, *old = other.of(f"{ROOT}/withdrawals")
    assert int(new.query["createdSince"]) == NOW - OVERLAP.total_seconds()
    assert {int(one.query["createdUntil"]) for one in old} == {rows[199]["createdAt"]}
    assert len(old) == 4


async def test_where_nothing_can_be_read_the_reason_is_told() -> None:
    broken = JSONResponse({"message": "broken"}, 505)
    connector, _ = answering({f"/{path}": broken for path in LISTS})
    for _ in range(2):
        with pytest.raises(VendorUnavailable, match="broken"):
            await connector.machines()


async def test_one_list_that_fails_does_not_hide_the_devices_of_the_others() -> None:
    broken = JSONResponse({"message": "broken"}, 505)
    connector, other = answering({"/withdrawals": listed(many(3)), "/returns": broken})
    listing = await connector.machines()
    assert (len(listing.items), listing.complete) == (3, False)
    other.answers[f"{ROOT}/returns"] = {"data": [fixture("smartepi/return")], "cursor": None}
    listing = await connector.machines()
    assert (len(listing.items), listing.complete) == (4, True)


async def test_what_cannot_be_read_costs_the_rest_nothing_and_is_owned_up_to() -> None:
    rows = [withdrawal(createdAt=NOW - 5), withdrawal(id="w-2", createdAt="soon")]
    answers = {"/withdrawals": {"data": rows, "cursor": None}, "/products": {"data": [{"id": 1}, {}], "cursor": None}}
    connector, other = answering(answers)
    lists: list[Listing[Any] | Slice[Any]] = [
        await connector.products(),
        await connector.sales(EVERYTHING, 5, None),
        await connector.machines(),
    ]
    assert [(len(one.items), one.complete) for one in lists] == [(1, False)] * len(lists)
    other.answers[f"{ROOT}/withdrawals"] = {"data": [], "cursor": None}
    assert not (await connector.machines()).complete, "it may have told of a device, and is not read again"


# ---- What the words mean ----------------------------------------------------------------------------------------


def test_a_documented_withdrawal() -> None:
    sale = sale_of(withdrawal())
    assert (sale.vendor_id, sale.kind, sale.status, sale.trust) == (
        "w-123",
        SaleKind.WITHDRAWAL,
        SaleStatus.COMPLETED,
        Trust.POLLED,
    )
    assert sale.ref == ACCOUNT.to(Kind.SALE, "w:w-123@1750000000")
    assert sale.recorded_at == datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)
    assert sale.machine_ref == ACCOUNT.to(Kind.MACHINE, "dev_5c1f00a2b7")
    (line,) = sale.lines
    assert (line.product_name, line.quantity, line.dispensed) == ("Cut-resistant Gloves", 2, DispenseOutcome.DISPENSED)
    assert (line.unit_price, line.total, line.tax, line.position) == (None,) * 4
    assert (sale.person and sale.person.vendor_id, sale.person and sale.person.name) == ("emp-7", "Ana Almeida")


def test_a_documented_return_with_numbers_as_text_and_an_id_as_a_number() -> None:
    sale = sale_of(fixture("smartepi/return"), parse.RETURNS)
    assert (sale.kind, sale.status) == (SaleKind.RETURN, SaleStatus.FAILED)
    assert sale.recorded_at == moment(1750000300)
    assert sale.machine_ref == ACCOUNT.to(Kind.MACHINE, "4711")
    assert [(line.quantity, line.dispensed) for line in sale.lines] == [(1, DispenseOutcome.FAILED)]


def test_an_exchange_hands_one_thing_out_and_takes_another_back() -> None:
    sale = sale_of(fixture("smartepi/exchange"), parse.EXCHANGES)
    assert sale.kind is SaleKind.EXCHANGE
    assert [(line.product_ref and line.product_ref.native, line.quantity) for line in sale.lines] == [
        ("prd-3", 1),
        ("prd-5", -2),
    ]


@pytest.mark.parametrize(
    ("word", "status", "outcome"),
    [
        ("SUCCESS", SaleStatus.COMPLETED, DispenseOutcome.DISPENSED),
        ("FAILED", SaleStatus.FAILED, DispenseOutcome.FAILED),
        ("JAMMED", SaleStatus.UNKNOWN, DispenseOutcome.UNKNOWN),
        (None, SaleStatus.UNKNOWN, DispenseOutcome.UNKNOWN),
    ],
)
def test_only_success_is_a_hand_out(word: str | None, status: SaleStatus, outcome: DispenseOutcome) -> None:
    sale = sale_of(withdrawal(withdrawalStatus=word))
    assert (sale.status, sale.lines[0].dispensed) == (status, outcome)


@pytest.mark.parametrize("told", [1750000000, "1750000000", 1750000000000])
def test_times_are_unix_seconds(told: int | str) -> None:
    assert sale_of(withdrawal(createdAt=told)).recorded_at == datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC)


def test_what_was_deleted_since_keeps_its_name_in_the_transaction() -> None:
    """Deleted employees and products are in no list any more, and transactions go on pointing at them."""
    sale = sale_of(withdrawal(productId="prd-gone", productName="Old Boots", employeeId="emp-gone"))
    assert (sale.lines[0].product_ref, sale.lines[0].product_name) == (
        ACCOUNT.to(Kind.PRODUCT, "prd-gone"),
        "Old Boots",
    )
    assert (sale.person and sale.person.name) == "Ana Almeida"


def test_a_transaction_of_which_little_is_told_is_still_one() -> None:
    sale = sale_of({"id": 5, "createdAt": 1750000000, "productId": 3})
    assert (sale.vendor_id, sale.machine_ref, sale.person) == ("5", None, None)
    assert [(line.product_name, line.quantity) for line in sale.lines] == [("3", 1)]
    assert sale_of({"id": 5, "createdAt": 1750000000}).lines == ()


def test_a_documented_product() -> None:
    (product,) = parse.products(ACCOUNT, [fixture("smartepi/product")]).items
    assert (product.vendor_id, product.name, product.sku) == ("prd-3", "Cut-resistant Gloves", "PPE-003")
    assert product.vendor_data is not None
    assert product.vendor_data["certificates"][0]["number"] == "CA 30411"


async def test_what_the_vendor_never_tells_of_a_device_is_said_to_be_unsupported(connector: SmartEPI) -> None:
    machine = (await connector.machines()).items[0]
    fields = {"serialNumber", "model", "group", "location", "connectivity", "temperature", "door", "slots"}
    assert {one.field: one.reason for one in machine.unavailable} == dict.fromkeys(
        fields, UnavailableReason.UNSUPPORTED_BY_VENDOR
    )
    assert Capability.SALES in connector.capabilities
    assert Capability.SLOTS not in connector.capabilities
