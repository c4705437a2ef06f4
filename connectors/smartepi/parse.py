"""SmartEPI's JSON as domain values. There is no money; times are UNIX seconds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.base import Account
from connectors.parsing import ROW_ALONE, Raw, listing, need, record, text, unix, whole
from connectors.smartepi import products as details
from domain.model import Connectivity, DoorState, Machine, MachineKind, Product, Trust, Vendor, why_absent
from domain.paging import Listing
from domain.refs import Kind
from domain.sales import DispenseOutcome, Person, Sale, SaleKind, SaleLine, SaleStatus

STATUSES = {"SUCCESS": SaleStatus.COMPLETED, "FAILED": SaleStatus.FAILED}
OUTCOMES = {"SUCCESS": DispenseOutcome.DISPENSED, "FAILED": DispenseOutcome.FAILED}
UNSUPPORTED = frozenset({"serialNumber", "model", "group", "location", "connectivity", "temperature", "door", "slots"})


@dataclass(frozen=True, slots=True)
class Transaction:
    """One of the three lists: its operation, the letter that its ids begin with, and the member with its status."""

    operation: str
    letter: str
    status: str
    kind: SaleKind


WITHDRAWALS = Transaction("list-withdrawals", "w", "withdrawalStatus", SaleKind.WITHDRAWAL)
RETURNS = Transaction("list-returns", "r", "returnStatus", SaleKind.RETURN)
EXCHANGES = Transaction("list-exchanges", "x", "exchangeStatus", SaleKind.EXCHANGE)
TRANSACTIONS = (WITHDRAWALS, RETURNS, EXCHANGES)


def products(account: Account, found: Sequence[Any]) -> Listing[Product]:
    return listing(account, "product", found, lambda row: _product(account, row), given=ROW_ALONE)


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
        sizes=details.sizes(row),
        certificates=details.certificates(row),
    )


def sale(account: Account, transaction: Transaction, raw: Any, trust: Trust = Trust.POLLED) -> Sale:
    return record(account, transaction.kind.value.lower(), raw, lambda row: _sale(account, transaction, row, trust))


def _sale(account: Account, transaction: Transaction, row: Raw, trust: Trust) -> Sale:
    native = need(row["id"])
    created = unix(row["createdAt"])
    device = text(row.get("deviceId"))
    status = text(row.get(transaction.status)) or ""
    return Sale(
        ref=account.to(Kind.SALE, f"{transaction.letter}:{native}@{int(created.timestamp())}"),
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
    """What was handed out or given back, and, in an exchange, what came back for it: that counts negative."""
    given, name = text(row.get("productId")), text(row.get("productName"))
    if given is not None or name is not None:
        yield _line(account, given, name, _quantity(row.get("quantity")), outcome)
    back = text(row.get("returnedProductId"))
    if back is not None:
        quantity = _quantity(row.get("returnedQuantity"))
        yield _line(account, back, text(row.get("returnedProductName")), -quantity, outcome)


def _quantity(value: Any) -> int:
    """Where none is told it is one piece."""
    quantity = whole(value)
    return 1 if quantity is None else quantity


def _line(account: Account, product: str | None, name: str | None, quantity: int, outcome: DispenseOutcome) -> SaleLine:
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
class Sighting:
    """What one transaction tells of a device; `device` is None where it names none."""

    device: str | None
    name: str | None
    at: datetime


def sighting(account: Account, transaction: Transaction, raw: Any) -> Sighting:
    return record(account, transaction.kind.value.lower(), raw, _sighting)


def _sighting(row: Raw) -> Sighting:
    return Sighting(text(row.get("deviceId")), text(row.get("deviceName")), unix(row["createdAt"]))


@dataclass(frozen=True, slots=True)
class Device:
    """A device as its transactions tell of it: the last name that it was given, and when it was last seen."""

    name: str | None
    named_at: datetime | None
    seen_at: datetime

    @classmethod
    def of(cls, sighting: Sighting) -> "Device":
        return cls(sighting.name, None if sighting.name is None else sighting.at, sighting.at)

    def joined(self, other: "Device") -> "Device":
        newer = self
        if other.named_at is not None and (self.named_at is None or other.named_at > self.named_at):
            newer = other
        return Device(newer.name, newer.named_at, max(self.seen_at, other.seen_at))


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
