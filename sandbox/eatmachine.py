"""The emulated EatMachine: few routes, strict bodies, and no list of anything."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.world import PLACES, World

API_KEY = "em_live_5c0de2b1a94f4f0e"
CREDENTIALS = {"username": "fridges@acme.example", "password": "cold-and-fresh-1"}
URL_SECRET = "url-secret-of-the-sandbox-fridges"  # noqa: S105  of a made-up fleet
TOKEN_LIFE = timedelta(minutes=15)
SLUGS = {
    "reboot": "Reboot",
    "open": "Open",
    "inventory": "Inventory",
    "temperature": "Temperature",
    "door-status": "Door status",
    "restart-app": "Restart app",
}
SETTINGS = ("temperatureMinAlert", "temperatureMaxAlert", "webhookUrl", "kioskUrl", "heartbeatInterval")
MISSING, UNEXPECTED = "This field is missing.", "This field was not expected."
Row = dict[str, Any]


class EatMachine:
    name = "eatmachine"

    def __init__(self, world: World) -> None:
        self._world = world
        rng = world.random(self.name, "fleet")
        self.fleets: dict[str, Row] = {}
        self.fridges: dict[str, Row] = {}
        self.commands: list[Row] = []
        self._tokens: dict[str, datetime] = {}
        fleet = self._add_fleet("Offices")
        for number in range(world.count(20)):
            native = str(UUID(int=rng.getrandbits(128), version=4))
            self._add_fridge(native, fleet, dict.fromkeys(SETTINGS), rng.choice(PLACES).name + f" {number + 1}")

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/auth/me", self._guarded(self._me), methods=["GET"]),
            Route("/auth/login", self._login, methods=["POST"]),
            Route("/fleets", self._guarded(self._create_fleet), methods=["POST"]),
            Route("/fridges", self._guarded(self._create_fridge), methods=["POST"]),
            Route("/fridges/{uuid}/commands/{slug}", self._guarded(self._command), methods=["POST"]),
        ]

    def make_sales(self, count: int, *, machine: str | None = None) -> list[Row]:  # noqa: ARG002
        """None: what leaves a fridge is known only to who hears its webhooks."""
        if machine is not None and machine not in self.fridges:
            raise KeyError(machine)
        return []

    def truth(self) -> dict[str, list[Row]]:
        return {
            "machines": list(self.fridges.values()),
            "slots": [],
            "products": [],
            "sales": [],
            "events": [],
            "commands": list(self.commands),
        }

    def account(self, base: str) -> Row:
        return {
            "key": "acme-fridges",
            "organization": "acme",
            "vendor": self.name,
            "name": "Fridges",
            "base_url": f"{base}/eatmachine",
            "currency": "EUR",
            "timezone": "Europe/Paris",
            "credentials": {"api_key": API_KEY},
            "webhook": {"url_secret": URL_SECRET},
            "machines": [{"id": native, "name": fridge["name"]} for native, fridge in self.fridges.items()],
        }

    def _guarded(self, handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            key = request.headers.get("authorization", "").removeprefix("Bearer ")
            short = self._tokens.get(key)
            good = short is not None and self._world.now() < short
            if not good and not hmac.compare_digest(key.encode(), API_KEY.encode()):
                return JSONResponse({"message": "Unauthorized.", "data": None}, 401)
            return await handle(request)

        return endpoint

    async def _me(self, _: Request) -> Response:
        return JSONResponse({"message": "OK", "data": {"identifier": CREDENTIALS["username"]}})

    async def _login(self, request: Request) -> Response:
        body = await _body(request)
        if wrong := _faults(body, ("username", "password")):
            return _invalid(wrong)
        if body != CREDENTIALS:
            return JSONResponse({"message": "Invalid credentials.", "data": None}, 401)
        token = uuid4().hex
        self._tokens[token] = self._world.now() + TOKEN_LIFE
        return JSONResponse({"token": token})

    async def _create_fleet(self, request: Request) -> Response:
        body = await _body(request)
        if wrong := _faults(body, ("name",)):
            return _invalid(wrong)
        return JSONResponse({"message": "Fleet created", "data": self._add_fleet(body["name"])}, 201)

    async def _create_fridge(self, request: Request) -> Response:
        body = await _body(request)
        wrong = _faults(body, ("fleet_id", "settings"))
        if isinstance(body.get("settings"), dict):
            wrong |= {name: [UNEXPECTED] for name in body["settings"] if name not in SETTINGS}
        if not wrong and body["fleet_id"] not in self.fleets:
            wrong = {"fleet_id": ["This value is not valid."]}
        if wrong:
            return _invalid(wrong)
        fridge = self._add_fridge(str(uuid4()), self.fleets[body["fleet_id"]], body["settings"], "")
        shown = {key: value for key, value in fridge.items() if key != "name"}
        return JSONResponse({"message": "Fridge created.", "data": {**shown, "initKey": uuid4().hex[:13]}}, 201)

    async def _command(self, request: Request) -> Response:
        fridge, slug = request.path_params["uuid"], request.path_params["slug"]
        if fridge not in self.fridges or slug not in SLUGS:
            return JSONResponse({"message": "Not found.", "data": None}, 404)
        if await request.body():
            return _invalid({"body": [UNEXPECTED]})
        now = self._now()
        command = {
            "uuid": str(uuid4()),
            "author": {"identifier": CREDENTIALS["username"], "createdAt": now, "updatedAt": now},
            "type": {"name": SLUGS[slug], "slug": slug},
            "status": None,
            "message": None,
            "createdAt": now,
            "updatedAt": now,
        }
        self.commands.append({**command, "fridge": fridge})
        return JSONResponse({"message": "Command created.", "data": command}, 201)

    def _add_fleet(self, name: str) -> Row:
        now = self._now()
        fleet = {"uuid": str(uuid4()), "name": name, "createdAt": now, "updatedAt": now}
        self.fleets[fleet["uuid"]] = fleet
        return fleet

    def _add_fridge(self, native: str, fleet: Row, settings: Row, name: str) -> Row:
        now = self._now()
        self.fridges[native] = {
            "uuid": native,
            "name": name,
            "doorStatus": "closed",
            "temperature": None,
            "lastActivity": now,
            "settings": {"firmwareVersion": None, **settings},
            "fleet": fleet,
            "createdAt": now,
            "updatedAt": now,
        }
        return self.fridges[native]

    def _now(self) -> str:
        return self._world.now().replace(microsecond=0).isoformat()


async def _body(request: Request) -> Row:
    try:
        found = await request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _faults(body: Row, needed: tuple[str, ...]) -> dict[str, list[str]]:
    missing = {name: [MISSING] for name in needed if name not in body}
    return missing | {name: [UNEXPECTED] for name in body if name not in needed}


def _invalid(faults: dict[str, list[str]]) -> Response:
    return JSONResponse({"message": "Validation error.", "data": faults}, 400)
