"""Hours, days, weeks and months as people somewhere count them, and what of the time line each of them is."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from itertools import groupby
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import BadInput
from domain.times import EPOCH, Span

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
LONGEST = timedelta(days=732)


class Granularity(Enum):
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True)
class Period:
    """`name` is as people there write it, such as 2026-03-29, 2026-W13 or 2026-03."""

    since: datetime
    until: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one local day in which clocks were `offset` ahead of UTC."""

    span: Span
    day: date
    offset: timedelta

    def hour(self, at: datetime) -> int:
        """Counted from 1970 on, on clocks of this offset."""
        return (at - EPOCH + self.offset) // HOUR


def zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"{name!r:.60} is no IANA time zone, such as Europe/Lisbon", "timezone") from None


def start(day: date, zone: tzinfo) -> datetime:
    """When a day begins. Where clocks are put forward at midnight, that is when they are."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


class Calendar:
    """The periods of a span. Without a granularity the span is one."""

    def __init__(self, span: Span, zone: tzinfo, granularity: Granularity | None) -> None:
        self.span = span
        self._zone = zone
        self._granularity = granularity
        self._whole = Period(span.since, span.until, "")
        self._known: dict[date, Period] = {}
        self.pieces = list(_pieces(span, zone))
        self._begins = [piece.span.since for piece in self.pieces]

    @property
    def hourly(self) -> bool:
        return self._granularity is Granularity.HOUR

    @property
    def groups(self) -> list[list[Piece]]:
        """The pieces of each period; where periods are hours, each piece has several of its own."""
        if self.hourly:
            return [[piece] for piece in self.pieces]
        return [list(pieces) for _, pieces in groupby(self.pieces, lambda piece: self.period(piece, 0))]

    def period_at(self, at: datetime) -> Period:
        piece = self.piece_at(at)
        return self.period(piece, piece.hour(at))

    def piece_at(self, at: datetime) -> Piece:
        return self.pieces[bisect_right(self._begins, at) - 1]

    def period(self, piece: Piece, hour: int) -> Period:
        """`hour` counts only where periods are hours."""
        if self._granularity is None:
            return self._whole
        if self._granularity is Granularity.HOUR:
            return _hour(piece, hour, self._zone)
        first, next_ = _bounds(piece.day, self._granularity)
        if first not in self._known:
            since, until = start(first, self._zone), start(next_, self._zone)
            self._known[first] = Period(since, until, _name(first, self._granularity))
        return self._known[first]


def _hour(piece: Piece, hour: int, zone: tzinfo) -> Period:
    """Where clocks are changed within one, it is two."""
    local = EPOCH + hour * HOUR
    name = local.replace(tzinfo=None).isoformat(timespec="minutes")
    since, until = local - piece.offset, local - piece.offset + HOUR
    since = since if _ahead(since, zone) == piece.offset else piece.span.since
    until = until if _ahead(until - MICROSECOND, zone) == piece.offset else piece.span.until
    return Period(since, until, f"{name}{_offset(piece.offset)}")


def _offset(offset: timedelta) -> str:
    minutes = offset // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _bounds(day: date, granularity: Granularity) -> tuple[date, date]:
    """The first day of the period that a day is in, and the first of the next."""
    if granularity is Granularity.DAY:
        return day, day + DAY
    if granularity is Granularity.WEEK:
        monday = day - day.weekday() * DAY
        return monday, monday + 7 * DAY
    first = day.replace(day=1)
    return first, (first + 31 * DAY).replace(day=1)


def _name(first: date, granularity: Granularity) -> str:
    if granularity is Granularity.DAY:
        return first.isoformat()
    if granularity is Granularity.WEEK:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return f"{first:%Y-%m}"


def _pieces(span: Span, zone: tzinfo) -> Iterator[Piece]:
    day = span.since.astimezone(zone).date()
    since = span.since
    while since < span.until:
        until = min(start(day + DAY, zone), span.until)
        if since < until:
            yield from _of_one_offset(Span(since, until), day, zone)
            since = until
        day += DAY


def _of_one_offset(span: Span, day: date, zone: tzinfo) -> Iterator[Piece]:
    """Cut where the clocks are changed."""
    since = span.since
    while since < span.until:
        offset = _ahead(since, zone)
        until = span.until if _ahead(span.until - MICROSECOND, zone) == offset else _change(since, span.until, zone)
        yield Piece(Span(since, until), day, offset)
        since = until


def _change(since: datetime, until: datetime, zone: tzinfo) -> datetime:
    """The first moment of another offset, which the last before `until` has."""
    offset = _ahead(since, zone)
    while until - since > MICROSECOND:
        middle = since + (until - since) // 2
        since, until = (middle, until) if _ahead(middle, zone) == offset else (since, middle)
    return until


def _ahead(at: datetime, zone: tzinfo) -> timedelta:
    found = at.astimezone(zone).utcoffset()
    assert found is not None
    return found
