"""The emulated SmartVend: POST for everything, a tagged union for an answer, and lists in no order."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

from sandbox import smartvend_bodies as bodies
from sandbox.outbox import SCHEDULE, Letter, Outbox
from sandbox.smartvend_bodies import Body, Malformed, only
from sandbox.smartvend_fleet import CODES, Fleet
from sandbox.smartvend_hooks import WEBHOOK_PUBLIC_KEY, sign
from sandbox.world import World

ORGANIZATION_KEY = "302a300506032b6570032100" + "5a" * 32
EVENTS_AMONG_ALL = 0.25  # of what happens by itself


class Refused(Exception):
    """A refusal of meaning: HTTP 200 with another case."""


class SmartVend:
    name = "smartvend"
    key = "acme-coffee"
    event_kinds = CODES

    def __init__(self, world: World) -> None:
        self._world = world
        self._fleet = Fleet(world)
        self._live = world.random(self.name, "lively")
        self.commands: list[Body] = []  # what changed something, as it was sent
        rng = world.random(self.name, "outbox")
        self.outbox = Outbox(self.key, rng, sign=sign, schedule=SCHEDULE, stops=True)

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
            "get-list-of-sales": lambda body: self._sorted(body, self._fleet.sales),
            "get-list-of-events": self._events,
            "get-list-of-products": self._products,
            "get-dictionary-of-events": self._dictionary,
            "get-encashments-list": lambda body: self._sorted(body, self._fleet.encashments),
            "create-encashment": self._encash,
        }
        routes = [Route(f"/{name}", _endpoint(handle), methods=["POST"]) for name, handle in operations.items()]
        return [Mount("/v1", Router(routes, redirect_slashes=False))]

    def make_sales(self, count: int, *, machine: str | None = None) -> list[Body]:
        """KeyError where there is no such controller."""
        return [self._sell(machine) for _ in range(count)]

    def make_events(self, count: int, *, machine: str | None = None, kind: str | None = None) -> list[Body]:
        """KeyError where there is no such controller."""
        found = [self._fleet.occur(self._world.now(), machine, kind) for _ in range(count)]
        for event in found:
            self._post("event", event["id"], event)
        return found

    def make_encashments(self, count: int, *, machine: str | None = None) -> list[Body]:
        """Somebody collects the cash of machines; KeyError where there is no such controller."""
        return [
            self._fleet.encash(machine or self._live.choice(list(self._fleet.controllers)), self._world.now())
            for _ in range(count)
        ]

    def begin(self) -> None:
        """Nothing: it tells of what happens from now on."""

    def live(self) -> None:
        if self._live.random() < EVENTS_AMONG_ALL:
            self.make_events(1)
        else:
            self.make_sales(1)

    def _sell(self, controller: str | None, position: int | None = None) -> Body:
        sale = self._fleet.sell(self._world.now(), controller, position)
        self._post("sale", sale["saleId"], sale)
        return sale

    def _post(self, kind: str, native: str, body: Body) -> None:
        self.outbox.post(Letter(kind=kind, id=native, body=json.dumps(body, ensure_ascii=False).encode()))

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
            "configs": [{"controllerId": controller, **config} for controller, config in fleet.configs.items()],
            "commands": list(self.commands),
        }

    def account(self, base: str) -> Body:
        return {
            "key": self.key,
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
        return self._fleet.matrices[self._controller(only(body, "controllerId"))]

    def _state(self, body: Body) -> Any:
        controller = self._controller(only(body, "controllerId"))
        status = self._fleet.controllers[controller]["connectionStatus"]
        return {"data": {"connectionStatus": status, **self._fleet.counters[controller]}}

    def _connection(self, body: Body) -> Any:
        controller = self._controller(only(body, "controllerId"))
        return {"connectionStatus": self._fleet.controllers[controller]["connectionStatus"]}

    def _config(self, body: Body) -> Any:
        return self._fleet.configs[self._controller(only(body, "controllerId"))]

    def _products(self, body: Body) -> Any:
        archive = only(body, optional=("archive",)).get("archive")
        if "archive" in body and not isinstance(archive, bool):
            raise Malformed("archive must be a boolean")
        return {"items": [one for one in self._fleet.products.values() if archive in (None, one["archive"])]}

    def _dictionary(self, body: Body) -> Any:
        return {"items": self._fleet.dictionary(bodies.word(only(body, "language"), "language", bodies.LANGUAGES))}

    def _sorted(self, body: Body, rows: list[Body]) -> Any:
        """Nobody knows how to ask for an order, so that none is kept."""
        only(body, "pagination", "dateRange", "filters", optional=("sort",))
        if not isinstance(body.get("sort", {}), dict):
            raise Malformed("sort must be an object")
        return self._list(body, rows)

    def _events(self, body: Body) -> Any:
        only(body, "pagination", "dateRange", "filters", optional=bodies.EVENT_WORDS)
        words = bodies.event_words(body)
        rows = [row for row in self._fleet.events if all(row[name] == value for name, value in words.items())]
        return self._list(body, rows)

    def _list(self, body: Body, rows: list[Body]) -> Any:
        page, per_page = bodies.page(body)
        since, until = bodies.dates(body)
        controllers = self._fleet.filtered(bodies.filters(body))
        found = [
            row
            for row in self._fleet.shuffled(rows)
            if since <= row["createdAt"] <= until and row["controllerId"] in controllers
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
        only(body, "id", "columnsNumber", "rowsNumber", "products", "resources")
        columns, rows = bodies.whole(body, "columnsNumber"), bodies.whole(body, "rowsNumber")
        if columns < 1 or rows < 1:
            raise Malformed("a matrix has a cell")
        cells = [bodies.cell(cell) for cell in bodies.rows(body, "products")]
        resources = [bodies.resource(resource) for resource in bodies.rows(body, "resources")]
        matrix = bodies.uuid(body["id"], "id")
        controller = next((key for key, it in self._fleet.matrices.items() if it["id"] == matrix), None)
        if controller is None:
            raise Refused("there is no such matrix")
        for cell in cells:
            self._check_cell(cell, columns, rows, coffee=self._fleet.controllers[controller]["type"] == "coffee")
        self._fleet.matrices[controller] = {
            "id": matrix,
            "columnsNumber": columns,
            "rowsNumber": rows,
            "products": cells,
            "resources": resources,
        }
        self.commands.append(dict(body))
        return {"success": True}

    def _check_cell(self, cell: Body, columns: int, rows: int, *, coffee: bool) -> None:
        if not (0 <= cell["columnNumber"] < columns and 0 <= cell["rowNumber"] < rows):
            raise Refused("a cell lies outside of the matrix")
        if cell["productId"] is None and coffee:
            raise Refused("only an impulse controller has cells without a product")
        if cell["productId"] is not None and cell["productId"] not in self._fleet.products:
            raise Refused("there is no such product")

    def _update_config(self, body: Body) -> Any:
        only(body, "type", "controllerConfigId", "config")
        kind = bodies.word(body, "type", bodies.TYPES)
        native = bodies.uuid(body["controllerConfigId"], "controllerConfigId")
        changed = bodies.config(body["config"])
        config = next((it for it in self._fleet.configs.values() if it["controllerConfigId"] == native), None)
        if config is None or config["type"] != kind:
            raise Refused("there is no such config of this type")
        config["config"] = {**config["config"], **changed}
        self.commands.append(dict(body))
        return {"success": True}

    def _command(self, body: Body, amount: str, *optional: str) -> Any:
        controller = self._controller(only(body, "controllerId", amount, optional=optional))
        if bodies.number(body, amount) <= 0:
            raise Malformed(f"{amount} must be positive")
        if not isinstance(body.get("terminalKey", ""), str):
            raise Malformed("terminalKey must be a string")
        self.commands.append(dict(body))
        member = "remoteDeposit" if amount == "deposit" else "remotePayment"
        self._fleet.credit(controller, member, int(body[amount]))
        return {"success": True}

    def _issue(self, body: Body) -> Any:
        controller = self._controller(only(body, "controllerId", "position"))
        position = bodies.whole(body, "position")
        if self._fleet.cell(controller, position) is None:
            raise Refused("there is no such position")
        self.commands.append(dict(body))
        self._sell(controller, position)
        return {"success": True}

    def _encash(self, body: Body) -> Any:
        self._fleet.encash(self._controller(only(body, "controllerId")), self._world.now())
        self.commands.append(dict(body))
        return {"success": True}

    def _controller(self, body: Body) -> str:
        controller = bodies.uuid(body["controllerId"], "controllerId")
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
        except ValueError as error:
            return JSONResponse({"message": f"the body is wrong: {error}"}, 400)

    return endpoint


def _answer(case: str, member: Any) -> Response:
    return JSONResponse({"id": str(uuid4()), "result": {"$case": case, case: member}})
