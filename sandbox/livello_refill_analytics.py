"""Livello's analytics of refills: what was added and removed, and what that cost by the products' default prices."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from starlette.requests import Request

from sandbox.livello_fleet import Fleet, Row
from sandbox.livello_gate import Problem
from sandbox.livello_query import between, by_offset, column, matching, sort
from sandbox.livello_refills import Refills

SORTED: dict[str, Callable[[Row], Any]] = {
    name: column(name) for name in ("sold", "refilled", "removed", "totalGrossSales", "totalCost")
}
WAYS = {"ASC": False, "DESC": True}
YES_OR_NO = {"true": True, "false": False}


class RefillAnalytics:
    def __init__(self, fleet: Fleet, refills: Refills) -> None:
        self._fleet, self._refills = fleet, refills

    def statistics(self, request: Request) -> Row:
        costs, prices = self._cents("cost"), self._cents("price")
        sums = Counter[str]()
        for item in self._items(request):
            meta, added, removed = item["productMetaId"], item["added"], item["removed"]
            sums.update(added=added, removed=removed, cost=added * costs[meta], sales=added * prices[meta])
            sums["lost"] += removed * costs[meta]
        return {
            "totalNumberOfProductsAdded": sums["added"],
            "defaultTotalCostValueOfRefills": sums["cost"] / 100,
            "totalNumberOfProductsRemoved": sums["removed"],
            "averageSpoilageRate": round(sums["removed"] / sums["added"], 4) if sums["added"] else 0,
            "defaultTotalSalesValueOfRefills": sums["sales"] / 100,
            "defaultTotalCostValueOfRemovedProducts": sums["lost"] / 100,
        }

    def products(self, request: Request) -> Row:
        """A row for each product, with what was sold, refilled and removed."""
        query = request.query_params
        down, key = WAYS.get(query.get("sortDirection", "DESC")), SORTED.get(query.get("sortColumn", "sold"))
        idle = YES_OR_NO.get(query.get("includeZeroActivity", "false"))
        if down is None or key is None or idle is None:
            raise Problem(400, "sortColumn, sortDirection or includeZeroActivity is not one of the documented values")
        sums: dict[int, Counter[str]] = {row["id"]: Counter() for row in self._fleet.products}
        for item in self._items(request):
            sums[item["productMetaId"]].update(refilled=item["added"], removed=item["removed"])
        for item in self._sold(request):
            gross = round(float(item["price"]) * 100) * item["quantity"]
            sums[item["productMetaId"]].update(sold=item["quantity"], gross=gross)
        shown = [self._shown(meta, figures) for meta, figures in sums.items() if idle or any(figures.values())]
        return by_offset(query, sort(shown, key, down=down), "skip")

    def _shown(self, meta: int, figures: Counter[str]) -> Row:
        return {
            "productMetaId": meta,
            "sold": figures["sold"],
            "refilled": figures["refilled"],
            "removed": figures["removed"],
            "totalGrossSales": figures["gross"] / 100,
            "totalCost": self._cents("cost")[meta] * figures["sold"] / 100,
        }

    def _items(self, request: Request) -> Iterator[Row]:
        rows = between(request, self._refills.records, "created", "startDate", "endDate")
        rows = matching(request.query_params, rows, kioskSerialNumbers=column("kiosk", "serialNumber"))
        return (item for row in rows for item in row["itemsReplenished"])

    def _sold(self, request: Request) -> Iterator[Row]:
        rows = between(request, self._fleet.transactions, "created", "startDate", "endDate")
        rows = matching(request.query_params, rows, kioskSerialNumbers=column("kiosk", "serialNumber"))
        return (item for row in rows if row["paymentMethod"]["isPaid"] for item in row["itemsPurchased"])

    def _cents(self, name: str) -> dict[int, int]:
        return {row["id"]: round(float(row[name]) * 100) for row in self._fleet.products}
