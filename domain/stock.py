"""What stock and cash machines had, and how that changed. None means that the vendor does not say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from domain.model import Trust, Vendor
from domain.money import Money
from domain.refs import Ref
from domain.sales import Person


class MovementKind(Enum):
    RESTOCK = "RESTOCK"
    TAKE = "TAKE"
    REMOVAL = "REMOVAL"
    ADJUSTMENT = "ADJUSTMENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class StockMovement:
    """Of one product at one place of a machine. `delta`: by how many it changed; `level`: how many there were then.

    `position`: the place as the vendor's record calls it."""

    ref: Ref
    kind: MovementKind
    machine_ref: Ref | None
    vendor: Vendor
    vendor_id: str
    position: str | None
    product_ref: Ref | None
    product_name: str | None
    delta: int | None
    level: int | None
    recorded_at: datetime
    occurred_at: datetime
    person: Person | None
    trust: Trust
    vendor_data: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class CashCollection:
    ref: Ref
    machine_ref: Ref | None
    vendor: Vendor
    vendor_id: str
    recorded_at: datetime
    total: Money | None
    bills: Money | None
    coins: Money | None
    trust: Trust
    vendor_data: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMovementFilter:
    """By `recorded_at`: `from_` inclusive, `to` exclusive."""

    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    machines: Sequence[str] | None = None
    kinds: Sequence[MovementKind] | None = None
    from_: datetime | None = None
    to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashCollectionFilter:
    """By `recorded_at`: `from_` inclusive, `to` exclusive."""

    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    machines: Sequence[str] | None = None
    from_: datetime | None = None
    to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustStockInput:
    """Exactly one of `delta` and `level`."""

    slot_id: str
    delta: int | None = None
    level: int | None = None
    idempotency_key: str
