"""Livello's analytics: what it sums up by itself, in days of UTC. Needs `reports:read`.

https://my.livello.com/developer/docs "Analytics: Sales" and those that follow"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from connectors.base import Account
from connectors.livello.client import LivelloClient, moment
from connectors.livello.figures import Figures
from connectors.livello.paging import listed
from connectors.livello.records import MILLISECOND
from connectors.parsing import Raw, records, rows
from domain.analytics import (
    AnalyticsGroup,
    DailyProfit,
    LowStockRow,
    PaymentTypeCount,
    PeakHour,
    ProductLifecycle,
    ProductStatistics,
    RankedMachine,
    RankedProduct,
    RestockFigures,
    SalesFigure,
    SalesKpis,
    Scope,
    StatisticsOrder,
)
from domain.periods import Granularity
from domain.times import Span

T = TypeVar("T")
Read = Callable[[Raw], T]

EVERY: Mapping[Granularity, str] = {
    Granularity.HOUR: "hourly",
    Granularity.DAY: "daily",
    Granularity.WEEK: "weekly",
    Granularity.MONTH: "monthly",
}
GROUPS: Mapping[AnalyticsGroup | None, str | None] = {
    None: None,
    AnalyticsGroup.PRODUCT_LINE: "product",
    AnalyticsGroup.MACHINE: "kiosk",
}
COLUMNS: Mapping[StatisticsOrder, str] = {
    StatisticsOrder.SOLD: "sold",
    StatisticsOrder.RESTOCKED: "refilled",
    StatisticsOrder.REMOVED: "removed",
    StatisticsOrder.TOTAL: "totalGrossSales",
    StatisticsOrder.COST: "totalCost",
}


class LivelloAnalytics:
    def __init__(self, account: Account, client: LivelloClient) -> None:
        self._account = account
        self._client = client

    async def sales(self, scope: Scope, granularity: Granularity, by: AnalyticsGroup | None) -> Sequence[SalesFigure]:
        """One kiosk has a parameter of its own, where what is asked for is not told apart by kiosk."""
        query = {"granularity": EVERY[granularity], "aggregateBy": GROUPS[by], **_dates(scope.span)}
        one = scope.machines is not None and len(scope.machines) == 1 and by is not AnalyticsGroup.MACHINE
        name = "kioskSerialNumber" if one else "kioskSerialNumbers"
        figures = await self._figures(scope)
        return await self._rows("sales-analytics", {**query, name: listed(scope.machines)}, figures.sale)

    async def top_machines(self, scope: Scope) -> Sequence[RankedMachine]:
        figures = await self._figures(Scope(span=scope.span))
        return await self._rows("top-kiosks", _dates(scope.span), figures.machine)

    async def top_products(self, scope: Scope) -> Sequence[RankedProduct]:
        figures = await self._figures(scope)
        return await self._rows("top-products", _query(scope), figures.product)

    async def kpis(self, scope: Scope) -> SalesKpis:
        return await self._one("transaction-kpis", scope, lambda figures: figures.kpis)

    async def peak_hour(self, scope: Scope) -> PeakHour:
        return await self._one("peak-hour", scope, lambda figures: figures.peak_hour)

    async def daily_profit(self, scope: Scope) -> Sequence[DailyProfit]:
        figures = await self._figures(scope)
        return await self._rows("daily-profit", _query(scope), figures.day)

    async def payment_types(self, scope: Scope) -> Sequence[PaymentTypeCount]:
        return await self._one("payment-types", scope, lambda figures: figures.payment_types)

    async def lifecycle(self, scope: Scope) -> ProductLifecycle:
        return await self._one("product-lifecycle", scope, lambda figures: figures.lifecycle)

    async def restocks(self, scope: Scope) -> RestockFigures:
        return await self._one("refill-statistics", scope, lambda figures: figures.restocks)

    async def low_stock(
        self, scope: Scope, threshold: int, manufacturers: Sequence[str] | None
    ) -> Sequence[LowStockRow]:
        figures = await self._figures(scope)
        query = {
            "threshold": threshold,
            "manufacturers": listed(manufacturers),
            "kioskSerialNumbers": listed(scope.machines),
        }
        return records(self._account, "low stock", await self._client.report_pages("low-stock", query), figures.low)

    async def statistics(self, scope: Scope, order: StatisticsOrder, *, idle: bool) -> Sequence[ProductStatistics]:
        figures = await self._figures(scope)
        query = {
            **_query(scope),
            "sortColumn": COLUMNS[order],
            "sortDirection": "DESC",
            "includeZeroActivity": "true" if idle else None,
        }
        found = await self._client.report_pages("product-statistics", query)
        return records(self._account, "product statistics", found, figures.statistics)

    async def _rows(self, operation: str, query: Mapping[str, object], read: Read[T]) -> Sequence[T]:
        found = await self._client.report(operation, query)
        return records(self._account, operation, rows(self._account, operation, found), read)

    async def _one(self, operation: str, scope: Scope, reader: Callable[[Figures], Read[T]]) -> T:
        figures = await self._figures(scope)
        found = await self._client.report(operation, _query(scope))
        return figures.read(operation, found, reader(figures))

    async def _figures(self, scope: Scope) -> Figures:
        currencies = self._client.currencies
        await currencies.refresh()
        return Figures(self._account, currencies.only(scope.machines, self._account.currency))


def _query(scope: Scope) -> dict[str, object]:
    return {**_dates(scope.span), "kioskSerialNumbers": listed(scope.machines)}


def _dates(span: Span) -> dict[str, object]:
    """Both ends are inclusive, and times are in milliseconds."""
    return {"startDate": moment(span.since), "endDate": moment(span.until - MILLISECOND)}
