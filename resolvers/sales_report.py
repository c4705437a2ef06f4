"""Reports over the sales of all accounts: from the journal what it has all of, from the vendors' lists the rest."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.reading import ReadsSales
from domain.money import Money
from domain.paging import SourceStatus
from domain.periods import Calendar, Granularity, zone
from domain.refs import Kind, Ref
from domain.reporting import SalesGroup, SalesReportFilter, SalesRow
from domain.sales import Sale
from domain.times import Span, utc_now
from journal import sold
from journal.sold import Asked, Coverage, Part, Sum
from resolvers.context import Context, Info
from resolvers.figures import CostOf, Layout, best, of_list, rows
from resolvers.lists import page_size, refs
from resolvers.lookahead import Selection
from resolvers.merge import told, unsupported
from resolvers.report_lists import (
    USUAL_ZONE,
    catalogues,
    gaps,
    joined,
    journal_coverage,
    listed,
    report_sources,
    report_span,
)
from resolvers.sources import Source

EVERYTHING = SalesReportFilter()
BEST = 10
PARTS = {
    SalesGroup.VENDOR: Part.ACCOUNT,
    SalesGroup.MACHINE: Part.MACHINE,
    SalesGroup.PRODUCT: Part.PRODUCT,
    SalesGroup.PAYMENT_METHOD: Part.METHOD,
}


@dataclass(frozen=True, slots=True)
class Given:
    """What one account gives: what the journal has of it, and the sales of its list that the journal has not."""

    source: Source
    status: SourceStatus
    span: Span | None = None
    sales: Sequence[Sale] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesReport:
    span: Span
    timezone: str
    granularity: Granularity | None
    parts: frozenset[Part]
    filtered: SalesReportFilter
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


async def report(
    root: object,
    info: Info,
    from_: datetime,
    to: datetime,
    granularity: Granularity | None = None,
    group_by: Sequence[SalesGroup] | None = None,
    timezone: str | None = None,
    filter: SalesReportFilter | None = None,  # noqa: A002  the graph's name for it
) -> SalesReport:
    span, filtered = report_span(from_, to), filter or EVERYTHING
    zone(timezone or USUAL_ZONE)
    coverage = await journal_coverage(info.context)
    sources = report_sources(info.context, filtered.vendors, filtered.accounts, filtered.machines)
    given = await asyncio.gather(*(_given(info.context, source, filtered, span, coverage) for source in sources))
    return SalesReport(
        span=span,
        timezone=timezone or USUAL_ZONE,
        granularity=granularity,
        parts=frozenset(PARTS[group] for group in group_by or ()),
        filtered=filtered,
        given=given,
    )


async def _given(
    context: Context, source: Source, filtered: SalesReportFilter, span: Span, coverage: Coverage
) -> Given:
    kinds = None if filtered.kinds is None else frozenset(filtered.kinds)
    if source.sales_of(kinds) is None:
        return Given(source, unsupported(source.ref))
    if not isinstance(source.connector, ReadsSales):
        since = max(coverage.since, span.since)
        status = told(source.ref, utc_now(), None, complete=since == span.since)
        return Given(source, status, Span(since, span.until) if since < span.until else None)
    has, missing = gaps(span, coverage.lists.get(source.key))
    found = await asyncio.gather(*(listed(context, source, filtered, one) for one in missing))
    sales = [sale for one in found for sale in one.items]
    return Given(source, joined(source.ref, found, begun=has is not None), has, sales)


async def report_rows(root: SalesReport, info: Info) -> list[SalesRow]:
    return await _view(info, root, root.parts, root.granularity)


async def totals(root: SalesReport, info: Info) -> list[SalesRow]:
    return await _view(info, root, frozenset())


async def top_machines(root: SalesReport, info: Info, first: int | None = None) -> list[SalesRow]:
    return await _best(info, root, Part.MACHINE, first)


async def top_products(root: SalesReport, info: Info, first: int | None = None) -> list[SalesRow]:
    return await _best(info, root, Part.PRODUCT, first)


async def _best(info: Info, asked: SalesReport, part: Part, first: int | None) -> list[SalesRow]:
    found = await _view(info, asked, frozenset({part}))
    named = [row for row in found if row.machine_ref is not None or row.product_ref is not None]
    return best(named, page_size(BEST if first is None else first))


async def payment_mix(root: SalesReport, info: Info) -> list[SalesRow]:
    return await _view(info, root, frozenset({Part.METHOD}))


async def peak_hour(root: SalesReport, info: Info) -> list[SalesRow]:
    return best(await _view(info, root, frozenset(), daily=True), 1)


async def _view(
    info: Info,
    asked: SalesReport,
    parts: frozenset[Part],
    granularity: Granularity | None = None,
    *,
    daily: bool = False,
) -> list[SalesRow]:
    context = info.context
    calendar = Calendar(asked.span, zone(asked.timezone), Granularity.HOUR if daily else granularity)
    cost_of = (
        await _costs(context, asked) if "cost" in (wanted := Selection.of(info)) or "costedItems" in wanted else None
    )
    layout = Layout(
        calendar=calendar,
        parts=parts,
        periods=granularity is not None,
        vendors={one.source.key: one.source.vendor for one in asked.given},
        daily=daily,
    )
    engine = context.graph.journal.engine
    return await asyncio.to_thread(_rows, engine, asked, layout, cost_of)


def _rows(engine: Any, asked: SalesReport, layout: Layout, cost_of: CostOf | None) -> list[SalesRow]:
    """Off the event loop: there may be many."""
    calendar = layout.calendar
    machines = asked.filtered.machines
    kinds = asked.filtered.kinds
    wanted = Asked(
        spans={one.source.key: one.span for one in asked.given if one.span is not None},
        groups=calendar.groups,
        hourly=calendar.hourly,
        parts=layout.parts if cost_of is None else layout.parts | {Part.PRODUCT},
        machines=refs(machines, Kind.MACHINE),
        kinds=None if kinds is None else frozenset(kinds),
    )
    found: list[Sum] = sold.sums(engine, wanted)
    for one in asked.given:
        found += of_list(one.sales, calendar)
    return rows(layout, found, cost_of or (lambda _: None))


async def _costs(context: Context, asked: SalesReport) -> CostOf:
    """As the catalogues have them now; nothing where one cannot be had."""
    found = await catalogues(context, [one.source for one in asked.given])
    known: Mapping[Ref, Money | None] = {ref: product.cost for ref, product in found.items()}
    return known.get


def machine(root: SalesRow, info: Info) -> Any:
    return info.context.loaders.machines.get(root.machine_ref)


def product(root: SalesRow, info: Info) -> Any:
    return info.context.loaders.products.get(root.product_ref)
