"""Livello's JSON as domain values. Money is major units, as numbers or texts; times are ISO 8601 in UTC."""

from datetime import datetime, timedelta
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, iso, money, need, need_iso, number, record, records, text, whole, without
from domain.model import (
    Connectivity,
    DispenseOutcome,
    DoorState,
    EventState,
    Location,
    Machine,
    MachineEvent,
    MachineKind,
    Organization,
    Payment,
    PaymentMethod,
    Person,
    Product,
    Sale,
    SaleKind,
    SaleLine,
    SaleStatus,
    Severity,
    Slot,
    Temperature,
    Trust,
    Vendor,
    why_absent,
)
from domain.money import Money
from domain.refs import Kind

ONLINE_MINUTES = 15
SEVERITIES = {"low": Severity.INFO, "mid": Severity.WARNING, "high": Severity.CRITICAL}
STATES = {"open": EventState.ACTIVE, "raised": EventState.ACTIVE, "resolved": EventState.RESOLVED}
# The documents show MEMBERCARD here and CreditOrDebitCard at the kiosk; the others are what such a field may hold.
METHODS = {
    "membercard": PaymentMethod.MEMBERCARD,
    "creditordebitcard": PaymentMethod.CARD,
    "creditcard": PaymentMethod.CARD,
    "debitcard": PaymentMethod.CARD,
    "credit": PaymentMethod.CARD,
    "debit": PaymentMethod.CARD,
    "card": PaymentMethod.CARD,
    "girocard": PaymentMethod.CARD,
    "cash": PaymentMethod.CASH,
    "account": PaymentMethod.ACCOUNT,
    "other": PaymentMethod.OTHER,
}
UNSUPPORTED = frozenset({"model", "group", "door"})
SECRETS = frozenset({"pin", "cardToken"})


def machines(account: Account, found: list[Any], at: datetime) -> list[Machine]:
    kiosks = records(account, "kiosk", found, lambda row: _machine(account, row, at))
    return list({kiosk.ref: kiosk for kiosk in kiosks}.values())


def _machine(account: Account, row: Raw, at: datetime) -> Machine:
    serial = need(row.get("serialNumber") or row.get("_id"))
    seen = iso(row.get("networkLastOnline"))
    organization = text(row.get("orgId"))
    owner = None if organization is None else account.to(Kind.ORGANIZATION, organization)
    celsius = number(row.get("latestTemperature"))
    temperature = None if celsius is None else Temperature(celsius=float(celsius), measured_at=None)
    connectivity = _connectivity(seen, at, account.online_minutes or ONLINE_MINUTES)
    return Machine(
        ref=account.to(Kind.MACHINE, serial),
        vendor=Vendor.LIVELLO,
        organization_ref=owner,
        place_ref=owner,
        vendor_id=serial,
        serial_number=text(row.get("serialNumber")),
        name=text(row.get("name")) or serial,
        model=None,
        kind=MachineKind.KIOSK,
        group=None,
        location=None,
        connectivity=connectivity,
        last_seen_at=seen,
        door=DoorState.UNKNOWN,
        temperature=temperature,
        unavailable=why_absent(
            UNSUPPORTED,
            model=None,
            group=None,
            location=owner,
            connectivity=connectivity,
            lastSeenAt=seen,
            door=None,
            temperature=temperature,
        ),
        observed_at=at,
        vendor_data=without(row, SECRETS),
    )


def _connectivity(seen: datetime | None, at: datetime, minutes: int) -> Connectivity:
    if seen is None:
        return Connectivity.UNKNOWN
    return Connectivity.ONLINE if at - seen <= timedelta(minutes=minutes) else Connectivity.OFFLINE


def organizations(account: Account, found: list[Any]) -> list[Organization]:
    """One whose parent is not in the list hangs under the tenant's root."""
    told = records(account, "organization", found, lambda row: _organization(account, row))
    visible = {one.ref for one in told}
    return [one if one.parent_ref in visible else _orphan(one) for one in told]


def _orphan(one: Organization) -> Organization:
    return Organization(ref=one.ref, name=one.name, parent_ref=None, location=one.location)


def _organization(account: Account, row: Raw) -> Organization:
    native = need(row.get("id") or row.get("_id"))
    parent = row.get("parentOrg")
    parent = text(parent.get("id") or parent.get("_id")) if isinstance(parent, dict) else text(parent)
    return Organization(
        ref=account.to(Kind.ORGANIZATION, native),
        name=text(row.get("name")) or native,
        parent_ref=None if parent is None else account.to(Kind.ORGANIZATION, parent),
        location=_location(account, row.get("address")),
    )


def _location(account: Account, address: Any) -> Location | None:
    if not isinstance(address, dict):
        return None
    found = {name: text(address.get(key)) for name, key in ADDRESS.items()}
    country = text(address.get("country")) or text(address.get("countryCode"))
    if country is None and not any(found.values()):
        return None
    return Location(**found, country=country, timezone=account.timezone)


ADDRESS = {"address": "address", "city": "city", "postal_code": "postalCode"}


def products(account: Account, found: list[Any]) -> list[Product]:
    metas = records(account, "product", found, lambda row: _product(account, row))
    return list({meta.ref: meta for meta in metas}.values())


