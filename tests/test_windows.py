"""Windows of time over a list without an order: nothing missed, nothing twice, and never much more than is wanted."""

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.windows import Window, Windows
from domain.errors import VendorUnavailable
from domain.paging import Slice
from domain.times import EPOCH, Span

NOW = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
YEARS = Span(NOW - timedelta(days=731), NOW)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
MOST_BETWEEN = 45  # fetches from one window with rows to the next: widened, and then halved down to a second


@dataclass(frozen=True, slots=True)
class Asked:
    window: Span
    room: int
    rows: int | None  # None where it was given up

    @property
    def width(self) -> timedelta:
        return self.window.until - self.window.since


class Vendor:
    """Rows are their times. `counts`: it tells how many there are in a window that it gives up, else only that
    there are more than the room. `blur`: so far beyond a window's ends rows are counted with it."""

    def __init__(self, rows: Iterable[datetime], *, counts: bool = True, blur: timedelta = timedelta()) -> None:
        self.rows = sorted(rows)
        self.asked: list[Asked] = []
        self._counts = counts
        self._blur = blur

    async def fetch(self, window: Span, room: int) -> Window[datetime]:
        found = self.inside(window)
        counted = len(self.inside(Span(window.since - self._blur, window.until + self._blur)))
        crowded = counted > room
        self.asked.append(Asked(window, room, None if crowded else len(found)))
        if crowded:
            return Window(None, counted if self._counts else room + 1)
        return Window(found[::2] + found[1::2], len(found))

    def inside(self, span: Span) -> list[datetime]:
        return self.rows[bisect_left(self.rows, span.since) : bisect_left(self.rows, span.until)]

    def read(
        self,
        span: Span,
        want: int,
        windows: Windows | None = None,
        machines: frozenset[str] | None = None,
    ) -> Slice[datetime]:
        self.asked.clear()
        return asyncio.run((windows or Windows()).read(span, want, machines, self.fetch))

    @property
    def taken(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.rows is not None]

    @property
    def read_rows(self) -> int:
        return sum(asked.rows or 0 for asked in self.asked)


def evenly(seconds: float, count: int, newest: datetime = NOW) -> list[datetime]:
    return [newest - timedelta(seconds=seconds * (number + 0.5)) for number in range(count)]


SECONDS = st.integers(0, 731 * 86_400)
MOMENTS = st.one_of(SECONDS, st.floats(0, 731 * 86_400), st.integers(0, 3600), st.just(5), st.just(10**7))
CLUMPS = st.lists(st.tuples(MOMENTS, st.sampled_from((1, 1, 1, 2, 7, 150, 1200))), max_size=25)


def clumped(clumps: Sequence[tuple[float, int]]) -> list[datetime]:
    return [NOW - timedelta(seconds=seconds) for seconds, count in clumps for _ in range(count)]


@settings(max_examples=300, deadline=None)
@given(
    clumps=CLUMPS,
    ends=st.tuples(SECONDS, SECONDS),
    want=st.integers(1, 2000),
    counts=st.booleans(),
    page=st.sampled_from((100, 1000)),
    widest=st.sampled_from((timedelta(days=31), timedelta(days=3650))),
)
@example(clumps=[(86_400, 1200)], ends=(0, 86_400 * 700), want=1, counts=True, page=1000, widest=timedelta(days=3650))
@example(clumps=[(86_400, 1200)], ends=(0, 86_400 * 700), want=1, counts=False, page=100, widest=timedelta(days=31))
def test_a_reading_holds_every_row_down_to_where_it_stopped_and_no_other(
    clumps: list[tuple[float, int]], ends: tuple[int, int], want: int, counts: bool, page: int, widest: timedelta
) -> None:
    vendor = Vendor(clumped(clumps), counts=counts)
    span = Span(NOW - timedelta(seconds=max(ends)), NOW - timedelta(seconds=min(ends)))
    found = vendor.read(span, want, Windows(widest, page))
    assert sorted(found.items) == vendor.inside(Span(found.since, span.until))
    assert span.since <= found.since <= span.until
    assert found.since == span.since or len(found.items) >= want
    assert found.complete


@settings(max_examples=300, deadline=None)
@given(clumps=CLUMPS, want=st.integers(1, 2000), counts=st.booleans(), widest=st.integers(1, 800))
def test_windows_follow_upon_each_other_and_are_narrowed_from_the_same_end(
    clumps: list[tuple[float, int]], want: int, counts: bool, widest: int
) -> None:
    vendor = Vendor(clumped(clumps), counts=counts)
    found = vendor.read(YEARS, want, Windows(timedelta(days=widest)))
    until = YEARS.until
    narrower: timedelta | None = None
    for asked in vendor.asked:
        assert asked.window.until == until
        assert YEARS.since <= asked.window.since < until
        assert asked.width <= timedelta(days=widest)
        assert narrower is None or asked.width <= narrower / 2 or asked.width <= SECOND
        narrower = asked.width if asked.rows is None else None
        until = asked.window.until if asked.rows is None else asked.window.since
    assert until == found.since


