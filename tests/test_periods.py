"""Hours, days, weeks and months on any clock: they tile the time line, and every moment is in its own."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput
from domain.periods import DAY, HOUR, Calendar, Granularity, zone
from domain.times import Span

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
SINCE, UNTIL = datetime(2013, 1, 1), datetime(2037, 1, 1)  # noqa: DTZ001  hypothesis wants them without a zone
moments = st.datetimes(SINCE, UNTIL, timezones=st.just(UTC))
lengths = st.timedeltas(timedelta(microseconds=1), timedelta(days=100))


@given(since=moments, length=lengths, name=st.sampled_from(ZONES), granularity=st.sampled_from([*Granularity, None]))
def test_pieces_tile_the_span(since: datetime, length: timedelta, name: str, granularity: Granularity | None) -> None:
    calendar = Calendar(Span(since, since + length), zone(name), granularity)
    spans = [piece.span for piece in calendar.pieces]
    assert spans[0].since == since
    assert spans[-1].until == since + length
    assert all(span.since < span.until <= span.since + DAY + 3 * HOUR for span in spans)
    assert all(one.until == next_.since for one, next_ in pairwise(spans))
    grouped = [piece for group in calendar.groups for piece in group]
    assert grouped == calendar.pieces


@given(
    since=moments,
    length=lengths,
    part=st.floats(0, 0.999),
    name=st.sampled_from(ZONES),
    granularity=st.sampled_from(Granularity),
)
def test_a_moment_is_in_the_period_that_its_local_time_names(
    since: datetime, length: timedelta, part: float, name: str, granularity: Granularity
) -> None:
    at = since + length * part
    period = Calendar(Span(since, since + length), zone(name), granularity).period_at(at)
    local = at.astimezone(ZoneInfo(name))
    offset = f"{local:%z}"
    names = {
        Granularity.HOUR: f"{local:%Y-%m-%dT%H}:00{offset[:3]}:{offset[3:5]}",
        Granularity.DAY: f"{local:%Y-%m-%d}",
        Granularity.WEEK: f"{local:%G-W%V}",
        Granularity.MONTH: f"{local:%Y-%m}",
    }
    assert period.name == names[granularity]
    assert period.since <= at < period.until


@given(since=moments, length=lengths, name=st.sampled_from(ZONES), granularity=st.sampled_from(Granularity))
def test_periods_follow_one_another(since: datetime, length: timedelta, name: str, granularity: Granularity) -> None:
    calendar = Calendar(Span(since, since + length), zone(name), granularity)
    ats = [since + length * part / 50 for part in range(50)]
    periods = [calendar.period_at(at) for at in ats]
    for one, next_ in pairwise(periods):
        assert one == next_ or one.until <= next_.since


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)], ids=["spring", "autumn", "summer"]
)
def test_days_are_longer_or_shorter_when_clocks_are_changed(day: str, hours: int) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    calendar = Calendar(Span(noon - 2 * DAY, noon + 2 * DAY), zone("Europe/Lisbon"), Granularity.DAY)
    period = calendar.period_at(noon)
    assert period.name == day
    assert period.until - period.since == hours * HOUR


def test_the_hour_that_comes_twice_is_two() -> None:
    twice = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # clocks in Lisbon show 01:30, and so they do an hour later
    calendar = Calendar(Span(twice - DAY, twice + DAY), zone("Europe/Lisbon"), Granularity.HOUR)
    first, second = calendar.period_at(twice), calendar.period_at(twice + HOUR)
    assert (first.name, second.name) == ("2026-10-25T01:00+01:00", "2026-10-25T01:00+00:00")
    assert first.until == second.since


def test_clocks_that_change_by_half_an_hour_cut_an_hour_in_two() -> None:
    change = datetime(2026, 4, 4, 15, tzinfo=UTC)  # on Lord Howe from 02:00 back to 01:30
    calendar = Calendar(Span(change - DAY, change + DAY), zone("Australia/Lord_Howe"), Granularity.HOUR)
    before, after = calendar.period_at(change - timedelta(minutes=1)), calendar.period_at(change)
    assert before.until == after.since == change
    assert after.until - after.since == HOUR / 2


@pytest.mark.parametrize("name", ["", "Lisbon", "Europe/Atlantis", "../UTC", "/etc/localtime", "Europe"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="IANA"):
        zone(name)
