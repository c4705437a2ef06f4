"""What a report over stock is asked for, and the rows that it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from domain.model import Vendor
from domain.money import Money
from domain.periods import Period
from domain.refs import Ref


class StockGroup(Enum):
    VENDOR = "VENDOR"
    MACHINE = "MACHINE"
    PRODUCT = "PRODUCT"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockReportFilter:
    """Ids are opaque texts."""

    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    machines: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockWorth:
    """Of units whose product has a cost, or a price, in one currency."""

    currency: str
    cost: Money | None
    costed_units: int
    price: Money | None
    priced_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFigure:
    """Of movements of one kind. `uncounted`: those that do not say how many units they were."""

    movements: int
    units: int
    uncounted: int
    worth: Sequence[StockWorth]


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """What is not told apart is None. `spoilage_rate`: removed units to restocked ones, where both are known."""

    period: Period | None
    vendor: Vendor | None
    machine_ref: Ref | None
    product_ref: Ref | None
    restocked: StockFigure
    taken: StockFigure
    removed: StockFigure
    adjusted: StockFigure
    unexplained: StockFigure
    spoilage_rate: Decimal | None

    @property
    def machine_id(self) -> str | None:
        return None if self.machine_ref is None else self.machine_ref.text

    @property
    def product_id(self) -> str | None:
        return None if self.product_ref is None else self.product_ref.text
