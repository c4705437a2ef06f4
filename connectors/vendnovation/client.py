"""VendNovation over HTTP: reads are POSTs with a filter, pages go by headers, and wide ranges lose their beginning.

https://docs.vendnovation-services.com/vendor/v2.1/"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from time import time
from typing import Any

import httpx2

from connectors.acting import VendorRequest
from connectors.base import Account
from connectors.guard import Rate, Traffic
from connectors.http import Answer, Operation, VendorHTTP, table
from connectors.lengths import Lengths
from connectors.login import Token, TokenLogin
from connectors.parsing import rows, text, without
from connectors.vendnovation.parse import SECRETS
from connectors.windows import Window
from domain.errors import VendorError, VendorForbidden, VendorProtocolError, VendorRejected, VendorUnauthorized
from domain.times import Span

BASE_URL = "https://vendor-api.vendnovation-services.com/prod"
LARGEST = 100
CLAMPED = 50  # some routes give no more a page, whatever is asked for, and do not say so
IDS_AT_ONCE = 200
WIDEST = timedelta(days=31) - timedelta(seconds=1)  # of 31 days; the ends of a range are rounded outwards
TOKEN_LIFE = timedelta(days=3)
RATES = (Rate(requests=20, per_seconds=1, burst=100), Rate(requests=5000, per_seconds=86_400))
CONFLICTS = {
    "ALREADY_CLEARED": "it was cleared before",
    "NAME_UNIQUENESS": "the customer account has a site of this name",
}
FOREIGN_DATA = "UNAUTHORIZED_DATA_ACCESS"
KEYS = ("id", "transactionId", "productId", "code")  # by the first of which a row is known again
NUMBER = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Page:
    """Records that no page before has brought. `last`: no page comes after it."""

    rows: Sequence[Any]
    last: bool


def _read(name: str, path: str, *, documented: bool = False) -> Operation:
    return Operation(name=name, method="POST", path=path, documented=documented)


def _write(name: str, method: str, path: str) -> Operation:
    return Operation(name=name, method=method, path=path, documented=True, traffic=Traffic.COMMAND, reads=False)


OPERATIONS = table(
    Operation(name="authenticate", method="POST", path="/authenticate/", documented=True),
    _read("list-machines", "/machines"),
    _read("list-sites", "/sites"),
    _read("list-organizations", "/organizations"),
    _read("list-products", "/products"),
    _read("list-selections", "/selections"),
    _read("list-transactions", "/transactions/", documented=True),
    _read("list-alerts", "/alerts/"),
    _read("list-inventory-adjustments", "/inventory", documented=True),
    _write("update-selections", "PATCH", "/selections"),
    _write("apply-delta", "POST", "/selections/apply-delta"),
    _read("list-accounts", "/accounts"),
    _write("update-alerts", "PATCH", "/alerts"),
    _write("clear-alerts", "POST", "/alerts/clear"),
    _write("create-sites", "PUT", "/sites"),
    _write("update-machines", "PATCH", "/machines"),
    _write("provision-machine", "POST", "/machines/provision"),
    _read("token-test", "/token-test/", documented=True),
    _read("list-alert-codes", "/alerts/codes/"),
    _read("list-transaction-metadata", "/transactions/metadata", documented=True),
    _read("product-sales-stats", "/reports/product-sales-stats"),
    _read("list-sessions", "/sessions/management/", documented=True),
    _write("create-sessions", "PUT", "/sessions/management/"),
    Operation(name="list-session-events", method="PATCH", path="/sessions/management/events/", documented=True),
)


def explain(data: Any) -> str | None:
    if not isinstance(data, dict):
        return None
    return " ".join(found for found in (text(data.get("code")), text(data.get("message"))) if found) or None


def _token_refused(status: int, data: Any) -> bool:
    """401, or a 403 that is not the application's word on the data that was asked for.

    The gateway's 403 has no code and may mean the key as well: then the next login is refused, and says so."""
    code = text(data.get("code")) if isinstance(data, dict) else None
    return status == 401 or (status == 403 and code != FOREIGN_DATA)


