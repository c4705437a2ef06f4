"""SmartVend's JSON as domain values. Money is cents, as numbers or texts; times are UNIX seconds."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from connectors import again
from connectors.base import Account
from connectors.parsing import ROW_ALONE, Raw, cents, listing, need, number, record, text, unix, whole, without, word
from domain.model import (
    Connectivity,
    DoorState,
    EventState,
    Location,
    Machine,
    MachineEvent,
    MachineKind,
    Product,
    Severity,
    Slot,
    Trust,
    Vendor,
    why_absent,
)
from domain.money import Money
from domain.paging import Listing
from domain.refs import Kind, Ref
from domain.sales import DispenseOutcome, Payment, PaymentMethod, Sale, SaleKind, SaleLine, SaleStatus

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
LASTING = ("controllerId", "tag", "code", "localizeKey", "source", "level")  # what an event's status never changes


def machines(account: Account, found: list[Any], at: datetime) -> Listing[Machine]:
    return listing(
        account,
        "controller",
        found,
        lambda row: _machine(account, row, at),
        given=ROW_ALONE,
        again=lambda known: again.machine(known, at),
    )


def _machine(account: Account, row: Raw, at: datetime) -> Machine:
    native = need(row["id"])
    serial = text(row.get("serialNumber"))
    location = _location(row)
    connectivity = word(CONNECTIVITY, row.get("connectionStatus"), Connectivity.UNKNOWN)
    return Machine(
        ref=account.to(Kind.MACHINE, native),
        vendor=Vendor.SMARTVEND,
        organization_ref=None,
        place_ref=None,
        vendor_id=native,
        serial_number=serial,
        name=text(row.get("humanName")) or serial or native,
        model=None,
        kind=word(KINDS, row.get("type"), MachineKind.OTHER),
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
    """The vendor lets a time zone be anything; only a name tells one."""
    address, city, timezone = text(row.get("location")), text(row.get("city")), row.get("timezone")
    timezone = timezone if isinstance(timezone, str) and timezone else None
    if address is None and city is None and timezone is None:
        return None
    return Location(address=address, city=city, timezone=timezone)


def slots(account: Account, controller: str, matrix: Raw, at: datetime) -> list[Slot]:
    """The cells are counted from 1 along the rows; rows and columns from 0. One that cannot be read is left out."""
    columns, cells = record(
        account, "matrix", matrix, lambda row: (_needed(row["columnsNumber"]), _list(row, "products"))
    )
    found = listing(
        account,
        "cell",
        cells,
        lambda row: _slot(account, controller, columns, row, at),
        given=(controller, columns),
        again=lambda known: again.slot(known, at),
    )
    return list(found.items)


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


def products(account: Account, found: list[Any]) -> Listing[Product]:
    return listing(account, "product", found, lambda row: _product(account, row), given=ROW_ALONE)


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


def _sale(account: Account, row: Raw, trust: Trust) -> Sale:
    native, recorded = need(row["saleId"]), unix(row["createdAt"])
    return Sale(
        ref=account.to(Kind.SALE, _findable(native, recorded)),
        kind=SaleKind.PURCHASE,
        status=SaleStatus.COMPLETED,
        machine_ref=_machine_ref(account, row),
        vendor=Vendor.SMARTVEND,
        vendor_id=native,
        recorded_at=recorded,
        occurred_at=_occurred(row, recorded),
        total=cents(row.get("totalPrice"), account.currency),
        tax=None,
        discount=None,
        payments=_payments(account, row),
        lines=tuple(_lines(account, row)),
        person=None,
        trust=trust,
        vendor_data=row,
    )


def _findable(native: str, recorded: datetime) -> str:
    """What finds a record again: the vendor looks them up by time only, and in whole seconds."""
    return f"{native}@{int(recorded.timestamp())}"


def _machine_ref(account: Account, row: Raw) -> Ref | None:
    controller = text(row.get("controllerId"))
    return None if controller is None else account.to(Kind.MACHINE, controller)


def _occurred(row: Raw, recorded: datetime) -> datetime:
    """At the machine. A clock there that was never set says 0."""
    told = row.get("controllerCreatedAt")
    return unix(told) if number(told) else recorded


def _payments(account: Account, row: Raw) -> tuple[Payment, ...]:
    """By the amounts, which are exact; by the words alone where no amount is told."""
    amounts = {method: whole(row.get(name)) for name, method in AMOUNTS.items()}
    if any(amounts.values()):
        return tuple(
            Payment(method=method, amount=cents(amount, account.currency))
            for method, amount in amounts.items()
            if amount
        )
    words = _list(row, "paymentTypes")
    return tuple(Payment(method=word(PAYMENT_TYPES, each, PaymentMethod.UNKNOWN), amount=None) for each in words)


def _lines(account: Account, row: Raw) -> Iterable[SaleLine]:
    """The quantity of a sale is that of all its lines, so that a single line may leave it out."""
    lines = _list(row, "products")
    otherwise = row.get("quantity") if len(lines) == 1 else None
    return (_line(account, line, otherwise) for line in lines)


def _line(account: Account, row: Raw, otherwise: Any) -> SaleLine:
    product = text(row.get("productId"))
    price = cents(row.get("price"), account.currency)
    told = row.get("quantity")
    quantity = _needed(otherwise if told is None else told)
    return SaleLine(
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        product_name=text(row.get("name")) or product or "",
        position=_position(row.get("position")),
        quantity=quantity,
        unit_price=price,
        total=None if price is None else Money(price.amount * quantity, price.currency),
        tax=None,
        tax_rate=None,
        dispensed=DispenseOutcome.UNKNOWN,
    )


def _position(value: Any) -> str | None:
    """A number, and 5.0 is the same one as 5."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else text(value)