@settings(max_examples=300, deadline=None)
@given(clumps=CLUMPS, want=st.integers(1, 2000), counts=st.booleans())
@example(clumps=[(0.5, 1200)] * 5 + [(86_400 * 300 + 0.5, 1200)] * 5, want=6001, counts=True)
def test_the_number_of_fetches_is_bounded_whatever_the_rows(
    clumps: list[tuple[float, int]], want: int, counts: bool
) -> None:
    vendor = Vendor(clumped(clumps), counts=counts)
    vendor.read(YEARS, want)
    with_rows = sum(1 for asked in vendor.asked if asked.rows)
    assert len(vendor.asked) <= MOST_BETWEEN * (with_rows + 1)


@settings(max_examples=200, deadline=None)
@given(spacing=st.floats(0.2, 86_400), want=st.integers(1, 500))
def test_once_the_rate_is_known_a_page_costs_a_fetch_or_two_and_few_rows_more_than_it_needs(
    spacing: float, want: int
) -> None:
    vendor, windows = Vendor(evenly(spacing, min(40_000, int(731 * 86_400 / spacing)))), Windows()
    first = vendor.read(YEARS, want, windows)
    if len(first.items) < want or len(vendor.inside(Span(YEARS.since, first.since))) < 2 * want:
        return  # too little is left for a second page
    second = vendor.read(Span(YEARS.since, first.since), want, windows)
    assert len(second.items) >= want
    assert len(vendor.asked) <= 2
    assert vendor.read_rows <= 3 * want + 8  # in a second there may be five


@settings(max_examples=100, deadline=None)
@given(spacing=st.floats(1, 86_400), want=st.integers(1, 500))
def test_even_the_first_page_reads_no_more_than_a_few_times_what_it_needs(spacing: float, want: int) -> None:
    vendor = Vendor(evenly(spacing, min(40_000, int(731 * 86_400 / spacing))))
    vendor.read(YEARS, want)
    assert vendor.read_rows <= max(4 * want, 100) + want
    assert len(vendor.asked) <= 6


def test_nothing_is_read_of_a_span_that_is_empty_or_of_which_nothing_is_wanted() -> None:
    vendor = Vendor(evenly(60, 100))
    assert vendor.read(Span(NOW, NOW), 5) == Slice([], NOW)
    assert vendor.read(Span(NOW, NOW - DAY), 5) == Slice([], NOW - DAY)
    assert vendor.read(YEARS, 0) == Slice([], NOW)
    assert vendor.asked == []


def test_no_machines_have_no_rows_and_are_not_asked_for() -> None:
    vendor = Vendor(evenly(60, 100))
    found = vendor.read(YEARS, 5, machines=frozenset())
    assert (list(found.items), found.since, vendor.asked) == ([], YEARS.since, [])


