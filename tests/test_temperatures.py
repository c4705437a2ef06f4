"""Temperatures over time: as Livello's telemetry has them, and as fridges reported them; nothing where nothing was."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.periods import Calendar, Granularity, zone
from domain.temperatures import Reading, TemperatureLimits
from domain.times import Span
from resolvers.temperatures import buckets
from sandbox.livello_gate import CREDENTIALS
from sandbox.livello_temperatures import SENSORS, measured
from tests.running import CLIENT, VIEWER, Gateway, Sandbox, running_gateway
from tests.test_fridge_movements import deliver
from tests.test_sales_report import NAMES

BUCKET = "period { name from to } sensor readings least most mean last firstAt lastAt tooCold tooWarm"
SERIES = f"""query ($id: ID!, $from: DateTime!, $to: DateTime!, $granularity: Granularity, $timezone: String) {{
  machine(id: $id) {{ temperatures(from: $from, to: $to, granularity: $granularity, timezone: $timezone) {{
    from to timezone averagedSeconds source {{ account {{ vendor }} state complete error {{ code }} }}
    buckets {{ {BUCKET} }} }} }} }}"""
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Row = dict[str, Any]


def machine(gateway: Gateway, vendor: str) -> tuple[str, str]:
    query = f"{{ machines(first: 1, filter: {{vendors: [{vendor}]}}) {{ nodes {{ id vendorId }} }} }}"
    (found,) = gateway.ask(query)["machines"]["nodes"]
    return found["id"], found["vendorId"]


def ask(gateway: Gateway, id_: str, since: datetime, until: datetime, **variables: Any) -> Row:
    given = {"id": id_, "from": since.isoformat(), "to": until.isoformat(), **variables}
    found: Row = gateway.ask(SERIES, given, key=VIEWER)["machine"]["temperatures"]
    return found


def truth(serial: str, since: datetime, until: datetime, name: str, local: ZoneInfo) -> dict[tuple[str, str], Any]:
    """By period and sensor: how many, lowest, highest, and the mean."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for sensor in SENSORS:
        for at, celsius in measured(serial, sensor, since, until):
            if at < until:
                found[NAMES[name](at.astimezone(local)), sensor].append(celsius)
    return {key: (len(some), min(some), max(some), round(fmean(some), 6)) for key, some in found.items()}


def told(found: Sequence[Row]) -> dict[tuple[str, str], Any]:
    return {
        (one["period"]["name"], one["sensor"]): (one["readings"], one["least"], one["most"], round(one["mean"], 6))
        for one in found
    }


@pytest.mark.parametrize("granularity", NAMES)
@pytest.mark.parametrize("name", ["UTC", "Asia/Kathmandu", "America/New_York"])
def test_a_kiosk_has_what_its_sensors_measured(gateway: Gateway, name: str, granularity: str) -> None:
    id_, serial = machine(gateway, "LIVELLO")
    since, until = NOW - 5 * DAY, NOW - HOUR / 4
    found = ask(gateway, id_, since, until, granularity=granularity, timezone=name)
    assert told(found["buckets"]) == truth(serial, since, until, granularity, ZoneInfo(name))
    assert (found["averagedSeconds"], found["timezone"]) == (60, name)
    assert (found["source"]["state"], found["source"]["complete"]) == ("FRESH", True)
    assert {one["tooWarm"] for one in found["buckets"]} == {None}


def test_where_nothing_was_measured_there_is_nothing(gateway: Gateway) -> None:
    id_, _ = machine(gateway, "LIVELLO")
    night = (NOW - 2 * DAY).replace(hour=0)
    found = ask(gateway, id_, night, night + 6 * HOUR)["buckets"]
    hours = {sensor: [one["period"]["from"] for one in found if one["sensor"] == sensor] for sensor in SENSORS}
    assert [len(hours[sensor]) for sensor in SENSORS] == [6, 2]
    assert [one["firstAt"] for one in found] == [one["period"]["from"] for one in found]
    assert ask(gateway, id_, night, night + 4 * HOUR, granularity="DAY")["buckets"][0]["sensor"] == "top"
    assert ask(gateway, id_, NOW + DAY, NOW + 2 * DAY)["buckets"] == []


def test_a_long_time_is_told_by_means_of_hours(gateway: Gateway) -> None:
    id_, serial = machine(gateway, "LIVELLO")
    since, until = NOW - 20 * DAY, NOW - DAY
    found = ask(gateway, id_, since, until, granularity="DAY")
    assert found["averagedSeconds"] == 3600
    hours = defaultdict(list)
    for at, celsius in measured(serial, "top", since, until - timedelta(seconds=1)):
        hours[at.replace(minute=0)].append(celsius)
    days = defaultdict(list)
    for at, some in hours.items():
        days[at.date().isoformat()].append(round(fmean(some), 2))
    top = [one for one in found["buckets"] if one["sensor"] == "top"]
    assert {one["period"]["name"]: (one["readings"], one["least"], one["most"]) for one in top} == {
        day: (len(some), min(some), max(some)) for day, some in days.items()
    }


