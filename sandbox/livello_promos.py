"""Livello's promo codes: made with rules of their own or those of a set that is there, and what they hold for."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request

from sandbox.livello_catalogue import Catalogue
from sandbox.livello_fleet import Fleet, Row, iso
from sandbox.livello_forms import fill, flag, like, moment, numeric, one_of, part, several, text
from sandbox.livello_gate import Problem
from sandbox.world import World

ZERO = numeric(0)
RULE = {
    "day": numeric(0, 6),
    "resetAmount": ZERO,
    "type": one_of("percentage", "flat"),
    "cappingEnabled": flag,
    "discountFlat": ZERO,
    "discountPercentage": numeric(0, 100),
    "cappingFlat": ZERO,
    "cappingPercentage": numeric(0, 100),
    "minCart": numeric(-1),
    "description": text,
}
CODES = {
    "organizationId": ZERO,
    "code": like(r"\d{5}"),
    "quantity": numeric(1, 100),
    "balance": ZERO,
    "enabled": flag,
    "workingDurationStart": moment,
    "workingDurationEnd": moment,
    "durationEndDays": numeric(1),
    "rules": several(part(RULE, "day", "resetAmount", "type", "cappingEnabled")),
    "configId": ZERO,
}
ELIGIBILITY = {
    "organizationId": ZERO,
    "enabled": flag,
    "productlineIds": several(ZERO),
    "kioskSerialNumber": text,
    "configId": ZERO,
    "validTo": moment,
}
EXCLUSIVE = (("workingDurationEnd", "durationEndDays"), ("rules", "configId"))


class Promos:
    """`codes` by code; `eligible`: what was set, in its order."""

    def __init__(self, world: World, fleet: Fleet, catalogue: Catalogue) -> None:
        self._world, self._fleet, self._catalogue = world, fleet, catalogue
        self.codes: dict[str, Row] = {}
        self.eligible: list[Row] = []
        self._configs: dict[int, list[Row]] = {}
        self._live = world.random("livello", "promos")

    def create(self, _: Request, body: Row) -> Row:
        fill(CODES, body, "organizationId")
        for one, other in EXCLUSIVE:
            if one in body and other in body:
                raise Problem(400, f"{one} and {other} are mutually exclusive")
        self._catalogue.owner(body["organizationId"])
        if body.get("code") in self.codes:
            return {"success": False, "promocodes": [], "configCreated": False, "errorMessage": "Code already exists"}
        config = self._config(body)
        made = [self._make(body, config) for _ in range(body.get("quantity", 1))]
        return {"success": True, "promocodes": made, "configCreated": "rules" in body}

    def get(self, request: Request) -> Row:
        found = self.codes.get(request.path_params["code"])
        if found is None:
            raise Problem(404, "Promocode not found")
        return found

    def set_eligibility(self, _: Request, body: Row) -> Row:
        fill(ELIGIBILITY, body, "organizationId", "enabled")
        self._catalogue.owner(body["organizationId"])
        lines = {line["id"] for serial in self._fleet.cells for line in self._lines(serial)}
        serial = body.get("kioskSerialNumber")
        if serial is not None and serial not in self._fleet.kiosks:
            raise Problem(400, f"kiosk {serial} does not exist")
        wanted = body.get("productlineIds", [line["id"] for line in self._lines(serial)] if serial else [])
        self.eligible.append(body)
        return {"success": True, "affectedCount": len(lines.intersection(wanted))}

    def _lines(self, serial: str) -> list[Row]:
        return [line for cell in self._fleet.cells[serial] if (line := cell["productLineData"]) is not None]

    def _config(self, body: Row) -> int:
        if "configId" in body:
            if body["configId"] not in self._configs:
                raise Problem(400, f"config {body['configId']} does not exist")
            found: int = body["configId"]
            return found
        self._configs[len(self._configs) + 1] = body.get("rules", [])
        return len(self._configs)

    def _make(self, body: Row, config: int) -> Row:
        code = body.get("code") or self._new_code()
        since: Any = body.get("workingDurationStart", iso(self._world.now()))
        until = body.get("workingDurationEnd")
        if "durationEndDays" in body:
            until = iso(self._world.now() + timedelta(days=body["durationEndDays"]))
        self.codes[code] = {
            "id": len(self.codes) + 1,
            "code": code,
            "balance": body.get("balance", 1),
            "enabled": body.get("enabled", True),
            "workingDurationStart": since,
            "workingDurationEnd": until,
            "organizationId": body["organizationId"],
            "config": {"id": config, "enabled": True, "rules": self._configs[config]},
        }
        return self.codes[code]

    def _new_code(self) -> str:
        code = f"{self._live.randrange(100_000):05}"
        return self._new_code() if code in self.codes else code
