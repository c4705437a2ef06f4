"""What some vendors keep beside machines and sales: kinds of events, customers, visits of technicians, notes to a sale.

None means that the vendor does not say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.capabilities import Capability
from domain.model import Severity
from domain.orders import MachineOrder, Order
from domain.refs import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """`severity` is that of an event of which nothing else is said."""

    code: str
    category: str | None
    severity: Severity | None
    description: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAccount:
    vendor_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCount:
    """`product_ref` is None for all that are of no known product together."""

    product_ref: Ref | None
    sold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataTag:
    key: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFile:
    vendor_id: str
    type: str | None
    description: str | None
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleLineMetadata:
    vendor_id: str
    recorded_at: datetime | None
    occurred_at: datetime | None
    tags: Sequence[MetadataTag]
    files: Sequence[MetadataFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleMetadata:
    """What tags and files hold is the operator's choice, and may tell of people."""

    tags: Sequence[MetadataTag] = field(repr=False)
    files: Sequence[MetadataFile] = field(repr=False)
    lines: Sequence[SaleLineMetadata] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSession:
    """Somebody who works for the operator, at a machine, or in the vendor's application where `machine_ref` is None.

    `native` finds it again, with what the vendor needs for it; `source` is the vendor's word for which of the two."""

    account_ref: Ref
    native: str
    machine_ref: Ref | None
    vendor_id: str
    started_at: datetime
    ended_at: datetime | None
    login: str | None = field(repr=False)
    reason: str | None
    login_succeeded: bool | None
    abandoned: bool | None
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSessionEvent:
    """`kind` and `details` are the vendor's words."""

    vendor_id: str
    kind: str | None
    at: datetime
    details: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateServiceSessionInput:
    machine_id: str
    reason: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateServiceSession(MachineOrder):
    """`started_at`, in milliseconds, tells it apart from others."""

    kind: Capability = Capability.CREATE_SERVICE_SESSION
    reason: str
    started_at: datetime
    ended_at: datetime | None


ORDERS: Mapping[Capability, type[Order]] = {Capability.CREATE_SERVICE_SESSION: CreateServiceSession}
