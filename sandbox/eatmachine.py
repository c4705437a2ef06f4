"""The emulated EatMachine: few routes, strict bodies, and no list of anything."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.eatmachine_fridges import (
    AUTHOR,
    HAPPENINGS,
    REPORTS_KEPT,
    SLUGS,
    SOLD,
    URL_SECRET,
    Fridges,
    Row,
    Steps,
    run,
    shown,
)
from sandbox.outbox import Outbox
from sandbox.world import World

API_KEY = "em_live_5c0de2b1a94f4f0e"
CREDENTIALS = {"username": AUTHOR, "password": "cold-and-fresh-1"}
TOKEN_LIFE = timedelta(minutes=15)
NUMBER, TEXT = (int, float), str
SETTINGS: Mapping[str, type | tuple[type, ...]] = {
    "temperatureMinAlert": NUMBER,
    "temperatureMaxAlert": NUMBER,
    "webhookUrl": TEXT,
    "kioskUrl": TEXT,
    "heartbeatInterval": NUMBER,
}
MISSING, UNEXPECTED, INVALID = "This field is missing.", "This field was not expected.", "This value is not valid."


class EatMachine:
    name = "eatmachine"
    key = "acme-fridges"
    event_kinds = (*SLUGS, *HAPPENINGS)

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, datetime] = {}
        self.outbox = Outbox(self.key, world.random(self.name, "outbox"))
        self.fleet = Fridges(world, self.outbox)
        self._beating = False

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/auth/me", self._guarded(self._me), methods=["GET"]),
            Route("/auth/login", self._login, methods=["POST"]),
            Route("/fleets", self._guarded(self._create_fleet), methods=["POST"]),
            Route("/fridges", self._guarded(self._create_fridge), methods=["POST"]),
            Route("/fridges/{uuid}/commands/{slug}", self._guarded(self._command), methods=["POST"]),
        ]

    def make_sales(self, count: int, *, machine: str | None = None) -> list[Row]:
        """Customers, each at a fridge; KeyError where there is none such. The vendor knows no sales: what it shows is
        what a fridge found when its door was closed."""
        told = self.make_events(count, machine=machine)
        return [report for report in told if report["type"] == "inventory" and report["data"]["removed"]]

    def make_events(self, count: int, *, machine: str | None = None, kind: str | None = None) -> list[Row]:
        """All that is told of it; KeyError where there is no such fridge. Of any kind: a customer."""
        if machine is not None and machine not in self.fleet.fridges:
            raise KeyError(machine)
        del self.fleet.reports[:-REPORTS_KEPT]
        before = len(self.fleet.reports)
        for _ in range(count):
            run(self.fleet.happen(kind or "open", machine or self.fleet.some()))
        return self.fleet.reports[before:]

    def live(self) -> None:
        self._follow(self.fleet.live())

    def _follow(self, steps: Steps) -> None:
        self.outbox.pace.start(self.outbox.pace.follow(steps))

    def begin(self) -> None:
        self.fleet.begin()
        if not self._beating:
            self._beating = self.outbox.pace.start(self.fleet.beat()) is not None

    def truth(self) -> dict[str, list[Row]]:
        """`tags`: where each is, and of which product. `events`: all that fridges told so far."""
        fridges = self.fleet
        return {
            "machines": list(fridges.fridges.values()),
            "slots": [],
            "products": [{"uuid": native, "name": name} for native, name in fridges.products.items()],
            "sales": [],
            "events": list(fridges.reports),
            "commands": list(fridges.commands),
            "tags": [
                {"epc": tag, "fridge": native, "product": fridges.linked.get(tag)}
                for native, tags in fridges.inside.items()
                for tag in tags
            ],
        }

    def account(self, base: str) -> Row:
        return {
            "key": self.key,
            "organization": "acme",
            "vendor": self.name,
            "name": "Fridges",
            "base_url": f"{base}/eatmachine",
            "currency": "EUR",
            "timezone": "Europe/Paris",
            "credentials": {"api_key": API_KEY},
            "webhook": {"url_secret": URL_SECRET},
            "prices": {good.name: f"{good.price / 100:.2f}" for good in SOLD},
            "machines": [{"id": native, "name": fridge["name"]} for native, fridge in self.fleet.fridges.items()],
        }

    def _guarded(self, handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            ends = self._tokens.get(key)
            good = hmac.compare_digest(key.encode(), API_KEY.encode()) or (
                ends is not None and self._world.now() < ends
            )
            if scheme != "Bearer" or not good:
                return JSONResponse({"message": "Unauthorized.", "data": None}, 401)
            return await handle(request)

        return endpoint

    async def _me(self, _: Request) -> Response:
        return JSONResponse({"message": "OK", "data": {"identifier": CREDENTIALS["username"]}})

    async def _login(self, request: Request) -> Response:
        body = await _body(request)
        if wrong := _faults(body, {"username": TEXT, "password": TEXT}):
            return _invalid(wrong)
        if body != CREDENTIALS:
            return JSONResponse({"message": "Invalid credentials.", "data": None}, 401)
        token = uuid4().hex
        self._tokens[token] = self._world.now() + TOKEN_LIFE
        return JSONResponse({"token": token})

    async def _create_fleet(self, request: Request) -> Response:
        body = await _body(request)
        if wrong := _faults(body, {"name": TEXT}):
            return _invalid(wrong)
        return JSONResponse({"message": "Fleet created", "data": self.fleet.add_fleet(str(uuid4()), body["name"])}, 201)

    async def _create_fridge(self, request: Request) -> Response:
        body = await _body(request)
        wrong = _faults(body, {"fleet_id": TEXT, "settings": dict})
        if "settings" not in wrong and "settings" in body:
            given = {name: value for name, value in body["settings"].items() if value is not None}
            known = {name: kind for name, kind in SETTINGS.items() if name in given}
            wrong |= _faults(given, known)
        if "fleet_id" not in wrong and body["fleet_id"] not in self.fleet.fleets:
            wrong["fleet_id"] = [INVALID]
        if wrong:
            return _invalid(wrong)
        settings = dict.fromkeys(SETTINGS) | body["settings"]
        fridge = self.fleet.add_fridge(str(uuid4()), self.fleet.fleets[body["fleet_id"]], settings, "")
        shown = {key: value for key, value in fridge.items() if key != "name"}
        return JSONResponse({"message": "Fridge created.", "data": {**shown, "initKey": uuid4().hex[:13]}}, 201)

    async def _command(self, request: Request) -> Response:
        fridge, slug = request.path_params["uuid"], request.path_params["slug"]
        if fridge not in self.fleet.fridges or slug not in SLUGS:
            return JSONResponse({"message": "Not found.", "data": None}, 404)
        if wrong := _faults(await _body(request), {}):
            return _invalid(wrong)
        command = self.fleet.add_command(fridge, slug)
        answer = JSONResponse({"message": "Command created.", "data": shown(command)}, 201)
        self._follow(self.fleet.carry_out(command))
        return answer


async def _body(request: Request) -> Row:
    """What is no object has none of the fields that are needed."""
    try:
        found = await request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _faults(body: Row, fields: Mapping[str, type | tuple[type, ...]]) -> dict[str, list[str]]:
    """By field. Each of `fields` is needed, of its type, and no other is expected."""
    found = {name: [MISSING] for name in fields if name not in body}
    found |= {name: [UNEXPECTED] for name in body if name not in fields}
    for name, kind in fields.items():
        value = body.get(name)
        if name in body and (isinstance(value, bool) or not isinstance(value, kind)):
            found[name] = [INVALID]
    return found


def _invalid(faults: dict[str, list[str]]) -> Response:
    return JSONResponse({"message": "Validation error.", "data": faults}, 400)
