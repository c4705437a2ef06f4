"""What one account gives to an export: from the journal what it has all of, from the vendor's list the rest.

Newest first, a batch at a time, as fast as they are taken. A vendor that fails is asked again for a while; then what
is missing is told of, and the rest goes on."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import SQLAlchemyError

from connectors.reading import ReadsSales
from domain.errors import ErrorCode
from domain.filters import SaleFilter
from domain.paging import Connection, SourceError, SourceState, SourceStatus
from domain.refs import Kind
from domain.sales import Sale
from domain.times import END, EPOCH, Span, utc_now
from journal import past
from journal.past import Asked
from journal.sold import Coverage
from resolvers import records, sales
from resolvers.context import Context
from resolvers.lists import refs
from resolvers.log import HISTORY
from resolvers.merge import told, unsupported
from resolvers.report_lists import Listed, gaps, joined, journal_coverage
from resolvers.sources import Source

PAUSE = 1.0  # seconds before a vendor is asked again that does not say when
PATIENCE: Mapping[ErrorCode, float] = {  # seconds that a vendor may go on failing so
    ErrorCode.VENDOR_UNAVAILABLE: 45.0,
    ErrorCode.VENDOR_RATE_LIMITED: 90.0,
}
ILLEGIBLE = SourceError(
    code=ErrorCode.INTERNAL, message="the journal could not be read to its end", retry_after_seconds=None
)


@dataclass(frozen=True, slots=True)
class Part:
    span: Span
    journal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where an account's sales come from, newest first. `machines`: the vendor's ids, None for all.

    `short`: the journal alone has them, and does not reach back so far. `supported`: it has such sales at all."""

    source: Source
    parts: Sequence[Part] = ()
    machines: frozenset[str] | None = None
    short: bool = False
    supported: bool = True

    def asked(self, span: Span) -> Asked:
        return Asked(account=self.source.key, span=span, machines=self.machines)


async def plans(context: Context, filtered: SaleFilter) -> Sequence[Plan]:
    """Of the accounts that the list of sales would ask, in as much of the past as it would tell."""
    since = max(filtered.from_ or EPOCH, utc_now() - HISTORY)
    span = Span(since, max(since, filtered.to or END))
    coverage = await journal_coverage(context)
    sources = records.sources_of(context, sales.narrow(None, filtered))
    return [_plan(source, filtered, span, coverage) for source in sources]


def _plan(source: Source, filtered: SaleFilter, span: Span, coverage: Coverage) -> Plan:
    named = refs(filtered.machines, Kind.MACHINE)
    machines = None if named is None else frozenset(ref.native for ref in named if ref.account == source.key)
    if source.sales_of(None if filtered.kinds is None else frozenset(filtered.kinds)) is None:
        return Plan(source=source, supported=False)
    if not isinstance(source.connector, ReadsSales):
        since = max(coverage.since, span.since)
        parts = [Part(Span(since, span.until), journal=True)] if since < span.until else []
        return Plan(source=source, parts=parts, machines=machines, short=since > span.since)
    has, missing = gaps(span, coverage.lists.get(source.key))
    parts = [Part(one, journal=False) for one in missing if one.since < one.until]
    parts += [] if has is None else [Part(has, journal=True)]
    newest_first = sorted(parts, key=lambda part: part.span.since, reverse=True)
    return Plan(source=source, parts=newest_first, machines=machines)


class AccountSales:
    """One account's sales. `status` is what is to be said of it, whole once `batches` has ended."""

    def __init__(self, context: Context, plan: Plan, filtered: SaleFilter, size: int) -> None:
        self._context = context
        self._plan = plan
        self._filtered = filtered
        self._size = size
        self._source = plan.source
        self._failing_since: float | None = None
        self._given_up = False
        self._gave = False
        self._told: list[Listed[Sale]] = []
        if plan.short:
            self._say(told(self._source.ref, utc_now(), None, complete=False))

    @property
    def status(self) -> SourceStatus:
        if not self._plan.supported:
            return unsupported(self._source.ref)
        return joined(self._source.ref, self._told, begun=self._gave)

    async def batches(self) -> AsyncGenerator[Sequence[Sale], None]:
        for part in self._plan.parts:
            async for batch in self._journal(part.span) if part.journal else self._list(part.span):
                if batch:
                    self._gave = True
                    yield batch

    def _say(self, status: SourceStatus) -> None:
        """All that was said so far, as one."""
        self._told.append(Listed((), status))
        self._told = [Listed((), joined(self._source.ref, self._told, begun=self._gave))]

    async def _journal(self, span: Span) -> AsyncGenerator[Sequence[Sale], None]:
        try:
            async for batch in self._entries(span):
                yield batch
            kept = await journal_coverage(self._context)
        except SQLAlchemyError:
            failed = told(self._source.ref, utc_now(), None, complete=False)
            self._say(replace(failed, state=SourceState.FAILED, as_of=None, error=ILLEGIBLE))
            return
        if kept.since > span.since and not self._plan.short:  # it was pruned while it was read
            self._say(told(self._source.ref, utc_now(), None, complete=False))

    async def _entries(self, span: Span) -> AsyncGenerator[Sequence[Sale], None]:
        """Those of one time stay together: the order of the list is by their ids."""
        engine, asked = self._context.graph.journal.engine, self._plan.asked(span)
        last, held = None, list[Sale]()
        while True:
            found = await asyncio.to_thread(past.batch, engine, asked, last, self._size)
            held += self._wanted(found.sales)
            last = found.last
            if last is None:
                yield held
                return
            moment = last.at
            yield [sale for sale in held if sale.recorded_at > moment]
            held = [sale for sale in held if sale.recorded_at == moment]

    def _wanted(self, found: Sequence[Sale]) -> Sequence[Sale]:
        kinds = self._filtered.kinds
        return found if kinds is None else [sale for sale in found if sale.kind in kinds]

    async def _list(self, span: Span) -> AsyncGenerator[Sequence[Sale], None]:
        asked = replace(self._filtered, accounts=[self._source.id], from_=span.since, to=span.until)
        narrowed = sales.narrow(None, asked)
        self._failing_since, self._given_up = None, False
        after: str | None = None
        while True:
            page = await self._page(narrowed, after)
            self._say(page.sources[0])
            yield page.nodes
            if not page.page_info.has_next_page or not page.edges:
                return
            after = page.page_info.end_cursor

    async def _page(self, narrowed: records.Narrowed[Sale], after: str | None) -> Connection[Sale]:
        """Without an error, or what there is of it where that is for good."""
        while True:
            page = await records.connection(self._context.anew(), narrowed, self._size, after)
            pause = self._pause(page.sources[0].error)
            if pause is None:
                return page
            await asyncio.sleep(pause)

    def _pause(self, error: SourceError | None) -> float | None:
        """How long to wait before the vendor is asked once more; None where it is not."""
        if error is None:
            self._failing_since = None
            return None
        now = asyncio.get_running_loop().time()
        self._failing_since = now if self._failing_since is None else self._failing_since
        pause = error.retry_after_seconds or PAUSE
        if now + pause > self._failing_since + PATIENCE.get(error.code, 0.0):
            self._given_up = True
        return None if self._given_up else pause
