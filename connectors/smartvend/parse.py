"""SmartVend's JSON as domain values. Money is cents, as numbers or texts; times are UNIX seconds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, cents, need, record, records, text, unix, whole, without
from domain.model import (
    Connectivity,
    DispenseOutcome,
    DoorState,
    EventState,
    Location,
    Machine,
    MachineEvent,
    MachineKind,
    Payment,
    PaymentMethod,
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
from domain.refs import Kind

CONNECTIVITY = {"online": Connectivity.ONLINE, "offline": Connectivity.OFFLINE}
KINDS = {"coffee": MachineKind.COFFEE, "impulse": MachineKind.IMPULSE}
SEVERITIES = {"info": Severity.INFO, "warning": Severity.WARNING, "danger": Severity.CRITICAL}
STATES = {"relevant": EventState.ACTIVE, "irrelevant": EventState.RESOLVED}
AMOUNTS = {
    "bill": PaymentMethod.BILL,
    "coin": PaymentMethod.COIN,
    "digital": PaymentMethod.CARD,
    "remotePayment": PaymentMethod.REMOTE_PAYMENT,
    "remoteDeposit": PaymentMethod.REMOTE_DEPOSIT,
}
PAYMENT_TYPES = {
    "cash": PaymentMethod.CASH,
    "coin": PaymentMethod.COIN,
    "electronic": PaymentMethod.CARD,
    "credit": PaymentMethod.CARD,  # only ever seen as a filter's word
    "remote-payment": PaymentMethod.REMOTE_PAYMENT,
    "remote-deposit": PaymentMethod.REMOTE_DEPOSIT,
}
UNSUPPORTED = frozenset({"model", "group", "lastSeenAt", "temperature", "door"})
SECRETS = frozenset({"wp", "ap", "al", "2p", "2l"})  # passwords and logins of a controller's config


def machines(account: Account, found: list[Any], at: datetime) -> list[Machine]:
    return records(account, "controller", found, lambda row: _machine(account, row, at))


def _machine(account: Account, row: Raw, at: datetime) -> Machine:
    native = need(row["id"])
    serial = text(row.get("serialNumber"))
    location = _location(row)
    connectivity = CONNECTIVITY.get(row.get("connectionStatus", ""), Connectivity.UNKNOWN)
    return Machine(
        ref=account.to(Kind.MACHINE, native),
        vendor=Vendor.SMARTVEND,
        organization_ref=None,
        place_ref=None,
        vendor_id=native,
        serial_number=serial,
        name=text(row.get("humanName")) or serial or native,
        model=None,
        kind=KINDS.get(row.get("type", ""), MachineKind.OTHER),
        group=None,
        location=location,
        connectivity=connectivity,
        last_seen_at=None,
        door=DoorState.UNKNOWN,
        temperature=None,
        unavailable=why_absent(
            UNSUPPORTED,
            serialNumber=serial,
            model=None,
            group=None,
            location=location,
            connectivity=connectivity,
            lastSeenAt=None,
            door=None,
            temperature=None,
        ),
        observed_at=at,
        vendor_data=without(row, SECRETS),
    )


def _location(row: Raw) -> Location | None:
    address, city, timezone = (text(row.get(name)) for name in ("location", "city", "timezone"))
    if address is None and city is None and timezone is None:
        return None
    return Location(address=address, city=city, timezone=timezone)


def slots(account: Account, controller: str, matrix: Raw, at: datetime) -> list[Slot]:
    """The cells are counted from 1 along the rows; rows and columns from 0."""
    columns = record(account, "matrix", matrix, lambda row: _needed(row["columnsNumber"]))
    cells = matrix.get("products") or []
    return records(account, "cell", cells, lambda row: _slot(account, controller, columns, row, at))


def _slot(account: Account, controller: str, columns: int, row: Raw, at: datetime) -> Slot:
    down, across = _needed(row["rowNumber"]), _needed(row["columnNumber"])
    position = str(down * columns + across + 1)
    product = text(row.get("productId"))
    return Slot(
        ref=account.to(Kind.SLOT, f"{controller}/{position}"),
        machine_ref=account.to(Kind.MACHINE, controller),
        position=position,
        row=down,
        column=across,
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        price=cents(row.get("price"), account.currency),
        quantity=None,
        capacity=None,
        observed_at=at,
        vendor_data=row,
    )


def products(account: Account, found: list[Any]) -> list[Product]:
    return records(account, "product", found, lambda row: _product(account, row))


def _product(account: Account, row: Raw) -> Product:
    native = need(row["id"])
    return Product(
        ref=account.to(Kind.PRODUCT, native),
        vendor=Vendor.SMARTVEND,
        organization_ref=None,
        vendor_id=native,
        name=text(row.get("name")) or native,
        description=None,
        manufacturer=None,
        category=None,
        sku=None,
        gtin=None,
        price=cents(row.get("price"), account.currency),
        cost=None,
        image_url=None,
        archived=row.get("archive") is True,
        vendor_data=row,
    )


def sale(account: Account, raw: Any, trust: Trust = Trust.POLLED) -> Sale:
    return record(account, "sale", raw, lambda row: _sale(account, row, trust))


def sale_native(row: Raw) -> str:
    """What finds a sale again: the vendor looks sales up by time and machine only."""
    return f"{need(row['saleId'])}@{_needed(row['createdAt'])}@{need(row['controllerId'])}"


def _sale(account: Account, row: Raw, trust: Trust) -> Sale:
    recorded = unix(row["createdAt"])
    return Sale(
        ref=account.to(Kind.SALE, sale_native(row)),
        kind=SaleKind.PURCHASE,
        status=SaleStatus.COMPLETED,
        machine_ref=account.to(Kind.MACHINE, need(row["controllerId"])),
        vendor=Vendor.SMARTVEND,
        vendor_id=need(row["saleId"]),
        recorded_at=recorded,
        occurred_at=unix(row["controllerCreatedAt"]) if row.get("controllerCreatedAt") else recorded,
        total=cents(row.get("totalPrice"), account.currency),
        tax=None,
        discount=None,
        payments=_payments(account, row),
        lines=tuple(_line(account, line) for line in row.get("products") or ()),
        person=None,
        trust=trust,
        vendor_data=row,
    )


def _payments(account: Account, row: Raw) -> tuple[Payment, ...]:
    """By the amounts, which are exact; by the words alone where no amount is told."""
    amounts = {method: whole(row.get(name)) for name, method in AMOUNTS.items()}
    if any(amounts.values()):
        return tuple(
            Payment(method=method, amount=cents(amount, account.currency))
            for method, amount in amounts.items()
            if amount
        )
    words = row.get("paymentTypes") or ()
    return tuple(Payment(method=PAYMENT_TYPES.get(word, PaymentMethod.UNKNOWN), amount=None) for word in words)


def _line(account: Account, row: Raw) -> SaleLine:
    product = text(row.get("productId"))
    price = cents(row.get("price"), account.currency)
    quantity = _needed(row["quantity"])
    return SaleLine(
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        product_name=text(row.get("name")) or "",
        position=text(row.get("position")),
        quantity=quantity,
        unit_price=price,
        total=None if price is None else Money(price.amount * quantity, price.currency),
        tax=None,
        tax_rate=None,
        dispensed=DispenseOutcome.UNKNOWN,
    )


def event(account: Account, raw: Any, texts: Mapping[str, str], trust: Trust = Trust.POLLED) -> MachineEvent:
    return record(account, "event", raw, lambda row: _event(account, row, texts, trust))


def event_native(row: Raw) -> str:
    return f"{need(row['id'])}@{_needed(row['createdAt'])}@{need(row['controllerId'])}"


def _event(account: Account, row: Raw, texts: Mapping[str, str], trust: Trust) -> MachineEvent:
    recorded = unix(row["createdAt"])
    code = text(row.get("code")) or text(row.get("tag")) or ""
    key = text(row.get("localizeKey"))
    return MachineEvent(
        ref=account.to(Kind.EVENT, event_native(row)),
        machine_ref=account.to(Kind.MACHINE, need(row["controllerId"])),
        vendor=Vendor.SMARTVEND,
        vendor_id=need(row["id"]),
        code=code,
        message=texts.get(key or "") or key or code,
        severity=SEVERITIES.get(row.get("level", ""), Severity.WARNING),
        state=STATES.get(row.get("status", ""), EventState.UNKNOWN),
        source=text(row.get("source")),
        recorded_at=recorded,
        occurred_at=unix(row["controllerCreatedAt"]) if row.get("controllerCreatedAt") else recorded,
        trust=trust,
        vendor_data=row,
    )


def dictionary(found: list[Any]) -> dict[str, str]:
    """Texts by their keys; a row that cannot be read has no text."""
    rows = (row for row in found if isinstance(row, dict))
    pairs = ((text(row.get("localizeKey")), text(row.get("text"))) for row in rows)
    return {key: words for key, words in pairs if key is not None and words is not None}


def _needed(value: Any) -> int:
    found = whole(value)
    if found is None:
        raise ValueError("a number is missing")
    return found