def test_vendors_that_tell_none_say_so(gateway: Gateway) -> None:
    for vendor in ("SMARTVEND", "VENDNOVATION"):
        found = ask(gateway, machine(gateway, vendor)[0], NOW - DAY, NOW)
        assert (found["source"]["state"], found["buckets"]) == ("UNSUPPORTED", [])


def test_a_time_that_nobody_can_read_is_refused(gateway: Gateway) -> None:
    id_, _ = machine(gateway, "LIVELLO")
    given = {"id": id_, "from": (NOW - 600 * DAY).isoformat(), "to": NOW.isoformat()}
    for more in ({"to": given["from"]}, {"timezone": "Nowhere"}):
        (error,) = gateway.post(SERIES, {**given, **more}).json()["errors"]
        assert error["extensions"]["code"] == "BAD_INPUT"


def test_a_vendor_that_fails_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        id_, _ = machine(gateway, "LIVELLO")
        sandbox.break_("livello", "status", status=503)
        found = ask(gateway, id_, NOW - DAY, NOW)
    assert (found["source"]["state"], found["source"]["complete"], found["buckets"]) == ("FAILED", False, [])


def warm(fridge: str, at: datetime, celsius: float, **limits: float) -> Row:
    shown = {"uuid": fridge, "lastActivity": at.isoformat(), "temperature": celsius, "settings": limits}
    return {"type": "temperature", "data": {"temperature": celsius}, "fridge": shown}


def test_a_fridge_has_what_it_reported(sandbox: Sandbox, tmp_path: Path) -> None:
    fridge = str(sandbox.truth("eatmachine")["machines"][0]["uuid"])
    since = NOW - 5 * HOUR
    limits = {"temperatureMinAlert": 1, "temperatureMaxAlert": 8}
    with running_gateway(sandbox, tmp_path) as gateway:
        for minutes, celsius, known in ((1, 4.5, limits), (31, 8.5, limits), (30, 0.5, limits), (130, 9.5, {})):
            deliver(gateway, fridge, warm(fridge, since + timedelta(minutes=minutes), celsius, **known))
        deliver(gateway, fridge, warm(fridge, since + timedelta(minutes=31), 8.5, **limits))
        beat = {"uuid": fridge, "lastActivity": (since + timedelta(minutes=70)).isoformat(), "temperature": 8.5}
        deliver(gateway, fridge, {"type": "heartbeat", "data": {}, "fridge": beat})
        query = "{ machines(first: 1000, filter: {vendors: [EATMACHINE]}) { nodes { id vendorId } } }"
        named = {one["vendorId"]: one["id"] for one in gateway.ask(query)["machines"]["nodes"]}
        found = ask(gateway, named[fridge], since, NOW)
        assert ask(gateway, named[fridge], since + HOUR, since + 2 * HOUR)["buckets"] == []
    first, last = found["buckets"]
    assert (first["readings"], first["least"], first["most"], first["mean"], first["last"]) == (3, 0.5, 8.5, 4.5, 8.5)
    assert (first["tooCold"], first["tooWarm"], first["sensor"]) == (1, 1, None)
    assert (last["readings"], last["last"], last["tooCold"], last["tooWarm"]) == (1, 9.5, None, None)
    assert datetime.fromisoformat(last["period"]["from"]) == since + 2 * HOUR
    assert (found["averagedSeconds"], found["source"]["complete"]) == (None, True)


def test_limits_are_those_of_then() -> None:
    calendar = Calendar(Span(NOW, NOW + DAY), zone("UTC"), Granularity.DAY)
    known = [TemperatureLimits(least=None, most=8), TemperatureLimits(least=None, most=4), None]
    found = [Reading(at=NOW + at * HOUR, celsius=5, limits=limits) for at, limits in enumerate(known)]
    one, *_ = buckets(calendar, found)
    assert (one.too_warm, one.too_cold) == (1, None)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("secondly", {"kioskSerialNumber": "LIV-0001"}),
        ("hourly", {}),
        ("custom", {"kioskSerialNumber": "LIV-0001"}),
        ("hourly", {"kioskSerialNumber": "LIV-0001", "startDate": "yesterday"}),
    ],
)
def test_the_emulated_telemetry_is_strict(sandbox: Sandbox, path: str, query: dict[str, str]) -> None:
    base = f"{sandbox.base}/livello/api/v1"
    body = {**CREDENTIALS, "grant_type": "client_credentials"}
    token = CLIENT.post(f"{base}/auth/token", json=body).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    assert CLIENT.get(f"{base}/analytics/temperature/{path}", params=query, headers=headers).status_code == 400
    assert CLIENT.get(f"{base}/analytics/temperature/{path}", params=query).status_code == 401
