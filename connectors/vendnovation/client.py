"""VendNovation over HTTP: reads are POSTs with a filter, pages go by headers, and wide ranges lose their beginning.

https://docs.vendnovation-services.com/vendor/v2.1/"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any

import httpx2

from connectors.base import Account
from connectors.guard import Guard, Rate
from connectors.http import Operation, VendorHTTP, table
from connectors.login import Token, TokenLogin
from connectors.parsing import rows, text
from connectors.windows import Window
from domain.errors import VendorForbidden, VendorProtocolError, VendorUnauthorized
from domain.times import Span

BASE_URL = "https://vendor-api.vendnovation-services.com/prod"
LARGEST = 100
CLAMPED = 50  # some routes give no more a page, whatever is asked for, and do not say so
IDS_AT_ONCE = 200
WIDEST = timedelta(days=31)
TOKEN_LIFE = timedelta(days=3)
RATES = (Rate(requests=20, per_seconds=1, burst=100), Rate(requests=5000, per_seconds=86_400))
BAD_LOGIN = "INVALID_LOGIN"


def _read(name: str, path: str, *, documented: bool = False) -> Operation:
    return Operation(name=name, method="POST", path=path, documented=documented)


OPERATIONS = table(
    Operation(name="authenticate", method="POST", path="/authenticate/", documented=True),
    _read("list-machines", "/machines"),
    _read("list-sites", "/sites"),
    _read("list-organizations", "/organizations"),
    _read("list-products", "/products"),
    _read("list-selections", "/selections"),
    _read("list-transactions", "/transactions/", documented=True),
    _read("list-alerts", "/alerts/"),
)


def explain(data: Any) -> str | None:
    if not isinstance(data, dict):
        return None
    return " ".join(found for found in (text(data.get("code")), text(data.get("message"))) if found) or None


def _token_refused(status: int, data: Any) -> bool:
    """401, or a 403 that speaks of the token and of nothing else."""
    if status == 401:
        return True
    words = (explain(data) or "").casefold()
    return status == 403 and "token" in words


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


class VendNovationClient:
    """Returns raw records."""

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self.guard = Guard(account=account.key, vendor=account.vendor.value, limits=account.limits, rates=RATES)
        self.login = TokenLogin(
            self._fetch_token,
            lambda token: ("access-token", token),
            guard=self.guard,
            rejected=_token_refused,
        )
        self._http = VendorHTTP(
            account=account,
            base_url=account.base_url or BASE_URL,
            operations=OPERATIONS,
            guard=self.guard,
            client=client,
            auth=self.login,
            explain=explain,
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
            raise self._broken("the answer to authenticate holds no token")
        # `issued` and `expires` tell no zone, so the documented life counts from when it came.
        return Token(value, time() + TOKEN_LIFE.total_seconds())

    async def sign_in(self) -> None:
        await self.login.token()

    async def machines(self) -> list[Any]:
        return await self._all("list-machines", {})

    async def sites(self) -> list[Any]:
        return await self._all("list-sites", {})

    async def organizations(self) -> list[Any]:
        return await self._all("list-organizations", {})

    async def products(self) -> list[Any]:
        return await self._all("list-products", {})

    async def selections(self, machines: Collection[str]) -> list[Any]:
        return await self._all("list-selections", {"machineIdentifiers": list(machines)})

    async def transactions(self, span: Span, room: int, machines: frozenset[str] | None) -> Window[Any]:
        """All of the window, or, where there are more than `room`, how many had come when it was given up."""
        found = await self._all("list-transactions", _filters(span, machines), room=room)
        return Window(None if len(found) > room else found, len(found))

    async def transaction(self, native: str, span: Span) -> list[Any]:
        return await self._all("list-transactions", _dates(span), {"transactionIdentifiers": [native]})

    async def alerts(self, machines: frozenset[str] | None, span: Span, room: int | None) -> list[Any]:
        """Those of the span, or all there are, where the route does not honour dates; more than `room`: not all."""
        return await self._all("list-alerts", _filters(span, machines), room=room)

    async def alert(self, native: str, span: Span) -> list[Any]:
        number = int(native) if native.isdecimal() else native
        return await self._all("list-alerts", _dates(span), {"alertIds": [number]})

    async def _all(
        self,
        operation: str,
        request_filter: Mapping[str, Any],
        route_filter: Mapping[str, Any] | None = None,
        *,
        room: int | None = None,
    ) -> list[Any]:
        """All pages, each record once; with `room`, no more pages once there are more records than that."""
        found: dict[str, Any] = {}
        page = 1
        while True:
            answer = await self._http.json(
                operation,
                body={"requestFilter": request_filter, "routeFilter": route_filter or {}},
                headers={"page": str(page), "size": str(LARGEST)},
            )
            got = rows(self.account, operation, answer)
            known = len(found)
            found.update((text(row.get("id")) or f"#{len(found)}", row) for row in got if isinstance(row, dict))
            if len(got) < LARGEST and len(got) != CLAMPED:
                return list(found.values())
            if len(found) == known:
                raise self._broken(f"{operation} gives the same page again and again")
            if room is not None and len(found) > room:
                return list(found.values())
            page += 1

    def _broken(self, why: str) -> VendorProtocolError:
        return VendorProtocolError(why, account=self.account.key, vendor="vendnovation")


def _filters(span: Span, machines: frozenset[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = dict(_dates(span))
    if machines is not None:
        found["machineIdentifiers"] = sorted(machines)
    return found


def _dates(span: Span) -> dict[str, str]:
    """The start is inclusive, the end exclusive; milliseconds, so the end is rounded up."""
    return {"startDate": _moment(span.since), "endDate": _moment(span.until + timedelta(milliseconds=1))}
