"""The emulated Livello: tokens with scopes, a thousand requests an hour, and three ways of paging."""

import base64
import hmac
import json
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox.livello_fleet import Fleet, iso
from sandbox.world import World

CREDENTIALS = {"client_id": "lv_m2m_5d0c77e1", "client_secret": "sk_live_9f3be1d2a4c84f6b"}
SCOPES = (
    "kiosks:read inventory:read products:read products:write transactions:read refills:read organizations:read"
    " users:read users:write alerts:read reports:read promocodes:read promocodes:write"
)
USUAL, LARGEST = 25, 100
TOKENS_A_MINUTE = 10
NOMINAL_LIFE = 86_400
Row = dict[str, Any]
Handle = Callable[[Request], Any]


class Problem(Exception):
    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


class Livello:
    """`life`: seconds that a token lives; `hourly`: requests an hour; `logins`: in a minute; `scopes`: of tokens."""

    name = "livello"

    def __init__(
        self,
        world: World,
        *,
        life: float = NOMINAL_LIFE,
        hourly: int = 1000,
        logins: int = TOKENS_A_MINUTE,
        scopes: str = SCOPES,
    ) -> None:
        self._world = world
        self._fleet = Fleet(world)
        self._life = life
        self._hourly = hourly
        self._logins = logins
        self._scopes = scopes
        self._token: tuple[str, float] | None = None
        self._token_requests: list[float] = []
        self._window = (0.0, 0)

    def routes(self) -> list[BaseRoute]:
        reads: Iterable[tuple[str, str, Handle]] = (
            ("/kiosks", "kiosks:read", self._kiosks),
            ("/kiosks/{serial}", "kiosks:read", self._kiosk),
            ("/kiosks/{serial}/inventory", "inventory:read", self._inventory),
            ("/products", "products:read", self._products),
            ("/products/{id}", "products:read", self._product),
            ("/transactions", "transactions:read", self._transactions),
            ("/transactions/{id}", "transactions:read", self._transaction),
            ("/organizations", "organizations:read", self._organizations),
            ("/organizations/{id}", "organizations:read", self._organization),
            ("/alerts", "alerts:read", self._alerts),
            ("/alerts/types", "alerts:read", lambda _: self._fleet.alert_types()),
        )
        routes = [Route(path, self._read(scope, handle), methods=["GET"]) for path, scope, handle in reads]
        return [Mount("/api/v1", routes=[Route("/auth/token", self._issue, methods=["POST"]), *routes])]

    def revoke(self) -> None:
        """The token that was handed out is no longer good; the next one is another."""
        self._token = None

    def make_sales(self, count: int, *, machine: str | None = None) -> list[Row]:
        """`machine` is a serial number; KeyError where there is none."""
        return [self._fleet.sell(self._world.now(), machine) for _ in range(count)]

    def truth(self) -> dict[str, list[Row]]:
        fleet, now = self._fleet, self._world.now()
        slots = [{**cell, "serialNumber": serial} for serial, cells in fleet.cells.items() for cell in cells]
        return {
            "machines": [fleet.show(kiosk, now) for kiosk in fleet.kiosks.values()],
            "slots": slots,
            "products": fleet.products,
            "sales": fleet.transactions,
            "events": fleet.alerts,
            "organizations": fleet.organizations,
        }

    def account(self, base: str) -> Row:
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

    async def _issue(self, request: Request) -> Response:
        now = self._world.now().timestamp()
        self._token_requests = [at for at in self._token_requests if now - at < 60]
        if len(self._token_requests) >= self._logins:
            wait = int(61 - (now - self._token_requests[0]))
            return _problem(Problem(429, "Too Many Requests", "Too many token requests"), {"Retry-After": str(wait)})
        self._token_requests.append(now)
        body = await _object(request)
        if body is None or body.get("grant_type") != "client_credentials":
            return _problem(Problem(400, "Bad Request", "grant_type must be client_credentials, in a JSON body"))
        if any(body.get(name) != value for name, value in CREDENTIALS.items()):
            return _problem(Problem(401, "Unauthorized", "Invalid client credentials"))
        if self._token is None or self._token[1] <= now:
            self._token = _jwt(now, self._life), now + self._life
        answer = {"access_token": self._token[0], "token_type": "Bearer", "expires_in": NOMINAL_LIFE}
        return JSONResponse({**answer, "scope": self._scopes})

    def _read(self, scope: str, handle: Handle) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                headers = self._count()
                self._check(request, scope)
                return JSONResponse(handle(request), headers=headers)
            except Problem as problem:
                limits = self._limits()
                wait = {"Retry-After": limits["RateLimit-Reset"]} if problem.status == 429 else {}
                return _problem(problem, {**limits, **wait})

        return endpoint

    def _count(self) -> dict[str, str]:
        now = self._world.now().timestamp()
        since, spent = self._window
        if now - since >= 3600:
            since, spent = now, 0
        if spent >= self._hourly:
            raise Problem(429, "Too Many Requests", "Rate limit exceeded")
        self._window = since, spent + 1
        return self._limits()

    def _limits(self) -> dict[str, str]:
        since, spent = self._window
        left = max(1, int(since + 3600 - self._world.now().timestamp()))
        return {
            "RateLimit-Limit": str(self._hourly),
            "RateLimit-Remaining": str(max(0, self._hourly - spent)),
            "RateLimit-Reset": str(left),
        }

    def _check(self, request: Request, scope: str) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        now = self._world.now().timestamp()
        if self._token is None or self._token[1] <= now or not hmac.compare_digest(given, self._token[0]):
            raise Problem(401, "Unauthorized", "The token is not valid")
        if scope not in self._scopes.split():
            raise Problem(403, "Forbidden", f"Insufficient scope. Required: {scope}")

    def _kiosks(self, request: Request) -> Any:
        query, now = request.query_params, self._world.now()
        shown = [self._fleet.show(kiosk, now) for kiosk in self._fleet.kiosks.values()]
        columns = (
            "name",
            "serialNumber",
            "networkLastOnline",
            "organizationName",
            "latestTemperature",
            "todaySalesTotal",
        )
        return _by_page(query, _sorted(_named(query, shown), query, "sortColumn", columns, descending=False))

    def _kiosk(self, request: Request) -> Any:
        kiosk = self._fleet.kiosks.get(request.path_params["serial"])
        if kiosk is None:
            raise Problem(404, "Not Found", "Kiosk not found")
        return {**kiosk, "inventory": {"loadCells": self._fleet.cells[kiosk["serialNumber"]]}}

    def _inventory(self, request: Request) -> Any:
        cells = self._fleet.cells.get(request.path_params["serial"])
        if cells is None:
            raise Problem(404, "Not Found", "Kiosk not found")
        return cells

    def _products(self, request: Request) -> Any:
        query = request.query_params
        columns = ("name", "manufacturer", "weight", "cost", "price")
        rows = _sorted(_named(query, self._fleet.products), query, "sortBy", columns, descending=False)
        return _by_page(query, rows)

    def _product(self, request: Request) -> Any:
        return _one(self._fleet.products, request.path_params["id"], "Product")

    def _transactions(self, request: Request) -> Any:
        query = request.query_params
        rows = _between(query, self._fleet.transactions, "created", "startDate", "endDate")
        serials = _listed(query, "kioskSerialNumbers")
        rows = [row for row in rows if serials is None or row["kiosk"]["serialNumber"] in serials]
        columns = ("created", "total", "kioskName", "type")
        cards = sorted({card for row in rows if (card := row["paymentMethod"]["membercardId"])})
        found = _by_offset(query, _sorted(rows, query, "sortBy", columns, descending=True), "skip")
        return {"total": found["total"], "membercardList": cards, "data": found["data"]}

    def _transaction(self, request: Request) -> Any:
        return _one(self._fleet.transactions, request.path_params["id"], "Transaction")

    def _organizations(self, request: Request) -> Any:
        query = request.query_params
        rows = _sorted(_named(query, self._fleet.organizations), query, "sortBy", ("name",), descending=False)
        return _by_offset(query, rows, "skip")

    def _organization(self, request: Request) -> Any:
        return _one(self._fleet.organizations, request.path_params["id"], "Organization")

    def _alerts(self, request: Request) -> Any:
        query = request.query_params
        rows = _between(query, self._fleet.alerts, "createdAt", "startDateFrom", "startDateTo")
        members = {
            "kioskSerialNumbers": "kioskSerialNumber",
            "severities": "severity",
            "statuses": "status",
            "types": "type",
        }
        for name, member in members.items():
            wanted = _listed(query, name)
            rows = [row for row in rows if wanted is None or row[member] in wanted]
        column = "createdAt" if query.get("orderBy") == "createdAt" else "startDate"
        rows = sorted(rows, key=lambda row: row[column], reverse=query.get("orderDirection", "DESC") != "ASC")
        return _by_offset(query, rows, "offset")


