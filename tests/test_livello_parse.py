"""Livello's own samples, read; and what else may stand in their place."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Account
from connectors.livello import parse, records
from connectors.livello.paging import Page
from domain.capabilities import UnavailableField, UnavailableReason
from domain.details import ProductPackaging
from domain.errors import VendorProtocolError
from domain.model import (
    Connectivity,
    DoorState,
    EventState,
    Location,
    Machine,
    MachineEvent,
    MachineKind,
    Organization,
    Product,
    Severity,
    Slot,
    Temperature,
    Trust,
    Vendor,
)
from domain.money import Money
from domain.refs import Kind, Ref
from domain.sales import DispenseOutcome, Payment, PaymentMethod, Person, Sale, SaleKind, SaleLine, SaleStatus
from tests.scripted import account as any_account

FIXTURES = Path(__file__).parent / "fixtures" / "livello"
NOW = datetime(2025, 3, 18, 14, 45, tzinfo=UTC)
SEEN = datetime(2025, 3, 18, 14, 30, tzinfo=UTC)
KEY = "acme-kiosks"


def sample(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def account(**changed: Any) -> Account:
    return any_account(**({"currency": "CHF", "timezone": "Europe/Berlin"} | changed))


def euro(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def machine(row: dict[str, Any], at: datetime = NOW, **changed: Any) -> Machine:
    (found,) = parse.machines(account(**changed), Page([row], 1), at).items
    return found


def organizations(rows: list[Any], **changed: Any) -> list[Organization]:
    return list(parse.organizations(account(**changed), Page(rows, len(rows))).items)


def products(*rows: Any) -> list[Product]:
    return list(parse.products(account(), Page(list(rows), len(rows))).items)


def event(row: dict[str, Any]) -> MachineEvent:
    (found,) = records.events(account(), [row]).items
    return found


def sale(row: dict[str, Any], currency: str | None = "EUR") -> Sale:
    return records.sale(account(), row, lambda _: currency)


def with_(row: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**row, **members}


def without(row: dict[str, Any], *members: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in members}


KIOSK = sample("kiosks")["data"][0]
CELL, EMPTY_CELL = sample("inventory")
PRODUCT = sample("products")["data"][0]
TRANSACTION = sample("transaction")
ORGANIZATION = sample("organizations")["data"][0]
ALERT = sample("alerts")["data"][0]


def test_a_kiosk() -> None:
    assert machine(KIOSK) == Machine(
        ref=Ref(Kind.MACHINE, KEY, "LIV-0042"),
        vendor=Vendor.LIVELLO,
        organization_ref=Ref(Kind.ORGANIZATION, KEY, "123"),
        place_ref=Ref(Kind.ORGANIZATION, KEY, "123"),
        vendor_id="LIV-0042",
        serial_number="LIV-0042",
        name="Lobby Fridge",
        model=None,
        kind=MachineKind.KIOSK,
        group=None,
        location=None,
        connectivity=Connectivity.ONLINE,
        last_seen_at=SEEN,
        door=DoorState.UNKNOWN,
        temperature=Temperature(celsius=4.5, measured_at=None),
        unavailable=tuple(
            UnavailableField(field=field, reason=UnavailableReason.UNSUPPORTED_BY_VENDOR)
            for field in ("model", "group", "door")
        ),
        observed_at=NOW,
        vendor_data=KIOSK,
    )


@pytest.mark.parametrize(
    ("age", "minutes", "connectivity"),
    [
        (timedelta(minutes=15), None, Connectivity.ONLINE),
        (timedelta(minutes=15, milliseconds=1), None, Connectivity.OFFLINE),
        (timedelta(minutes=3), 3, Connectivity.ONLINE),
        (timedelta(minutes=3, milliseconds=1), 3, Connectivity.OFFLINE),
        (timedelta(minutes=59), 60, Connectivity.ONLINE),
        (-timedelta(minutes=5), None, Connectivity.ONLINE),
    ],
)
def test_a_kiosk_is_online_for_fifteen_minutes_or_as_configured(
    age: timedelta, minutes: int | None, connectivity: Connectivity
) -> None:
    found = machine(KIOSK, SEEN + age, online_minutes=minutes)
    assert (found.connectivity, found.last_seen_at) == (connectivity, SEEN)


@pytest.mark.parametrize("row", [without(KIOSK, "networkLastOnline"), with_(KIOSK, networkLastOnline=None)])
def test_a_kiosk_that_was_never_online_is_unknown(row: dict[str, Any]) -> None:
    found = machine(row)
    assert (found.connectivity, found.last_seen_at) == (Connectivity.UNKNOWN, None)
    reasons = {it.field: it.reason for it in found.unavailable}
    assert reasons["connectivity"] is reasons["lastSeenAt"] is UnavailableReason.NEVER_REPORTED


@pytest.mark.parametrize(("told", "celsius"), [("6.5", 6.5), (5, 5.0), (-18.25, -18.25), (None, None), ("", None)])
def test_temperatures_come_as_numbers_or_texts(told: Any, celsius: float | None) -> None:
    found = machine(with_(KIOSK, latestTemperature=told))
    assert (found.temperature.celsius if found.temperature else None) == celsius
    never = UnavailableField(field="temperature", reason=UnavailableReason.NEVER_REPORTED)
    assert (never in found.unavailable) == (celsius is None)


def test_a_kiosk_may_say_little() -> None:
    found = machine({"_id": 42})
    assert (found.vendor_id, found.serial_number, found.name, found.organization_ref) == ("42", None, "42", None)
    assert machine({"serialNumber": "LIV-1", "_id": "64fa"}).vendor_id == "LIV-1"
    with pytest.raises(VendorProtocolError, match="kiosk"):
        machine({"name": "Lobby"})


def test_a_kiosk_that_is_listed_twice_is_one() -> None:
    """A kiosk that is added while the list is read pushes another onto the next page."""
    rows = [KIOSK, with_(KIOSK, name="Lobby"), with_(KIOSK, serialNumber="X")]
    assert len(parse.machines(account(), Page(rows, 2), NOW).items) == 2


def test_where_organizations_may_not_be_read_a_kiosk_says_why_it_has_no_location() -> None:
    (found,) = parse.machines(account(), Page([KIOSK], 1), NOW, located=False).items
    assert (found.place_ref, found.organization_ref) == (None, Ref(Kind.ORGANIZATION, KEY, "123"))
    assert UnavailableField(field="location", reason=UnavailableReason.NOT_PERMITTED) in found.unavailable
    (alone,) = parse.machines(account(), Page([without(KIOSK, "orgId")], 1), NOW, located=False).items
    assert UnavailableField(field="location", reason=UnavailableReason.NEVER_REPORTED) in alone.unavailable


def test_load_cells() -> None:
    found = parse.slots(account(), "LIV-0042", [CELL, EMPTY_CELL], "EUR", NOW)
    assert found == [
        Slot(
            ref=Ref(Kind.SLOT, KEY, "LIV-0042/A1"),
            machine_ref=Ref(Kind.MACHINE, KEY, "LIV-0042"),
            position="A1",
            row=None,
            column=None,
            product_ref=Ref(Kind.PRODUCT, KEY, "10"),
            price=euro("1.79"),
            quantity=6,
            capacity=12,
            observed_at=NOW,
            vendor_data=CELL,
        ),
        Slot(
            ref=Ref(Kind.SLOT, KEY, "LIV-0042/A2"),
            machine_ref=Ref(Kind.MACHINE, KEY, "LIV-0042"),
            position="A2",
            row=None,
            column=None,
            product_ref=None,
            price=None,
            quantity=None,
            capacity=None,
            observed_at=NOW,
            vendor_data=EMPTY_CELL,
        ),
    ]


@pytest.mark.parametrize(("told", "amount"), [("1.79", "1.79"), (1.79, "1.79"), ("0.7000", "0.7"), (2, "2"), (0, "0")])
def test_prices_come_as_numbers_or_texts_and_are_exact(told: Any, amount: str) -> None:
    cell = with_(CELL, productLineData=with_(CELL["productLineData"], price=told, quantity="3", capacity=12.0))
    (slot,) = parse.slots(account(), "LIV-0042", [cell], None, NOW)
    assert slot.price == euro(amount)
    assert (slot.quantity, slot.capacity) == (3, 12)


def test_a_price_is_in_the_currency_of_its_line_or_else_of_the_kiosk() -> None:
    silent = with_(CELL, productLineData=without(CELL["productLineData"], "currency"))
    small = with_(CELL, productLineData=with_(CELL["productLineData"], currency="eur"))
    slots = parse.slots(account(), "LIV-0042", [silent, small], "GBP", NOW)
    assert [slot.price and slot.price.currency for slot in slots] == ["GBP", "EUR"]
    assert parse.slots(account(), "LIV-0042", [silent], None, NOW)[0].price is None
    assert parse.tells_currencies([CELL, EMPTY_CELL, small])
    assert not parse.tells_currencies([CELL, silent])


def test_a_slot_is_named_as_a_person_would_and_else_by_its_numbers() -> None:
    cells = [CELL, without(CELL, "planogramPosition"), without(CELL, "planogramPosition", "cellId")]
    assert [slot.position for slot in parse.slots(account(), "LIV-0042", cells, None, NOW)] == ["A1", "456", "1"]


def test_the_product_of_a_line_is_its_meta_and_not_the_line() -> None:
    line = with_(CELL["productLineData"], id=99, productMetaId="10")
    (slot,) = parse.slots(account(), "LIV-0042", [with_(CELL, productLineData=line)], None, NOW)
    assert slot.product_ref == Ref(Kind.PRODUCT, KEY, "10")


def test_a_product() -> None:
    assert products(PRODUCT) == [
        Product(
            ref=Ref(Kind.PRODUCT, KEY, "10"),
            vendor=Vendor.LIVELLO,
            organization_ref=Ref(Kind.ORGANIZATION, KEY, "5"),
            vendor_id="10",
            name="Coca-Cola 0.33L",
            description="Carbonated soft drink",
            manufacturer="The Coca-Cola Company",
            category="Beverages",
            sku="ART-001",
            gtin=None,
            price=euro("1.79"),
            cost=euro("0.85"),
            image_url=None,
            archived=False,
            vendor_data=PRODUCT,
            packaging=ProductPackaging(net_weight=Decimal(330), net_weight_unit="g"),
        )
    ]


def test_a_product_may_say_more_or_less() -> None:
    (found,) = products({"id": "10"})
    assert (found.name, found.price, found.organization_ref, found.sku) == ("10", None, None, None)
    images = [{"id": 1}, {"url": "https://img.example/10.png"}]
    more = with_(PRODUCT, packaging={"ean": "5449000000996"}, images=images, organizationCurrency=None)
    (found,) = products(more)
    assert (found.gtin, found.image_url) == ("5449000000996", "https://img.example/10.png")
    assert found.price == Money(Decimal("1.79"), "CHF")  # the account's, where the vendor tells none
    assert len(products(PRODUCT, PRODUCT)) == 1


def test_a_transaction() -> None:
    recorded = datetime(2025, 3, 18, 14, 30, tzinfo=UTC)
    assert sale(TRANSACTION) == Sale(
        ref=Ref(Kind.SALE, KEY, "1001"),
        kind=SaleKind.PURCHASE,
        status=SaleStatus.COMPLETED,
        machine_ref=Ref(Kind.MACHINE, KEY, "LIV-0042"),
        vendor=Vendor.LIVELLO,
        vendor_id="1001",
        recorded_at=recorded,
        occurred_at=recorded,
        total=euro("45.99"),
        tax=None,
        discount=euro("5"),
        payments=(
            Payment(
                method=PaymentMethod.MEMBERCARD,
                amount=euro("45.99"),
                card_brand="Visa",
                reference="string",
            ),
        ),
        lines=(
            SaleLine(
                product_ref=Ref(Kind.PRODUCT, KEY, "10"),
                product_name="Coca-Cola 0.33L",
                position="A1",
                quantity=2,
                unit_price=euro("1.79"),
                total=euro("3.58"),
                tax=None,
                tax_rate=Decimal(19),
                dispensed=DispenseOutcome.DISPENSED,
            ),
        ),
        person=None,
        trust=Trust.POLLED,
        vendor_data=TRANSACTION,
    )


def test_a_transaction_is_in_the_currency_of_its_kiosk() -> None:
    asked: list[str | None] = []

    def currency_of(serial: str | None) -> str | None:
        asked.append(serial)
        return "CZK"

    found = records.sale(account(), TRANSACTION, currency_of)
    assert asked == ["LIV-0042"]
    assert found.total == Money(Decimal("45.99"), "CZK")
    assert found.discount is not None
    assert {found.discount.currency, *(line.total.currency for line in found.lines if line.total)} == {"CZK"}
    unknown = sale(TRANSACTION, currency=None)
    assert (unknown.total, unknown.discount, unknown.lines[0].unit_price) == (None, None, None)
    assert sale(with_(TRANSACTION, currency="gbp")).total == Money(Decimal("45.99"), "GBP")


@pytest.mark.parametrize(
    ("word", "method"),
    [
        ("MEMBERCARD", PaymentMethod.MEMBERCARD),
        ("CreditOrDebitCard", PaymentMethod.CARD),
        ("CREDIT_OR_DEBIT_CARD", PaymentMethod.CARD),
        ("credit card", PaymentMethod.CARD),
        ("Visa", PaymentMethod.CARD),
        ("mastercard", PaymentMethod.CARD),
        ("girocard", PaymentMethod.CARD),
        ("otherCreditCard", PaymentMethod.CARD),
        ("other", PaymentMethod.OTHER),
        ("CASH", PaymentMethod.CASH),
        ("Wampum", PaymentMethod.UNKNOWN),
        ("", PaymentMethod.UNKNOWN),
        (None, PaymentMethod.UNKNOWN),
    ],
)
def test_payments_have_words_and_a_new_one_is_unknown(word: str | None, method: PaymentMethod) -> None:
    found = sale(with_(TRANSACTION, paymentMethod=with_(TRANSACTION["paymentMethod"], paymentType=word)))
    assert [payment.method for payment in found.payments] == [method]


@pytest.mark.parametrize(
    ("paid", "status"),
    [(True, SaleStatus.COMPLETED), (False, SaleStatus.PENDING), (None, SaleStatus.COMPLETED)],
)
def test_what_is_not_paid_is_pending(paid: bool | None, status: SaleStatus) -> None:
    row = with_(TRANSACTION, paymentMethod=with_(TRANSACTION["paymentMethod"], isPaid=paid))
    assert sale(row).status is status


def test_a_reference_is_the_external_one_or_else_the_membercard() -> None:
    row = with_(TRANSACTION, paymentMethod=without(TRANSACTION["paymentMethod"], "externalTransactionId"))
    assert sale(row).payments[0].reference == "MC-001"


@pytest.mark.parametrize(("user", "person"), [(0, None), ("0", None), (None, None), (17, "17"), ("17", "17")])
def test_user_0_is_nobody(user: Any, person: str | None) -> None:
    found = sale(with_(TRANSACTION, userId=user))
    assert found.person == (None if person is None else Person(vendor_id=person, name=None))


def test_a_transaction_may_say_little() -> None:
    found = sale({"id": "77", "created": "2025-03-18T14:30:00Z", "total": "3.5"})
    assert (found.vendor_id, found.machine_ref, found.payments, found.lines) == ("77", None, (), ())
    assert (found.total, found.discount) == (euro("3.5"), None)
    bare = sale(with_(TRANSACTION, itemsPurchased=[{"name": "Apple"}], paymentMethod=None, kiosk=None))
    (line,) = bare.lines
    assert (line.product_name, line.quantity, line.unit_price, line.total, line.product_ref) == (
        "Apple", 1, None, None, None,
    )  # fmt: skip
    for broken in (without(TRANSACTION, "created"), without(TRANSACTION, "id"), with_(TRANSACTION, total="much")):
        with pytest.raises(VendorProtocolError, match="transaction"):
            sale(broken)


def test_money_of_many_lines_is_exact() -> None:
    items = [{"name": "Apple", "price": price, "quantity": 3} for price in (0.1, "0.7000", "1.79", 1.1)]
    lines = sale(with_(TRANSACTION, itemsPurchased=items)).lines
    assert sum(line.total.amount for line in lines if line.total) == Decimal("11.07")


def test_an_organization() -> None:
    assert organizations([with_(ORGANIZATION, parentOrg=None)]) == [
        Organization(
            ref=Ref(Kind.ORGANIZATION, KEY, "42"),
            name="SuperMarkt GmbH",
            parent_ref=None,
            location=Location(
                address="Friedrichstraße 123",
                city="Berlin",
                postal_code="10117",
                country="DE",
                timezone="Europe/Berlin",
            ),
        )
    ]


PARENTS: list[tuple[Any, str | None]] = [
    (1, "1"),
    ("1", "1"),
    ({"id": 1, "name": "Root"}, "1"),
    ({"_id": "1"}, "1"),
    (None, None),
    ({}, None),
    ("", None),
    (99, None),
    ({"id": 99}, None),
    (42, None),
]


@pytest.mark.parametrize(("parent", "found"), PARENTS)
def test_a_parent_comes_as_a_number_a_text_or_an_object_and_hangs_under_the_root_if_unseen(
    parent: Any, found: str | None
) -> None:
    root = with_(ORGANIZATION, id=1, parentOrg=None)
    for rows in ([with_(ORGANIZATION, parentOrg=parent), root], [root, with_(ORGANIZATION, parentOrg=parent)]):
        told = {one.ref.native: one.parent_ref for one in organizations(rows)}
        assert told == {"1": None, "42": None if found is None else Ref(Kind.ORGANIZATION, KEY, found)}


def test_an_organization_without_the_member_hangs_under_the_root() -> None:
    (found,) = organizations([without(ORGANIZATION, "parentOrg", "address")])
    assert (found.parent_ref, found.location) == (None, None)


def test_organizations_in_a_circle_hang_under_the_root_and_others_below_them() -> None:
    rows = [{"id": 1, "parentOrg": 3}, {"id": 2, "parentOrg": 1}, {"id": 3, "parentOrg": 2}, {"id": 4, "parentOrg": 3}]
    told = {one.ref.native: one.parent_ref and one.parent_ref.native for one in organizations(rows)}
    assert told == {"1": None, "2": None, "3": None, "4": "3"}


def test_an_organization_that_is_listed_twice_is_one() -> None:
    assert len(organizations([ORGANIZATION, ORGANIZATION])) == 1


def test_a_country_is_told_by_name_or_by_code() -> None:
    named = with_(ORGANIZATION, address={"country": "Germany", "countryCode": "DE", "city": ""})
    (found,) = organizations([named], timezone=None)
    assert found.location == Location(country="Germany")


def test_whose_kiosks_are_and_what_organizations_take() -> None:
    junk: list[Any] = [None, 7, "x", {}]
    kiosks = [KIOSK, {"_id": 7, "orgId": 5}, {"serialNumber": "LIV-9"}, *junk]
    assert parse.owners(kiosks) == {"LIV-0042": "123", "7": "5"}
    organizations = [ORGANIZATION, {"_id": "5", "currency": "chf"}, {"id": 6}, *junk]
    assert parse.currencies(organizations) == {"42": "EUR", "5": "CHF", "6": None}


def test_an_alert() -> None:
    found = event(ALERT)
    assert found.ref == Ref(Kind.EVENT, KEY, "7001@1760518830123")
    assert found.machine_ref == Ref(Kind.MACHINE, KEY, "LIV-0042")
    assert (found.vendor, found.vendor_id, found.code) == (Vendor.LIVELLO, "7001", "HighTemperature")
    assert found.message == "Kiosk internal temperature exceeded threshold"
    assert (found.severity, found.state, found.source) == (Severity.CRITICAL, EventState.ACTIVE, None)
    assert found.recorded_at == datetime(2025, 10, 15, 9, 0, 30, 123_000, tzinfo=UTC)
    assert found.occurred_at == datetime(2025, 10, 15, 9, 0, tzinfo=UTC)
    assert (found.trust, found.vendor_data) == (Trust.POLLED, ALERT)


@pytest.mark.parametrize(
    ("word", "severity"),
    [("low", Severity.INFO), ("MID", Severity.WARNING), ("high", Severity.CRITICAL), ("x", Severity.WARNING)],
)
def test_severities(word: str, severity: Severity) -> None:
    assert event(with_(ALERT, severity=word)).severity is severity


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("open", EventState.ACTIVE),
        ("Raised", EventState.ACTIVE),
        ("resolved", EventState.RESOLVED),
        ("gone", EventState.UNKNOWN),
        (None, EventState.UNKNOWN),
    ],
)
def test_states(word: str | None, state: EventState) -> None:
    assert event(with_(ALERT, status=word)).state is state


def test_an_alert_may_say_little() -> None:
    found = event({"id": "a@b", "startDate": "2025-10-15T09:00:00Z"})
    assert (found.machine_ref, found.code, found.message) == (None, "", "")
    assert found.recorded_at == found.occurred_at == datetime(2025, 10, 15, 9, tzinfo=UTC)
    assert records.alert_of(found.ref.native) == ("a@b", found.recorded_at)


@pytest.mark.parametrize(
    "native", ["7001", "7001@", "7001@soon", "7001@-5", "7001@" + "9" * 30, "7001@" + "9" * 5000, "@5", ""]
)
def test_what_never_was_an_event_has_no_time(native: str) -> None:
    assert records.alert_of(native)[1] is None


def test_a_token_ends_when_it_says_so_itself() -> None:
    told = sample("token")
    found = parse.token(account(), told, now=1_742_380_000)
    assert (found.value, found.expires_at) == (told["access_token"], 1_742_394_600)
    assert found.scope == frozenset({"kiosks:read", "inventory:read"})


@pytest.mark.parametrize(("life", "ends"), [(86_400, 86_500.0), ("60", 160.0), (None, None)])
def test_a_token_that_says_nothing_itself_has_the_life_that_is_told(life: Any, ends: float | None) -> None:
    assert parse.token(account(), {"access_token": "opaque", "expires_in": life}, now=100).expires_at == ends


@pytest.mark.parametrize(
    ("told", "scope"),
    [
        ("kiosks:read", {"kiosks:read"}),
        ("", set()),
        (["kiosks:read", "alerts:read"], {"kiosks:read", "alerts:read"}),
        (None, None),
    ],
)
def test_an_empty_scope_covers_nothing_and_an_absent_one_is_not_known(told: Any, scope: set[str] | None) -> None:
    assert parse.token(account(), {"access_token": "opaque", "scope": told}, now=100).scope == scope


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, [], None, "token"])
def test_an_answer_without_a_token_is_broken(answer: Any) -> None:
    with pytest.raises(VendorProtocolError):
        parse.token(account(), answer, now=100)


def test_lists_come_with_a_total_and_perhaps_with_more() -> None:
    answer = {"total": "523", "membercardList": ["MC-001"], "data": [TRANSACTION]}
    assert parse.page(account(), "list", answer, at=0, limit=100) == Page([TRANSACTION], 523)
    assert parse.page(account(), "list", {"total": 0, "data": []}, at=0, limit=100) == Page([], 0)


@pytest.mark.parametrize("told", [{}, {"total": None}, {"total": "many"}, {"total": {}}])
def test_without_a_total_a_full_page_is_not_the_last(told: dict[str, Any]) -> None:
    def total(rows: int) -> int:
        return parse.page(account(), "list", {"data": [1] * rows, **told}, at=200, limit=100).total

    assert (total(100), total(99), total(0)) == (301, 299, 200)


@pytest.mark.parametrize("answer", [[], {}, {"total": 3}, {"data": {}}, None, "x"])
def test_what_is_no_list_is_no_empty_list(answer: Any) -> None:
    with pytest.raises(VendorProtocolError):
        parse.page(account(), "list", answer, at=0, limit=100)


READERS: list[tuple[Any, Callable[[Any], Any]]] = [
    (KIOSK, machine),
    (CELL, lambda row: parse.slots(account(), "LIV-0042", [row], None, NOW)[0]),
    (PRODUCT, lambda row: products(row)[0]),
    (TRANSACTION, sale),
    (ORGANIZATION, lambda row: organizations([row])[0]),
    (ALERT, event),
]


@pytest.mark.parametrize(("row", "read"), READERS)
def test_members_that_are_new_change_nothing_and_nothing_read_changes_what_was_told(
    row: dict[str, Any], read: Callable[[Any], Any]
) -> None:
    before = deepcopy(row)
    found = read(row)
    newer = read({**row, "loyaltyPoints": {"deep": [1, 2]}})
    assert found.ref == newer.ref
    assert row == before


def test_a_pin_is_not_passed_on() -> None:
    row = with_(KIOSK, controller={"pin": "4711", "serviceCheck": [{"pin": "4711", "hour": 4}]}, pin="4711")
    data = machine(row).vendor_data
    assert "4711" not in json.dumps(data)
    assert data is not None
    assert data["controller"] == {"serviceCheck": [{"hour": 4}]}
