"""The words of the graph. None means that the vendor does not say; UNKNOWN that it said what we do not know.

The schema reads these attributes as they are; what ends in `_ref` is an edge that a resolver follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from domain.details import (
    ProductCapacity,
    ProductCertificate,
    ProductDiet,
    ProductNutrition,
    ProductPackaging,
    ProductSize,
)
from domain.money import Money
from domain.refs import Ref


class Vendor(Enum):
    SMARTVEND = "smartvend"
    LIVELLO = "livello"
    VENDNOVATION = "vendnovation"
    SMARTEPI = "smartepi"
    EATMACHINE = "eatmachine"


class Role(Enum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class MachineKind(Enum):
    COFFEE = "COFFEE"
    IMPULSE = "IMPULSE"
    KIOSK = "KIOSK"
    FRIDGE = "FRIDGE"
    DISPENSER = "DISPENSER"
    OTHER = "OTHER"


class Connectivity(Enum):
    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    UNKNOWN = "UNKNOWN"


class DoorState(Enum):
    OPENED = "OPENED"
    CLOSED = "CLOSED"
    UNLOCKED = "UNLOCKED"
    UNKNOWN = "UNKNOWN"


class SaleKind(Enum):
    PURCHASE = "PURCHASE"
    WITHDRAWAL = "WITHDRAWAL"
    RETURN = "RETURN"
    EXCHANGE = "EXCHANGE"


class SaleStatus(Enum):
    COMPLETED = "COMPLETED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"


class DispenseOutcome(Enum):
    DISPENSED = "DISPENSED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class PaymentMethod(Enum):
    CASH = "CASH"
    COIN = "COIN"
    BILL = "BILL"
    CARD = "CARD"
    ACCOUNT = "ACCOUNT"
    MEMBERCARD = "MEMBERCARD"
    REMOTE_PAYMENT = "REMOTE_PAYMENT"
    REMOTE_DEPOSIT = "REMOTE_DEPOSIT"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class Trust(Enum):
    SIGNED = "SIGNED"
    SECRET_URL = "SECRET_URL"  # noqa: S105  a word of the graph
    POLLED = "POLLED"
    DERIVED = "DERIVED"


class Severity(Enum):
    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


class EventState(Enum):
    ACTIVE = "ACTIVE"
    RESOLVED = "RESOLVED"
    UNKNOWN = "UNKNOWN"


class AccountStatus(Enum):
    UNKNOWN = "UNKNOWN"
    OK = "OK"
    DEGRADED = "DEGRADED"
    RATE_LIMITED = "RATE_LIMITED"
    UNAUTHORIZED = "UNAUTHORIZED"
    UNAVAILABLE = "UNAVAILABLE"


class UnavailableReason(Enum):
    UNSUPPORTED_BY_VENDOR = "UNSUPPORTED_BY_VENDOR"
    NOT_PERMITTED = "NOT_PERMITTED"
    VENDOR_UNAVAILABLE = "VENDOR_UNAVAILABLE"
    OUT_OF_BUDGET = "OUT_OF_BUDGET"
    MACHINE_OFFLINE = "MACHINE_OFFLINE"
    NEVER_REPORTED = "NEVER_REPORTED"


class Capability(Enum):
    SLOTS = "SLOTS"
    STOCK_COUNTS = "STOCK_COUNTS"
    SALES = "SALES"
    EVENTS = "EVENTS"
    WEBHOOKS = "WEBHOOKS"
    TEMPERATURE = "TEMPERATURE"
    DOOR = "DOOR"
    DISPENSE_PRODUCT = "DISPENSE_PRODUCT"
    SEND_DEPOSIT = "SEND_DEPOSIT"
    SEND_REMOTE_PAYMENT = "SEND_REMOTE_PAYMENT"
    OPEN_DOOR = "OPEN_DOOR"
    SCAN_INVENTORY = "SCAN_INVENTORY"
    MEASURE_TEMPERATURE = "MEASURE_TEMPERATURE"
    READ_DOOR = "READ_DOOR"
    REBOOT = "REBOOT"
    RESTART_APP = "RESTART_APP"
    UPDATE_PLANOGRAM = "UPDATE_PLANOGRAM"
    UPDATE_CONFIG = "UPDATE_CONFIG"
    SET_PRICE = "SET_PRICE"
    COLLECT_CASH = "COLLECT_CASH"
    STOCK_MOVEMENTS = "STOCK_MOVEMENTS"
    CASH_COLLECTIONS = "CASH_COLLECTIONS"
    ADJUST_STOCK = "ADJUST_STOCK"
    CREATE_PERSON = "CREATE_PERSON"
    UPDATE_PERSON = "UPDATE_PERSON"
    DELETE_PERSON = "DELETE_PERSON"
    CREATE_UNIT = "CREATE_UNIT"
    UPDATE_UNIT = "UPDATE_UNIT"
    DELETE_UNIT = "DELETE_UNIT"
    CREATE_GROUP = "CREATE_GROUP"
    UPDATE_GROUP = "UPDATE_GROUP"
    DELETE_GROUP = "DELETE_GROUP"
    CREATE_PRODUCT = "CREATE_PRODUCT"
    UPDATE_PRODUCT = "UPDATE_PRODUCT"
    DELETE_PRODUCT = "DELETE_PRODUCT"
    CREATE_ORGANIZATION = "CREATE_ORGANIZATION"
    UPDATE_ORGANIZATION = "UPDATE_ORGANIZATION"
    CREATE_FLEET = "CREATE_FLEET"
    CREATE_MACHINE = "CREATE_MACHINE"
    CREATE_PROMO_CODES = "CREATE_PROMO_CODES"
    SET_PROMO_ELIGIBILITY = "SET_PROMO_ELIGIBILITY"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    limit: int
    remaining: int
    resets_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityStatus:
    capability: Capability
    available: bool
    reason: UnavailableReason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnavailableField:
    """`field` is the field's name in the graph."""

    field: str
    reason: UnavailableReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    name: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None
    timezone: str | None = None  # IANA


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineGroup:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where machines stand, where the vendor keeps that apart from the machine."""

    ref: Ref
    group: MachineGroup | None
    location: Location | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """`parent_ref` is None for a root; `location` serves its machines that have none of their own."""

    ref: Ref
    name: str
    parent_ref: Ref | None
    location: Location | None = None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    celsius: float
    measured_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`organization_ref`: the vendor's organization, None where it belongs to the tenant's root.

    `place_ref`: the place, or the organization, that keeps its `group` and `location` where it has none.
    `counts_stock`: False where the vendor shows a count in its slots, and keeps none."""

    ref: Ref
    vendor: Vendor
    organization_ref: Ref | None
    place_ref: Ref | None
    vendor_id: str
    serial_number: str | None
    name: str
    model: str | None
    kind: MachineKind
    group: MachineGroup | None
    location: Location | None
    connectivity: Connectivity
    last_seen_at: datetime | None
    door: DoorState
    temperature: Temperature | None
    unavailable: Sequence[UnavailableField]
    observed_at: datetime
    vendor_data: Mapping[str, Any] | None
    counts_stock: bool | None = None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """`row` and `column` count as the vendor counts them; `position` is what is printed on the machine."""

    ref: Ref
    machine_ref: Ref
    position: str
    row: int | None
    column: int | None
    product_ref: Ref | None
    price: Money | None
    quantity: int | None
    capacity: int | None
    observed_at: datetime
    vendor_data: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`tax_rate` in per cent. What stands last only some vendors tell, and lists need not."""

    ref: Ref
    vendor: Vendor
    organization_ref: Ref | None
    vendor_id: str
    name: str
    description: str | None
    manufacturer: str | None
    category: str | None
    sku: str | None
    gtin: str | None
    price: Money | None
    cost: Money | None
    image_url: str | None
    archived: bool
    vendor_data: Mapping[str, Any] | None
    tax_rate: Decimal | None = None
    packaging: ProductPackaging | None = None
    capacities: Sequence[ProductCapacity] | None = None
    nutrition: ProductNutrition | None = None
    diet: ProductDiet | None = None
    sizes: Sequence[ProductSize] | None = None
    certificates: Sequence[ProductCertificate] | None = None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    vendor_id: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    method: PaymentMethod
    amount: Money | None
    card_brand: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleLine:
    """`tax_rate` in per cent; `total` is for the whole quantity."""

    product_ref: Ref | None
    product_name: str
    position: str | None
    quantity: int
    unit_price: Money | None
    total: Money | None
    tax: Money | None
    tax_rate: Decimal | None
    dispensed: DispenseOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """`recorded_at` is the vendor's server's time: lists are ordered by it."""

    ref: Ref
    kind: SaleKind
    status: SaleStatus
    machine_ref: Ref | None
    vendor: Vendor
    vendor_id: str
    recorded_at: datetime
    occurred_at: datetime
    total: Money | None
    tax: Money | None
    discount: Money | None
    payments: Sequence[Payment]
    lines: Sequence[SaleLine]
    person: Person | None
    trust: Trust
    vendor_data: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineEvent:
    ref: Ref
    machine_ref: Ref | None
    vendor: Vendor
    vendor_id: str
    code: str
    message: str
    severity: Severity
    state: EventState
    source: str | None
    recorded_at: datetime
    occurred_at: datetime
    trust: Trust
    vendor_data: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return self.ref.text


def why_absent(unsupported: frozenset[str], **fields: object) -> tuple[UnavailableField, ...]:
    """A reason for every field of a machine without a value; `unsupported` are those the vendor never tells.

    Fields are named as in the graph, with their values; a state that is UNKNOWN has no value."""
    return tuple(
        UnavailableField(
            field=name,
            reason=UnavailableReason.UNSUPPORTED_BY_VENDOR if name in unsupported else UnavailableReason.NEVER_REPORTED,
        )
        for name, value in fields.items()
        if value is None or value in (Connectivity.UNKNOWN, DoorState.UNKNOWN)
    )
