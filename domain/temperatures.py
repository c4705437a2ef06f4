"""What temperatures a machine measured over time, in degrees Celsius. None means that nobody says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.paging import SourceStatus
from domain.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureLimits:
    """Beyond which the vendor raises an alert."""

    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`sensor`: where it is in the machine, in the vendor's words. `limits`: those of then."""

    at: datetime
    celsius: float
    sensor: str | None = None
    limits: TemperatureLimits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """`averaged_seconds`: each is the mean of so long a time, None for what was measured at a moment."""

    items: Sequence[Reading]
    averaged_seconds: int | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureBucket:
    """Of the readings of one sensor in one period, of which there is one at least."""

    period: Period
    sensor: str | None
    readings: int
    least: float
    most: float
    mean: float
    last: float
    first_at: datetime
    last_at: datetime
    too_cold: int | None
    too_warm: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemperatureSeries:
    since: datetime
    until: datetime
    timezone: str
    buckets: Sequence[TemperatureBucket]
    averaged_seconds: int | None
    source: SourceStatus
