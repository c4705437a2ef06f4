"""Sums of the journal and sales of lists, added up to the rows of a report."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from domain.errors import QueryTooComplex
from domain.model import Vendor
from domain.money import Money
from domain.periods import Calendar, Period
from domain.refs import Kind, Ref
from domain.reporting import SalesRow
from domain.revenue import scaled, shares, unscaled
from domain.sales import PaymentMethod, Sale
from journal.sold import Part, Sum

MOST_ROWS = 10_000
HOURS = 24

CostOf = Callable[[Ref], Money | None]


class Key(NamedTuple):
    """What a row is of."""

    period: Period | None
    hour: int | None
    vendor: Vendor | None
    machine: Ref | None
    product: Ref | None
    method: PaymentMethod | None
    currency: str | None


@dataclass(slots=True)
class Figures:
    """Money in millionths, None while none is known."""

    sales: int = 0
    items: int = 0
    total: int | None = None
    tax: int | None = None
    discount: int | None = None
    cost: int | None = None
    costed_items: int = 0

    def add(self, one: Sum, cost: int | None, *, by_product: bool) -> None:
        self.sales += one.shares if by_product and one.product is not None else one.sales
        self.items += one.items
        self.total = _plus(self.total, one.total)
        self.tax = _plus(self.tax, one.tax)
        self.discount = _plus(self.discount, one.discount)
        if cost is not None:
            self.cost = (self.cost or 0) + cost * one.items
            self.costed_items += one.items


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How rows are told apart. `daily`: by the hour of the day, whatever the day. `vendors`: of each account."""

    calendar: Calendar
    parts: frozenset[Part]
    periods: bool
    vendors: Mapping[str, Vendor]
    daily: bool = False

    def key(self, one: Sum) -> Key:
        found = one.machine if Part.MACHINE in self.parts else None
        product = one.product if Part.PRODUCT in self.parts else None
        account = one.account if Part.ACCOUNT in self.parts else None
        for ref in (found, product):
            account = account or (None if ref is None else ref.account)
        return Key(
            period=self.calendar.period(one.piece, one.hour) if self.periods else None,
            hour=one.hour % HOURS if self.daily else None,
            vendor=None if account is None else self.vendors[account],
            machine=found,
            product=product,
            method=one.method if Part.METHOD in self.parts else None,
            currency=one.currency,
        )


def rows(layout: Layout, told: Iterable[Sum], cost_of: CostOf) -> list[SalesRow]:
    """In order of time, and those of one time from the highest total on. Raises QueryTooComplex."""
    by_product = Part.PRODUCT in layout.parts
    found: dict[Key, Figures] = {}
    for one in told:
        key = layout.key(one)
        figures = found.get(key)
        if figures is None:
            figures = found[key] = Figures()
            refuse_more_than_most(len(found))
        figures.add(one, _cost(one, cost_of), by_product=by_product)
    return sorted((_row(key, figures) for key, figures in found.items()), key=_place)


def refuse_more_than_most(count: int) -> None:
    if count > MOST_ROWS:
        raise QueryTooComplex(
            f"the report would have more than {MOST_ROWS} rows: take longer periods, fewer groups, a shorter range, or"
            " a filter"
        )


def _cost(one: Sum, cost_of: CostOf) -> int | None:
    """Of one item, where it is in the same currency."""
    found = None if one.product is None else cost_of(one.product)
    return None if found is None or one.currency != found.currency else scaled(found.amount)


def _plus(kept: int | None, more: int | None) -> int | None:
    return kept if more is None else (kept or 0) + more


def _row(key: Key, figures: Figures) -> SalesRow:
    def money(amount: int | None) -> Money | None:
        return None if amount is None or key.currency is None else Money(unscaled(amount), key.currency)

    return SalesRow(
        period=key.period,
        hour=key.hour,
        vendor=key.vendor,
        machine_ref=key.machine,
        product_ref=key.product,
        payment_method=key.method,
        currency=key.currency,
        sales=figures.sales,
        items=figures.items,
        total=money(figures.total),
        tax=money(figures.tax),
        discount=money(figures.discount),
        cost=money(figures.cost),
        costed_items=figures.costed_items,
    )


def _place(row: SalesRow) -> tuple[object, ...]:
    since = row.period.since.timestamp() if row.period else 0
    return (
        since,
        row.currency or "",
        -_amount(row),
        -row.sales,
        row.vendor.value if row.vendor else "",
        row.machine_id or "",
        row.product_id or "",
        row.payment_method.value if row.payment_method else "",
        row.hour or 0,
    )


def _amount(row: SalesRow) -> Decimal:
    return Decimal(0) if row.total is None else row.total.amount


def best(found: Iterable[SalesRow], count: int) -> list[SalesRow]:
    """So many of each currency, of rows that come from the highest total on."""
    taken: dict[str | None, int] = {}
    chosen = []
    for row in found:
        taken[row.currency] = taken.get(row.currency, 0) + 1
        if taken[row.currency] <= count:
            chosen.append(row)
    return chosen


def of_list(sales: Sequence[Sale], calendar: Calendar) -> Iterable[Sum]:
    """The shares of sales, as the journal would tell them."""
    for sale in sales:
        piece = calendar.piece_at(sale.recorded_at)
        for share in shares(sale):
            yield Sum(
                piece=piece,
                hour=piece.hour(sale.recorded_at),
                account=sale.ref.account,
                machine=sale.machine_ref,
                product=None if share.product is None else Ref(Kind.PRODUCT, sale.ref.account, share.product),
                method=share.method,
                currency=share.currency,
                sales=share.sales,
                items=share.items,
                total=share.total,
                tax=share.tax,
                discount=share.discount,
                shares=1,
            )
