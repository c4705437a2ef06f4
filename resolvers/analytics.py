"""Edges to what a vendor itself sums up, each asked for by itself and kept for a while."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from connectors.analytics import Analytics, ReadsAnalytics
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
    VendorAnalytics,
)
from domain.errors import BadInput, NotFound
from domain.model import Machine, Product
from domain.periods import LONGEST, Granularity
from domain.refs import Kind, Ref
from domain.times import Span
from resolvers.context import Context, Info
from resolvers.sources import Source

T = TypeVar("T")
Told = Coroutine[Any, Any, T]

MOST_MACHINES = 100
MOST_MANUFACTURERS = 50
HIGHEST = 100_000


class OfMachine(Protocol):
    @property
    def machine_ref(self) -> Ref | None: ...


class OfProduct(Protocol):
    @property
    def product_ref(self) -> Ref | None: ...


def analytics(
    root: Source, info: Info, from_: datetime, to: datetime, machines: Sequence[str] | None = None
) -> VendorAnalytics | None:
    """Asks for nothing yet. None where the vendor sums up nothing."""
    scope = Scope(span=_span(from_, to), machines=_machines(root, machines))
    return VendorAnalytics(account_ref=root.ref, scope=scope) if isinstance(root.connector, ReadsAnalytics) else None


def _machines(source: Source, ids: Sequence[str] | None) -> Sequence[str] | None:
    if ids is None:
        return None
    if not 1 <= len(ids) <= MOST_MACHINES:
        raise BadInput(f"1 to {MOST_MACHINES} are expected", "machines")
    refs = [Ref.parse(one) for one in ids]
    natives = [ref.native for ref in refs if ref is not None and ref[:2] == (Kind.MACHINE, source.key)]
    if len(natives) < len(refs) or any("," in native for native in natives):
        raise NotFound("there is no such machine in this account")
    return sorted(set(natives))


def _span(from_: datetime, to: datetime) -> Span:
    if not from_ < to:
        raise BadInput("it ends before it begins", "to")
    if to - from_ > LONGEST:
        raise BadInput(f"{LONGEST.days} days at the most are expected", "to")
    return Span(from_, to)


async def sales(
    root: VendorAnalytics, info: Info, granularity: Granularity, group_by: AnalyticsGroup | None = None
) -> Sequence[SalesFigure]:
    return await _told(root, info, lambda them: partial(them.sales, root.scope, granularity, group_by))


async def top_machines(root: VendorAnalytics, info: Info) -> Sequence[RankedMachine]:
    return await _told(root, info, lambda them: partial(them.top_machines, root.scope))


async def top_products(root: VendorAnalytics, info: Info) -> Sequence[RankedProduct]:
    return await _told(root, info, lambda them: partial(them.top_products, root.scope))


async def kpis(root: VendorAnalytics, info: Info) -> SalesKpis:
    return await _told(root, info, lambda them: partial(them.kpis, root.scope))


async def peak_hour(root: VendorAnalytics, info: Info) -> PeakHour:
    return await _told(root, info, lambda them: partial(them.peak_hour, root.scope))


async def daily_profit(root: VendorAnalytics, info: Info) -> Sequence[DailyProfit]:
    return await _told(root, info, lambda them: partial(them.daily_profit, root.scope))


async def payment_types(root: VendorAnalytics, info: Info) -> Sequence[PaymentTypeCount]:
    return await _told(root, info, lambda them: partial(them.payment_types, root.scope))


async def lifecycle(root: VendorAnalytics, info: Info) -> ProductLifecycle:
    return await _told(root, info, lambda them: partial(them.lifecycle, root.scope))


async def restocks(root: VendorAnalytics, info: Info) -> RestockFigures:
    return await _told(root, info, lambda them: partial(them.restocks, root.scope))


async def low_stock(
    root: VendorAnalytics, info: Info, threshold: int | None = None, manufacturers: Sequence[str] | None = None
) -> Sequence[LowStockRow]:
    least = 0 if threshold is None else threshold
    if not 0 <= least <= HIGHEST:
        raise BadInput(f"a number from 0 to {HIGHEST} is expected", "threshold")
    if manufacturers is not None and not 1 <= len(manufacturers) <= MOST_MANUFACTURERS:
        raise BadInput(f"1 to {MOST_MANUFACTURERS} are expected", "manufacturers")
    if any("," in one for one in manufacturers or ()):
        raise BadInput("one with a comma in its name cannot be asked for", "manufacturers")
    named = None if manufacturers is None else tuple(manufacturers)
    return await _told(root, info, lambda them: partial(them.low_stock, root.scope, least, named))


async def statistics(
    root: VendorAnalytics, info: Info, order_by: StatisticsOrder | None = None, idle: bool | None = None
) -> Sequence[ProductStatistics]:
    order = order_by or StatisticsOrder.SOLD
    return await _told(root, info, lambda them: partial(them.statistics, root.scope, order, idle=bool(idle)))


def machine(root: OfMachine, info: Info) -> Machine | Awaitable[Machine | None] | None:
    return info.context.loaders.machines.get(root.machine_ref)


def product(root: OfProduct, info: Info) -> Product | Awaitable[Product | None] | None:
    return info.context.loaders.products.get(root.product_ref)


async def _told(root: VendorAnalytics, info: Info, ask: Callable[[Analytics], "partial[Told[T]]"]) -> T:
    """Raises VendorError."""
    source = info.context.graph.sources[root.account_ref.account]
    assert isinstance(source.connector, ReadsAnalytics)
    return await _kept(info.context, source, ask(source.connector.analytics))


async def _kept(context: Context, source: Source, load: "partial[Told[T]]") -> T:
    asked = (f"analytics {load.func.__name__}", repr((load.args, load.keywords)))
    found: T = (await source.detail(asked, load, context.patience(source.seconds))).value
    return found
