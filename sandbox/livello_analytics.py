"""Livello's analytics: sums of transactions on the clocks that a header names, Berlin's unasked.

What is not paid is no income. Times carry no offset; hours that come twice are one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from sandbox.livello_fleet import Fleet, Row
from sandbox.livello_gate import Problem
from sandbox.livello_query import between, column, local, matching


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


BEGIN: Mapping[str, Callable[[datetime], datetime]] = {
    "hourly": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "daily": _midnight,
    "weekly": lambda at: _midnight(at) - timedelta(days=at.weekday()),
    "monthly": lambda at: _midnight(at).replace(day=1),
}


class Analytics:
    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def sales(self, request: Request) -> list[Row]:
        """A row for each time, or, aggregated, for each time and product line or kiosk."""
        begin = BEGIN.get(request.query_params.get("granularity", ""))
        if begin is None:
            raise Problem(400, f"granularity must be one of {', '.join(BEGIN)}")
        by = request.query_params.get("aggregateBy")
        if by not in (None, "product", "kiosk"):
            raise Problem(400, "aggregateBy must be product or kiosk")
        sums: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for row in self._paid(request):
            date = begin(local(request, row["created"])).isoformat()
            for key, figures in self._parts(row, by):
                sums[date, key].update(figures)
        return [_shown(date, by, key, figures) for (date, key), figures in sorted(sums.items(), key=str)]

    def kpis(self, request: Request) -> Row:
        rows = self._paid(request)
        sums = Counter[str]()
        for row in rows:
            for _, figures in self._parts(row, None):
                sums.update(figures)
        return {
            "totalNumberOfTransactions": len(rows),
            "averagePurchaseValue": round(sums["gross"] / 100 / len(rows), 2) if rows else 0,
            "totalNumberOfProductsSold": sum(item["quantity"] for row in rows for item in row["itemsPurchased"]),
            "totalNetIncome": (sums["gross"] - sums["tax"]) / 100,
            "totalGrossIncome": sums["gross"] / 100,
        }

    def _paid(self, request: Request) -> list[Row]:
        query = request.query_params
        rows = between(request, self._fleet.transactions, "created", "startDate", "endDate")
        serial = column("kiosk", "serialNumber")
        rows = matching(query, rows, kioskSerialNumbers=serial, kioskSerialNumber=serial)
        return [row for row in rows if row["paymentMethod"]["isPaid"]]

    def _parts(self, row: Row, by: str | None) -> Iterable[tuple[Any, dict[str, int]]]:
        """In cents. A discount is on the whole transaction, and on no product."""
        if by == "product":
            return [(item["productLineId"], self._figures([item], _gross(item))) for item in row["itemsPurchased"]]
        key = row["kiosk"]["serialNumber"] if by == "kiosk" else None
        return [(key, self._figures(row["itemsPurchased"], round(row["total"] * 100)))]

    def _figures(self, items: list[Row], gross: int) -> dict[str, int]:
        costs = {row["id"]: round(float(row["cost"]) * 100) for row in self._fleet.products}
        tax = sum(round(_gross(item) * item["taxRate"] / (100 + item["taxRate"])) for item in items)
        cost = sum(costs[item["productMetaId"]] * item["quantity"] for item in items)
        return {"gross": gross, "tax": tax, "cost": cost}


def _gross(item: Row) -> int:
    cents: int = round(float(item["price"]) * 100) * item["quantity"]
    return cents


def _shown(date: str, by: str | None, key: Any, figures: Counter[str]) -> Row:
    named = {"product": "productLineId", "kiosk": "kioskSerialNumber"}
    net = figures["gross"] - figures["tax"]
    return {
        "date": date,
        **({named[by]: key} if by else {}),
        "totalSales": figures["gross"] / 100,
        "totalNetSales": net / 100,
        "totalTax": figures["tax"] / 100,
        "totalCost": figures["cost"] / 100,
        "profit": (net - figures["cost"]) / 100,
    }
