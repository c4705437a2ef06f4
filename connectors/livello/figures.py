"""Livello's analytics as domain values. Money is major units, and says no currency: sums over several have none.

Names of rows' members that the documents lost are those of their columns, or as other lists have them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from connectors.base import Account
from connectors.livello.parse import SECRETS
from connectors.operations import Operation
from connectors.parsing import Raw, money, need, need_iso, number, record, text, whole, without
from domain.analytics import (
    DailyProfit,
    LowStockRow,
    PaymentTypeCount,
    PeakHour,
    ProductLifecycle,
    ProductStatistics,
    RankedCatalogueProduct,
    RankedMachine,
    RankedProduct,
    RestockFigures,
    SalesFigure,
    SalesKpis,
)
from domain.money import Money
from domain.refs import Kind, Ref

T = TypeVar("T")
PATHS: Mapping[str, str] = {
    "sales-analytics": "/sales",
    "top-kiosks": "/sales/top-kiosks",
    "top-products": "/sales/top-products",
    "transaction-kpis": "/transactions/kpis",
    "peak-hour": "/transactions/peak-hour",
    "daily-profit": "/transactions/daily-profit",
    "payment-types": "/transactions/payment-types",
    "product-lifecycle": "/transactions/product-lifecycle",
    "refill-statistics": "/refills/statistics",
    "low-stock": "/inventory/low-stock",
    "product-statistics": "/inventory/products",
}
OPERATIONS = tuple(
    Operation(name=name, method="GET", path=f"/analytics{path}", documented=False) for name, path in PATHS.items()
)


class Figures:
    """`currency`: that of all that is summed; None where there are several."""

    def __init__(self, account: Account, currency: str | None) -> None:
        self._account = account
        self._currency = currency

    def sale(self, row: Raw) -> SalesFigure:
        return SalesFigure(
            since=need_iso(row["date"]),
            machine_ref=self._to(Kind.MACHINE, row, "kioskSerialNumber"),
            product_line=text(row.get("productLineId")),
            total=self._money(row, "totalSales"),
            net=self._money(row, "totalNetSales"),
            tax=self._money(row, "totalTax"),
            cost=self._money(row, "totalCost"),
            profit=self._money(row, "profit"),
        )

    def machine(self, row: Raw) -> RankedMachine:
        return RankedMachine(
            rank=whole(row.get("rank")),
            machine_ref=self._to(Kind.MACHINE, row, "kioskSerialNumber"),
            name=text(row.get("kioskName")),
            net=self._money(row, "netSales"),
            cost=self._money(row, "netCost"),
            profit=self._money(row, "profit"),
        )

    def product(self, row: Raw) -> RankedProduct:
        return RankedProduct(
            rank=whole(row.get("rank")),
            name=text(row.get("productName")),
            manufacturer=text(row.get("manufacturer")),
            image_url=text(row.get("imageUrl")),
            sold=whole(row.get("quantitySold")),
            net=self._money(row, "netSales"),
            cost=self._money(row, "netCost"),
            profit=self._money(row, "profit"),
        )

    def kpis(self, row: Raw) -> SalesKpis:
        return SalesKpis(
            sales=whole(row.get("totalNumberOfTransactions")),
            average=self._money(row, "averagePurchaseValue"),
            products_sold=whole(row.get("totalNumberOfProductsSold")),
            net=self._money(row, "totalNetIncome"),
            total=self._money(row, "totalGrossIncome"),
        )

    def peak_hour(self, row: Raw) -> PeakHour:
        return PeakHour(since=text(row.get("start")), until=text(row.get("end")), sales=whole(row.get("sum")))

    def day(self, row: Raw) -> DailyProfit:
        return DailyProfit(
            day=date.fromisoformat(need(row["_id"])),
            net=self._money(row, "total_sales"),
            cost=self._money(row, "total_cost"),
            profit=self._money(row, "profit"),
        )

    def payment_types(self, row: Raw) -> Sequence[PaymentTypeCount]:
        counts = {name: whole(value) for name, value in row.items()}
        return [PaymentTypeCount(type=name, sales=count) for name, count in counts.items() if count is not None]

    def lifecycle(self, row: Raw) -> ProductLifecycle:
        return ProductLifecycle(
            most_sold=self._ranked(row.get("mostSoldProductMeta")),
            least_sold=self._ranked(row.get("leastSoldProductMeta")),
            most_restocked=self._ranked(row.get("mostRefilledProductMeta")),
            most_removed=self._ranked(row.get("mostRemovedProductMeta")),
        )

    def restocks(self, row: Raw) -> RestockFigures:
        return RestockFigures(
            restocked=whole(row.get("totalNumberOfProductsAdded")),
            removed=whole(row.get("totalNumberOfProductsRemoved")),
            spoilage_rate=number(row.get("averageSpoilageRate")),
            restocked_cost=self._money(row, "defaultTotalCostValueOfRefills"),
            restocked_price=self._money(row, "defaultTotalSalesValueOfRefills"),
            removed_cost=self._money(row, "defaultTotalCostValueOfRemovedProducts"),
        )

    def low(self, row: Raw) -> LowStockRow:
        return LowStockRow(
            machine_ref=self._to(Kind.MACHINE, row, "kioskSerialNumber", "serialNumber"),
            product_ref=self._to(Kind.PRODUCT, row, "productMetaId"),
            name=_first(row, "productName", "productMetaName", "name"),
            position=_first(row, "planogramPosition"),
            quantity=whole(_first(row, "quantity", "inventory")),
            vendor_data=without(row, SECRETS),
        )

    def statistics(self, row: Raw) -> ProductStatistics:
        return ProductStatistics(
            product_ref=self._to(Kind.PRODUCT, row, "productMetaId"),
            name=_first(row, "productName", "productMetaName", "name"),
            sold=whole(row.get("sold")),
            restocked=whole(row.get("refilled")),
            removed=whole(row.get("removed")),
            total=self._money(row, "totalGrossSales"),
            cost=self._money(row, "totalCost"),
            vendor_data=without(row, SECRETS),
        )

    def read(self, what: str, row: Any, parse: Callable[[Raw], T]) -> T:
        return record(self._account, what, row, parse)

    def _ranked(self, told: Any) -> RankedCatalogueProduct | None:
        if not isinstance(told, dict):
            return None
        return RankedCatalogueProduct(
            product_ref=self._to(Kind.PRODUCT, told, "productMetaId"),
            name=text(told.get("productMetaName")),
            image_url=text(told.get("imageUrl")),
            count=whole(told.get("count")),
        )

    def _to(self, kind: Kind, row: Raw, *names: str) -> Ref | None:
        native = _first(row, *names)
        return None if native is None else self._account.to(kind, native)

    def _money(self, row: Raw, name: str) -> Money | None:
        return money(row.get(name), self._currency)


def _first(row: Mapping[str, Any], *names: str) -> str | None:
    return next((found for name in names if (found := text(row.get(name))) is not None), None)
