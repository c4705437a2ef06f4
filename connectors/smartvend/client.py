"""SmartVend over HTTP: every operation is a POST with a JSON body, and HTTP 200 does not mean success yet.

https://api.smartvend.ru/"""

import re
from collections.abc import Mapping
from dataclasses import replace
from math import ceil, floor
from typing import Any

import httpx2

from connectors.base import Account
from connectors.guard import Traffic
from connectors.http import Operation, VendorHTTP, table
from connectors.parsing import Raw, count, rows, text
from connectors.smartvend.pages import Page, Pages
from connectors.windows import Window
from domain.errors import VendorProtocolError, VendorRejected
from domain.times import Span

OWN_ID = re.compile(rb'^\{"id":"[^"\\]*",')
BASE_URL = "https://api.smartvend.ru/v1"
PER_PAGE = 1000
LEAST_PAGE = 100


def _read(name: str) -> Operation:
    """The paths are the operations' titles in kebab case: seen in use for some, assumed for all."""
    return Operation(name=name, method="POST", path=f"/{name}", documented=False)


def _write(name: str) -> Operation:
    return replace(_read(name), traffic=Traffic.COMMAND, reads=False)


OPERATIONS = table(
    _read("get-list-of-controllers"),
    _read("get-controller-matrix"),
    _read("get-list-of-products"),
    _read("get-list-of-sales"),
    _read("get-list-of-events"),
    _read("get-dictionary-of-events"),
    _read("get-controller-config"),
    _read("get-encashments-list"),
    _read("get-controller-state"),
    _read("get-controller-connection-status"),
    _write("issue-product"),
    _write("send-deposit-to-controller"),
    _write("send-remote-payment-to-controller"),
    _write("create-encashment"),
    _write("update-controller-matrix"),
    _write("update-controller-config"),
)


def explain(data: Any) -> str | None:
    """The reason for a refusal: `message` and perhaps `code`, by themselves or as the member of the result's case."""
    if not isinstance(data, dict):
        return data if isinstance(data, str) else None
    result = data.get("result")
    if isinstance(result, dict):
        return explain(result.get(text(result.get("$case")) or ""))
    return ": ".join(found for found in (text(data.get("code")), text(data.get("message"))) if found) or None


def telling(body: bytes) -> bytes:
    """Each answer has an id of its own, which nobody asks for."""
    return OWN_ID.sub(b"{", body, count=1)


class SmartVendClient:
    """Returns raw records. `sales` and `events` are whole windows: the vendor promises no order."""

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self.guard = account.guarded()
        headers = {"x-organization-key": account.credentials["organization_key"].reveal()}
        if "user_id" in account.credentials:
            headers["x-user-id"] = account.credentials["user_id"].reveal()
        self._http = VendorHTTP(
            account=account,
            base_url=account.base_url or BASE_URL,
            operations=OPERATIONS,
            guard=self.guard,
            client=client,
            explain=explain,
            telling=telling,
            headers=headers,
        )

    async def controllers(self) -> list[Any]:
        return self._items(await self._ask("get-list-of-controllers", {}), "controllers")

    async def matrix(self, controller: str) -> Raw:
        found = await self._ask("get-controller-matrix", {"controllerId": controller})
        return self._object(found, "the matrix")

    async def config(self, controller: str) -> Raw:
        found = await self._ask("get-controller-config", {"controllerId": controller})
        return self._object(found, "the config")

    async def order(self, operation: str, body: Raw, *, private: bool) -> Raw:
        """What is answered when it was done. Any success but one that says so leaves open whether it was."""
        found = self._object(await self._ask(operation, body, private=private), f"the answer to {operation}")
        if found.get("success") is not True:
            raise self._broken(f"the answer to {operation} does not say that it was done")
        return found

    def place(self, operation: str) -> tuple[str, str]:
        """Method and path below the base."""
        found = self._http.operations[operation]
        return found.method, found.path

    async def products(self) -> list[Any]:
        return self._items(await self._ask("get-list-of-products", {}), "products")

    async def state(self, controller: str) -> Raw:
        return self._object(await self._ask("get-controller-state", {"controllerId": controller}), "the state")

    async def connection(self, controller: str) -> Raw:
        found = await self._ask("get-controller-connection-status", {"controllerId": controller})
        return self._object(found, "the connection status")

    async def dictionary(self, language: str) -> list[Any]:
        return self._items(await self._ask("get-dictionary-of-events", {"language": language}), "dictionary")

    async def window(
        self, operation: str, id_key: str, span: Span, room: int, controllers: frozenset[str] | None
    ) -> Window[Any]:
        """All records created in the span, and perhaps a few around it; or how many there are, if over `room`."""
        per_page = min(PER_PAGE, max(LEAST_PAGE, room))
        body = {
            "dateRange": {"from": floor(span.since.timestamp()), "to": ceil(span.until.timestamp())},
            "filters": {} if controllers is None else {"controllerIds": sorted(controllers)},
        }

        async def page(number: int) -> Page:
            pagination = {"currentPage": number, "perPage": per_page}
            success = await self._ask(operation, {"pagination": pagination, **body})
            told = success.get("pagination") if isinstance(success, dict) else None
            return Page(self._items(success, operation), *_counts(told, per_page))

        return await Pages(page, id_key, per_page).read(room)

    async def _ask(self, operation: str, body: Mapping[str, Any], *, private: bool = False) -> Any:
        """The `success` member. Any other case of the result is the vendor's refusal."""
        answer = await self._http.json(operation, body=body, private=private)
        result = answer.get("result") if isinstance(answer, dict) else None
        case = result.get("$case") if isinstance(result, dict) else None
        if result is None or not isinstance(case, str) or not case:
            raise self._broken(f"the answer to {operation} has no result")
        if case != "success":
            words = None if private else explain(answer)
            raise VendorRejected(
                f"smartvend refused {operation}: {self._http.repeated(words or 'without a reason')}",
                account=self.account.key,
                vendor="smartvend",
            )
        return result.get("success")

    def _object(self, found: Any, what: str) -> Raw:
        if not isinstance(found, dict):
            raise self._broken(f"{what} is no object")
        return found

    def _items(self, success: Any, what: str) -> list[Any]:
        """Lists come as `{items}`, where an empty one may be left out; older answers are the list itself."""
        found = success.get("items") if isinstance(success, dict) else success
        if found is None and isinstance(success, dict) and success.keys() <= {"items", "pagination"}:
            return []
        return list(rows(self.account, what, found))

    def _broken(self, why: str) -> VendorProtocolError:
        return VendorProtocolError(why, account=self.account.key, vendor="smartvend")


def _counts(told: Any, per_page: int) -> tuple[int | None, int | None]:
    """How many rows and pages there are, as far as the answer says."""
    if not isinstance(told, dict):
        return None, None
    total, pages, size = (count(told.get(name)) for name in ("totalItems", "totalPages", "perPage"))
    if total is None:
        return None, pages
    return total, min(total, ceil(total / (size or per_page)) if pages is None else pages)