def event(account: Account, raw: Any, texts: Mapping[str, str], trust: Trust = Trust.POLLED) -> MachineEvent:
    return record(account, "event", raw, lambda row: _event(account, row, texts, trust))


def _event_id(row: Raw, recorded: datetime, occurred: datetime) -> str:
    """The vendor may leave an event without one: then a digest of all that tells it apart and never changes."""
    lasting = (text(row.get(name)) or "" for name in LASTING)
    digest = sha256("\x1f".join((recorded.isoformat(), occurred.isoformat(), *lasting)).encode())
    return text(row.get("id")) or digest.hexdigest()[:32]


def _event(account: Account, row: Raw, texts: Mapping[str, str], trust: Trust) -> MachineEvent:
    recorded = unix(row["createdAt"])
    occurred = _occurred(row, recorded)
    native = _event_id(row, recorded, occurred)
    code = text(row.get("code")) or text(row.get("tag")) or ""
    key = text(row.get("localizeKey"))
    return MachineEvent(
        ref=account.to(Kind.EVENT, _findable(native, recorded)),
        machine_ref=_machine_ref(account, row),
        vendor=Vendor.SMARTVEND,
        vendor_id=native,
        code=code,
        message=texts.get(key or "") or key or code,
        severity=word(SEVERITIES, row.get("level"), Severity.WARNING),
        state=word(STATES, row.get("status"), EventState.UNKNOWN),
        source=text(row.get("source")),
        recorded_at=recorded,
        occurred_at=occurred,
        trust=trust,
        vendor_data=row,
    )


def dictionary(found: list[Any]) -> dict[str, str]:
    """Texts by their keys; a row that cannot be read has no text."""
    rows = (row for row in found if isinstance(row, dict))
    pairs = ((text(row.get("localizeKey")), text(row.get("text"))) for row in rows)
    return {key: words for key, words in pairs if key is not None and words is not None}


def _list(row: Raw, name: str) -> list[Any]:
    """Empty where it is null or absent."""
    found = row.get(name)
    if found is not None and not isinstance(found, list):
        raise TypeError(f"{name} is no list")
    return found or []


def _needed(value: Any) -> int:
    found = whole(value)
    if found is None:
        raise ValueError("a number is missing")
    return found
