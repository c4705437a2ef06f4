"""Reading newest first: whatever the pages, the slice is all that lies from its `since` to the end of the span."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.newest import newest, together
from domain.paging import Slice
from domain.refs import Kind, Ref
from domain.times import Span

START = datetime(2026, 3, 4, tzinfo=UTC)


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    recorded_at: datetime

    @property
    def ref(self) -> Ref:
        return Ref(Kind.SALE, "acme", self.name)


@dataclass(slots=True)
class Vendor:
    """A list, cut into pages by how many rows to skip; before each page after the first some rows may arrive."""

    rows: list[Row]
    size: int
    arrivals: list[list[Row]] = field(default_factory=list)
    seen: list[Row] = field(default_factory=list)

    async def pages(self) -> AsyncIterator[Sequence[Row]]:
        skip = 0
        while skip < len(self.rows):
            page = self.rows[skip : skip + self.size]
            self.seen += page
            yield page
            skip += len(page)
            if self.arrivals:
                self.rows = in_order([*self.rows, *self.arrivals.pop(0)])


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.recorded_at, row.name), reverse=True)


def named(prefix: str, seconds: Sequence[int]) -> list[Row]:
    return [Row(f"{prefix}{number}", at(second)) for number, second in enumerate(seconds)]


def inside(rows: list[Row], since: datetime, until: datetime) -> set[Row]:
    return {row for row in rows if since <= row.recorded_at < until}


def assert_honest(found: Slice[Row], span: Span, want: int) -> None:
    """Nothing twice, nothing outside, and no stop before there is what was wanted."""
    assert len(set(found.items)) == len(found.items)
    assert set(found.items) == inside(list(found.items), found.since, span.until)
    assert found.since >= span.since
    assert found.since == span.since or len(found.items) >= want


seconds = st.lists(st.integers(0, 12), max_size=40)  # few moments, so that many rows share one
sizes = st.integers(1, 9)
wants = st.integers(1, 12)
spans = st.tuples(st.integers(-2, 14), st.integers(-2, 14)).map(lambda ends: Span(at(min(ends)), at(max(ends))))


@given(seconds, sizes, wants, spans)
async def test_the_slice_of_an_ordered_list_is_exactly_what_lies_in_it(
    seconds: list[int], size: int, want: int, span: Span
) -> None:
    vendor = Vendor(in_order(named("a", seconds)), size)
    found = await newest(vendor.pages(), span, want)
    assert_honest(found, span, want)
    assert set(found.items) == inside(vendor.rows, found.since, span.until)


@given(seconds, sizes, wants, spans)
async def test_no_more_of_an_ordered_list_is_read_than_is_needed(
    seconds: list[int], size: int, want: int, span: Span
) -> None:
    vendor = Vendor(in_order(named("a", seconds)), size)
    found = await newest(vendor.pages(), span, want)
    but_one = vendor.seen[: (len(vendor.seen) - 1) // size * size]
    oldest = but_one[-1].recorded_at if but_one else None
    assert oldest is None or oldest >= span.since
    assert oldest is None or len(inside(but_one, oldest + timedelta(microseconds=1), span.until)) < want
    assert found.since == span.since or len(vendor.seen) > want


@given(seconds, sizes, wants, spans, st.lists(st.lists(st.integers(0, 14), max_size=4), max_size=12))
@example([9, 8, 7, 6, 5, 4], 3, 5, Span(at(0), at(12)), [[11, 12]])
async def test_rows_that_arrive_meanwhile_neither_hide_others_nor_bring_them_twice(
    seconds: list[int], size: int, want: int, span: Span, arriving: list[list[int]]
) -> None:
    before = in_order(named("a", seconds))
    arrivals = [named(f"new{number}-", late) for number, late in enumerate(arriving)]
    vendor = Vendor(before, size, arrivals)
    found = await newest(vendor.pages(), span, want)
    assert_honest(found, span, want)
    assert inside(before, found.since, span.until) <= set(found.items) <= set(vendor.rows)


async def test_rows_that_are_met_again_are_no_disorder() -> None:
    """Else each sale that is made meanwhile would have the whole list read."""
    vendor = Vendor(in_order(named("a", range(100))), 10, [named("new", [100, 101, 102])])
    found = await newest(vendor.pages(), Span(at(0), at(200)), 12)
    assert len(vendor.seen) == 20
    assert [row.recorded_at for row in found.items] == [at(second) for second in range(99, 83, -1)]


@given(seconds.flatmap(st.permutations), sizes, wants, spans)
async def test_a_list_in_another_order_is_read_to_its_end(seconds: list[int], size: int, want: int, span: Span) -> None:
    rows = named("a", seconds)
    vendor = Vendor(rows, size)
    found = await newest(vendor.pages(), span, want)
    assert_honest(found, span, want)
    if any(later.recorded_at > earlier.recorded_at for earlier, later in pairwise(vendor.seen)):
        assert found.since == span.since
        assert vendor.seen == rows
        assert set(found.items) == inside(rows, span.since, span.until)
    else:
        assert set(found.items) == inside(vendor.seen, found.since, span.until)


@given(seconds, sizes, wants, spans)
async def test_only_those_that_count_are_counted(seconds: list[int], size: int, want: int, span: Span) -> None:
    vendor = Vendor(in_order(named("a", seconds)), size)

    def counts(row: Row) -> bool:
        return row.name.endswith(("0", "2", "4"))

    found = await newest(vendor.pages(), span, want, counts)
    assert set(found.items) == inside(vendor.rows, found.since, span.until)
    assert found.since == span.since or sum(map(counts, found.items)) >= want


async def test_rows_above_the_span_do_not_count() -> None:
    vendor = Vendor(in_order(named("a", range(40))), 5)
    found = await newest(vendor.pages(), Span(at(0), at(20)), 3)
    assert len(found.items) >= 3


async def test_an_empty_list_is_read_whole() -> None:
    assert await newest(Vendor([], 5).pages(), Span(at(1), at(2)), 3) == Slice([], at(1))


@given(st.lists(st.tuples(seconds, sizes), min_size=1, max_size=4), wants, spans)
async def test_slices_together_are_whole_from_where_the_first_of_them_stopped(
    lists: list[tuple[list[int], int]], want: int, span: Span
) -> None:
    vendors = [Vendor(in_order(named(f"{n}-", each)), size) for n, (each, size) in enumerate(lists)]
    parts = [await newest(vendor.pages(), span, want) for vendor in vendors]
    found = together(parts)
    everything = [row for vendor in vendors for row in vendor.rows]
    assert found.since == max(part.since for part in parts)
    assert set(found.items) == inside(everything, found.since, span.until)
    assert len(set(found.items)) == len(found.items)


async def test_what_comes_in_two_slices_is_there_once() -> None:
    rows = named("a", [3, 2, 1])
    assert together([Slice(rows, at(0)), Slice(rows[:2], at(2))]) == Slice(rows[:2], at(2))


async def test_slices_together_are_complete_where_each_of_them_is() -> None:
    whole, lacking = Slice(named("a", [3]), at(0)), Slice(named("b", [2]), at(0), complete=False)
    assert together([whole, whole]).complete
    assert not together([whole, lacking]).complete
