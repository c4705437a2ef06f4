"""What temperatures a machine measured: from the vendor's own series, or from what its reports told the journal."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from statistics import fmean

from sqlalchemy.exc import SQLAlchemyError

from connectors.reporting import SendsWebhooks
from domain.capabilities import Capability
from domain.errors import VendorError
from domain.facts import FactKind, Observation
from domain.model import Machine
from domain.paging import SourceStatus
from domain.periods import Calendar, Granularity, Period, zone
from domain.temperatures import Reading, Readings, TemperatureBucket, TemperatureSeries
from domain.times import Span, utc_now
from resolvers.context import Context, Info
from resolvers.figures import refuse_more_than_most
from resolvers.merge import failed, told, unsupported
from resolvers.report_lists import MOST, TOO_MANY, USUAL_ZONE, journal_coverage, report_span
from resolvers.sources import Source

LATE = timedelta(days=1)  # by which a report of a measurement may come after it
NOTHING = Readings(items=())


async def series(
    root: Machine,
    info: Info,
    from_: datetime,
    to: datetime,
    granularity: Granularity | None = None,
    timezone: str | None = None,
) -> TemperatureSeries:
    span, name = report_span(from_, to), timezone or USUAL_ZONE
    calendar = Calendar(span, zone(name), granularity or Granularity.HOUR)
    found, status = await _readings(info.context, info.context.graph.sources[root.ref.account], root, span)
    inside = [one for one in found.items if one.at in span]
    return TemperatureSeries(
        since=span.since,
        until=span.until,
        timezone=name,
        buckets=await asyncio.to_thread(buckets, calendar, inside),
        averaged_seconds=found.averaged_seconds,
        source=status,
    )


async def _readings(context: Context, source: Source, machine: Machine, span: Span) -> tuple[Readings, SourceStatus]:
    native = machine.ref.native
    if source.temperatures is not None:
        return await _of_vendor(context, source, native, span)
    tells = isinstance(source.connector, SendsWebhooks) and Capability.TEMPERATURE in source.connector.capabilities
    if not tells or not source.hooked:
        return NOTHING, unsupported(source.ref)
    return await _of_journal(context, source, native, span)


async def _of_vendor(context: Context, source: Source, native: str, span: Span) -> tuple[Readings, SourceStatus]:
    try:
        found = await source.readings(native, span, context.patience(source.seconds))
    except VendorError as error:
        return NOTHING, failed(source.ref, error)
    return found.value, told(source.ref, found.as_of, found.error, complete=found.value.complete)


async def _of_journal(context: Context, source: Source, native: str, span: Span) -> tuple[Readings, SourceStatus]:
    """What a machine merely remembers was told when it was measured, or nobody knows when that was: it is left out."""
    within = Span(span.since, span.until + LATE)
    try:
        found = await context.graph.journal.history(source.key, FactKind.STATE, within, MOST + 1, [native])
    except SQLAlchemyError:
        return NOTHING, failed(source.ref, source.late(0))
    coverage = await journal_coverage(context)
    status = told(source.ref, utc_now(), None, complete=coverage.since <= span.since)
    if len(found) > MOST:
        status = replace(status, complete=False, error=TOO_MANY)
    observed = (entry.content for entry in found)
    return Readings(items=[one for content in observed if (one := _reading(content)) is not None]), status


def _reading(content: object) -> Reading | None:
    temperature = content.temperature if isinstance(content, Observation) else None
    if temperature is None or temperature.measured_at is None or not isinstance(content, Observation):
        return None
    return Reading(at=temperature.measured_at, celsius=temperature.celsius, limits=content.limits)


def buckets(calendar: Calendar, readings: Iterable[Reading]) -> list[TemperatureBucket]:
    """In order of time and then by sensor. Raises QueryTooComplex."""
    found: dict[tuple[Period, str | None], list[Reading]] = {}
    for one in sorted(readings, key=lambda one: one.at):
        found.setdefault((calendar.period_at(one.at), one.sensor), []).append(one)
        refuse_more_than_most(len(found))
    told = [_bucket(period, sensor, some) for (period, sensor), some in found.items()]
    return sorted(told, key=lambda one: (one.period.since, one.sensor or ""))


def _bucket(period: Period, sensor: str | None, readings: Sequence[Reading]) -> TemperatureBucket:
    values = [one.celsius for one in readings]
    limited = [(one.limits, one.celsius) for one in readings if one.limits is not None]
    return TemperatureBucket(
        period=period,
        sensor=sensor,
        readings=len(values),
        least=min(values),
        most=max(values),
        mean=fmean(values),
        last=values[-1],
        first_at=readings[0].at,
        last_at=readings[-1].at,
        too_cold=_beyond(limits.least - celsius for limits, celsius in limited if limits.least is not None),
        too_warm=_beyond(celsius - limits.most for limits, celsius in limited if limits.most is not None),
    )


def _beyond(excesses: Iterable[float]) -> int | None:
    """How many; None where there was no limit."""
    found = [excess > 0 for excess in excesses]
    return sum(found) if found else None
