"""SmartEPI's JSON as domain values. There is no money; times are UNIX seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, need, record, records, text, unix, whole
from domain.model import (
    Connectivity,
    DispenseOutcome,
    DoorState,
    Machine,
    MachineKind,
    Person,
    Product,
    Sale,
    SaleKind,
    SaleLine,
    SaleStatus,
    Trust,
    Vendor,
    why_absent,
)
from domain.refs import Kind

STATUSES = {"SUCCESS": SaleStatus.COMPLETED, "FAILED": SaleStatus.FAILED}
OUTCOMES = {"SUCCESS": DispenseOutcome.DISPENSED, "FAILED": DispenseOutcome.FAILED}
UNSUPPORTED = frozenset({"serialNumber", "model", "group", "location", "temperature", "door", "slots"})


@dataclass(frozen=True, slots=True)
class Transaction:
    """One of the three lists: its operation, the letter that its ids begin with, and the member with its status."""

    operation: str
    letter: str
    status: str
    kind: SaleKind

    def identity(self, native: str) -> str:
        """Ids are unique in their list; this is in all three."""
        return f"{self.letter}:{native}"


WITHDRAWALS = Transaction("list-withdrawals", "w", "withdrawalStatus", SaleKind.WITHDRAWAL)
RETURNS = Transaction("list-returns", "r", "returnStatus", SaleKind.RETURN)
EXCHANGES = Transaction("list-exchanges", "x", "exchangeStatus", SaleKind.EXCHANGE)
TRANSACTIONS = (WITHDRAWALS, RETURNS, EXCHANGES)


def products(account: Account, found: list[Any]) -> list[Product]:
    return records(account, "product", found, lambda row: _product(account, row))


def _product(account: Account, row: Raw) -> Product:
    native = need(row["id"])
    return Product(
        ref=account.to(Kind.PRODUCT, native),
        vendor=Vendor.SMARTEPI,
        organization_ref=None,
        vendor_id=native,
        name=text(row.get("name")) or native,
        description=text(row.get("description")),
        manufacturer=None,
        category=None,
        sku=text(row.get("code")),
        gtin=None,
        price=None,
        cost=None,
        image_url=None,
        archived=False,
        vendor_data=row,
    )


def sale(account: Account, transaction: Transaction, raw: Any, trust: Trust = Trust.POLLED) -> Sale:
    return record(account, transaction.kind.value.lower(), raw, lambda row: _sale(account, transaction, row, trust))


def _sale(account: Account, transaction: Transaction, row: Raw, trust: Trust) -> Sale:
    native = need(row["id"])
    created = unix(row["createdAt"])
    device = text(row.get("deviceId"))
    status = text(row.get(transaction.status)) or ""
    return Sale(
        ref=account.to(Kind.SALE, f"{transaction.identity(native)}@{int(created.timestamp())}"),
        kind=transaction.kind,
        status=STATUSES.get(status, SaleStatus.UNKNOWN),
        machine_ref=None if device is None else account.to(Kind.MACHINE, device),
        vendor=Vendor.SMARTEPI,
        vendor_id=native,
        recorded_at=created,
        occurred_at=created,
        total=None,
        tax=None,
        discount=None,
        payments=(),
        lines=tuple(_lines(account, row, OUTCOMES.get(status, DispenseOutcome.UNKNOWN))),
        person=_person(row),
        trust=trust,
        vendor_data=row,
    )


def _person(row: Raw) -> Person | None:
    native, name = text(row.get("employeeId")), text(row.get("employeeName"))
    return None if native is None and name is None else Person(vendor_id=native, name=name)


def _lines(account: Account, row: Raw, outcome: DispenseOutcome) -> Iterable[SaleLine]:
    """What was handed out or given back, and, in an exchange, what came back for it."""
    given = text(row.get("productId"))
    if given is not None or text(row.get("productName")) is not None:
        yield _line(account, given, text(row.get("productName")), whole(row.get("quantity")), outcome)
    back = text(row.get("returnedProductId"))
    if back is not None:
        quantity = whole(row.get("returnedQuantity"))
        name = text(row.get("returnedProductName"))
        yield _line(account, back, name, None if quantity is None else -quantity, outcome)


def _line(
    account: Account, product: str | None, name: str | None, quantity: int | None, outcome: DispenseOutcome
) -> SaleLine:
    if quantity is None:
        raise ValueError("a quantity is missing")
    return SaleLine(
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        product_name=name or product or "",
        position=None,
        quantity=quantity,
        unit_price=None,
        total=None,
        tax=None,
        tax_rate=None,
        dispensed=outcome,
    )


@dataclass(frozen=True, slots=True)
class Device:
    """A device as its transactions tell of it: the last name that it was given, and when it was last seen."""

    name: str | None
    named_at: datetime | None
    seen_at: datetime

    def joined(self, other: "Device") -> "Device":
        newer = self
        if other.named_at is not None and (self.named_at is None or other.named_at > self.named_at):
            newer = other
        return Device(newer.name, newer.named_at, max(self.seen_at, other.seen_at))


def devices(account: Account, found: Iterable[Any]) -> dict[str, Device]:
    """By id, of all the transactions."""
    seen: dict[str, Device] = {}
    for raw in found:
        told = record(account, "transaction", raw, _device)
        if told is not None:
            native, device = told
            seen[native] = seen[native].joined(device) if native in seen else device
    return seen


def _device(row: Raw) -> tuple[str, Device] | None:
    native = text(row.get("deviceId"))
    if native is None:
        return None
    name, at = text(row.get("deviceName")), unix(row["createdAt"])
    return native, Device(name, None if name is None else at, at)


def machine(account: Account, native: str, device: Device) -> Machine:
    return Machine(
        ref=account.to(Kind.MACHINE, native),
        vendor=Vendor.SMARTEPI,
        organization_ref=None,
        place_ref=None,
        vendor_id=native,
        serial_number=None,
        name=device.name or native,
        model=None,
        kind=MachineKind.DISPENSER,
        group=None,
        location=None,
        connectivity=Connectivity.UNKNOWN,
        last_seen_at=device.seen_at,
        door=DoorState.UNKNOWN,
        temperature=None,
        unavailable=why_absent(
            UNSUPPORTED,
            serialNumber=None,
            model=None,
            group=None,
            location=None,
            connectivity=None,
            temperature=None,
            door=None,
            slots=None,
        ),
        observed_at=device.seen_at,
        vendor_data=None,
    )
