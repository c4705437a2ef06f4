"""Livello's made-up refills: an operator opens a kiosk, adds what sells and removes what is too old."""

from collections import Counter
from datetime import datetime
from random import Random

from starlette.requests import Request

from sandbox.livello_fleet import Fleet, Row, iso
from sandbox.livello_query import between, by_offset, column, matching, one, ordered
from sandbox.world import World

FIRST = 200
REFILLS_A_KIOSK = 6
COLUMNS = {"created": column("created")}  # the documents name no column to sort by


class Refills:
    def __init__(self, world: World, fleet: Fleet) -> None:
        self._world, self._fleet = world, fleet
        self._live = world.random("livello", "refills", "live")
        self._next = FIRST
        self.records: list[Row] = []
        rng = world.random("livello", "refills")
        for serial in fleet.kiosks:
            for moment in world.moments(rng, REFILLS_A_KIOSK):
                self._add(rng, serial, moment)
        self._next = world.next_number

    def make(self, serial: str | None = None) -> Row:
        """Now, with what it does to the kiosk. KeyError where there is no such kiosk."""
        chosen = serial or self._live.choice(list(self._fleet.kiosks))
        made = self._add(self._live, chosen, self._world.now())
        changes = Counter[str]()
        for item in made["itemsReplenished"]:
            changes[item["planogramPosition"]] += item["added"] - item["removed"]
        for cell in self._fleet.cells[chosen]:
            line = cell["productLineData"]
            if line is not None:
                line["quantity"] = max(0, line["quantity"] + changes[cell["planogramPosition"]])
        return made

    def listed(self, request: Request) -> Row:
        query = request.query_params
        rows = between(request, self.records, "created", "startDate", "endDate")
        rows = matching(query, rows, kioskSerialNumbers=column("kiosk", "serialNumber"))
        return by_offset(query, ordered(rows, query, "created", COLUMNS, usual=-1), "skip")

    def one(self, request: Request) -> Row:
        return one(self.records, request.path_params["id"], "Refill")

    def _add(self, rng: Random, serial: str, at: datetime) -> Row:
        self._next += 1
        cells = [cell for cell in self._fleet.cells[serial] if cell["productLineData"] is not None]
        chosen = rng.sample(cells, min(len(cells), rng.choice((0, 1, 2, 4))))
        self.records.append(
            {
                "id": self._next,
                "created": iso(at),
                "type": "manual",
                "kiosk": {
                    "id": int(serial[4:]),
                    "name": self._fleet.kiosks[serial]["name"],
                    "serialNumber": serial,
                },
                "itemsReplenished": [_item(rng, cell) for cell in chosen],
            }
        )
        return self.records[-1]


def _item(rng: Random, cell: Row) -> Row:
    line = cell["productLineData"]
    return {
        "productMetaId": line["productMetaId"],
        "name": line["name"],
        "planogramPosition": cell["planogramPosition"],
        "added": rng.choice((0, 2, 4, 6)),
        "removed": rng.choice((0, 0, 1, 2)),
    }
