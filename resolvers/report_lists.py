"""What reports over records have in common: the accounts that take part, what is taken from an account's list, and what
a report then says of that account."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from domain.errors import BadInput, ErrorCode, VendorError
from domain.filters import SaleFilter
from domain.model import Product, Vendor
from domain.paging import SourceError, SourceState, SourceStatus
from domain.periods import LONGEST
from domain.refs import Kind, Ref
from domain.reporting import SalesReportFilter
from domain.sales import Sale
from domain.times import EPOCH, Span, utc_now
from journal import sold
from journal.sold import Coverage
from resolvers import records, sales
from resolvers.context import Context
from resolvers.lists import LARGEST, refs, taking_part
from resolvers.merge import told
from resolvers.records import Narrowed
from resolvers.sources import Source
from resolvers.stretches import Recorded

R = TypeVar("R", bound=Recorded)

USUAL_ZONE = "UTC"
MOST = 50_000  # records of one account's list
TOO_MANY = SourceError(
    code=ErrorCode.QUERY_TOO_COMPLEX,
    message=f"the journal does not reach back so far, and the vendor's list has more than {MOST} records",
    retry_after_seconds=None,
)


@dataclass(frozen=True, slots=True)
class Listed(Generic[R]):
    items: Sequence[R]
    status: SourceStatus


def report_span(since: datetime, until: datetime) -> Span:
    if not EPOCH < since < until:
        raise BadInput("`from` must lie before `to`, and after 1970")
    if until - since > LONGEST:
        raise BadInput(f"a report covers {LONGEST.days} days at most")
    return Span(since, until)


def report_sources(
    context: Context,
    vendors: Sequence[Vendor] | None,
    accounts: Sequence[str] | None,
    machines: Sequence[str] | None,
) -> list[Source]:
    found = taking_part(context, vendors=vendors, accounts=accounts)
    wanted = refs(machines, Kind.MACHINE)
    named = None if wanted is None else {machine.account for machine in wanted}
    return [source for source in found if named is None or source.key in named]


async def journal_coverage(context: Context) -> Coverage:
    """Without its store a report is made of lists, as they are."""
    try:
        return await asyncio.to_thread(sold.coverage, context.graph.journal.engine)
    except SQLAlchemyError:
        return Coverage(sold.END, {})


async def catalogues(context: Context, sources: Sequence[Source]) -> Mapping[Ref, Product]:
    """As they are now; nothing of one that cannot be had."""
    lists = [source.products for source in sources if source.products is not None]
    found = await asyncio.gather(*map(context.loaders.lists.outcome, lists))
    return {product.ref: product for one in found if not isinstance(one, VendorError) for product in one.value.items}


def gaps(wanted: Span, covered: Span | None) -> tuple[Span | None, list[Span]]:
    """What of a span is covered, and what of it is not."""
    if covered is None or covered.until <= wanted.since or wanted.until <= covered.since:
        return None, [wanted]
    has = Span(max(wanted.since, covered.since), min(wanted.until, covered.until))
    parts = (Span(wanted.since, has.since), Span(has.until, wanted.until))
    return has, [part for part in parts if part.since < part.until]


async def listed(context: Context, source: Source, filtered: SalesReportFilter, span: Span) -> Listed[Sale]:
    asked = SaleFilter(
        accounts=[source.id], machines=filtered.machines, kinds=filtered.kinds, from_=span.since, to=span.until
    )
    return await walked(context, sales.narrow(None, asked))


async def walked(context: Context, narrowed: Narrowed[R]) -> Listed[R]:
    """One account's, page by page, as long as the request has time."""
    found: list[R] = []
    after = None
    while True:
        page = await records.connection(context, narrowed, LARGEST, after)
        (status,) = page.sources
        found += page.nodes
        if not page.page_info.has_next_page or not page.edges or status.error is not None:
            return Listed(found, status)
        if len(found) >= MOST:
            return Listed(found, replace(status, complete=False, error=TOO_MANY))
        after = page.page_info.end_cursor


def joined(account: Ref, parts: Sequence[Listed[Sale]], *, begun: bool) -> SourceStatus:
    """`begun`: the journal gave something as well."""
    statuses = [part.status for part in parts]
    if not statuses:
        return told(account, utc_now(), None)
    error = next((status.error for status in statuses if status.error is not None), None)
    some = begun or any(part.items for part in parts)
    fresh = all(status.state is SourceState.FRESH for status in statuses)
    known = [status.as_of for status in statuses if status.as_of is not None]
    return SourceStatus(
        account_ref=account,
        state=SourceState.FRESH if fresh else SourceState.STALE if some or known else SourceState.FAILED,
        complete=all(status.complete for status in statuses),
        as_of=min(known, default=utc_now() if some else None),
        error=error,
    )
