"""SmartEPI over HTTP: REST with opaque cursors, newest first, and a gateway in front with an error dialect of its own.

https://dev.developers.smartepi.com.br/"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import httpx2

from connectors.base import Account, VendorRequest
from connectors.guard import Traffic
from connectors.http import Operation, VendorHTTP, table
from connectors.parsing import rows, text
from domain.errors import VendorProtocolError

LARGEST = 100
PAGES = 50_000  # of one list: no list can be so long


def _write(name: str, method: str, path: str) -> Operation:
    return Operation(name=name, method=method, path=path, documented=True, traffic=Traffic.COMMAND, reads=False)


OPERATIONS = table(
    Operation(name="list-products", method="GET", path="/products", documented=False),
    Operation(name="list-withdrawals", method="GET", path="/withdrawals", documented=False),
    Operation(name="list-returns", method="GET", path="/returns", documented=False),
    Operation(name="list-exchanges", method="GET", path="/exchanges", documented=False),
    Operation(name="get-product", method="GET", path="/products/{id}", documented=False),
    _write("create-product", "POST", "/products"),
    _write("update-product", "PUT", "/products/{id}"),
    replace(_write("delete-product", "DELETE", "/products/{id}"), documented=False),
)


def explain(data: Any) -> str | None:
    """The application's problem, or the gateway's message with its first letter in either case."""
    if not isinstance(data, dict):
        return None
    return next((found for key in ("detail", "title", "message", "Message") if (found := text(data.get(key)))), None)


def key_refused(status: int, _: Any) -> bool:
    """401 without a key, 403 with one that is revoked, not yet active, or used from a foreign address.

    A key covers every endpoint, so that a 403 is never about one request alone."""
    return status in (401, 403)


class SmartEPIClient:
    """Returns raw records, page by page."""

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        if account.base_url is None:
            raise ValueError(f"accounts: {account.key} needs a base_url: copy it from the vendor's console")
        self.account = account
        self.guard = account.guarded()
        self.http = self._http = VendorHTTP(
            account=account,
            base_url=account.base_url,
            operations=OPERATIONS,
            guard=self.guard,
            client=client,
            explain=explain,
            unauthorized=key_refused,
            headers={"authorization": f"Bearer {account.credentials['api_key'].reveal()}"},
        )

    async def sign_in(self) -> None:
        await self._http.json("list-products", query={"limit": 1})

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        operation = self._http.operations[request.operation]
        return operation.method, operation.fill(request.path), request.body

    async def pages(
        self, operation: str, query: Mapping[str, object] | None = None, limit: int = LARGEST
    ) -> AsyncIterator[list[Any]]:
        """To the very end. A cursor that comes again would lead in a circle."""
        cursor: str | None = None
        seen: set[str] = set()
        while len(seen) < PAGES:
            answer = await self._http.json(operation, query={**(query or {}), "limit": limit, "cursor": cursor})
            if not isinstance(answer, dict):
                raise self._broken(f"{operation}: an object was expected")
            yield list(rows(self.account, operation, answer.get("data")))
            cursor = text(answer.get("cursor"))
            if cursor is None:
                return
            if cursor in seen:
                raise self._broken(f"{operation} gives the same cursor again")
            seen.add(cursor)
        raise self._broken(f"{operation} does not end")

    def _broken(self, why: str) -> VendorProtocolError:
        return VendorProtocolError(why, account=self.account.key, vendor="smartepi")
