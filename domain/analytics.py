"""What a vendor itself makes of its sales and its stock. None means that it does not say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from domain.money import Money
from domain.refs import Ref
from domain.times import Span


class AnalyticsGroup(Enum):
    PRODUCT_LINE = "PRODUCT_LINE"
    MACHINE = "MACHINE"


class StatisticsOrder(Enum):
    SOLD = "SOLD"
    RESTOCKED = "RESTOCKED"
    REMOVED = "REMOVED"
    TOTAL = "TOTAL"
    COST = "COST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """`machines`: native ids, None for all."""

    span: Span
    machines: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorAnalytics:
    account_ref: Ref
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesFigure:
    """`since`: when its period begins, in UTC."""

    since: datetime
    machine_ref: Ref | None
    product_line: str | None
    total: Money | None
    net: Money | None
    tax: Money | None
    cost: Money | None
    profit: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedMachine:
    rank: int | None
    machine_ref: Ref | None
    name: str | None
    net: Money | None
    cost: Money | None
    profit: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedProduct:
    rank: int | None
    name: str | None
    manufacturer: str | None
    image_url: str | None
    sold: int | None
    net: Money | None
    cost: Money | None
    profit: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesKpis:
    sales: int | None
    average: Money | None
    products_sold: int | None
    net: Money | None
    total: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakHour:
    """`since` and `until` on the clocks of UTC, such as 14:00."""

    since: str | None
    until: str | None
    sales: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyProfit:
    day: date
    net: Money | None
    cost: Money | None
    profit: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTypeCount:
    type: str
    sales: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedCatalogueProduct:
    product_ref: Ref | None
    name: str | None
    image_url: str | None
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLifecycle:
    most_sold: RankedCatalogueProduct | None
    least_sold: RankedCatalogueProduct | None
    most_restocked: RankedCatalogueProduct | None
    most_removed: RankedCatalogueProduct | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestockFigures:
    """`spoilage_rate` is a share: 0.05 is five of a hundred."""

    restocked: int | None
    removed: int | None
    spoilage_rate: Decimal | None
    restocked_cost: Money | None
    restocked_price: Money | None
    removed_cost: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LowStockRow:
    machine_ref: Ref | None
    product_ref: Ref | None
    name: str | None
    position: str | None
    quantity: int | None
    vendor_data: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductStatistics:
    product_ref: Ref | None
    name: str | None
    sold: int | None
    restocked: int | None
    removed: int | None
    total: Money | None
    cost: Money | None
    vendor_data: Mapping[str, Any] | None
