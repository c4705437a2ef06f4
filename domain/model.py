"""The words of the graph. None means that the vendor does not say; UNKNOWN that it said what we do not know.

The schema reads these attributes as they are; what ends in `_ref` is an edge that a resolver follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

from domain.capabilities import UnavailableField, UnavailableReason
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    limit: int
    remaining: int
    resets_at: datetime


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


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
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


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
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


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class MachineEvent:
    """`video_url` and `badge` tell of people: no log and no error may hold them."""

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
    video_url: str | None = field(default=None, repr=False)
    badge: str | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        return self.ref.text


def why_absent(unsupported: frozenset[str], **fields: object) -> tuple[UnavailableField, ...]:
    """A reason for every field of a machine without a value; `unsupported` are those the vendor never tells.

    Fields are named as in the graph, with their values; a state that is UNKNOWN has no value."""
    unknown, unseen = Connectivity.UNKNOWN, DoorState.UNKNOWN
    absent = [name for name, value in fields.items() if value is None or value is unknown or value is unseen]
    return _reasons(unsupported, tuple(absent))


@lru_cache(maxsize=1024)
def _reasons(unsupported: frozenset[str], absent: tuple[str, ...]) -> tuple[UnavailableField, ...]:
    """Made once for all machines that lack the same."""
    return tuple(
        UnavailableField(
            field=name,
            reason=UnavailableReason.UNSUPPORTED_BY_VENDOR if name in unsupported else UnavailableReason.NEVER_REPORTED,
        )
        for name in absent
    )
