"""Livello over HTTP: a token for a client, three ways of paging, and a thousand requests an hour.

https://my.livello.com/developer/docs"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import ceil
from time import time
from typing import Any
from urllib.parse import urlsplit

import httpx2

from connectors.base import Account
from connectors.guard import Guard, Rate
from connectors.http import Operation, VendorHTTP, table
from connectors.login import Token, TokenLogin, jwt_expiry
from connectors.parsing import rows, text, whole
from domain.errors import VendorForbidden, VendorProtocolError, VendorRejected

BASE_URL = "https://my.livello.com/api/v1"
LARGEST = 100
URL_ROOM = 6_000  # characters of serial numbers in one URL
HOURLY = Rate(requests=1000, per_seconds=3600)
TOKENS_A_MINUTE = 10

KIOSKS, INVENTORY, PRODUCTS = "kiosks:read", "inventory:read", "products:read"
TRANSACTIONS, ORGANIZATIONS, ALERTS = "transactions:read", "organizations:read", "alerts:read"


def _get(name: str, path: str, *, documented: bool = False) -> Operation:
    return Operation(name=name, method="GET", path=path, documented=documented)


OPERATIONS = table(
    Operation(name="get-token", method="POST", path="/auth/token", documented=True),
    _get("list-kiosks", "/kiosks", documented=True),
    _get("get-kiosk-inventory", "/kiosks/{serialNumber}/inventory", documented=True),
    _get("list-products", "/products", documented=True),
    _get("list-transactions", "/transactions", documented=True),
    _get("get-transaction", "/transactions/{id}"),
    _get("list-organizations", "/organizations"),
    _get("list-alerts", "/alerts"),
)


def explain(data: Any) -> str | None:
    return text(data.get("detail") or data.get("title")) if isinstance(data, dict) else None


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LivelloClient:
    """Returns raw records. What the token's scope does not cover is refused here, without a request."""

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self.guard = Guard(account=account.key, vendor=account.vendor.value, limits=account.limits, rates=[HOURLY])
        self.login = TokenLogin(
            self._fetch_token,
            lambda token: ("authorization", f"Bearer {token}"),
            guard=self.guard,
            per_minute=TOKENS_A_MINUTE,
        )
        base_url = account.base_url or BASE_URL
        self._http = self._at(base_url, client)
        self._token_hosts = [self._http, self._at("{0.scheme}://{0.netloc}".format(urlsplit(base_url)), client)]

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
        credentials = self.account.credentials
        body = {
            "client_id": credentials["client_id"].reveal(),
            "client_secret": credentials["client_secret"].reveal(),
            "grant_type": "client_credentials",
        }
        try:
            answer = await self._token_hosts[0].json("get-token", body=body, login=False)
        except (VendorRejected, VendorProtocolError) as usual:
            try:
                answer = await self._token_hosts[1].json("get-token", body=body, login=False)
            except (VendorRejected, VendorProtocolError):
                raise usual from None
            self._token_hosts.reverse()
        return self._token(answer)

    def _token(self, answer: Any) -> Token:
        value = text(answer.get("access_token")) if isinstance(answer, dict) else None
        if value is None:
            raise VendorProtocolError("livello's answer holds no token", account=self.account.key, vendor="livello")
        life = whole(answer.get("expires_in"))
        # The same token is told until it ends, with the life that it had at first: its own claim is what counts.
        ends = jwt_expiry(value) or (None if life is None else time() + life)
        scope = text(answer.get("scope"))
        return Token(value, ends, None if scope is None else frozenset(scope.split()))

    def lacks(self, scope: str) -> bool:
        """Whether the token is known not to cover this."""
        token = self.login.current
        return token is not None and token.scope is not None and scope not in token.scope

    async def _need(self, scope: str) -> None:
        await self.login.token()
        if self.lacks(scope):
            raise VendorForbidden(
                f"the scope of these credentials does not include {scope}", account=self.account.key, vendor="livello"
            )

    async def sign_in(self) -> None:
        await self.login.token()
        if not self.lacks(KIOSKS):
            await self._http.json("list-kiosks", query={"limit": 1, "page": 1})

    async def kiosks(self) -> list[Any]:
        await self._need(KIOSKS)
        return await self._pages("list-kiosks", {"sort": 1, "sortColumn": "serialNumber"})

    async def products(self) -> list[Any]:
        await self._need(PRODUCTS)
        return await self._pages("list-products", {"sort": 1, "sortBy": "name"})

    async def organizations(self) -> list[Any]:
        await self._need(ORGANIZATIONS)
        return await self._pages("list-organizations", {"sort": 1, "sortBy": "name"}, by_page=False)

    async def inventory(self, serial: str) -> list[Any]:
        await self._need(INVENTORY)
        found = await self._http.json("get-kiosk-inventory", path={"serialNumber": serial})
        return list(rows(self.account, "inventory", found))

    async def transactions(
        self, *, since: datetime | None, until: datetime, serials: Iterable[str] | None, limit: int, skip: int
    ) -> tuple[list[Any], int]:
        """The newest first, from `since` to `until`, both inclusive; and how many there are in all."""
        await self._need(TRANSACTIONS)
        query = {
            "sort": -1,
            "sortBy": "created",
            "startDate": None if since is None else moment(since),
            "endDate": moment(until),
            "kioskSerialNumbers": None if serials is None else ",".join(serials),
            "limit": limit,
            "skip": skip,
        }
        return self._page("list-transactions", await self._http.json("list-transactions", query=query))

    async def transaction(self, native: str) -> Any:
        """None where there is none."""
        await self._need(TRANSACTIONS)
        try:
            return await self._http.json("get-transaction", path={"id": native})
        except VendorRejected:
            return None

    async def alerts(
        self, *, until: datetime, serials: Iterable[str] | None, limit: int, offset: int
    ) -> tuple[list[Any], int]:
        """The newest first up to `until`. Whether the lower limit means the start or the record is not documented,
        so it is never sent; the upper one is right either way, for an alert starts before it is recorded."""
        await self._need(ALERTS)
        query = {
            "orderBy": "createdAt",
            "orderDirection": "DESC",
            "startDateTo": moment(until),
            "kioskSerialNumbers": None if serials is None else ",".join(serials),
            "limit": limit,
            "offset": offset,
        }
        return self._page("list-alerts", await self._http.json("list-alerts", query=query))

    async def _pages(self, operation: str, query: Mapping[str, object], *, by_page: bool = True) -> list[Any]:
        """All of a list: the first page tells how many more there are, and those are asked for together."""

        async def page(number: int, size: int) -> tuple[list[Any], int]:
            at = {"page": number + 1} if by_page else {"skip": number * size}
            return self._page(operation, await self._http.json(operation, query={**query, **at, "limit": LARGEST}))

        found, total = await page(0, LARGEST)
        size = len(found) or LARGEST  # smaller than what was asked for where the vendor allows no more
        others = await asyncio.gather(*(page(number, size) for number in range(1, ceil(total / size))))
        return [*found, *(item for items, _ in others for item in items)]

    def _page(self, operation: str, answer: Any) -> tuple[list[Any], int]:
        """Lists come as `{total, data}`."""
        found = list(rows(self.account, operation, answer.get("data") if isinstance(answer, dict) else answer))
        total = whole(answer.get("total")) if isinstance(answer, dict) else None
        return found, len(found) if total is None else total


def chunks(serials: frozenset[str] | None) -> list[list[str] | None]:
    """Serial numbers in parts that fit into a URL; one None for all kiosks."""
    if serials is None:
        return [None]
    found: list[list[str] | None] = []
    part: list[str] = []
    room = URL_ROOM
    for serial in sorted(serials):
        if part and room < len(serial) + 3:
            found.append(part)
            part, room = [], URL_ROOM
        part.append(serial)
        room -= len(serial) + 3  # a comma is three characters in a URL
    return [*found, part] if part else found
