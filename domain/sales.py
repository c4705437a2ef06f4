"""What was sold, or taken without being sold, and how it was paid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from domain.model import Trust, Vendor
from domain.money import Money
from domain.refs import Ref


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


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
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
