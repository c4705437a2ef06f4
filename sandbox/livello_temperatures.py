"""Livello's temperature telemetry: two sensors a kiosk, of which one is silent at night, told as means."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from statistics import fmean
from zlib import crc32

from starlette.requests import Request

from sandbox.livello_analytics import BEGIN
from sandbox.livello_fleet import Fleet, Row, iso
from sandbox.livello_gate import Problem
from sandbox.world import World

MEASURED = timedelta(minutes=10)
MOST = timedelta(days=400)
SENSORS = ("top", "bottom")
BEGINS: Mapping[str, Callable[[datetime], datetime]] = {
    "minutely": lambda at: at.replace(second=0, microsecond=0),
    **BEGIN,
}
GROUPINGS = {"minute": "minutely", "hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}


class Temperatures:
    def __init__(self, world: World, fleet: Fleet) -> None:
        self._world, self._fleet = world, fleet

    def series(self, request: Request) -> list[Row]:
        query, word = request.query_params, request.path_params["granularity"]
        if word == "custom":
            word = GROUPINGS.get(query.get("grouping", ""), "")
        kiosk = self._fleet.kiosks.get(query.get("kioskSerialNumber", ""))
        if word not in BEGINS or kiosk is None:
            raise Problem(400, "granularity and kioskSerialNumber are required, and grouping where it is custom")
        since, until = self._span(request)
        return [
            {
                "sensorPosition": sensor,
                "kioskName": kiosk["name"],
                "kioskSerial": kiosk["serialNumber"],
                "values": _means(measured(kiosk["serialNumber"], sensor, since, until), BEGINS[word]),
            }
            for sensor in SENSORS
        ]

    def _span(self, request: Request) -> tuple[datetime, datetime]:
        """Both ends inclusive; what is yet to come was not measured."""
        now = self._world.now()
        try:
            since, until = (
                datetime.fromisoformat(request.query_params.get(name, usual.isoformat())).astimezone(UTC)
                for name, usual in (("startDate", now - timedelta(days=1)), ("endDate", now))
            )
        except ValueError:
            raise Problem(400, "startDate and endDate must be ISO 8601") from None
        if until - since > MOST:
            raise Problem(400, "that is too long")
        return since, min(until, now)


def measured(serial: str, sensor: str, since: datetime, until: datetime) -> Iterator[tuple[datetime, float]]:
    """What a kiosk's sensor measured, every ten minutes; the one at the bottom not from midnight to four."""
    at = since.replace(minute=0, second=0, microsecond=0)
    while at <= until:
        if at >= since and (sensor != "bottom" or at.hour >= 4):
            yield at, 2 + crc32(f"{serial} {sensor} {at.isoformat()}".encode()) % 60 / 10
        at += MEASURED


def _means(found: Iterator[tuple[datetime, float]], begin: Callable[[datetime], datetime]) -> list[Row]:
    told: dict[datetime, list[float]] = defaultdict(list)
    for at, celsius in found:
        told[begin(at)].append(celsius)
    return [{"timestamp": iso(at), "temperature": round(fmean(values), 2)} for at, values in told.items()]
