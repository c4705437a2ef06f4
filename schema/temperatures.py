"""What temperatures a machine measured over time."""

from datetime import datetime

import strawberry

from schema import types
from schema.edge import attribute as told
from schema.reports import ReportPeriod


@strawberry.type(description="What one sensor measured in a period: nothing is made up where nothing was measured.")
class TemperatureBucket:
    period: ReportPeriod = told("When.")
    sensor: str | None = told("Where the sensor is, in the vendor's words; null where the vendor does not say.")
    readings: int = told("Of how many readings this is: one at least.")
    least: float = told("The lowest, in degrees Celsius.")
    most: float = told("The highest, in degrees Celsius.")
    mean: float = told("The mean of the readings, in degrees Celsius; not weighted by the time between them.")
    last: float = told("The last, in degrees Celsius.")
    first_at: datetime = told("When the first was measured.")
    last_at: datetime = told("When the last was measured: before the first and after the last nothing is known.")
    too_cold: int | None = told("How many were below the limit that the machine had then; null where none is known.")
    too_warm: int | None = told("How many were above the limit that the machine had then; null where none is known.")


@strawberry.type(description="What temperatures a machine measured over time, by period and sensor.")
class TemperatureSeries:
    since: datetime = strawberry.field(name="from", description="Where it begins, inclusive.")
    until: datetime = strawberry.field(name="to", description="Where it ends, exclusive.")
    timezone: str = told("The IANA time zone on whose clocks its periods are.")
    buckets: list[TemperatureBucket] = told(
        "In order of time and then by sensor; periods in which nothing was measured are left out. At most 10000: more"
        " is refused as QUERY_TOO_COMPLEX."
    )
    averaged_seconds: int | None = told(
        "Each reading is the vendor's mean of so many seconds, so that lowest and highest are of means; null where"
        " readings are of a moment."
    )
    source: types.SourceStatus = told("How the account contributed; UNSUPPORTED where the vendor tells none.")
