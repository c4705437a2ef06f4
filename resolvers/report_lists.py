"""What a report takes from an account's list, and what it then says of that account."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.errors import ErrorCode
from domain.filters import SaleFilter
from domain.paging import SourceError, SourceState, SourceStatus
from domain.refs import Ref
from domain.reporting import SalesReportFilter
from domain.sales import Sale
from domain.times import Span, utc_now
from resolvers import records, sales
from resolvers.context import Context
from resolvers.lists import LARGEST
from resolvers.merge import told
from resolvers.sources import Source

MOST_SALES = 50_000
TOO_MANY = SourceError(
    code=ErrorCode.QUERY_TOO_COMPLEX,
    message=f"the journal does not reach back so far, and the vendor's list has more than {MOST_SALES} sales",
    retry_after_seconds=None,
)


@dataclass(frozen=True, slots=True)
class Listed:
    sales: Sequence[Sale]
    status: SourceStatus


def gaps(wanted: Span, covered: Span | None) -> tuple[Span | None, list[Span]]:
    """What of a span is covered, and what of it is not."""
    if covered is None or covered.until <= wanted.since or wanted.until <= covered.since:
        return None, [wanted]
    has = Span(max(wanted.since, covered.since), min(wanted.until, covered.until))
    parts = (Span(wanted.since, has.since), Span(has.until, wanted.until))
    return has, [part for part in parts if part.since < part.until]


async def listed(context: Context, source: Source, filtered: SalesReportFilter, span: Span) -> Listed:
    """Page by page, as long as the request has time."""
    asked = SaleFilter(
        accounts=[source.id], machines=filtered.machines, kinds=filtered.kinds, from_=span.since, to=span.until
    )
    narrowed = sales.narrow(None, asked)
    found: list[Sale] = []
    after = None
    while True:
        page = await records.connection(context, narrowed, LARGEST, after)
        (status,) = page.sources
        found += page.nodes
        if not page.page_info.has_next_page or not page.edges or status.error is not None:
            return Listed(found, status)
        if len(found) >= MOST_SALES:
            return Listed(found, replace(status, complete=False, error=TOO_MANY))
        after = page.page_info.end_cursor


def joined(account: Ref, parts: Sequence[Listed], *, begun: bool) -> SourceStatus:
    """`begun`: the journal gave something as well."""
    statuses = [part.status for part in parts]
    if not statuses:
        return told(account, utc_now(), None)
    error = next((status.error for status in statuses if status.error is not None), None)
    some = begun or any(part.sales for part in parts)
    fresh = all(status.state is SourceState.FRESH for status in statuses)
    known = [status.as_of for status in statuses if status.as_of is not None]
    return SourceStatus(
        account_ref=account,
        state=SourceState.FRESH if fresh else SourceState.STALE if some or known else SourceState.FAILED,
        complete=all(status.complete for status in statuses),
        as_of=min(known, default=utc_now() if some else None),
        error=error,
    )
