"""What a report over sales is asked for, and the rows that it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from domain.model import Vendor
from domain.money import Money
from domain.periods import Period
from domain.refs import Ref
from domain.sales import PaymentMethod, SaleKind


class SalesGroup(Enum):
    VENDOR = "VENDOR"
    MACHINE = "MACHINE"
    PRODUCT = "PRODUCT"
    PAYMENT_METHOD = "PAYMENT_METHOD"


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesReportFilter:
    """Ids are opaque texts."""

    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    machines: Sequence[str] | None = None
    kinds: Sequence[SaleKind] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesRow:
    """What is not told apart is None; so is `currency`, and all money, where no amount is known.

    `cost` is of `costed_items` of the items. `hour`: of the day, on the clocks of the report's time zone."""

    period: Period | None
    hour: int | None
    vendor: Vendor | None
    machine_ref: Ref | None
    product_ref: Ref | None
    payment_method: PaymentMethod | None
    currency: str | None
    sales: int
    items: int
    total: Money | None
    tax: Money | None
    discount: Money | None
    cost: Money | None
    costed_items: int

    @property
    def machine_id(self) -> str | None:
        return None if self.machine_ref is None else self.machine_ref.text

    @property
    def product_id(self) -> str | None:
        return None if self.product_ref is None else self.product_ref.text
