"""The emulated EatMachine: few routes, strict bodies, and no list of anything."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from random import Random
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
NUMBER, TEXT = (int, float), str
SETTINGS: Mapping[str, type | tuple[type, ...]] = {
    "temperatureMinAlert": NUMBER,
    "temperatureMaxAlert": NUMBER,
    "webhookUrl": TEXT,
    "kioskUrl": TEXT,
    "heartbeatInterval": NUMBER,
}
MISSING, UNEXPECTED, INVALID = "This field is missing.", "This field was not expected.", "This value is not valid."
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
        fleet = self._add_fleet(_uuid(rng), "Offices")
        for number in range(world.count(20)):
            native = _uuid(rng)
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
        return JSONResponse({"message": "Fleet created", "data": self._add_fleet(str(uuid4()), body["name"])}, 201)

    async def _create_fridge(self, request: Request) -> Response:
        body = await _body(request)
        wrong = _faults(body, {"fleet_id": TEXT, "settings": dict})
        if "settings" not in wrong and "settings" in body:
            given = {name: value for name, value in body["settings"].items() if value is not None}
            known = {name: kind for name, kind in SETTINGS.items() if name in given}
            wrong |= _faults(given, known)
        if "fleet_id" not in wrong and body["fleet_id"] not in self.fleets:
            wrong["fleet_id"] = [INVALID]
        if wrong:
            return _invalid(wrong)
        settings = dict.fromkeys(SETTINGS) | body["settings"]
        fridge = self._add_fridge(str(uuid4()), self.fleets[body["fleet_id"]], settings, "")
        shown = {key: value for key, value in fridge.items() if key != "name"}
        return JSONResponse({"message": "Fridge created.", "data": {**shown, "initKey": uuid4().hex[:13]}}, 201)

    async def _command(self, request: Request) -> Response:
        fridge, slug = request.path_params["uuid"], request.path_params["slug"]
        if fridge not in self.fridges or slug not in SLUGS:
            return JSONResponse({"message": "Not found.", "data": None}, 404)
        if wrong := _faults(await _body(request), {}):
            return _invalid(wrong)
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

    def _add_fleet(self, native: str, name: str) -> Row:
        now = self._now()
        fleet = {"uuid": native, "name": name, "createdAt": now, "updatedAt": now}
        self.fleets[native] = fleet
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


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