def _conflict(_: int, data: Any) -> str | None:
    code = text(data.get("code")) if isinstance(data, dict) else None
    return CONFLICTS.get(code or "")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


class VendNovationClient:
    """Returns raw records."""

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self.guard = account.guarded(RATES)
        self.login = TokenLogin(
            self._fetch_token,
            lambda token: ("access-token", token),
            guard=self.guard,
            rejected=_token_refused,
        )
        self._lengths = Lengths()
        self._http = VendorHTTP(
            account=account,
            base_url=account.base_url or BASE_URL,
            operations=OPERATIONS,
            guard=self.guard,
            client=client,
            auth=self.login,
            explain=explain,
            conflict=_conflict,
            headers={"x-api-key": account.credentials["api_key"].reveal()},
        )

    async def _fetch_token(self) -> Token:
        body = {name: self.account.credentials[name].reveal() for name in ("username", "password")}
        try:
            answer = await self._http.json("authenticate", body=body, login=False)
        except VendorForbidden as error:  # INVALID_LOGIN, or a key that the gateway does not know
            raise VendorUnauthorized(error.message, account=error.account, vendor=error.vendor) from None
        value = text(answer.get("accessToken")) if isinstance(answer, dict) else None
        if value is None:
            raise self.broken("the answer to authenticate holds no token")
        # `issued` and `expires` tell no zone, so the documented life counts from when it came.
        return Token(value, time() + TOKEN_LIFE.total_seconds())

    async def sign_in(self) -> None:
        """The key by itself first: a refusal then says which of the credentials it is."""
        await self._test_key()
        await self.login.token()

    async def _test_key(self) -> None:
        try:
            await self._http.json("token-test", login=False)
        except VendorForbidden:
            why = "vendnovation refuses the API key"
            raise VendorUnauthorized(why, account=self.account.key, vendor="vendnovation") from None
        except VendorError:
            return  # it says nothing of the key: the login tells

    async def machines(self, identifiers: Collection[str] | None = None) -> list[Any]:
        """All of them, or those with such ids or serial numbers, and perhaps others."""
        return await self._whole("list-machines", identifiers)

    async def accounts(self) -> list[Any]:
        return await self._all("list-accounts", {})

    async def sites(self) -> list[Any]:
        return await self._whole("list-sites")

    async def organizations(self) -> list[Any]:
        return await self._whole("list-organizations")

    async def products(self) -> list[Any]:
        return await self._whole("list-products")

    async def selections(self, machines: Collection[str]) -> list[Any]:
        return await self._whole("list-selections", machines)

    async def transactions(self, span: Span, room: int, machines: frozenset[str] | None) -> Window[Any]:
        return await self._dated("list-transactions", span, room, machines)

    async def adjustments(self, span: Span, room: int, machines: frozenset[str] | None) -> Window[Any]:
        return await self._dated("list-inventory-adjustments", span, room, machines)

    async def adjustments_in(self, span: Span, machine: str | None = None) -> list[Any]:
        """All of the span, or of one machine."""
        machines = None if machine is None else frozenset({machine})
        return await self._all("list-inventory-adjustments", _filters(span, machines))

    async def _dated(self, operation: str, span: Span, room: int, machines: frozenset[str] | None) -> Window[Any]:
        """All of the window, or, where there are more than `room`, how many had come when it was given up."""
        found: list[Any] = []
        async for page in self._pages(operation, _filters(span, machines)):
            found += page.rows
            if len(found) > room and not page.last:
                return Window(None, len(found))
        return Window(found, len(found))

    async def transaction(self, native: str, span: Span) -> list[Any]:
        return await self._all("list-transactions", _dates(span), {"transactionIdentifiers": [native]})

    def alerts(self, span: Span, machines: frozenset[str] | None) -> AsyncIterator[Page]:
        """Those of the span, or all there are, where the route does not honour dates."""
        return self._pages("list-alerts", _filters(span, machines))

    async def alert(self, native: str, span: Span) -> list[Any]:
        number = int(native) if NUMBER.fullmatch(native) else native
        return await self._all("list-alerts", _dates(span), {"alertIds": [number]})

    async def alert_codes(self) -> list[Any]:
        """None at all where the vendor has no such list: only its users' code tells of it."""
        try:
            return await self._all("list-alert-codes", {})
        except VendorRejected as error:
            if not error.missing:
                raise
            return []

    async def metadata(self, transactions: Collection[str], span: Span) -> list[Any]:
        route = {"transactionIds": list(transactions)}
        return await self._all("list-transaction-metadata", _dates(span), route)

    async def product_sales(self, span: Span) -> list[Any]:
        return await self._all("product-sales-stats", _dates(span))

    async def sessions(self, span: Span) -> list[Any]:
        return await self._all("list-sessions", _dates(span))

    async def session_events(self, session: str, span: Span) -> list[Any]:
        return await self._all("list-session-events", _dates(span), {"sessionIds": [int(session)]})

    async def act(self, request: VendorRequest) -> Answer:
        return await self._http.send(request.operation, path=request.path, body=request.body)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        operation = self._http.operations[request.operation]
        return operation.method, operation.fill(request.path), without(request.body, SECRETS)

    async def _all(
        self, operation: str, request_filter: Mapping[str, Any], route_filter: Mapping[str, Any] | None = None
    ) -> list[Any]:
        return [row async for page in self._pages(operation, request_filter, route_filter) for row in page.rows]

    async def _whole(self, operation: str, machines: Collection[str] | None = None) -> list[Any]:
        """All of a list that has no dates: as many pages at once as it had the last time."""
        which = (operation, None if machines is None else frozenset(machines))
        request_filter = {} if machines is None else {"machineIdentifiers": list(machines)}
        found: list[Any] = []
        number = 0
        async for page in self._pages(operation, request_filter, expected=self._lengths.of(which)):
            found += page.rows
            number += 1
        self._lengths.tell(which, number)
        return found

    async def _pages(
        self,
        operation: str,
        request_filter: Mapping[str, Any],
        route_filter: Mapping[str, Any] | None = None,
        expected: int = 0,
    ) -> AsyncIterator[Page]:
        """To the end, each record once: one that is added meanwhile moves others to the next page. `expected`: how
        many pages are asked for at once; from then on it is one by one, for none tells how many there are."""

        def page(number: int) -> Awaitable[Any]:
            return self._http.json(
                operation,
                body={"requestFilter": request_filter, "routeFilter": route_filter or {}},
                headers={"page": str(number), "size": str(LARGEST)},
            )

        seen: set[str] = set()
        size = LARGEST
        ahead = await asyncio.gather(*map(page, range(1, expected + 1)))
        for number in count(1):
            answer = ahead[number - 1] if number <= expected else await page(number)
            got = rows(self.account, operation, answer)
            if number == 1 and len(got) == CLAMPED:
                size = CLAMPED
            new = _unseen(got, seen)
            yield Page(new, last=len(got) < size)
            if len(got) < size:
                return
            if not new:
                raise self.broken(f"{operation} gives the same page again and again")

    def broken(self, why: str) -> VendorProtocolError:
        return VendorProtocolError(why, account=self.account.key, vendor="vendnovation")


def _unseen(got: Iterable[Any], seen: set[str]) -> list[Any]:
    """Those whose id was not seen before; what is no record, or has no id, is passed on for the parser to judge."""
    new = []
    for row in got:
        native = _key(row) if isinstance(row, dict) else None
        if native is None or native not in seen:
            new.append(row)
        if native is not None:
            seen.add(native)
    return new


def _key(row: Mapping[str, Any]) -> str | None:
    return next((found for name in KEYS if (found := text(row.get(name))) is not None), None)


def _filters(span: Span, machines: frozenset[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = dict(_dates(span))
    if machines is not None:
        found["machineIdentifiers"] = sorted(machines)
    return found


def _dates(span: Span) -> dict[str, str]:
    """The start is inclusive, the end exclusive; milliseconds, so the end is rounded up."""
    return {"startDate": _moment(span.since), "endDate": _moment(span.until + timedelta(milliseconds=1))}
