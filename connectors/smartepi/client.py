"""SmartEPI over HTTP: REST with opaque cursors, newest first, and a gateway in front with an error dialect of its own.

https://dev.developers.smartepi.com.br/"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from connectors.acting import VendorRequest
from connectors.base import Account
from connectors.guard import Traffic
from connectors.http import Answer, Operation, VendorHTTP, table
from connectors.parsing import rows, text
from connectors.smartepi.records import EMPLOYEES, GROUPS, UNITS
from domain.errors import VendorProtocolError, VendorRejected

LARGEST = 100
PAGES = 50_000  # of one list: no list can be so long

PRODUCT = "product"  # as operations name one, and with an s several
WRITTEN = (EMPLOYEES, GROUPS, *UNITS.values(), PRODUCT)
DOCUMENTED = frozenset({"list-employees", "create-employee", "list-cost-centers", "create-product", "update-product"})
CHANGED = "it has changed since it was read"
IN_USE = "others still belong to it"
TAKEN = {
    "duplicate_name": "another one has this name",
    "duplicate_identification": "another one has this identification",
    "duplicate_email": "another one has this e-mail",
}
OTHERWISE = "what is there by now stands against it"


def _read(name: str, path: str) -> Operation:
    return Operation(name=name, method="GET", path=path, documented=name in DOCUMENTED)


def _write(name: str, method: str, path: str) -> Operation:
    return Operation(
        name=name, method=method, path=path, documented=name in DOCUMENTED, traffic=Traffic.COMMAND, reads=False
    )


def _resource(one: str) -> tuple[Operation, ...]:
    return (
        _read(f"list-{one}s", f"/{one}s"),
        _read(f"get-{one}", f"/{one}s/{{id}}"),
        _write(f"create-{one}", "POST", f"/{one}s"),
        _write(f"update-{one}", "PUT", f"/{one}s/{{id}}"),
        _write(f"delete-{one}", "DELETE", f"/{one}s/{{id}}"),
    )


OPERATIONS = table(
    Operation(name="list-withdrawals", method="GET", path="/withdrawals", documented=False),
    Operation(name="list-returns", method="GET", path="/returns", documented=False),
    Operation(name="list-exchanges", method="GET", path="/exchanges", documented=False),
    *(operation for one in WRITTEN for operation in _resource(one)),
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


def conflict(status: int, data: Any) -> str | None:
    """The type of the problem tells which; 412 is what RFC 9110 has for what the documents call 409."""
    if status == 412:
        return CHANGED
    if status != 409:
        return None
    token = (text(data.get("type")) or "" if isinstance(data, dict) else "").rpartition(":")[2]
    return {"conflict": CHANGED, "resource_in_use": IN_USE, **TAKEN}.get(token, OTHERWISE)


class SmartEPIClient:
    """Returns raw records, page by page."""

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        if account.base_url is None:
            raise ValueError(f"accounts: {account.key} needs a base_url: copy it from the vendor's console")
        self.account = account
        self.guard = account.guarded()
        self._http = VendorHTTP(
            account=account,
            base_url=account.base_url,
            operations=OPERATIONS,
            guard=self.guard,
            client=client,
            explain=explain,
            unauthorized=key_refused,
            conflict=conflict,
            headers={"authorization": f"Bearer {account.credentials['api_key'].reveal()}"},
        )

    async def sign_in(self) -> None:
        await self._http.json("list-products", query={"limit": 1})

    async def pages(
        self,
        operation: str,
        query: Mapping[str, object] | None = None,
        limit: int = LARGEST,
        *,
        private: bool = False,
    ) -> AsyncIterator[list[Any]]:
        """To the very end. A cursor that comes again would lead in a circle. `private`: see VendorHTTP.send."""
        cursor: str | None = None
        seen: set[str] = set()
        while len(seen) < PAGES:
            asked = {**(query or {}), "limit": limit, "cursor": cursor}
            answer = await self._http.json(operation, query=asked, private=private)
            if not isinstance(answer, dict):
                raise self.broken(f"{operation}: an object was expected")
            yield list(rows(self.account, operation, answer.get("data")))
            cursor = text(answer.get("cursor"))
            if cursor is None:
                return
            if cursor in seen:
                raise self.broken(f"{operation} gives the same cursor again")
            seen.add(cursor)
        raise self.broken(f"{operation} does not end")

    async def all(self, one: str, query: Mapping[str, object] | None = None) -> list[Any]:
        """All records of a kind that is written, too."""
        pages = self.pages(f"list-{one}s", query, private=one == EMPLOYEES)
        return [row async for page in pages for row in page]

    async def one(self, one: str, native: str) -> tuple[Any, str | None] | None:
        """The record and its ETag, with its quotes; None where there is none."""
        try:
            answer = await self._http.send(f"get-{one}", path={"id": native}, private=one == EMPLOYEES)
        except VendorRejected as error:
            if not error.missing:
                raise
            return None
        return self.data(answer), answer.headers.get("etag")

    async def act(self, request: VendorRequest) -> Answer:
        return await self._http.send(
            request.operation,
            path=request.path,
            body=request.body,
            headers=request.headers,
            private=request.operation.endswith(EMPLOYEES),
        )

    def data(self, answer: Answer) -> Any:
        if not isinstance(answer.data, dict) or not isinstance(answer.data.get("data"), dict):
            raise self.broken("an object with the record as its `data` was expected")
        return answer.data["data"]

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        operation = self._http.operations[request.operation]
        return operation.method, operation.fill(request.path), request.body

    def broken(self, why: str) -> VendorProtocolError:
        return VendorProtocolError(why, account=self.account.key, vendor="smartepi")