def test_a_span_may_reach_from_the_beginning_to_the_end_of_time() -> None:
    vendor = Vendor(evenly(3600, 10))
    everything = Span(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    found = vendor.read(everything, 11)
    assert (len(found.items), found.since) == (10, everything.since)
    assert len(vendor.read(Span(EPOCH, NOW), 11).items) == 10


def test_the_end_of_a_span_belongs_to_it_no_more() -> None:
    vendor = Vendor([NOW, NOW - SECOND, NOW - DAY])
    assert sorted(vendor.read(Span(NOW - DAY, NOW), 9).items) == [NOW - DAY, NOW - SECOND]


# ---- quiet


def test_a_quiet_account_is_read_to_its_end_in_a_few_fetches_and_then_in_one() -> None:
    vendor, windows = Vendor([]), Windows()
    found = vendor.read(YEARS, 50, windows)
    assert (list(found.items), found.since) == ([], YEARS.since)
    assert len(vendor.asked) <= 5
    assert [asked.width for asked in vendor.asked] == sorted(asked.width for asked in vendor.asked)
    vendor.read(YEARS, 50, windows)
    assert len(vendor.asked) == 1


def test_a_short_look_at_nothing_does_not_make_an_account_busy() -> None:
    vendor, windows = Vendor([]), Windows()
    vendor.read(YEARS, 50, windows)
    vendor.read(Span(NOW - SECOND, NOW), 50, windows)
    vendor.read(YEARS, 50, windows)
    assert len(vendor.asked) == 1


def test_after_a_busy_hour_a_quiet_past_is_soon_crossed() -> None:
    vendor = Vendor([*evenly(1, 600), *evenly(86_400, 30, NOW - 300 * DAY)])
    found = vendor.read(YEARS, 620)
    assert len(found.items) >= 620
    assert len(vendor.asked) <= 12


# ---- crowded


def test_a_window_of_too_many_is_split_by_the_rate_that_it_tells() -> None:
    vendor = Vendor(evenly(10, 8640))
    found = vendor.read(YEARS, 20)
    first, second = vendor.asked
    assert (first.room, first.rows, first.width) == (100, None, 12 * HOUR)
    assert second.rows == len(found.items) == 26  # of 10 s each, and a margin


@pytest.mark.parametrize("ago", [0 * SECOND, HOUR, 10 * DAY, 40 * DAY, 300 * DAY])
@pytest.mark.parametrize("around", [[], evenly(3000, 1000)], ids=["nothing around", "others around"])
@pytest.mark.parametrize("counts", [True, False])
def test_a_flood_in_one_second_is_found_and_read_once(ago: timedelta, around: list[datetime], counts: bool) -> None:
    flood = [NOW - ago - SECOND / 3] * 5000
    vendor = Vendor([*flood, *around], counts=counts)
    lower = Span(YEARS.since, NOW - ago)
    found = vendor.read(lower, 30)
    assert len(found.items) == 5000 + len(vendor.inside(Span(found.since, NOW - ago - SECOND / 3)))
    assert vendor.read_rows == len(found.items)
    assert len(vendor.asked) <= 45


def test_a_flood_far_below_costs_no_more_fetches_than_halving_would_and_rows_of_its_neighbours() -> None:
    vendor = Vendor([NOW - 10 * DAY - SECOND / 3] * 5000)
    vendor.read(YEARS, 30)
    assert len(vendor.asked) <= 20
    busy = Vendor([*[NOW - 10 * DAY - SECOND / 3] * 5000, *evenly(864, 10_000)])
    busy.read(Span(YEARS.since, NOW - 9 * DAY), 200)
    assert busy.read_rows <= 5000 + 800
    assert len(busy.asked) <= 20


def test_a_crowded_second_is_read_whole_however_many_it_holds() -> None:
    vendor = Vendor([NOW - SECOND / 2] * 30_000)
    assert len(vendor.read(Span(NOW - SECOND, NOW), 1).items) == 30_000
    assert len(vendor.asked) == 1


def test_a_flood_beside_a_window_is_got_past_and_then_patience_with_crowds_is_over() -> None:
    """A vendor that takes whole seconds counts the flood at the end of the window with it."""
    vendor = Vendor([*[NOW] * 5000, *evenly(60, 10_000)], blur=SECOND)
    found = vendor.read(YEARS, 40)
    assert sorted(found.items) == vendor.inside(Span(found.since, NOW))
    assert 40 <= len(found.items) <= 100
    assert len(vendor.asked) <= 20
    assert vendor.asked[-1].room <= 4 * 40


# ---- what is learnt, and for whom


def test_the_rate_is_learnt_for_each_set_of_machines() -> None:
    busy, quiet, windows = Vendor(evenly(1, 40_000)), Vendor(evenly(86_400, 300)), Windows()
    all_machines, one = None, frozenset({"m-1"})
    busy.read(YEARS, 40, windows, all_machines)
    quiet.read(YEARS, 40, windows, one)
    below = Span(YEARS.since, NOW - 50 * DAY)
    quiet.read(below, 40, windows, one)
    busy.read(Span(YEARS.since, NOW - HOUR), 40, windows, all_machines)
    assert len(quiet.asked) == len(busy.asked) == 1
    assert busy.asked[0].width < HOUR < 30 * DAY < quiet.asked[0].width


def test_an_error_passes_and_the_next_reading_begins_anew() -> None:
    vendor, windows = Vendor(evenly(60, 1000)), Windows()

    async def failing(window: Span, room: int) -> Window[datetime]:
        if vendor.asked:
            raise VendorUnavailable("down", account="a", vendor="v")
        return await vendor.fetch(window, room)

    with pytest.raises(VendorUnavailable):
        asyncio.run(windows.read(YEARS, 900, None, failing))
    found = vendor.read(YEARS, 900, windows)
    assert sorted(found.items) == vendor.inside(Span(found.since, NOW))


def test_a_reading_of_which_a_part_is_not_complete_is_not_complete() -> None:
    vendor = Vendor(evenly(3600, 200))

    async def partly(window: Span, room: int) -> Window[datetime]:
        got = await vendor.fetch(window, room)
        return Window(got.rows, got.total, complete=len(vendor.asked) != 1)

    assert not asyncio.run(Windows().read(YEARS, 60, None, partly)).complete
    assert len(vendor.asked) > 1
    assert asyncio.run(Windows().read(YEARS, 60, None, partly)).complete
