"""Exports of sales: the list of sales to its end, as one stream, and how far it has come."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.exc import SQLAlchemyError

from connectors.guard import Traffic
from connectors.http import asking
from domain.errors import BadInput
from domain.exports import ExportFormat, ExportProgress, ExportState, SalesExport
from domain.facts import Origin
from domain.filters import SaleFilter
from domain.paging import SourceStatus
from journal import past
from resolvers.context import Context, Info
from resolvers.export_merge import Placed, merged
from resolvers.export_names import Names, names
from resolvers.export_parts import AccountSales, Plan, plans
from resolvers.exporting import new_id
from resolvers.live import Batch, Live

MOST = 20_000  # sales of all accounts together that are in memory
BATCH, SMALLEST = 500, 20  # sales of one account that are read at once
COUNTING_SECONDS = 5.0
LONGEST_PATH = 8_000  # characters: what proxies let through
TOLD_EVERY = 0.5  # seconds between two messages
BEGINS_WITHIN = 60.0  # seconds that a subscription waits for its export to begin


@dataclass(frozen=True, slots=True)
class Known:
    """How many sales the journal will give; `total`: how many there are in all, where it has all of them."""

    known: int | None
    total: int | None


class Sales:
    """One export: who is asked for what. `sources` and `batches` are of the same accounts."""

    def __init__(self, context: Context, filtered: SaleFilter, planned: Sequence[Plan]) -> None:
        size = max(SMALLEST, min(BATCH, MOST // max(1, len(planned))))
        self._context = context
        self._filtered = filtered
        self._plans = planned
        self._accounts = [AccountSales(context, plan, filtered, size) for plan in planned]

    @property
    def sources(self) -> Sequence[SourceStatus]:
        return [account.status for account in self._accounts]

    async def names(self) -> Names:
        asking.set(Traffic.FEED)  # an export is in no hurry
        return await names(self._context.anew(), (plan.source for plan in self._plans))

    async def batches(self) -> AsyncGenerator[Sequence[Placed], None]:
        """Newest first, as the list of sales has them, each with its place: the id in it is the sale's."""
        asking.set(Traffic.FEED)
        async with aclosing(merged([account.batches() for account in self._accounts])) as found:
            async for batch in found:
                yield batch

    async def known(self) -> Known:
        """Nothing where it takes too long to count, and where kinds are wanted: the journal cannot count those."""
        if self._filtered.kinds is not None:
            return Known(None, None)
        try:
            async with asyncio.timeout(COUNTING_SECONDS):
                count = await asyncio.to_thread(self._count)
        except (SQLAlchemyError, TimeoutError):
            return Known(None, None)
        whole = all(part.journal for plan in self._plans for part in plan.parts)
        return Known(count, count if whole else None)

    def _count(self) -> int:
        engine = self._context.graph.journal.engine
        parts = [(plan, part) for plan in self._plans for part in plan.parts if part.journal]
        return sum(past.count(engine, plan.asked(part.span)) for plan, part in parts)


async def prepared(context: Context, filtered: SaleFilter) -> Sales:
    await context.graph.journal.caught_up()
    return Sales(context, filtered, await plans(context, filtered))


async def sales(
    root: object,
    info: Info,
    format: ExportFormat,  # noqa: A002  the graph's name for it
    filter: SaleFilter | None = None,  # noqa: A002  the graph's name for it
) -> SalesExport:
    id_ = new_id()
    query = urlencode({"id": id_, **_parameters(filter or SaleFilter())})
    path = f"/exports/sales.{format.value.lower()}?{query}"
    if len(path) > LONGEST_PATH:
        raise BadInput("the filter is too long for an address: name fewer machines, or whole accounts")
    return SalesExport(id=id_, format=format, path=path)


def _parameters(filtered: SaleFilter) -> dict[str, str]:
    several: dict[str, Sequence[Any] | None] = {
        "vendors": None if filtered.vendors is None else [one.name for one in filtered.vendors],
        "kinds": None if filtered.kinds is None else [one.name for one in filtered.kinds],
        "accounts": filtered.accounts,
        "machines": filtered.machines,
    }
    found = {name: ",".join(map(str, given)) for name, given in several.items() if given is not None}
    times = {"from": filtered.from_, "to": filtered.to}
    return found | {name: at.isoformat() for name, at in times.items() if at is not None}


async def messages(root: object, info: Info, id: str) -> Live[ExportProgress]:  # noqa: A002  the graph's name for it
    """At once how it is, then as it goes on, to its end."""
    exporting, viewer = info.context.graph.exports, info.context.viewer

    async def read(version: int) -> Batch[ExportProgress]:
        found = exporting.find(viewer, id) if version < 0 else await exporting.awaited(viewer, id, BEGINS_WITHIN)
        if found is None:
            waiting = ExportProgress(seq=0, cursor="", origin=Origin.GATEWAY, id=id, state=ExportState.WAITING)
            return Batch([waiting], 0, ended=version == 0)
        if version > 0:
            await found.changed_since(version)
            await asyncio.sleep(0.0 if found.over else TOLD_EVERY)
        return Batch([found.progress()], found.version, ended=found.over)

    return Live(-1, read, shared=False)
