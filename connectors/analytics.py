"""The role of a connector whose vendor sums up by itself. Every method may raise any `domain.errors.VendorError`."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

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


class Analytics(Protocol):
    async def sales(
        self, scope: Scope, granularity: Granularity, by: AnalyticsGroup | None
    ) -> Sequence[SalesFigure]: ...

    async def top_machines(self, scope: Scope) -> Sequence[RankedMachine]:
        """Of all machines, whatever the scope says of them."""
        ...

    async def top_products(self, scope: Scope) -> Sequence[RankedProduct]: ...

    async def kpis(self, scope: Scope) -> SalesKpis: ...

    async def peak_hour(self, scope: Scope) -> PeakHour: ...

    async def daily_profit(self, scope: Scope) -> Sequence[DailyProfit]: ...

    async def payment_types(self, scope: Scope) -> Sequence[PaymentTypeCount]: ...

    async def lifecycle(self, scope: Scope) -> ProductLifecycle: ...

    async def restocks(self, scope: Scope) -> RestockFigures: ...

    async def low_stock(
        self, scope: Scope, threshold: int, manufacturers: Sequence[str] | None
    ) -> Sequence[LowStockRow]:
        """As it is now."""
        ...

    async def statistics(self, scope: Scope, order: StatisticsOrder, *, idle: bool) -> Sequence[ProductStatistics]:
        """Most first. `idle`: products of which nothing moved as well."""
        ...


@runtime_checkable
class ReadsAnalytics(Protocol):
    analytics: Analytics
