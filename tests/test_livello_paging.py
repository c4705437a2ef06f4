"""Livello's lists, page by page, while they grow."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.livello.paging import LARGEST, MOST, URL_ROOM, Page, chunks, listed, walk, whole


class Vendor:
    """A list of numbers, the newest first. `answers`: for each in turn, how long it takes and what arrives before."""

    def __init__(self, rows: int, size: int, answers: Sequence[tuple[int, int]] = ()) -> None:
        self.rows, self.size = rows, size
        self.answers = list(answers)
        self.asked: list[int] = []
        self.at_once = 0
        self._under_way = 0

    async def page(self, at: int) -> Page:
        self.asked.append(at)
        ticks, arriving = self.answers.pop(0) if self.answers else (0, 0)
        self._under_way += 1
        for _ in range(ticks + 1):
            await asyncio.sleep(0)
        self.at_once = max(self.at_once, self._under_way)
        self._under_way -= 1
        self.rows += arriving
        newest_first = list(range(self.rows - 1, -1, -1))
        return Page(newest_first[at : at + self.size], len(newest_first))


async def walked(vendor: Vendor, want: int, size: int = LARGEST, expected: int = 0) -> list[int]:
    return [row async for page in walk(vendor.page, want, size, expected) for row in page.rows]


sizes, expectations = st.integers(1, 9), st.integers(0, 80)


@given(st.integers(0, 60), sizes, st.integers(1, 40), sizes, expectations)
async def test_a_list_that_stays_is_walked_to_its_end_in_order(
    rows: int, size: int, want: int, asked: int, expected: int
) -> None:
    """Whatever was expected, and whether or not the vendor gives as much as it is asked for."""
    assert await walked(Vendor(rows, min(size, asked)), want, asked, expected) == list(range(rows - 1, -1, -1))


answers = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=20)


@given(st.integers(0, 60), sizes, st.integers(1, 60), answers, expectations)
async def test_no_row_is_lost_however_the_answers_overtake_each_other(
    rows: int, size: int, want: int, answers: list[tuple[int, int]], expected: int
) -> None:
    """What was there when the first page was made is met, in order."""
    pages = [page async for page in walk(Vendor(rows, size, answers).page, want, size, expected)]
    found, at_first = [row for page in pages for row in page.rows], pages[0].total
    assert list(dict.fromkeys(row for row in found if row < at_first)) == list(range(at_first - 1, -1, -1))


async def first_pages(vendor: Vendor, want: int, count: int, expected: int = 0) -> None:
    async for _ in walk(vendor.page, want, LARGEST, expected):
        count -= 1
        if not count:
            return


async def test_the_pages_that_hold_what_is_wanted_are_asked_for_together() -> None:
    vendor = Vendor(1000, 100)
    await first_pages(vendor, 550, 6)
    assert (vendor.asked, vendor.at_once) == ([0, 100, 200, 300, 400, 500], 5)


@pytest.mark.parametrize(
    ("expected", "at_once"), [(550, 6), (10_000, 6), (250, 3), (100, 1)], ids=["all", "more", "fewer", "one page"]
)
async def test_those_that_are_expected_are_asked_for_with_the_first(expected: int, at_once: int) -> None:
    vendor = Vendor(1000, 100)
    await first_pages(vendor, 550, 1, expected)
    assert (vendor.asked, vendor.at_once) == ([0, 100, 200, 300, 400, 500][:at_once], at_once)
    vendor = Vendor(1000, 100)
    await first_pages(vendor, 550, 6, expected)
    assert vendor.asked == [0, 100, 200, 300, 400, 500]


@pytest.mark.parametrize(("rows", "want"), [(30, 550), (100, 550), (0, 550), (100, 99)])
async def test_one_page_may_be_all(rows: int, want: int) -> None:
    vendor = Vendor(rows, 100)
    assert len(await walked(vendor, want)) == rows
    assert vendor.asked == [0]


async def test_who_has_enough_with_the_first_page_asks_for_no_other() -> None:
    vendor = Vendor(1000, 100)
    await first_pages(vendor, 550, 1)
    assert vendor.asked == [0]


async def test_a_page_from_before_a_row_arrived_is_asked_for_again() -> None:
    vendor = Vendor(40, 10, [(0, 0), (2, 1), (0, 0), (3, 0)])
    found = await walked(vendor, 39)
    assert vendor.asked == [0, 10, 20, 30, 20, 30, 40]
    assert sorted(set(found)) == list(range(40))


@given(st.integers(0, 900), st.integers(1, 100), st.integers(0, 1200))
async def test_a_whole_list_is_read_whatever_was_expected(rows: int, largest: int, expected: int) -> None:
    async def page(number: int, size: int) -> Page:
        size = min(size, largest)
        return Page(list(range(rows))[number * size : (number + 1) * size], rows)

    assert await whole(page, expected) == Page(list(range(rows)), rows)


@given(st.integers(0, 900), st.integers(1, 100))
async def test_a_whole_list_is_read_in_pages_as_large_as_the_vendor_gives(rows: int, largest: int) -> None:
    asked: list[tuple[int, int]] = []

    async def page(number: int, size: int) -> Page:
        asked.append((number, size))
        size = min(size, largest)
        return Page(list(range(rows))[number * size : (number + 1) * size], rows)

    found = await whole(page)
    assert found == Page(list(range(rows)), rows)
    assert len(asked) == max(1, -(-rows // largest))
    assert asked[0] == (0, LARGEST)


@pytest.mark.parametrize("expected", [0, 250])
async def test_the_other_pages_of_a_whole_list_are_asked_for_together(expected: int) -> None:
    """With the first, where they are expected."""
    meeting = asyncio.Event()
    waiting: set[int] = set()

    async def page(number: int, _: int) -> Page:
        if number or expected:
            waiting.add(number)
            if waiting >= {1, 2} | ({0} if expected else set()):
                meeting.set()
            await meeting.wait()
        return Page([number] * (50 if number == 2 else 100), 250)

    async with asyncio.timeout(5):
        assert len((await whole(page, expected)).rows) == 250


async def test_a_total_that_cannot_be_does_not_ask_for_ever() -> None:
    asked: list[int] = []

    async def page(number: int, _: int) -> Page:
        asked.append(number)
        return Page([number], 10**12)

    await whole(page)
    assert len(asked) == MOST


def test_serial_numbers_go_together_as_far_as_they_fit_into_an_address() -> None:
    serials = frozenset(f"LIV-{number:04}" for number in range(2000))
    parts = [part for part in chunks(serials) if part is not None]
    assert [serial for part in parts for serial in part] == sorted(serials)
    assert all(len("%2C".join(part)) <= URL_ROOM for part in parts)
    assert len(parts) == -(-2000 * len("LIV-0000%2C") // URL_ROOM)


def test_all_kiosks_need_no_serial_numbers_and_none_need_no_request() -> None:
    assert chunks(None) == [None]
    assert chunks(frozenset()) == []
    assert chunks(frozenset({"x" * 9000, "y"})) == [["x" * 9000], ["y"]]
    assert (listed(None), listed(["LIV-1", "LIV-2"])) == (None, "LIV-1,LIV-2")
