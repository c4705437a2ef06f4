"""Reports over the stock of all accounts, from the movements that vendors list or that the journal has."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.reading import ReadsMovements
from domain.model import Product
from domain.paging import SourceStatus
from domain.periods import Calendar, Granularity, zone
from domain.refs import Ref
from domain.stock import MovementKind, StockMovement, StockMovementFilter
from domain.stock_reporting import StockGroup, StockReportFilter, StockRow
from domain.times import Span
from journal.sold import Coverage
from resolvers import stock, stock_figures
from resolvers.context import Context, Info
from resolvers.lookahead import Selection
from resolvers.merge import unsupported
from resolvers.report_lists import USUAL_ZONE, catalogues, journal_coverage, report_sources, report_span, walked
from resolvers.sources import Source
from resolvers.stock_figures import Layout, Products

EVERYTHING = StockReportFilter()


@dataclass(frozen=True, slots=True)
class Given:
    """What one account gives."""

    source: Source
    status: SourceStatus
    movements: Sequence[StockMovement] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StockReport:
    span: Span
    timezone: str
    granularity: Granularity | None
    groups: frozenset[StockGroup]
    given: Sequence[Given] = field(repr=False)

    @property
    def since(self) -> datetime:
        return self.span.since

    @property
    def until(self) -> datetime:
        return self.span.until

    @property
    def sources(self) -> Sequence[SourceStatus]:
        return [one.status for one in self.given]

    @property
    def complete(self) -> bool:
        return all(one.status.complete for one in self.given)

    @property
    def movements(self) -> list[StockMovement]:
        return [movement for one in self.given for movement in one.movements]

    @property
    def tell_removals(self) -> frozenset[str]:
        told = (one.source for one in self.given if MovementKind.REMOVAL in one.source.movement_kinds)
        return frozenset(source.key for source in told)


async def report(
    root: object,
    info: Info,
    from_: datetime,
    to: datetime,
    granularity: Granularity | None = None,
    group_by: Sequence[StockGroup] | None = None,
    timezone: str | None = None,
    filter: StockReportFilter | None = None,  # noqa: A002  the graph's name for it
) -> StockReport:
    span, filtered = report_span(from_, to), filter or EVERYTHING
    zone(timezone or USUAL_ZONE)
    coverage = await journal_coverage(info.context)
    sources = report_sources(info.context, filtered.vendors, filtered.accounts, filtered.machines)
    given = await asyncio.gather(*(_given(info.context, source, filtered, span, coverage) for source in sources))
    return StockReport(
        span=span,
        timezone=timezone or USUAL_ZONE,
        granularity=granularity,
        groups=frozenset(group_by or ()),
        given=given,
    )


async def _given(
    context: Context, source: Source, filtered: StockReportFilter, span: Span, coverage: Coverage
) -> Given:
    """What only the journal tells is all there is from when on it goes back."""
    if source.movements is None:
        return Given(source, unsupported(source.ref))
    asked = StockMovementFilter(accounts=[source.id], machines=filtered.machines, from_=span.since, to=span.until)
    found = await walked(context, stock.narrow_movements(None, asked))
    kept = isinstance(source.connector, ReadsMovements) or coverage.since <= span.since
    status = replace(found.status, complete=found.status.complete and kept)
    return Given(source, status, found.items)


async def report_rows(root: StockReport, info: Info) -> list[StockRow]:
    layout = Layout(
        calendar=Calendar(root.span, zone(root.timezone), root.granularity),
        groups=root.groups,
        periods=root.granularity is not None,
        tell_removals=root.tell_removals,
    )
    products = await _products(info, root)
    return await asyncio.to_thread(stock_figures.rows, layout, root.movements, products)


async def total(root: StockReport, info: Info) -> StockRow:
    products = await _products(info, root)
    return await asyncio.to_thread(stock_figures.whole, root.movements, products, root.tell_removals)


async def _products(info: Info, asked: StockReport) -> Products:
    """As the catalogues have them now, where anybody wants to know what they are worth."""
    found: Mapping[Ref, Product] = {}
    if _wants_worth(Selection.of(info)):
        found = await catalogues(info.context, [one.source for one in asked.given])
    return found


def _wants_worth(row: Selection) -> bool:
    return any("worth" in row.at(name) for name in ("restocked", "taken", "removed", "adjusted", "unexplained"))


def machine(root: StockRow, info: Info) -> Any:
    return info.context.loaders.machines.get(root.machine_ref)


def product(root: StockRow, info: Info) -> Any:
    return info.context.loaders.products.get(root.product_ref)