def _problem(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    body = {
        "type": f"https://api.livello.com/errors/{problem.title.lower().replace(' ', '-')}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": "/api/v1",
    }
    return JSONResponse(body, problem.status, headers, media_type="application/problem+json")


async def _object(request: Request) -> Row | None:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        body = await request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _jwt(now: float, life: float) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": CREDENTIALS["client_id"], "iat": int(now), "exp": int(now + life)})
    signed = b".".join(_coded(json.dumps(part).encode()) for part in parts)
    mac = hmac.digest(CREDENTIALS["client_secret"].encode(), signed + repr(now).encode(), "sha256")
    return (signed + b"." + _coded(mac)).decode()


def _coded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _whole(query: QueryParams, name: str, otherwise: int) -> int:
    text = query.get(name)
    try:
        return otherwise if text is None else int(text)
    except ValueError:
        raise Problem(400, "Bad Request", f"{name} must be a number") from None


def _limit(query: QueryParams) -> int:
    return max(1, min(LARGEST, _whole(query, "limit", USUAL)))


def _by_page(query: QueryParams, rows: list[Row]) -> Row:
    page, limit = max(1, _whole(query, "page", 1)), _limit(query)
    return {"total": len(rows), "data": rows[(page - 1) * limit : page * limit]}


def _by_offset(query: QueryParams, rows: list[Row], name: str) -> Row:
    skip, limit = max(0, _whole(query, name, 0)), _limit(query)
    return {"total": len(rows), "data": rows[skip : skip + limit]}


def _sorted(rows: list[Row], query: QueryParams, name: str, columns: tuple[str, ...], *, descending: bool) -> list[Row]:
    """An unknown column falls back to the first without a word."""
    wanted = query.get(name, columns[0])
    column = wanted if wanted in columns else columns[0]
    down = query.get("sort", "-1" if descending else "1") == "-1"
    return sorted(rows, key=lambda row: (row.get(column) is None, str(row.get(column))), reverse=down)


def _named(query: QueryParams, rows: list[Row]) -> list[Row]:
    part = query.get("name", "").casefold()
    return [row for row in rows if part in row["name"].casefold()]


def _between(query: QueryParams, rows: list[Row], member: str, since: str, until: str) -> list[Row]:
    """Both ends are inclusive; the texts have one form and so order as the times do."""
    first, last = _moment(query, since), _moment(query, until)
    return [row for row in rows if (first is None or first <= row[member]) and (last is None or row[member] <= last)]


def _moment(query: QueryParams, name: str) -> str | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(400, "Bad Request", f"{name} must be ISO 8601") from None
    return iso(found if found.tzinfo else found.replace(tzinfo=UTC))


def _listed(query: QueryParams, name: str) -> frozenset[str] | None:
    return frozenset(query[name].split(",")) if query.get(name) else None


def _one(rows: list[Row], native: str, what: str) -> Row:
    found = next((row for row in rows if str(row["id"]) == native), None)
    if found is None:
        raise Problem(404, "Not Found", f"{what} not found")
    return found
