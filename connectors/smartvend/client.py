"""SmartVend over HTTP: every operation is a POST with a JSON body, and HTTP 200 does not mean success yet.

https://api.smartvend.ru/"""

import asyncio
from collections.abc import Mapping
from math import ceil
from typing import Any

import httpx2

from connectors.base import Account
from connectors.guard import Guard
from connectors.http import Operation, VendorHTTP, table
from connectors.parsing import rows, text, whole
from connectors.windows import Window
from domain.errors import VendorProtocolError, VendorRejected
from domain.times import Span

BASE_URL = "https://api.smartvend.ru/v1"
PER_PAGE = 1000
LANGUAGE = "en"


def _read(name: str) -> Operation:
    """The paths are the operations' titles in kebab case: seen in use for some, assumed for all."""
    return Operation(name=name, method="POST", path=f"/{name}", documented=False)


OPERATIONS = table(
    _read("get-list-of-controllers"),
    _read("get-controller-matrix"),
    _read("get-list-of-products"),
    _read("get-list-of-sales"),
    _read("get-list-of-events"),
    _read("get-dictionary-of-events"),
)


def explain(data: Any) -> str | None:
    return text(data.get("message")) if isinstance(data, dict) else None


class SmartVendClient:
    """Returns raw records. `sales` and `events` are whole windows: the vendor promises no order."""

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self.guard = Guard(account=account.key, vendor=account.vendor.value, limits=account.limits)
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
            headers=headers,
        )

    async def controllers(self) -> list[Any]:
        return self._items(await self._ask("get-list-of-controllers", {}), "controllers")

    async def matrix(self, controller: str) -> Mapping[str, Any]:
        found = await self._ask("get-controller-matrix", {"controllerId": controller})
        if not isinstance(found, dict):
            raise self._broken("the matrix is no object")
        return found

    async def products(self) -> list[Any]:
        return self._items(await self._ask("get-list-of-products", {}), "products")

    async def dictionary(self) -> list[Any]:
        return self._items(await self._ask("get-dictionary-of-events", {"language": LANGUAGE}), "dictionary")

    async def window(
        self, operation: str, id_key: str, span: Span, room: int, controllers: frozenset[str] | None
    ) -> Window[Any]:
        """All records created in the span, once each, and perhaps a few around it; or how many, if over `room`."""
        per_page = min(PER_PAGE, max(100, room))
        first = await self._page(operation, span, controllers, 1, per_page)
        found = self._items(first, operation)
        told = first.get("pagination") if isinstance(first, dict) else None
        total, pages = _pagination(told, per_page)
        if total is not None and total > room:
            return Window(None, total)
        if pages is None:
            found = await self._until_short(operation, span, controllers, per_page, found)
        elif pages > 1:
            others = (self._page(operation, span, controllers, page, per_page) for page in range(2, pages + 1))
            for answer in await asyncio.gather(*others):
                found.extend(self._items(answer, operation))
        unique = {str(item.get(id_key)) if isinstance(item, dict) else at: item for at, item in enumerate(found)}
        return Window(list(unique.values()), len(unique))

    async def _until_short(
        self, operation: str, span: Span, controllers: frozenset[str] | None, per_page: int, found: list[Any]
    ) -> list[Any]:
        """An answer without page counts: read on until a page is short."""
        page, last = 1, len(found)
        while last == per_page:
            page += 1
            items = self._items(await self._page(operation, span, controllers, page, per_page), operation)
            found, last = found + items, len(items)
        return found

    async def _page(
        self, operation: str, span: Span, controllers: frozenset[str] | None, page: int, per_page: int
    ) -> Any:
        filters = {} if controllers is None else {"controllerIds": sorted(controllers)}
        return await self._ask(
            operation,
            {
                "pagination": {"currentPage": page, "perPage": per_page},
                "dateRange": {"from": int(span.since.timestamp()), "to": ceil(span.until.timestamp())},
                "filters": filters,
            },
        )

    async def _ask(self, operation: str, body: Mapping[str, Any]) -> Any:
        """The `success` member. Any other case of the result is the vendor's refusal."""
        answer = await self._http.json(operation, body=body)
        result = answer.get("result") if isinstance(answer, dict) else None
        if not isinstance(result, dict) or "$case" not in result:
            raise self._broken(f"the answer to {operation} has no result")
        case = result["$case"]
        if case != "success":
            words = explain(result.get(case)) or "without a reason"
            raise VendorRejected(
                f"smartvend refused {operation}: {self._http.repeated(words)}",
                account=self.account.key,
                vendor="smartvend",
            )
        return result.get("success")

    def _items(self, success: Any, what: str) -> list[Any]:
        """Lists come as `{items}`; older answers are the list itself."""
        return list(rows(self.account, what, success.get("items") if isinstance(success, dict) else success))

    def _broken(self, why: str) -> VendorProtocolError:
        return VendorProtocolError(why, account=self.account.key, vendor="smartvend")


def _pagination(told: Any, per_page: int) -> tuple[int | None, int | None]:
    """How many items and pages there are, as far as the answer says."""
    if not isinstance(told, dict):
        return None, None
    total, pages = whole(told.get("totalItems")), whole(told.get("totalPages"))
    if pages is None and total is not None:
        pages = ceil(total / per_page)
    return total, pages
