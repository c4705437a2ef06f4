"""Movements of stock, added up to the rows of a report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from domain.model import Product, Vendor
from domain.money import Money
from domain.periods import Calendar, Period
from domain.refs import Ref
from domain.revenue import scaled, unscaled
from domain.stock import MovementKind, StockMovement
from domain.stock_reporting import StockFigure, StockGroup, StockRow, StockWorth
from resolvers.figures import refuse_more_than_most

SIGNS = {MovementKind.TAKE: -1, MovementKind.REMOVAL: -1}  # what leaves is counted as what left
RATE = Decimal("0.000001")
Products = Mapping[Ref, Product]


class Key(NamedTuple):
    """What a row is of."""

    period: Period | None
    vendor: Vendor | None
    machine: Ref | None
    product: Ref | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How rows are told apart. `tell_removals`: the accounts whose vendors do."""

    calendar: Calendar
    groups: frozenset[StockGroup]
    periods: bool
    tell_removals: frozenset[str]

    def key(self, one: StockMovement) -> Key:
        by_part = self.groups & {StockGroup.MACHINE, StockGroup.PRODUCT}
        return Key(
            period=self.calendar.period_at(one.recorded_at) if self.periods else None,
            vendor=one.vendor if by_part or StockGroup.VENDOR in self.groups else None,
            machine=one.machine_ref if StockGroup.MACHINE in self.groups else None,
            product=one.product_ref if StockGroup.PRODUCT in self.groups else None,
        )


@dataclass(slots=True)
class Worth:
    """Money in millionths."""

    cost: int | None = None
    costed: int = 0
    price: int | None = None
    priced: int = 0


@dataclass(slots=True)
class Moved:
    movements: int = 0
    units: int = 0
    uncounted: int = 0
    worth: dict[str, Worth] = field(default_factory=dict)

    def add(self, one: StockMovement, product: Product | None) -> None:
        self.movements += 1
        if one.delta is None:
            self.uncounted += 1
            return
        units = one.delta * SIGNS.get(one.kind, 1)
        self.units += units
        if product is not None and product.cost is not None:
            worth = self.worth.setdefault(product.cost.currency, Worth())
            worth.cost = (worth.cost or 0) + units * scaled(product.cost.amount)
            worth.costed += units
        if product is not None and product.price is not None:
            worth = self.worth.setdefault(product.price.currency, Worth())
            worth.price = (worth.price or 0) + units * scaled(product.price.amount)
            worth.priced += units

    @property
    def told(self) -> StockFigure:
        worth = [_worth(currency, one) for currency, one in sorted(self.worth.items())]
        return StockFigure(movements=self.movements, units=self.units, uncounted=self.uncounted, worth=worth)


def _worth(currency: str, one: Worth) -> StockWorth:
    def money(amount: int | None) -> Money | None:
        return None if amount is None else Money(unscaled(amount), currency)

    return StockWorth(
        currency=currency,
        cost=money(one.cost),
        costed_units=one.costed,
        price=money(one.price),
        priced_units=one.priced,
    )


class Figures:
    """Of one row."""

    def __init__(self) -> None:
        self._kinds = {kind: Moved() for kind in MovementKind}
        self._restocked = Moved()  # where removals would be told, too

    def add(self, one: StockMovement, product: Product | None, *, tells_removals: bool) -> None:
        self._kinds[one.kind].add(one, product)
        if tells_removals and one.kind is MovementKind.RESTOCK:
            self._restocked.add(one, None)

    def row(self, key: Key) -> StockRow:
        kinds = self._kinds
        return StockRow(
            period=key.period,
            vendor=key.vendor,
            machine_ref=key.machine,
            product_ref=key.product,
            restocked=kinds[MovementKind.RESTOCK].told,
            taken=kinds[MovementKind.TAKE].told,
            removed=kinds[MovementKind.REMOVAL].told,
            adjusted=kinds[MovementKind.ADJUSTMENT].told,
            unexplained=kinds[MovementKind.UNKNOWN].told,
            spoilage_rate=self._spoilage_rate,
        )

    @property
    def _spoilage_rate(self) -> Decimal | None:
        removed, restocked = self._kinds[MovementKind.REMOVAL], self._restocked
        if removed.uncounted or restocked.uncounted or restocked.units <= 0:
            return None
        return (Decimal(removed.units) / restocked.units).quantize(RATE)


def rows(layout: Layout, movements: Iterable[StockMovement], products: Products) -> list[StockRow]:
    """In order of time, and those of one time from the most restocked units on. Raises QueryTooComplex."""
    found: dict[Key, Figures] = {}
    for one in movements:
        key = layout.key(one)
        figures = found.get(key)
        if figures is None:
            figures = found[key] = Figures()
            refuse_more_than_most(len(found))
        product = None if one.product_ref is None else products.get(one.product_ref)
        figures.add(one, product, tells_removals=one.ref.account in layout.tell_removals)
    return sorted((figures.row(key) for key, figures in found.items()), key=_place)


def whole(movements: Iterable[StockMovement], products: Products, tell_removals: frozenset[str]) -> StockRow:
    """Of all of them, be there any or not."""
    figures = Figures()
    for one in movements:
        product = None if one.product_ref is None else products.get(one.product_ref)
        figures.add(one, product, tells_removals=one.ref.account in tell_removals)
    return figures.row(Key(None, None, None, None))


def _place(row: StockRow) -> tuple[object, ...]:
    since = row.period.since.timestamp() if row.period else 0
    vendor = row.vendor.value if row.vendor else ""
    return since, -row.restocked.units, vendor, row.machine_id or "", row.product_id or ""
