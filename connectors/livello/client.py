"""Livello over HTTP: a token for a client, three ways of paging, and a thousand requests an hour.

https://my.livello.com/developer/docs"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors.acting import VendorRequest
from connectors.base import Account
from connectors.guard import Rate, Traffic
from connectors.http import Answer, Operation, VendorHTTP, table
from connectors.lengths import Lengths
from connectors.livello import figures, parse, users
from connectors.livello.currencies import Currencies
from connectors.livello.paging import LARGEST, Page, listed, whole
from connectors.login import Token, TokenLogin
from connectors.parsing import rows, text
from domain.errors import VendorForbidden, VendorProtocolError, VendorRejected

BASE_URL = "https://my.livello.com/api/v1"
HOURLY = Rate(requests=1000, per_seconds=3600)
TOKENS_A_MINUTE = 10
PATIENCE = 0.5  # of a request's time: how long anything waits for its currency

KIOSKS, INVENTORY, PRODUCTS = "kiosks:read", "inventory:read", "products:read"
TRANSACTIONS, ORGANIZATIONS, ALERTS = "transactions:read", "organizations:read", "alerts:read"
REFILLS, REPORTS = "refills:read", "reports:read"
USERS, USERS_WRITE = "users:read", "users:write"
PROMO_READ, PROMO_WRITE = "promocodes:read", "promocodes:write"
PRICES = "products:write"  # "update product line prices", by the documents' table of scopes


def _get(name: str, path: str, *, documented: bool = False) -> Operation:
    return Operation(name=name, method="GET", path=path, documented=documented)


def _write(name: str, method: str, path: str) -> Operation:
    return Operation(name=name, method=method, path=path, documented=False, traffic=Traffic.COMMAND, reads=False)


OPERATIONS = table(
    Operation(name="get-token", method="POST", path="/auth/token", documented=True),
    _get("list-kiosks", "/kiosks", documented=True),
    _get("get-kiosk-inventory", "/kiosks/{serialNumber}/inventory", documented=True),
    _get("list-products", "/products", documented=True),
    _get("list-transactions", "/transactions", documented=True),
    _get("get-transaction", "/transactions/{id}"),
    _get("list-organizations", "/organizations"),
    _get("list-alerts", "/alerts"),
    _get("list-refills", "/refills", documented=True),
    _get("get-refill", "/refills/{id}"),
    _get("temperature-series", "/analytics/temperature/{granularity}"),
    _get("get-kiosk-session", "/kiosks/{serialNumber}/session"),
    _write("update-product-line-price", "POST", "/product-lines/{id}/price"),
    *users.OPERATIONS,
    _get("get-product", "/products/{id}"),
    _write("create-product", "POST", "/products"),
    _write("update-product", "PATCH", "/products/{id}"),
    _write("delete-product", "DELETE", "/products/{id}"),
    _get("get-organization", "/organizations/{id}"),
    _write("create-organization", "POST", "/organizations"),
    _write("update-organization", "PATCH", "/organizations/{id}"),
    _get("list-vat-rates", "/organizations/{id}/vat", documented=True),
    _get("list-organization-product-lines", "/organizations/{id}/product-lines"),
    *figures.OPERATIONS,
    _get("get-kiosk", "/kiosks/{serialNumber}"),
    _get("list-alert-types", "/alerts/types"),
    _get("get-promocode", "/promocodes/{code}"),
    _write("create-promocodes", "POST", "/promocodes"),
    _write("set-promocode-eligibility", "POST", "/promocodes/eligibility"),
)


def explain(data: Any) -> str | None:
    return (text(data.get("detail")) or text(data.get("title"))) if isinstance(data, dict) else None


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LivelloClient:
    """Returns raw records. What the token's scope does not cover is refused here, without a request.

    `clock`: UNIX seconds."""

    def __init__(self, account: Account, client: httpx2.AsyncClient, clock: Callable[[], float] = time.time) -> None:
        self.account = account
        self.guard = account.guarded([HOURLY])
        self.login = TokenLogin(
            self._fetch_token,
            lambda token: ("authorization", f"Bearer {token}"),
            guard=self.guard,
            per_minute=TOKENS_A_MINUTE,
            clock=clock,
        )
        self._clock = clock
        base_url = account.base_url or BASE_URL
        host = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
        self._http = self._at(base_url, client)
        self._token_hosts = [self._at(base, client) for base in dict.fromkeys((base_url, host))]
        self.lengths = Lengths()
        self._flights: dict[str, asyncio.Task[Page]] = {}
        self.currencies = Currencies(self.organizations, self.kiosks, self.guard.timeout * PATIENCE)

    def _at(self, base_url: str, client: httpx2.AsyncClient) -> VendorHTTP:
        return VendorHTTP(
            account=self.account,
            base_url=base_url,
            operations=OPERATIONS,
            guard=self.guard,
            client=client,
            auth=self.login,
            explain=explain,
            headers={"x-timezone": "UTC"},
        )

    async def _fetch_token(self) -> Token:
        """The documents disagree on where tokens are had: under the base, or, as in their example, at the host."""
        usual, *others = self._token_hosts
        try:
            return await self._token_from(usual)
        except (VendorRejected, VendorProtocolError):
            for other in others:
                found = await self._token_from_other(other)
                if found is not None:
                    self._token_hosts.reverse()
                    return found
            raise

    async def _token_from_other(self, host: VendorHTTP) -> Token | None:
        """None where there are no tokens either: what was wrong at the usual place is then worth telling."""
        try:
            return await self._token_from(host)
        except (VendorRejected, VendorProtocolError):
            return None

    async def _token_from(self, host: VendorHTTP) -> Token:
        credentials = self.account.credentials
        body = {
            "client_id": credentials["client_id"].reveal(),
            "client_secret": credentials["client_secret"].reveal(),
            "grant_type": "client_credentials",
        }
        return parse.token(self.account, await host.json("get-token", body=body, login=False), self._clock())

    def lacks(self, scope: str) -> bool:
        """Whether the token is known not to cover this."""
        token = self.login.current
        return token is not None and token.scope is not None and scope not in token.scope

    async def need(self, scope: str) -> None:
        await self.login.token()
        if self.lacks(scope):
            raise VendorForbidden(
                f"the scope of these credentials does not include {scope}",
                account=self.account.key,
                vendor=self.account.vendor.value,
                sent=False,
            )

    async def aclose(self) -> None:
        """Ends what is in flight."""
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def sign_in(self) -> None:
        await self.login.token()
        if not self.lacks(KIOSKS):
            await self._http.json("list-kiosks", query={"limit": 1, "page": 1})

    async def kiosks(self) -> Page:
        await self.need(KIOSKS)
        query = {"sort": 1, "sortColumn": "serialNumber"}
        return await self._whole("list-kiosks", query, _by_page, self.currencies.learn_kiosks)

    async def products(self) -> Page:
        await self.need(PRODUCTS)
        return await self._whole("list-products", {"sort": 1, "sortBy": "name"}, _by_page)

    async def organizations(self) -> Page:
        await self.need(ORGANIZATIONS)
        query = {"sort": 1, "sortBy": "name"}
        return await self._whole("list-organizations", query, _by_skip, self.currencies.learn_organizations)

    async def inventory(self, serial: str) -> list[Any]:
        await self.need(INVENTORY)
        found = await self._http.json("get-kiosk-inventory", path={"serialNumber": serial})
        return list(rows(self.account, "inventory", found))

    async def transactions(
        self, *, since: datetime, until: datetime, serials: Iterable[str] | None, limit: int, skip: int
    ) -> Page:
        """The newest first, from `since` to `until`, both inclusive."""
        await self.need(TRANSACTIONS)
        query = _newest(since, until, serials, skip)
        return await self._page("list-transactions", {**query, "sortBy": "created"}, limit, skip)

    async def refills(
        self, *, since: datetime, until: datetime, serials: Iterable[str] | None, limit: int, skip: int
    ) -> Page:
        """As `transactions`."""
        await self.need(REFILLS)
        return await self._page("list-refills", _newest(since, until, serials, skip), limit, skip)

    async def transaction(self, native: str) -> Any:
        """None where there is none."""
        await self.need(TRANSACTIONS)
        return await self._one("get-transaction", native)

    async def session(self, serial: str) -> Any:
        """None where there was none lately."""
        await self.need(KIOSKS)
        try:
            return await self._http.json("get-kiosk-session", path={"serialNumber": serial})
        except VendorRejected:
            return None

    async def kiosk(self, serial: str) -> Any:
        await self.need(KIOSKS)
        return await self._http.json("get-kiosk", path={"serialNumber": serial}, private=True)

    async def alert_types(self) -> list[Any]:
        await self.need(ALERTS)
        return list(rows(self.account, "alert types", await self._http.json("list-alert-types")))

    async def report(self, operation: str, query: Mapping[str, object]) -> Any:
        await self.need(REPORTS)
        return await self._http.json(operation, query=query)

    async def report_pages(self, operation: str, query: Mapping[str, object]) -> list[Any]:
        """All rows of a report that comes in pages."""
        await self.need(REPORTS)

        def page(number: int, size: int) -> Awaitable[Page]:
            return self._page(operation, {**query, "skip": number * size}, LARGEST, number * size)

        return (await whole(page)).rows

    async def temperatures(self, granularity: str, serial: str, since: datetime, until: datetime) -> list[Any]:
        """By sensor; from `since` to `until`, both inclusive."""
        await self.need(REPORTS)
        query = {"kioskSerialNumber": serial, "startDate": moment(since), "endDate": moment(until)}
        found = await self._http.json("temperature-series", path={"granularity": granularity}, query=query)
        return list(rows(self.account, "temperature", found))

    async def refill(self, native: str) -> Any:
        """None where there is none."""
        await self.need(REFILLS)
        return await self._one("get-refill", native)

    async def _one(self, operation: str, native: str) -> Any:
        try:
            return await self._http.json(operation, path={"id": native})
        except VendorRejected:
            return None

    async def alerts(self, *, until: datetime, serials: Iterable[str] | None, limit: int, offset: int) -> Page:
        """The newest first up to `until`. Whether the lower limit means the start or the record is not documented,
        so it is never sent; the upper one is right either way, for an alert starts before it is recorded."""
        await self.need(ALERTS)
        query = {
            "orderBy": "createdAt",
            "orderDirection": "DESC",
            "startDateTo": moment(until),
            "kioskSerialNumbers": listed(serials),
            "offset": offset,
        }
        return await self._page("list-alerts", query, limit, offset)

    async def users(self) -> Page:
        await self.need(USERS)
        return await self._whole("list-users", {"sort": 1, "sortBy": "firstName"}, _by_skip, private=True)

    async def users_named(self, name: str) -> list[Any]:
        """Those with this text in their name."""
        await self.need(USERS)

        def page(number: int, size: int) -> Awaitable[Page]:
            query = {"sort": 1, "sortBy": "firstName", "name": name, "skip": number * size}
            return self._page("list-users", query, LARGEST, number * size, private=True)

        return (await whole(page)).rows

    async def user(self, native: str) -> Any:
        """None where there is none."""
        return await self.found("get-user", USERS, private=True, id=native)

    async def vat_rates(self, organization: str) -> list[Any]:
        return await self._rows("list-vat-rates", organization)

    async def product_lines(self, organization: str) -> list[Any]:
        return await self._rows("list-organization-product-lines", organization)

    async def _rows(self, operation: str, organization: str) -> list[Any]:
        await self.need(ORGANIZATIONS)
        return list(rows(self.account, operation, await self._http.json(operation, path={"id": organization})))

    async def found(self, operation: str, scope: str, *, private: bool = False, **path: str) -> Any:
        """One record; None where there is none."""
        await self.need(scope)
        try:
            return await self._http.json(operation, path=path, private=private)
        except VendorRejected as error:
            if not error.missing:
                raise
            return None

    async def act(self, request: VendorRequest, *, private: bool = False) -> Answer:
        return await self._http.send(request.operation, path=request.path, body=request.body, private=private)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        operation = self._http.operations[request.operation]
        return operation.method, operation.fill(request.path), request.body

    def refused(self, words: str) -> VendorRejected:
        said = self._http.repeated(words)
        return VendorRejected(f"livello refused: {said}", account=self.account.key, vendor=self.account.vendor.value)

    def broken(self, why: str) -> VendorProtocolError:
        return VendorProtocolError(why, account=self.account.key, vendor=self.account.vendor.value)

    async def _whole(
        self,
        operation: str,
        query: Mapping[str, object],
        at: Callable[[int, int], Mapping[str, object]],
        learn: Callable[[list[Any]], None] | None = None,
        *,
        private: bool = False,
    ) -> Page:
        """Who asks for a list that is on its way gets that one; it is nobody's own, so that anyone may give up."""

        def page(number: int, size: int) -> Awaitable[Page]:
            return self._page(operation, {**query, **at(number, size)}, LARGEST, number * size, private=private)

        async def fly() -> Page:
            found = await whole(page, self.lengths.of(operation))
            self.lengths.tell(operation, len(found.rows))
            if learn is not None:
                learn(found.rows)
            return found

        if operation not in self._flights:
            flight = self._flights[operation] = asyncio.create_task(fly())
            flight.add_done_callback(lambda _: self._land(operation))
        return await asyncio.shield(self._flights[operation])

    def _land(self, operation: str) -> None:
        flight = self._flights.pop(operation)
        if not flight.cancelled():
            flight.exception()  # nobody may be left to take it

    async def _page(
        self, operation: str, query: Mapping[str, object], limit: int, at: int, *, private: bool = False
    ) -> Page:
        answer = await self._http.json(operation, query={**query, "limit": limit}, private=private)
        return parse.page(self.account, operation, answer, at=at, limit=limit)


def _newest(since: datetime, until: datetime, serials: Iterable[str] | None, skip: int) -> Mapping[str, object]:
    return {
        "sort": -1,
        "startDate": moment(since),
        "endDate": moment(until),
        "kioskSerialNumbers": listed(serials),
        "skip": skip,
    }


def _by_page(number: int, _: int) -> Mapping[str, object]:
    return {"page": number + 1}


def _by_skip(number: int, size: int) -> Mapping[str, object]:
    return {"skip": number * size}