def _product(account: Account, row: Raw) -> Product:
    native = need(row["id"])
    currency = _currency(account, row.get("organizationCurrency"))
    organization = text(row.get("organizationId"))
    packaging = row.get("packaging")
    ean = text(row.get("ean")) or (text(packaging.get("ean")) if isinstance(packaging, dict) else None)
    return Product(
        ref=account.to(Kind.PRODUCT, native),
        vendor=Vendor.LIVELLO,
        organization_ref=None if organization is None else account.to(Kind.ORGANIZATION, organization),
        vendor_id=native,
        name=text(row.get("name")) or native,
        description=text(row.get("description")),
        manufacturer=text(row.get("manufacturer")),
        category=text(row.get("category")),
        sku=text(row.get("articleNumber")),
        gtin=ean,
        price=money(row.get("price"), currency),
        cost=money(row.get("cost"), currency),
        image_url=_image(row),
        archived=False,
        vendor_data=without(row, SECRETS),
    )


def _image(row: Raw) -> str | None:
    images = row.get("images") or []
    candidates = [row.get("imageUrl"), *(one.get("url") if isinstance(one, dict) else one for one in images)]
    return next((one for one in candidates if isinstance(one, str) and one.startswith(("https://", "http://"))), None)


def _currency(account: Account, told: Any) -> str | None:
    return (text(told) or account.currency or "").upper() or None


def slots(account: Account, serial: str, found: list[Any], at: datetime) -> list[Slot]:
    return records(account, "load cell", found, lambda row: _slot(account, serial, row, at))


def _slot(account: Account, serial: str, row: Raw, at: datetime) -> Slot:
    position = need(row.get("planogramPosition") or row.get("cellId") or row.get("loadCellId"))
    line = row.get("productLineData") or {}
    product = text(line.get("productMetaId"))
    return Slot(
        ref=account.to(Kind.SLOT, f"{serial}/{position}"),
        machine_ref=account.to(Kind.MACHINE, serial),
        position=position,
        row=None,
        column=None,
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        price=money(line.get("price"), _currency(account, line.get("currency"))),
        quantity=whole(line.get("quantity")),
        capacity=whole(line.get("capacity")),
        observed_at=at,
        vendor_data=without(row, SECRETS),
    )


def sale(account: Account, raw: Any) -> Sale:
    return record(account, "transaction", raw, lambda row: _sale(account, row))


def _sale(account: Account, row: Raw) -> Sale:
    native = need(row["id"])
    currency = _currency(account, row.get("currency"))
    created = need_iso(row["created"])
    kiosk = row.get("kiosk") or {}
    serial = text(kiosk.get("serialNumber"))
    method = row.get("paymentMethod") or {}
    total = money(row.get("total"), currency)
    return Sale(
        ref=account.to(Kind.SALE, native),
        kind=SaleKind.PURCHASE,
        status=SaleStatus.PENDING if method.get("isPaid") is False else SaleStatus.COMPLETED,
        machine_ref=None if serial is None else account.to(Kind.MACHINE, serial),
        vendor=Vendor.LIVELLO,
        vendor_id=native,
        recorded_at=created,
        occurred_at=created,
        total=total,
        tax=None,
        discount=money(row.get("discountTotal"), currency),
        payments=_payments(method, total),
        lines=tuple(_line(account, line, currency) for line in row.get("itemsPurchased") or ()),
        person=_person(row.get("userId")),
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS),
    )


def _payments(method: Raw, total: Money | None) -> tuple[Payment, ...]:
    if not method:
        return ()
    word = (text(method.get("paymentType")) or "").casefold()
    return (
        Payment(
            method=METHODS.get(word, PaymentMethod.UNKNOWN),
            amount=total,
            card_brand=text(method.get("cardType")),
            reference=text(method.get("externalTransactionId")) or text(method.get("membercardId")),
        ),
    )


def _person(user: Any) -> Person | None:
    """0 is nobody."""
    found = text(user)
    return None if found in (None, "0") else Person(vendor_id=found, name=None)


def _line(account: Account, row: Raw, currency: str | None) -> SaleLine:
    product = text(row.get("productMetaId"))
    price = money(row.get("price"), currency)
    quantity = whole(row.get("quantity"))
    if quantity is None:
        raise ValueError("a line has no quantity")
    return SaleLine(
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        product_name=text(row.get("name")) or "",
        position=text(row.get("planogramPosition")),
        quantity=quantity,
        unit_price=price,
        total=None if price is None else Money(price.amount * quantity, price.currency),
        tax=None,
        tax_rate=number(row.get("taxRate")),
        dispensed=DispenseOutcome.DISPENSED,
    )


def event(account: Account, raw: Any) -> MachineEvent:
    return record(account, "alert", raw, lambda row: _event(account, row))


def _event(account: Account, row: Raw) -> MachineEvent:
    native = need(row["id"])
    created = need_iso(row.get("createdAt") or row.get("startDate"))
    serial = text(row.get("kioskSerialNumber"))
    code = text(row.get("type")) or ""
    return MachineEvent(
        ref=account.to(Kind.EVENT, f"{native}@{int(created.timestamp() * 1000)}"),
        machine_ref=None if serial is None else account.to(Kind.MACHINE, serial),
        vendor=Vendor.LIVELLO,
        vendor_id=native,
        code=code,
        message=text(row.get("message")) or code,
        severity=SEVERITIES.get((text(row.get("severity")) or "").casefold(), Severity.WARNING),
        state=STATES.get((text(row.get("status")) or "").casefold(), EventState.UNKNOWN),
        source=None,
        recorded_at=created,
        occurred_at=iso(row.get("startDate")) or created,
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS),
    )
