"""The emulated SmartVend: POST for everything, a tagged union for an answer, and lists in no order."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox.smartvend_fleet import CONFIG_KEYS, LANGUAGES, Fleet
from sandbox.world import World

ORGANIZATION_KEY = "302a300506032b6570032100" + "5a" * 32
WEBHOOK_PUBLIC_KEY = "302a300506032b6570032100ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
PER_PAGE = 1000
FILTERS = frozenset({"controllerIds", "groupIds", "searchString", "collaboratorIds"})
Body = dict[str, Any]


class Refused(Exception):
    """A refusal of meaning: HTTP 200 with another case."""


class Malformed(ValueError):
    """A body that is not what the operation takes: HTTP 400."""


class SmartVend:
    name = "smartvend"

    def __init__(self, world: World) -> None:
        self._world = world
        self._fleet = Fleet(world)
        self.commands: list[Body] = []

    def routes(self) -> list[BaseRoute]:
        operations: Mapping[str, Callable[[Body], Any]] = {
            "get-list-of-controllers": self._controllers,
            "get-controller-matrix": self._matrix,
            "update-controller-matrix": self._update_matrix,
            "send-deposit-to-controller": lambda body: self._command(body, "deposit"),
            "issue-product": self._issue,
            "send-remote-payment-to-controller": lambda body: self._command(body, "amount", "terminalKey"),
            "get-controller-config": self._config,
            "update-controller-config": self._update_config,
            "get-controller-state": self._state,
            "get-controller-connection-status": self._connection,
            "get-list-of-sales": lambda body: self._list(body, self._fleet.sales, "sort"),
            "get-list-of-events": lambda body: self._list(body, self._fleet.events, "status", "level", "source"),
            "get-list-of-products": self._products,
            "get-dictionary-of-events": self._dictionary,
            "get-encashments-list": lambda body: self._list(body, self._fleet.encashments, "sort"),
            "create-encashment": self._encash,
        }
        routes = [Route(f"/{name}", _endpoint(handle), methods=["POST"]) for name, handle in operations.items()]
        return [Mount("/v1", routes=routes)]

    def make_sales(self, count: int, *, machine: str | None = None) -> list[Body]:
        """KeyError where there is no such controller."""
        return [self._fleet.sell(self._world.now(), machine) for _ in range(count)]

    def truth(self) -> dict[str, list[Body]]:
        fleet = self._fleet
        slots = [
            {**cell, "controllerId": controller, "columnsNumber": matrix["columnsNumber"]}
            for controller, matrix in fleet.matrices.items()
            for cell in matrix["products"]
        ]
        return {
            "machines": list(fleet.controllers.values()),
            "slots": slots,
            "products": list(fleet.products.values()),
            "sales": list(fleet.sales),
            "events": list(fleet.events),
            "encashments": list(fleet.encashments),
            "dictionary": fleet.dictionary("en"),
            "commands": list(self.commands),
        }

    def account(self, base: str) -> Body:
        return {
            "key": "acme-coffee",
            "organization": "acme",
            "vendor": self.name,
            "name": "Coffee machines",
            "base_url": f"{base}/smartvend/v1",
            "currency": "EUR",
            "timezone": "Europe/Lisbon",
            "credentials": {"organization_key": ORGANIZATION_KEY},
            "webhook": {"public_key": WEBHOOK_PUBLIC_KEY},
        }

    def _controllers(self, _: Body) -> Any:
        return {"items": list(self._fleet.controllers.values())}

    def _matrix(self, body: Body) -> Any:
        return self._fleet.matrices[self._controller(_only(body, "controllerId"))]

    def _state(self, body: Body) -> Any:
        controller = self._controller(_only(body, "controllerId"))
        status = self._fleet.controllers[controller]["connectionStatus"]
        return {"data": {"connectionStatus": status, **self._fleet.counters[controller]}}

    def _connection(self, body: Body) -> Any:
        controller = self._controller(_only(body, "controllerId"))
        return {"connectionStatus": self._fleet.controllers[controller]["connectionStatus"]}

    def _config(self, body: Body) -> Any:
        return self._fleet.configs[self._controller(_only(body, "controllerId"))]

    def _products(self, body: Body) -> Any:
        _only(body, optional=("archive",))
        archive = body.get("archive")
        return {"items": [one for one in self._fleet.products.values() if archive in (None, one["archive"])]}

    def _dictionary(self, body: Body) -> Any:
        _only(body, "language")
        if body["language"] not in LANGUAGES:
            raise Malformed(f"language must be one of {', '.join(LANGUAGES)}")
        return {"items": self._fleet.dictionary(body["language"])}

    def _list(self, body: Body, rows: list[Body], *optional: str) -> Any:
        _only(body, "pagination", "dateRange", "filters", optional=optional)
        page, per_page = _whole(body["pagination"], "currentPage"), _whole(body["pagination"], "perPage")
        if page < 1 or not 1 <= per_page <= PER_PAGE:
            raise Malformed(f"currentPage is 1 or more, perPage from 1 to {PER_PAGE}")
        since, until = _number(body["dateRange"], "from"), _number(body["dateRange"], "to")
        filters = body["filters"]
        if not isinstance(filters, dict) or filters.keys() - FILTERS:
            raise Malformed("filters: unknown members")
        controllers = filters.get("controllerIds")
        found = [
            row
            for row in self._fleet.shuffled(rows)
            if since <= row["createdAt"] <= until and (not controllers or row["controllerId"] in controllers)
        ]
        total = len(found)
        return {
            "items": found[(page - 1) * per_page : page * per_page],
            "pagination": {
                "currentPage": page,
                "perPage": per_page,
                "totalPages": ceil(total / per_page),
                "totalItems": total,
            },
        }

    def _update_matrix(self, body: Body) -> Any:
        _only(body, "id", "columnsNumber", "rowsNumber", "products", "resources")
        controller = next((key for key, it in self._fleet.matrices.items() if it["id"] == body["id"]), None)
        if controller is None:
            raise Refused("there is no such matrix")
        coffee = self._fleet.controllers[controller]["type"] == "coffee"
        for cell in body["products"]:
            _only(cell, "columnNumber", "rowNumber", "price", "productId")
            if cell["productId"] is None and coffee:
                raise Refused("only an impulse controller has cells without a product")
        for resource in body["resources"]:
            _only(resource, "resourceId", "maxRefillQuantity")
        self._fleet.matrices[controller] = dict(body)
        return {"success": True}

    def _update_config(self, body: Body) -> Any:
        _only(body, "type", "controllerConfigId", "config")
        config = next(
            (it for it in self._fleet.configs.values() if it["controllerConfigId"] == body["controllerConfigId"]), None
        )
        if config is None or config["type"] != body["type"]:
            raise Refused("there is no such config of this type")
        if unknown := body["config"].keys() - CONFIG_KEYS:
            raise Malformed(f"config: unknown {', '.join(sorted(unknown))}")
        config["config"] |= body["config"]
        return {"success": True}

    def _command(self, body: Body, amount: str, *optional: str) -> Any:
        controller = self._controller(_only(body, "controllerId", amount, optional=optional))
        if _number(body, amount) <= 0:
            raise Malformed(f"{amount} must be positive")
        self.commands.append(dict(body))
        member = "remoteDeposit" if amount == "deposit" else "remotePayment"
        self._fleet.credit(controller, member, int(body[amount]))
        return {"success": True}

    def _issue(self, body: Body) -> Any:
        controller = self._controller(_only(body, "controllerId", "position"))
        matrix = self._fleet.matrices[controller]
        position = _whole(body, "position")
        if not 1 <= position <= matrix["columnsNumber"] * matrix["rowsNumber"]:
            raise Refused("there is no such position")
        self.commands.append(dict(body))
        self._fleet.sell(self._world.now(), controller, position)
        return {"success": True}

    def _encash(self, body: Body) -> Any:
        self._fleet.encash(self._controller(_only(body, "controllerId")), self._world.now())
        return {"success": True}

    def _controller(self, body: Body) -> str:
        try:
            controller = str(UUID(body["controllerId"]))
        except (ValueError, AttributeError, TypeError):
            raise Malformed("controllerId must be a UUID") from None
        if controller not in self._fleet.controllers:
            raise Refused("there is no such controller")
        return controller


def _endpoint(handle: Callable[[Body], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        key = request.headers.get("x-organization-key", "")
        if not hmac.compare_digest(key.encode(), ORGANIZATION_KEY.encode()):
            return JSONResponse({"message": "Unauthorized"}, 401)
        try:
            body = await request.json()
            if not isinstance(body, dict):
                raise Malformed("an object is expected")
            return _answer("success", handle(body))
        except Refused as refused:
            return _answer("error", {"message": str(refused), "code": "REFUSED"})
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"message": f"the body is wrong: {error}"}, 400)

    return endpoint


def _answer(case: str, member: Any) -> Response:
    return JSONResponse({"id": str(uuid4()), "result": {"$case": case, case: member}})


def _only(body: Any, *needed: str, optional: tuple[str, ...] = ()) -> Body:
    if not isinstance(body, dict):
        raise Malformed("an object is expected")
    if missing := [name for name in needed if name not in body]:
        raise Malformed(f"{', '.join(missing)} is required")
    if unknown := body.keys() - {*needed, *optional}:
        raise Malformed(f"{', '.join(sorted(unknown))} is not expected")
    return body


def _number(body: Body, name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"{name} must be a number")
    return value


def _whole(body: Body, name: str) -> int:
    value = _number(body, name)
    if value != int(value):
        raise Malformed(f"{name} must be a whole number")
    return int(value)
