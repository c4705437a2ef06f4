"""VendNovation's lists: which filters each of them honours, and how far back it looks."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from starlette.responses import Response

from sandbox.vendnovation_fleet import Fleet
from sandbox.vendnovation_history import ALERTS, History
from sandbox.vendnovation_sales import Sales
from sandbox.vendnovation_tables import AREA, MONTH, YEAR, Call, Record, Table
from sandbox.world import World

Handler = Callable[[Call], Response]
Operation = tuple[str, str, Handler]  # verb, path, handler


class Reads:
    def __init__(self, world: World, fleet: Fleet, sales: Sales, history: History) -> None:
        self._world, self._fleet, self._sales, self._history = world, fleet, sales, history

    def operations(self) -> list[Operation]:
        fleet, history, sales = self._fleet, self._history, self._sales
        return [
            ("POST", "/organizations", _listed(fleet.organizations, AREA[:1])),
            ("POST", "/accounts", _listed(fleet.accounts, AREA[:2])),
            ("POST", "/sites", _listed(fleet.sites, AREA[:3], largest=50)),
            ("POST", "/machines", self._machines),
            ("POST", "/selections", _listed(fleet.selections, (*AREA, "selectionIds", "productIds"))),
            ("POST", "/products", _listed(fleet.products, ("organizationIds", "productIds"))),
            ("POST", "/transactions/", self._dated(sales.transactions, MONTH, "transactionIdentifiers")),
            ("POST", "/transactions/metadata", self._dated(sales.metadata, YEAR, "transactionIds")),
            ("POST", "/inventory", self._dated(history.adjustments, MONTH)),
            ("POST", "/reports/product-sales-stats", self._product_sales),
            ("POST", "/alerts/", self._dated(history.alerts, None, "alertIds", "alertCodes")),
            ("POST", "/alerts/codes/", self._alert_codes),
            ("POST", "/sessions/management/", self._dated(history.sessions, MONTH, "sessionIds", largest=50)),
            ("POST", "/sessions/management/events/", self._session_events),
            ("PATCH", "/sessions/management/events/", self._session_events),
        ]

    def _dated(self, table: Table, widest: timedelta | None, *route: str, largest: int = 100) -> Handler:
        def handler(call: Call) -> Response:
            window = call.window(self._world.now(), widest)
            return call.answer(table.select(call.wanted(*AREA, route=route), window), largest)

        return handler

    def _machines(self, call: Call) -> Response:
        rows = self._fleet.machine_rows.select(call.wanted(*AREA), deleted=call.deleted)
        now = self._world.now()
        return call.answer([self._fleet.machines[row["id"]].show(now) for row in rows])

    def _session_events(self, call: Call) -> Response:
        wanted = call.wanted(*AREA, route=("sessionIds", "sessionEventIds"))
        return call.answer(self._history.session_events.select(wanted), 50)

    def _alert_codes(self, call: Call) -> Response:
        """What a row holds is not documented: this is made up."""
        rows: list[Record] = [{"code": code, "description": text} for code, text in ALERTS.items()]
        return call.answer(rows)

    def _product_sales(self, call: Call) -> Response:
        """Vends that succeeded, by product; -1 stands for all that are of no known product."""
        window = call.window(self._world.now(), MONTH)
        found = Counter(
            int(line["productId"])
            for sale in self._sales.transactions.select(call.wanted(*AREA), window)
            for line in sale["lineItems"]
            for _ in range(line["quantity"] if line["vendWasSuccessful"] else 0)
        )
        rows: list[Record] = [
            {"productId": product, "totalSalesInTimeFrame": count} for product, count in found.items()
        ]
        return call.answer(rows)


def _listed(table: Table, filters: tuple[str, ...], *, largest: int = 100) -> Handler:
    def handler(call: Call) -> Response:
        return call.answer(table.select(call.wanted(*filters), deleted=call.deleted), largest)

    return handler
