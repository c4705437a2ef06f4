"""What a kiosk's sensors measured, as Livello's analytics tell it: a mean for each minute, or for each hour.

What the values are is not documented; "at various granularities" leaves no more than means of them."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from math import isfinite
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, need_iso, number, readable, text
from domain.temperatures import Reading, Readings
from domain.times import Span

FINEST = timedelta(days=8)  # longer ones by the hour: a month of minutes would be many megabytes


def resolution(span: Span) -> tuple[str, int]:
    """The vendor's word, and in how many seconds it tells one value."""
    return ("minutely", 60) if span.until - span.since <= FINEST else ("hourly", 3600)


def readings(account: Account, sensors: Iterable[Any], seconds: int) -> Readings:
    """A value that is null was not measured."""
    found = readable(account, "sensor", sensors, lambda row: list(_readings(row)))
    items = [reading for told in found.items for reading in told]
    return Readings(items=items, averaged_seconds=seconds, complete=found.complete)


def _readings(sensor: Raw) -> Iterator[Reading]:
    place = text(sensor.get("sensorPosition"))
    for value in sensor.get("values") or ():
        celsius = number(value.get("temperature"))
        if celsius is not None and isfinite(celsius):
            yield Reading(at=need_iso(value.get("timestamp")), celsius=float(celsius), sensor=place)
