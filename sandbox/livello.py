"""The emulated Livello: tokens with scopes, a thousand requests an hour, and three ways of paging."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route

from sandbox.livello_analytics import Analytics
from sandbox.livello_catalogue import Catalogue
from sandbox.livello_fleet import ALERTS, Fleet, Row
from sandbox.livello_gate import CREDENTIALS, Change, Gate, Handle, Problem
from sandbox.livello_prices import Prices
from sandbox.livello_promos import Promos
from sandbox.livello_query import (
    amount,
    between,
    by_offset,
    by_page,
    column,
    containing,
    matching,
    one,
    ordered,
    sort,
    truth,
)
from sandbox.livello_refill_analytics import RefillAnalytics
from sandbox.livello_refills import Refills
from sandbox.livello_reports import Reports
from sandbox.livello_sessions import last_session
from sandbox.livello_temperatures import Temperatures
from sandbox.livello_users import Users, creating, updating
from sandbox.world import World

SCOPES = (
    "kiosks:read inventory:read products:read products:write transactions:read refills:read organizations:read"
    " users:read users:write alerts:read reports:read promocodes:read promocodes:write"
)
DAY = 86_400
EVERY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]
NAME = column("name")

KIOSK_COLUMNS = {
    "name": NAME,
    "serialNumber": column("serialNumber"),
    "networkLastOnline": column("networkLastOnline"),
    "organizationName": column("organizationName"),
    "latestTemperature": amount("latestTemperature"),
    "todaySalesTotal": amount("todaySalesTotal"),
}
PRODUCT_COLUMNS = {
    "name": NAME,
    "manufacturer": column("manufacturer"),
    "weight": amount("weight"),
    "cost": amount("cost"),
    "price": amount("price"),
}
TRANSACTION_COLUMNS = {
    "created": column("created"),
    "total": amount("total"),
    "kioskName": column("kiosk", "name"),
    "type": column("type"),
}


class Livello:
    """`life`: seconds that a token lives; `hourly`: requests an hour; `logins`: token requests a minute; `scopes`: what
    tokens cover; `currencies`: of the organizations in turn; `allowed`: addresses and networks from which tokens may
    be had, None for all."""

    name = "livello"
    event_kinds = tuple(kind for kind, *_ in ALERTS)

    def __init__(
        self,
        world: World,
        *,
        life: int = DAY,
        hourly: int = 1000,
        logins: int = 10,
        scopes: str = SCOPES,
        currencies: Sequence[str] = ("EUR",),
        allowed: Sequence[str] | None = None,
    ) -> None:
        self._world = world
        self._fleet = Fleet(world, currencies)
        self._refills = Refills(world, self._fleet)
        self._analytics = Analytics(self._fleet)
        self._reports = Reports(self._fleet, self._refills)
        self._temperatures = Temperatures(world, self._fleet)
        self._refill_analytics = RefillAnalytics(self._fleet, self._refills)
        cells = (cell for cells in self._fleet.cells.values() for cell in cells)
        self._prices = Prices(line for cell in cells if (line := cell["productLineData"]) is not None)
        self._users = Users(world, self._fleet.organizations)
        self._catalogue = Catalogue(world, self._fleet)
        self._promos = Promos(world, self._fleet, self._catalogue)
        self.gate = Gate(world.now, life=life, hourly=hourly, logins=logins, scopes=scopes, allowed=allowed)

    def routes(self) -> list[BaseRoute]:
        reads: Sequence[tuple[str, str, Handle]] = (
            ("/kiosks", "kiosks:read", self._kiosks),
            ("/kiosks/{serial}", "kiosks:read", self._kiosk),
            ("/kiosks/{serial}/inventory", "inventory:read", self._inventory),
            ("/kiosks/{serial}/session", "kiosks:read", self._session),
            ("/products", "products:read", self._products),
            ("/products/{id}", "products:read", self._product),
            ("/transactions", "transactions:read", self._transactions),
            ("/transactions/{id}", "transactions:read", self._transaction),
            ("/refills", "refills:read", self._refills.listed),
            ("/refills/{id}", "refills:read", self._refills.one),
            ("/organizations", "organizations:read", self._organizations),
            ("/organizations/{id}", "organizations:read", self._organization),
            ("/users", "users:read", lambda request: self._users.list(request.query_params)),
            ("/users/{id}", "users:read", lambda request: self._users.get(request.path_params["id"])),
            ("/alerts", "alerts:read", self._alerts),
            ("/alerts/types", "alerts:read", lambda _: self._fleet.alert_types()),
            ("/analytics/sales", "reports:read", self._analytics.sales),
            ("/analytics/transactions/kpis", "reports:read", self._analytics.kpis),
            ("/analytics/refills/statistics", "reports:read", self._refill_analytics.statistics),
            ("/analytics/temperature/{granularity}", "reports:read", self._temperatures.series),
            ("/analytics/inventory/products", "reports:read", self._refill_analytics.products),
            ("/organizations/{id}/vat", "organizations:read", self._catalogue.rates),
            ("/organizations/{id}/product-lines", "organizations:read", self._catalogue.lines),
            ("/promocodes/{code}", "promocodes:read", self._promos.get),
            *self._reports.operations(),
        )
        routes = [Route(path, self.gate.read(scope, handle), methods=["GET"]) for path, scope, handle in reads]
        routes.insert(0, Route("/auth/token", self.gate.issue, methods=["POST"]))
        change_price = self.gate.write("products:write", self._change_price)
        routes.append(Route("/product-lines/{id}/price", change_price, methods=["POST"]))
        create, update = creating(self._users, self._world.now), updating(self._users, self._world.now)
        routes.append(Route("/users", self.gate.write("users:write", create), methods=["POST"]))
        routes.append(Route("/users/{id}", self.gate.write("users:write", update, status=200), methods=["PATCH"]))
        routes += self._changes()
        routes.append(Route("/{path:path}", self.gate.nowhere, methods=EVERY_METHOD))
        return [Mount("/api/v1", routes=routes)]

    def _changes(self) -> list[Route]:
        gate, catalogue, promos = self.gate, self._catalogue, self._promos
        writes: Sequence[tuple[str, str, str | None, Change, int]] = (
            ("POST", "/products", "products:write", catalogue.create_product, 201),
            ("PATCH", "/products/{id}", "products:write", catalogue.update_product, 200),
            ("POST", "/organizations", None, catalogue.create_organization, 201),
            ("PATCH", "/organizations/{id}", None, catalogue.update_organization, 200),
            ("POST", "/promocodes", "promocodes:write", promos.create, 201),
            ("POST", "/promocodes/eligibility", "promocodes:write", promos.set_eligibility, 201),
        )
        routes = [
            Route(path, gate.write(scope, change, status), methods=[method])
            for method, path, scope, change, status in writes
        ]
        drop = gate.drop("products:write", catalogue.delete_product)
        return [*routes, Route("/products/{id}", drop, methods=["DELETE"])]

    def make_sales(self, count: int, *, machine: str | None = None) -> list[Row]:
        """`machine` is a serial number; KeyError where there is none."""
        return [self._settled().sell(self._world.now(), machine) for _ in range(count)]

    def make_events(self, count: int, *, machine: str | None = None, kind: str | None = None) -> list[Row]:
        """Alerts; `machine` is a serial number, KeyError where there is none."""
        return [self._fleet.alarm(self._world.now(), machine, kind) for _ in range(count)]

    def make_refills(self, count: int, *, machine: str | None = None) -> list[Row]:
        """`machine` is a serial number; KeyError where there is none."""
        return [self._refills.make(machine) for _ in range(count)]

    def live(self) -> None:
        self.make_sales(1)

    def truth(self) -> dict[str, list[Row]]:
        fleet = self._settled()
        slots = [{**cell, "serialNumber": serial} for serial, cells in fleet.cells.items() for cell in cells]
        return {
            "machines": self._shown(),
            "slots": slots,
            "products": fleet.products,
            "sales": fleet.transactions,
            "events": fleet.alerts,
            "organizations": fleet.organizations,
            "prices": self._prices.records,
            "refills": self._refills.records,
            "users": self._users.records,
            "promocodes": list(self._promos.codes.values()),
            "eligible": self._promos.eligible,
        }

    def account(self, base: str) -> dict[str, Any]:
        return {
            "key": "acme-kiosks",
            "organization": "acme",
            "vendor": self.name,
            "name": "Kiosks",
            "base_url": f"{base}/livello/api/v1",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "credentials": dict(CREDENTIALS),
        }

    def _shown(self) -> list[Row]:
        now = self._world.now()
        return [self._fleet.show(kiosk, now) for kiosk in self._fleet.kiosks.values()]

    def _kiosks(self, request: Request) -> Row:
        query = request.query_params
        rows = containing(query, self._shown(), "name", NAME)
        return by_page(query, ordered(rows, query, "sortColumn", KIOSK_COLUMNS, usual=1))

    def _settled(self) -> Fleet:
        """With the prices of now."""
        self._prices.settle(self._world.now())
        return self._fleet

    def _kiosk(self, request: Request) -> Row:
        return self._settled().detail(self._known(request))

    def _inventory(self, request: Request) -> list[Row]:
        return self._settled().cells[self._known(request)]

    def _session(self, request: Request) -> Row:
        return last_session(request.query_params, self._fleet, self._known(request), self._world.now())

    def _change_price(self, request: Request, body: Row) -> Row:
        return self._prices.add(request.path_params["id"], body, self._world.now())

    def _known(self, request: Request) -> str:
        serial: str = request.path_params["serial"]
        if serial not in self._fleet.kiosks:
            raise Problem(404, "Kiosk not found")
        return serial

    def _products(self, request: Request) -> Row:
        query = request.query_params
        rows = containing(query, self._fleet.products, "name", NAME)
        rows = matching(query, rows, category=column("category"), manufacturer=column("manufacturer"))
        return by_page(query, ordered(rows, query, "sortBy", PRODUCT_COLUMNS, usual=1))

    def _product(self, request: Request) -> Row:
        return one(self._fleet.products, request.path_params["id"], "Product")

    def _transactions(self, request: Request) -> Row:
        query = request.query_params
        rows = between(request, self._fleet.transactions, "created", "startDate", "endDate")
        rows = matching(query, rows, kioskSerialNumbers=column("kiosk", "serialNumber"))
        cards = sorted({card for row in rows if (card := row["paymentMethod"]["membercardId"])})
        found = by_offset(query, ordered(rows, query, "sortBy", TRANSACTION_COLUMNS, usual=-1), "skip")
        return {"total": found["total"], "membercardList": cards, "data": found["data"]}

    def _transaction(self, request: Request) -> Row:
        return one(self._fleet.transactions, request.path_params["id"], "Transaction")

    def _organizations(self, request: Request) -> Row:
        query, kiosks = request.query_params, self._fleet.kiosks.values()
        rows = containing(query, self._fleet.organizations, "name", NAME)
        rows = containing(query, rows, "city", column("address", "city"))
        rows = containing(query, rows, "postalCode", column("address", "postalCode"))
        owners = [kiosk["orgId"] for kiosk in kiosks]
        columns = {"name": NAME, "kioskCount": lambda row: owners.count(str(row["id"]))}
        return by_offset(query, ordered(rows, query, "sortBy", columns, usual=1), "skip")

    def _organization(self, request: Request) -> Row:
        return one(self._fleet.organizations, request.path_params["id"], "Organization")

    def _alerts(self, request: Request) -> Row:
        query = request.query_params
        rows = between(request, self._fleet.alerts, "createdAt", "startDateFrom", "startDateTo")
        rows = matching(
            query,
            rows,
            kioskSerialNumbers=column("kioskSerialNumber"),
            types=column("type"),
            severities=column("severity"),
            statuses=column("status"),
        )
        acknowledged = truth(query, "isAck")
        rows = [row for row in rows if acknowledged in (None, row["isAck"])]
        by = "createdAt" if query.get("orderBy") == "createdAt" else "startDate"
        return by_offset(query, sort(rows, column(by), down=query.get("orderDirection") != "ASC"), "offset")
