"""VendNovation's JSON as domain values. Money is major units; times have no offset and are UTC; ids are text or int."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, iso, listing, money, need, need_iso, number, record, text, whole, without, word
from connectors.vendnovation.timezones import iana
from domain.model import (
    Connectivity,
    DispenseOutcome,
    DoorState,
    EventState,
    Location,
    Machine,
    MachineEvent,
    MachineGroup,
    MachineKind,
    Organization,
    Payment,
    PaymentMethod,
    Person,
    Place,
    Product,
    Sale,
    SaleKind,
    SaleLine,
    SaleStatus,
    Severity,
    Slot,
    Trust,
    Vendor,
    why_absent,
)
from domain.money import Money
from domain.paging import Listing
from domain.refs import Kind, Ref

ONLINE_MINUTES = 60
UNSUPPORTED = frozenset({"temperature", "door"})
SECRETS = frozenset({"cardToken", "authorizationNumber", "callInCode"})
NOTHING = frozenset({None, "-1", "0"})  # a product that is none
METHODS = {
    "credit": PaymentMethod.CARD,
    "cash": PaymentMethod.CASH,
    "account": PaymentMethod.ACCOUNT,
    "a": PaymentMethod.ACCOUNT,  # as the documented sample abbreviates it
}
PAYMENT_STATES = {
    "authorized": SaleStatus.PENDING,
    "charged": SaleStatus.COMPLETED,
    "void": SaleStatus.REFUNDED,
    "error": SaleStatus.FAILED,
}
VENDED = {True: DispenseOutcome.DISPENSED, False: DispenseOutcome.FAILED}
CLEARED = {True: EventState.RESOLVED, False: EventState.ACTIVE}
REFERENCES = ("referenceNumber1", "referenceNumber2", "invoiceNumber")


def machines(account: Account, found: Sequence[Any], at: datetime) -> Listing[Machine]:
    return listing(account, "machine", found, lambda row: _machine(account, row, at))


def _machine(account: Account, row: Raw, at: datetime) -> Machine:
    native = need(row["id"])
    prose = text(row.get("prose"))
    seen = iso((row.get("lastHeartBeat") or {}).get("server"))
    site, organization = text(row.get("siteId")), text(row.get("organizationId"))
    place = None if site is None else account.to(Kind.PLACE, site)
    connectivity = _connectivity(seen, at, account.online_minutes or ONLINE_MINUTES)
    return Machine(
        ref=account.to(Kind.MACHINE, native),
        vendor=Vendor.VENDNOVATION,
        organization_ref=None if organization is None else account.to(Kind.ORGANIZATION, organization),
        place_ref=place,
        vendor_id=native,
        serial_number=prose,
        name=text(row.get("name")) or prose or native,
        model=text(row.get("modelNumber")),
        kind=MachineKind.OTHER,
        group=None,
        location=None,
        connectivity=connectivity,
        last_seen_at=seen,
        door=DoorState.UNKNOWN,
        temperature=None,
        unavailable=why_absent(
            UNSUPPORTED,
            serialNumber=prose,
            model=text(row.get("modelNumber")),
            group=place,
            location=place,
            connectivity=connectivity,
            lastSeenAt=seen,
            door=None,
            temperature=None,
        ),
        observed_at=at,
        vendor_data=without(row, SECRETS),
    )


def _connectivity(seen: datetime | None, at: datetime, minutes: int) -> Connectivity:
    if seen is None:
        return Connectivity.UNKNOWN
    return Connectivity.ONLINE if at - seen <= timedelta(minutes=minutes) else Connectivity.OFFLINE


def organizations(account: Account, found: Sequence[Any]) -> Listing[Organization]:
    def read(row: Raw) -> Organization:
        native = need(row["id"])
        return Organization(
            ref=account.to(Kind.ORGANIZATION, native), name=text(row.get("name")) or native, parent_ref=None
        )

    return listing(account, "organization", found, read)


def places(account: Account, found: Sequence[Any]) -> Listing[Place]:
    return listing(account, "site", found, lambda row: _place(account, row))


def _place(account: Account, row: Raw) -> Place:
    ref = account.to(Kind.PLACE, need(row["id"]))
    name = text(row.get("name"))
    return Place(
        ref=ref,
        group=MachineGroup(id=ref.text, name=name or ref.native),
        location=_location(name, row.get("address"), iana(text(row.get("timeZone")))),
    )


def _location(name: str | None, address: Any, timezone: str | None) -> Location:
    if not isinstance(address, dict):
        return Location(name=name, address=text(address), timezone=timezone)
    lower = {key.casefold(): value for key, value in address.items()}

    def first(*keys: str) -> str | None:
        return next((found for key in keys if (found := text(lower.get(key))) is not None), None)

    return Location(
        name=name,
        address=first("address", "address1", "street", "line1"),
        city=first("city"),
        postal_code=first("postalcode", "zip", "zipcode"),
        country=first("country", "countrycode"),
        timezone=timezone,
    )


def products(account: Account, found: Sequence[Any]) -> Listing[Product]:
    return listing(account, "product", found, lambda row: _product(account, row))


def _product(account: Account, row: Raw) -> Product:
    native = need(row["id"])
    return Product(
        ref=account.to(Kind.PRODUCT, native),
        vendor=Vendor.VENDNOVATION,
        organization_ref=None,
        vendor_id=native,
        name=text(row.get("name")) or native,
        description=text(row.get("description")),
        manufacturer=text(row.get("manufacturer")),
        category=text(row.get("category")),
        sku=None,
        gtin=text(row.get("upc")),
        price=money(row.get("price"), account.currency),
        cost=money(row.get("cost"), account.currency),
        image_url=None,
        archived=row.get("isActive") is False,
        vendor_data=without(row, SECRETS),
    )


def by_machine(found: Iterable[Any]) -> Mapping[str, list[Any]]:
    """Selections by the id of their machine, unread."""
    groups: dict[str, list[Any]] = {}
    for row in found:
        machine = text(row.get("machineId")) if isinstance(row, dict) else None
        if machine is not None:
            groups.setdefault(machine, []).append(row)
    return groups


def slot(account: Account, raw: Any, at: datetime) -> Slot:
    return record(account, "selection", raw, lambda row: _slot(account, row, at))


def _slot(account: Account, row: Raw, at: datetime) -> Slot:
    machine = need(row["machineId"])
    return Slot(
        ref=account.to(Kind.SLOT, f"{machine}/{need(row['id'])}"),
        machine_ref=account.to(Kind.MACHINE, machine),
        position=need(row.get("selectionNumber") or row.get("friendlyNumber")),
        row=None,
        column=None,
        product_ref=_product_ref(account, row),
        price=money(row.get("price"), account.currency),
        quantity=whole(row.get("count")),
        capacity=whole(row.get("depth")),
        observed_at=at,
        vendor_data=without(row, SECRETS),
    )


def _product_ref(account: Account, row: Raw) -> Ref | None:
    product = text(row.get("productId"))
    return None if product is None or product in NOTHING else account.to(Kind.PRODUCT, product)


def sale(account: Account, raw: Any) -> Sale:
    return record(account, "transaction", raw, lambda row: _sale(account, row))


def _sale(account: Account, row: Raw) -> Sale:
    native = need(row["id"])
    recorded = need_iso(row["recordedAtUtc"])
    lines = row.get("lineItems") or ()
    payment = row.get("paymentInformation") or {}
    machine = text(row.get("machineId"))
    occurred = [at for at in (iso(line.get("occurredAtUtc")) for line in lines) if at is not None]
    return Sale(
        ref=account.to(Kind.SALE, f"{native}@{int(recorded.timestamp() * 1000)}"),
        kind=SaleKind.PURCHASE,
        status=_status(payment, [line.get("vendWasSuccessful") for line in lines]),
        machine_ref=None if machine is None else account.to(Kind.MACHINE, machine),
        vendor=Vendor.VENDNOVATION,
        vendor_id=native,
        recorded_at=recorded,
        occurred_at=min(occurred, default=recorded),
        total=money(row.get("totalPrice"), account.currency),
        tax=money(row.get("totalTax"), account.currency),
        discount=None,
        payments=_payments(account, row, payment),
        lines=tuple(_line(account, line) for line in lines),
        person=_person(payment.get("accountInformation")),
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS),
    )


def _status(payment: Raw, vends: list[Any]) -> SaleStatus:
    """What the payment came to, unless less was handed out than was paid for."""
    told = text((payment.get("creditInformation") or {}).get("paymentStatus"))
    paid = SaleStatus.COMPLETED
    if told is not None:
        paid = PAYMENT_STATES.get(told.strip().casefold(), SaleStatus.UNKNOWN)
    if paid in (SaleStatus.REFUNDED, SaleStatus.FAILED) or False not in vends:
        return paid
    return SaleStatus.FAILED if all(vend is False for vend in vends) else SaleStatus.PARTIAL


def _payments(account: Account, row: Raw, payment: Raw) -> tuple[Payment, ...]:
    if not payment:
        return ()
    credit = payment.get("creditInformation") or {}
    return (
        Payment(
            method=_method(payment, credit),
            amount=money(row.get("totalPrice"), account.currency),
            reference=next((found for name in REFERENCES if (found := text(credit.get(name)))), None),
        ),
    )


def _method(payment: Raw, credit: Raw) -> PaymentMethod:
    """A letter, padded, may stand for the word. C could be either of two, but credit always comes with details."""
    kind = (text(payment.get("type")) or "").strip().casefold()
    if kind == "c":
        return PaymentMethod.CARD if any(map(text, credit.values())) else PaymentMethod.CASH
    return METHODS.get(kind, PaymentMethod.UNKNOWN)


def _person(holder: Any) -> Person | None:
    if not isinstance(holder, dict):
        return None
    number_, name = text(holder.get("accountNumber")), text(holder.get("nameOnAccount"))
    return None if number_ is None and name is None else Person(vendor_id=number_, name=name)


def _line(account: Account, row: Raw) -> SaleLine:
    quantity = whole(row.get("quantity"))
    quantity = 1 if quantity is None else quantity  # the model of a line has no quantity: then it is one vend
    total = money(row.get("totalPrice"), account.currency)
    return SaleLine(
        product_ref=_product_ref(account, row),
        product_name=text(row.get("productName")) or "",
        position=text(row.get("selection")),
        quantity=quantity,
        unit_price=money(row.get("unitPrice"), account.currency) or _unit(total, quantity),
        total=total,
        tax=money(row.get("taxCharged"), account.currency),
        tax_rate=number(row.get("taxRate")),
        dispensed=word(VENDED, row.get("vendWasSuccessful"), DispenseOutcome.UNKNOWN),
    )


def _unit(total: Money | None, quantity: int) -> Money | None:
    """The price of one, where it comes out even to a hundredth of a cent."""
    if total is None or quantity < 1:
        return None
    one = (total.amount / quantity).quantize(Decimal("0.0001"))
    return Money(one, total.currency) if one * quantity == total.amount else None


def event(account: Account, raw: Any) -> MachineEvent:
    return record(account, "alert", raw, lambda row: _event(account, row))


def _event(account: Account, row: Raw) -> MachineEvent:
    native = need(row["id"])
    raised = need_iso(row["raisedAt"])
    machine = text(row.get("machineId"))
    code = text(row.get("code")) or ""
    return MachineEvent(
        ref=account.to(Kind.EVENT, f"{native}@{int(raised.timestamp() * 1000)}"),
        machine_ref=None if machine is None else account.to(Kind.MACHINE, machine),
        vendor=Vendor.VENDNOVATION,
        vendor_id=native,
        code=code,
        message=text(row.get("message")) or code,
        severity=Severity.WARNING,  # the vendor does not rank its alerts
        state=_state(row),
        source=None,
        recorded_at=raised,
        occurred_at=raised,
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS),
    )


def _state(row: Raw) -> EventState:
    """Where it does not say whether it is cleared, the time of its clearing does."""
    cleared = row.get("isCleared")
    if cleared is None and iso(row.get("clearedAt")) is not None:
        cleared = True
    return word(CLEARED, cleared, EventState.UNKNOWN)
