"""SmartVend over HTTP: every operation is a POST with a JSON body, and HTTP 200 does not mean success yet.

https://api.smartvend.ru/"""

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

import httpx2

from connectors.base import Account
from connectors.http import Operation, VendorHTTP, table
from connectors.parsing import rows, text, whole
from connectors.smartvend.pages import Page, Pages
from connectors.windows import Window
from domain.errors import VendorProtocolError, VendorRejected
from domain.times import Span

BASE_URL = "https://api.smartvend.ru/v1"
PER_PAGE = 1000
LEAST_PAGE = 100
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
    """The reason for a refusal: `message` and perhaps `code`, by themselves or as the member of the result's case."""
    if not isinstance(data, dict):
        return data if isinstance(data, str) else None
    result = data.get("result")
    if isinstance(result, dict):
        return explain(result.get(text(result.get("$case")) or ""))
    return ": ".join(found for found in (text(data.get("code")), text(data.get("message"))) if found) or None


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

    async def _ask(self, operation: str, body: Mapping[str, Any]) -> Any:
        """The `success` member. Any other case of the result is the vendor's refusal."""
        answer = await self._http.json(operation, body=body)
        result = answer.get("result") if isinstance(answer, dict) else None
        if not isinstance(result, dict) or "$case" not in result:
            raise self._broken(f"the answer to {operation} has no result")
        if result["$case"] != "success":
            raise VendorRejected(
                f"smartvend refused {operation}: {self._http.repeated(explain(answer) or 'without a reason')}",
                account=self.account.key,
                vendor="smartvend",
            )
        return result.get("success")

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
    total, pages, size = (_count(told.get(name)) for name in ("totalItems", "totalPages", "perPage"))
    if total is None:
        return None, pages
    return total, min(total, ceil(total / (size or per_page)) if pages is None else pages)


def _count(value: Any) -> int | None:
    """None for what is no count: a page can be read without."""
    try:
        found = whole(value)
    except (TypeError, ValueError):
        return None
    return found if found is not None and found >= 0 else None
