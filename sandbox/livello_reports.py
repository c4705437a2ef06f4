"""Livello's further reports: rankings, hours, cards, products that stand out, and what runs out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from sandbox.livello_fleet import Fleet, Row
from sandbox.livello_query import between, by_offset, column, local, matching, number
from sandbox.livello_refills import Refills

CARDS = {"visa": "visa", "mastercard": "mastercard", "girocard": "girocard"}
SERIAL = column("kiosk", "serialNumber")


class Reports:
    def __init__(self, fleet: Fleet, refills: Refills) -> None:
        self._fleet, self._refills = fleet, refills

    def operations(self) -> Sequence[tuple[str, str, Callable[[Request], Any]]]:
        return [
            ("/analytics/sales/top-kiosks", "reports:read", self.top_kiosks),
            ("/analytics/sales/top-products", "reports:read", self.top_products),
            ("/analytics/transactions/peak-hour", "reports:read", self.peak_hour),
            ("/analytics/transactions/daily-profit", "reports:read", self.daily_profit),
            ("/analytics/transactions/payment-types", "reports:read", self.payment_types),
            ("/analytics/transactions/product-lifecycle", "reports:read", self.lifecycle),
            ("/analytics/inventory/low-stock", "reports:read", self.low_stock),
        ]

    def top_kiosks(self, request: Request) -> list[Row]:
        sums: dict[str, Counter[str]] = {}
        for row in self._paid(request):
            sums.setdefault(SERIAL(row), Counter()).update(self._figures(row["itemsPurchased"]))
        ranked = sorted(sums.items(), key=lambda one: (-one[1]["net"], one[0]))[:10]
        return [
            {
                "rank": rank,
                "kioskSerialNumber": serial,
                "kioskName": self._fleet.kiosks[serial]["name"],
                **_money(figures),
            }
            for rank, (serial, figures) in enumerate(ranked, 1)
        ]

    def top_products(self, request: Request) -> list[Row]:
        sums: dict[int, Counter[str]] = {}
        for item in self._sold(request):
            figures = {**self._figures([item]), "sold": item["quantity"]}
            sums.setdefault(item["productMetaId"], Counter()).update(figures)
        ranked = sorted(sums.items(), key=lambda one: (-one[1]["sold"], one[0]))[:20]
        return [
            {
                "rank": rank,
                "productName": self._products[meta]["name"],
                "manufacturer": self._products[meta]["manufacturer"],
                "imageUrl": None,
                "quantitySold": figures["sold"],
                **_money(figures),
            }
            for rank, (meta, figures) in enumerate(ranked, 1)
        ]

    def peak_hour(self, request: Request) -> Row:
        hours = Counter(local(request, row["created"]).hour for row in self._paid(request))
        hour, count = max(hours.items(), key=lambda one: (one[1], -one[0]), default=(0, 0))
        return {"start": f"{hour:02}:00", "end": f"{(hour + 1) % 24:02}:00", "sum": count}

    def daily_profit(self, request: Request) -> list[Row]:
        days: dict[str, Counter[str]] = {}
        for row in self._paid(request):
            day = local(request, row["created"]).date().isoformat()
            days.setdefault(day, Counter()).update(self._figures(row["itemsPurchased"]))
        return [
            {
                "_id": day,
                "total_sales": figures["net"] / 100,
                "total_cost": figures["cost"] / 100,
                "profit": (figures["net"] - figures["cost"]) / 100,
            }
            for day, figures in sorted(days.items())
        ]

    def payment_types(self, request: Request) -> Row:
        found = dict.fromkeys((*CARDS, "otherCreditCard", "membercard", "other"), 0)
        for row in self._paid(request):
            paid = row["paymentMethod"]
            card = (paid["cardType"] or "").lower()
            if paid["paymentType"] == "MEMBERCARD":
                found["membercard"] += 1
            else:
                found[CARDS.get(card, "otherCreditCard" if card else "other")] += 1
        return found

    def lifecycle(self, request: Request) -> Row:
        sold, added, removed = Counter[int](), Counter[int](), Counter[int]()
        for item in self._sold(request):
            sold[item["productMetaId"]] += item["quantity"]
        for row in self._between(request, self._refills.records):
            for item in row["itemsReplenished"]:
                added[item["productMetaId"]] += item["added"]
                removed[item["productMetaId"]] += item["removed"]
        least = min(sold.items(), key=lambda one: (one[1], one[0]), default=None)
        return {
            "mostSoldProductMeta": self._most(sold),
            "leastSoldProductMeta": self._meta(*least) if least else None,
            "mostRefilledProductMeta": self._most(added),
            "mostRemovedProductMeta": self._most(removed),
        }

    def low_stock(self, request: Request) -> Row:
        """What a row holds is lost in the documents: this is made up of what other lists have."""
        query = request.query_params
        threshold = number(query, "threshold", 0, least=0)
        rows = [
            {
                "kioskSerialNumber": serial,
                "planogramPosition": cell["planogramPosition"],
                "productMetaId": line["productMetaId"],
                "productName": line["name"],
                "manufacturer": self._products[line["productMetaId"]]["manufacturer"],
                "quantity": line["quantity"],
            }
            for serial, cells in self._fleet.cells.items()
            for cell in cells
            if (line := cell["productLineData"]) is not None and line["quantity"] <= threshold
        ]
        narrowed = matching(
            query, rows, kioskSerialNumbers=column("kioskSerialNumber"), manufacturers=column("manufacturer")
        )
        return by_offset(query, narrowed, "skip")

    @property
    def _products(self) -> Mapping[int, Row]:
        return {row["id"]: row for row in self._fleet.products}

    def _between(self, request: Request, rows: list[Row]) -> list[Row]:
        dated = between(request, rows, "created", "startDate", "endDate")
        return matching(request.query_params, dated, kioskSerialNumbers=SERIAL)

    def _paid(self, request: Request) -> list[Row]:
        rows = self._between(request, self._fleet.transactions)
        return [row for row in rows if row["paymentMethod"]["isPaid"]]

    def _sold(self, request: Request) -> list[Row]:
        return [item for row in self._paid(request) for item in row["itemsPurchased"]]

    def _figures(self, items: Sequence[Row]) -> dict[str, int]:
        """In cents; a discount is on no product, and does not count."""
        net = cost = 0
        for item in items:
            gross = round(float(item["price"]) * 100) * item["quantity"]
            net += gross - round(gross * item["taxRate"] / (100 + item["taxRate"]))
            cost += round(float(self._products[item["productMetaId"]]["cost"]) * 100) * item["quantity"]
        return {"net": net, "cost": cost}

    def _most(self, counts: Counter[int]) -> Row | None:
        found = max(counts.items(), key=lambda one: (one[1], -one[0]), default=None)
        return self._meta(*found) if found else None

    def _meta(self, meta: int, count: int) -> Row:
        return {
            "productMetaId": meta,
            "productMetaName": self._products[meta]["name"],
            "imageUrl": None,
            "count": count,
        }


def _money(figures: Counter[str]) -> Row:
    net, cost = figures["net"] / 100, figures["cost"] / 100
    return {"netSales": net, "netCost": cost, "profit": (figures["net"] - figures["cost"]) / 100}
