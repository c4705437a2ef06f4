"""Timelines: every page is what the vendor has, for the fewest reads, and no more is claimed than is known."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import VendorError, VendorUnavailable
from domain.refs import Ref
from domain.times import Span
from resolvers.cursors import EVERYWHERE, Gap
from resolvers.stretches import ITEMS, NEWEST_FIRST, NOBODY, STRETCHES, Wanted
from resolvers.timeline import LONGEST, Found
from tests.recorded import ALWAYS, HORIZON, NOON, TTL, Item, Vendor, after, down, ids, newest

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
M1, M2, M3 = (frozenset({name}) for name in ("m1", "m2", "m3"))


async def test_a_page_asks_for_what_it_needs_and_the_next_ones_share_what_they_ask_for() -> None:
    vendor = Vendor()
    vendor.past(100)
    timeline = vendor.timeline()
    found = await newest(timeline, 11)
    assert ids(found.items) == ids(vendor.truth()[:11])
    for page in range(1, 6):
        gap = Gap(NEWEST_FIRST.position(vendor.truth()[page * 5 - 1]), None)  # a page of five, less what others gave
        found = await newest(timeline, 11, gap=gap)
        assert ids(found.items) == ids(vendor.truth()[page * 5 : page * 5 + 11])
    assert [want for _, want, _ in vendor.reads] == [11, 12, 12, 12]


async def test_warm_it_asks_for_nothing() -> None:
    vendor = Vendor()
    vendor.past(30)
    timeline = vendor.timeline()
    first = await newest(timeline, 11)
    await newest(timeline, 11, gap=after(first))
    reads = len(vendor.reads)
    vendor.time.passed += TTL - 0.1
    await newest(timeline, 5)
    again = await newest(timeline, 11)
    await newest(timeline, 11, gap=after(again))
    await newest(timeline, 4, gap=after(again), span=Span(NOON - HORIZON, NOON))
    assert len(vendor.reads) == reads


async def test_after_its_time_only_the_page_itself_is_read_again_however_deep_it_is() -> None:
    vendor = Vendor()
    vendor.past(400)
    timeline = vendor.timeline()
    found = await newest(timeline, 10)
    for page in range(1, 30):
        vendor.time.passed += TTL
        vendor.reads.clear()
        found = await newest(timeline, 10, gap=after(found))
        assert ids(found.items) == ids(vendor.truth()[page * 10 : page * 10 + 10])
        assert [want for _, want, _ in vendor.reads] == [11]


async def test_forty_at_once_cost_what_one_costs() -> None:
    vendor = Vendor(gate=asyncio.Event())
    vendor.past(60)
    timeline = vendor.timeline(ttl=0)
    callers = [asyncio.create_task(newest(timeline, 11)) for _ in range(40)]
    await asyncio.sleep(0)
    assert vendor.gate is not None
    vendor.gate.set()
    found = await asyncio.gather(*callers)
    assert len(vendor.reads) == 1
    assert {tuple(ids(one.items)) for one in found} == {tuple(ids(vendor.truth()[:11]))}


async def test_many_machines_are_read_together_and_only_those_that_lack_some_are_read_on() -> None:
    vendor = Vendor()
    for machine, ago in (("m1", MINUTE), ("m1", 2 * MINUTE), ("m2", 3 * MINUTE), ("m3", DAY), ("m2", 2 * DAY)):
        vendor.record(machine, ago)
    wanted = Wanted(ALWAYS, EVERYWHERE, 1)
    timeline = vendor.timeline()
    found = await timeline.newest({M1, M2, M3}, wanted, 5)
    assert [ids(one.items) for one in (found[M1], found[M2], found[M3]) if isinstance(one, Found)] == [
        ["00000"],
        ["00002"],
        ["00003"],
    ]
    assert [machines for _, _, machines in vendor.reads] == [M1 | M2 | M3, M3]


async def test_nothing_is_asked_about_no_machine() -> None:
    vendor = Vendor()
    vendor.past(3)
    found = await newest(vendor.timeline(), 5, machines=NOBODY)
    assert (found.items, found.untold, vendor.reads) == ([], (), [])


async def test_a_span_is_read_no_further_than_it_reaches() -> None:
    vendor = Vendor()
    vendor.past(500)
    span = Span(NOON - 5 * HOUR, NOON - 3 * HOUR)
    found = await newest(vendor.timeline(), 50, span=span)
    assert ids(found.items) == ids([item for item in vendor.truth() if item.recorded_at in span])
    assert all(span.since <= read.since and read.until <= span.until for read, _, _ in vendor.reads)


@pytest.mark.parametrize("span", [Span(NOON + DAY, NOON + 2 * DAY), Span(NOON - HOUR, NOON - 2 * HOUR)])
async def test_nothing_is_asked_about_a_span_that_can_hold_nothing(span: Span) -> None:
    vendor = Vendor()
    vendor.past(5)
    assert (await newest(vendor.timeline(), 5, span=span)).items == []
    assert vendor.reads == []


async def test_below_the_first_that_was_ever_recorded_nothing_is_looked_for_again() -> None:
    vendor = Vendor()
    vendor.past(3)
    timeline = vendor.timeline()
    await newest(timeline, 50)
    vendor.time.passed += TTL
    vendor.reads.clear()
    assert len((await newest(timeline, 50)).items) == 3
    assert all(read.since >= NOON - 2 * HOUR for read, _, _ in vendor.reads)


async def test_an_empty_record_is_looked_at_again_for_an_hour_back_and_no_more() -> None:
    vendor = Vendor()
    timeline = vendor.timeline()
    await newest(timeline, 50)
    vendor.time.passed += TTL
    vendor.record(ago=30 * MINUTE)
    assert len((await newest(timeline, 50)).items) == 1
    assert vendor.reads[-1][0].since == NOON - HOUR


async def test_what_is_older_than_the_horizon_is_not_looked_for() -> None:
    vendor = Vendor()
    vendor.record(ago=HORIZON + DAY)
    vendor.record(ago=HORIZON - DAY)
    assert ids((await newest(vendor.timeline(), 5)).items) == ["00001"]


async def test_the_same_time_at_the_edge_of_a_page_loses_and_repeats_nothing() -> None:
    vendor = Vendor()
    for _ in range(25):
        vendor.record(ago=HOUR)
    timeline = vendor.timeline(ttl=0)
    seen: list[str] = []
    found = await newest(timeline, 4)
    while found.items:
        seen += ids(found.items)
        found = await newest(timeline, 4, gap=after(found))
    assert seen == ids(vendor.truth())


async def test_a_head_that_is_no_longer_fresh_is_not_joined_because_a_page_below_is_being_read() -> None:
    vendor = Vendor()
    vendor.past(100)
    timeline = vendor.timeline()
    first = await newest(timeline, 10)
    vendor.gate = asyncio.Event()
    below = asyncio.create_task(newest(timeline, 10, gap=after(first)))
    await asyncio.sleep(0)
    vendor.time.passed += TTL
    new = vendor.record()
    head = asyncio.create_task(newest(timeline, 10))
    await asyncio.sleep(0)
    vendor.gate.set()
    assert ids((await head).items)[0] == new.ref.native
    assert ids((await below).items) == ids(vendor.truth()[11:21])


async def test_one_flight_serves_those_who_want_little_and_those_who_want_much() -> None:
    vendor = Vendor(gate=asyncio.Event())
    vendor.past(100)
    timeline = vendor.timeline()
    little = asyncio.create_task(newest(timeline, 5))
    await asyncio.sleep(0)
    much = asyncio.create_task(newest(timeline, 50))
    await asyncio.sleep(0)
    assert vendor.gate is not None
    vendor.gate.set()
    assert ids((await little).items) == ids(vendor.truth()[:5])
    assert ids((await much).items) == ids(vendor.truth()[:50])
    assert [want for _, want, _ in vendor.reads] == [5, 50]


async def test_a_failing_vendor_without_anything_known_is_an_error() -> None:
    vendor = Vendor(error=down())
    with pytest.raises(VendorUnavailable, match="down"):
        await newest(vendor.timeline(), 5)


async def test_the_last_good_page_stands_in_and_says_what_it_cannot_know() -> None:
    vendor = Vendor()
    vendor.past(50)
    timeline = vendor.timeline()
    fresh = await newest(timeline, 11)
    vendor.time.passed += TTL
    vendor.error = down()
    stale = await newest(timeline, 11)
    assert (stale.items, stale.as_of, stale.error) == (fresh.items, fresh.as_of, vendor.error)
    new = vendor.record()
    assert _lies_in(stale.untold, new)
    assert not _lies_in(stale.untold, stale.items[0])


async def test_as_much_as_is_known_stands_in_for_more() -> None:
    vendor = Vendor()
    vendor.past(50)
    timeline = vendor.timeline()
    await newest(timeline, 11)
    vendor.error = down()
    found = await newest(timeline, 30)
    assert ids(found.items) == ids(vendor.truth()[:11])
    assert _lies_in(found.untold, vendor.truth()[11])


async def test_a_page_below_what_is_known_is_an_error_and_one_within_it_is_not() -> None:
    vendor = Vendor()
    vendor.past(50)
    timeline = vendor.timeline()
    await newest(timeline, 20)
    vendor.error = down()
    vendor.time.passed += TTL
    within = await newest(timeline, 5, gap=Gap(NEWEST_FIRST.position(vendor.truth()[4]), None))
    assert (ids(within.items), within.untold) == (ids(vendor.truth()[5:10]), [])
    with pytest.raises(VendorUnavailable):
        await newest(timeline, 5, gap=Gap(NEWEST_FIRST.position(vendor.truth()[40]), None))


async def test_nothing_older_than_a_day_stands_in_however_often_it_was_asked_for() -> None:
    vendor = Vendor()
    vendor.past(5)
    timeline = vendor.timeline()
    await newest(timeline, 3)
    vendor.error = down()
    for _ in range(24):
        vendor.time.passed += 3600
        await newest(timeline, 3)
    vendor.time.passed += 1
    with pytest.raises(VendorUnavailable):
        await newest(timeline, 3)


async def test_walking_far_down_does_not_push_out_the_head_that_stands_in() -> None:
    vendor = Vendor()
    vendor.past(200)
    timeline = vendor.timeline()
    found = head = await newest(timeline, 5)
    for _ in range(3 * STRETCHES):
        vendor.time.passed += TTL
        found = await newest(timeline, 5, gap=after(found))
    vendor.error = down()
    assert (await newest(timeline, 5)).items == head.items


async def test_asking_in_vain_does_not_push_out_what_stands_in() -> None:
    vendor = Vendor()
    vendor.past(200)
    timeline = vendor.timeline()
    await newest(timeline, 5)
    vendor.time.passed += TTL
    below = await newest(timeline, 5, gap=Gap(NEWEST_FIRST.position(vendor.truth()[50]), None))
    vendor.time.passed += TTL
    vendor.error = down()
    for place in range(100, 100 + 3 * STRETCHES):
        with pytest.raises(VendorUnavailable):
            await newest(timeline, 5, gap=Gap(NEWEST_FIRST.position(vendor.truth()[place]), None))
    again = await newest(timeline, 5, gap=Gap(NEWEST_FIRST.position(vendor.truth()[50]), None))
    assert again.items == below.items


async def test_a_flight_that_is_late_still_lands_for_those_who_come_later() -> None:
    vendor = Vendor(gate=asyncio.Event())
    vendor.past(20)
    timeline = vendor.timeline()
    with pytest.raises(VendorUnavailable, match="late"):
        await newest(timeline, 5, patience=0.01)
    assert vendor.gate is not None
    vendor.gate.set()
    assert ids((await newest(timeline, 5)).items) == ids(vendor.truth()[:5])
    assert len(vendor.reads) == 1


async def test_without_time_left_nothing_is_asked_for() -> None:
    vendor = Vendor()
    vendor.past(5)
    timeline = vendor.timeline()
    with pytest.raises(VendorUnavailable):
        await newest(timeline, 5, patience=0.0)
    assert vendor.reads == []
    assert len((await newest(timeline, 5)).items) == 5


async def test_a_fault_of_our_own_is_no_failure_of_the_vendor() -> None:
    vendor = Vendor()
    timeline = vendor.timeline()
    vendor.items.append(None)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        await newest(timeline, 5)


async def test_what_is_kept_is_bounded_and_what_was_asked_for_last_is_kept() -> None:
    vendor = Vendor()
    per_machine = 1000
    for machine in range(ITEMS // per_machine + 5):
        vendor.past(per_machine, every=timedelta(seconds=1), machine=f"m{machine}")
    timeline = vendor.timeline()
    for machine in range(ITEMS // per_machine + 5):
        await newest(timeline, per_machine, machines=frozenset({f"m{machine}"}))
        assert len(timeline._stretches) <= ITEMS
    vendor.reads.clear()
    await newest(timeline, per_machine, machines=frozenset({f"m{ITEMS // per_machine + 4}"}))
    assert vendor.reads == []


async def test_a_stretch_grows_to_its_length_and_a_page_below_begins_another() -> None:
    vendor = Vendor()
    vendor.past(LONGEST + 2000, every=timedelta(seconds=1))
    timeline = vendor.timeline()
    found = await newest(timeline, 1000)
    seen = ids(found.items)
    while found.items:
        found = await newest(timeline, 1000, gap=after(found))
        seen += ids(found.items)
    assert seen == ids(vendor.truth())
    assert max(len(stretch.items) for stretch in timeline._stretches) <= LONGEST + 1000


async def test_closing_ends_what_is_in_flight() -> None:
    vendor = Vendor(gate=asyncio.Event())
    timeline = vendor.timeline()
    waiting = asyncio.create_task(newest(timeline, 5))
    await asyncio.sleep(0.01)
    await timeline.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_stretch_that_was_read_before_a_walk_began_loses_nothing_of_it() -> None:
    """Two processes: one has looked just before the walk, the other answers its first page."""
    vendor = Vendor(lag=30 * MINUTE / 60)
    vendor.past(20)
    one, other = vendor.timeline(), vendor.timeline()
    await newest(other, 10)
    vendor.time.passed += 1
    late = [vendor.record(), vendor.record()]
    vendor.time.passed += 1
    first = await newest(one, 1)
    second = await newest(other, 5, gap=after(first))
    assert {item.ref for item in late} <= {item.ref for item in (*first.items, *second.items)}


async def test_what_was_reported_is_shown_and_proves_nothing_of_what_was_not() -> None:
    """Of two sales one is reported: the other is not taken for one that never was."""
    vendor = Vendor()
    vendor.past(20)
    one, other = vendor.timeline(), vendor.timeline()
    await newest(other, 10)
    vendor.time.passed += 1
    unreported = vendor.record()
    vendor.time.passed += 1
    reported = vendor.record()
    other.report(reported)
    vendor.reads.clear()
    assert ids((await newest(other, 3)).items)[0] == reported.ref.native
    assert vendor.reads == []
    first = await newest(one, 1)
    assert first.items == [reported]
    second = await newest(other, 3, gap=after(first))
    assert second.items[0] == unreported


async def test_a_report_of_what_is_there_already_or_of_another_machine_changes_nothing() -> None:
    vendor = Vendor()
    vendor.past(20)
    timeline = vendor.timeline()
    found = await newest(timeline, 10, machines=M1)
    timeline.report(found.items[3])
    timeline.report(vendor.record("m2"))
    assert (await newest(timeline, 10, machines=M1)).items == found.items


moves = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.sampled_from(["m1", "m2", "m3", None])),
        st.tuples(st.just("report"), st.sampled_from(["m1", "m2", "m3", None])),
        st.tuples(st.just("pass"), st.sampled_from([0.000001, 0.5, 4.0, 11.0, 90.0])),
        st.tuples(st.just("fail"), st.just(None)),
        st.tuples(st.just("heal"), st.just(None)),
        st.tuples(st.just("head"), st.sampled_from([None, M1, M2, M1 | M3])),
        st.tuples(st.just("below"), st.sampled_from([None, M1, M2, M1 | M3])),
        st.tuples(st.just("span"), st.sampled_from([None, M2])),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(
    past=st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["m1", "m2", "m3"])), max_size=40),
    moves=moves,
    count=st.integers(1, 6),
    spare=st.integers(0, 3),
    picks=st.randoms(use_true_random=False),
)
def test_every_page_is_what_the_vendor_had_when_it_was_read(
    past: list[tuple[int, str]], moves: list[tuple[str, Any]], count: int, spare: int, picks: Random
) -> None:
    """Against a plain list: what is given is right, and what is neither given nor beyond the page is told of."""

    async def story() -> None:
        vendor = Vendor(spare=spare)
        for minutes, machine in past:
            vendor.record(machine, ago=HOUR + minutes * MINUTE)
        timeline = vendor.timeline()
        reported: set[Ref] = set()
        for move, what in moves:
            vendor.time.passed += 0.000001
            if move == "record":
                vendor.record(what)
            elif move == "report":
                reported.add(vendor.record(what).ref)
                timeline.report(vendor.items[-1])
            elif move == "pass":
                vendor.time.passed += what
            elif move in ("fail", "heal"):
                vendor.error = down() if move == "fail" else None
            else:
                span, gap = ALWAYS, EVERYWHERE
                if move == "below" and vendor.items:
                    gap = Gap(NEWEST_FIRST.position(picks.choice(vendor.items)), None)
                if move == "span":
                    span = Span(NOON - picks.randrange(300) * MINUTE, NOON - picks.randrange(100) * MINUTE)
                wanted = Wanted(span, gap, count)
                check(vendor, reported, wanted, what, (await timeline.newest({what}, wanted, 5))[what])
        await timeline.aclose()

    asyncio.run(story())


def _lies_in(gaps: Sequence[Gap], *items: Item) -> bool:
    return any(NEWEST_FIRST.holds(gap, NEWEST_FIRST.position(item)) for gap in gaps for item in items)


def check(
    vendor: Vendor,
    reported: set[Ref],
    wanted: Wanted,
    machines: frozenset[str] | None,
    found: Found[Item] | VendorError,
) -> None:
    if isinstance(found, VendorError):
        assert vendor.error is not None
        return
    there = [
        item
        for item in vendor.truth(machines)
        if item.recorded_at in wanted.span and NEWEST_FIRST.holds(wanted.gap, NEWEST_FIRST.position(item))
    ]
    told = [item for item in there if not _lies_in(found.untold, item)]
    if found.error is None:
        assert not found.untold
        assert found.as_of > vendor.time.now() - timedelta(seconds=TTL)
    known = [item for item in told if item.recorded_at <= found.as_of]
    shown = [item for item in found.items if item.ref not in reported or item.recorded_at <= found.as_of]
    assert shown == [item for item in known if item in found.items]
    assert not _lies_in(found.untold, *found.items)
    if len(found.items) < wanted.count:
        assert set(known) <= set(found.items)
    else:
        oldest = NEWEST_FIRST.position(found.items[-1])
        assert {item for item in known if NEWEST_FIRST.position(item) >= oldest} <= set(found.items)


@settings(max_examples=200, deadline=None)
@given(
    past=st.integers(0, 30),
    lag=st.sampled_from([-50.0, -1.0, 0.0, 1.0, 50.0]),
    first=st.integers(1, 6),
    looks=st.lists(st.integers(0, 1), max_size=3),
    steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.sampled_from([0.1, 1.0, 12.0])), max_size=30),
)
def test_a_walk_over_two_processes_repeats_nothing_and_loses_nothing_while_more_is_recorded(
    past: int, lag: float, first: int, looks: list[int], steps: list[tuple[int, int, float]]
) -> None:
    async def story() -> None:
        vendor = Vendor(lag=timedelta(seconds=lag))
        vendor.past(past)
        processes = [vendor.timeline(), vendor.timeline()]
        for which in looks:
            await newest(processes[which], 3)
            vendor.time.passed += 1
            vendor.record()
        vendor.time.passed += 1
        found = await newest(processes[0], first)
        at_the_start = {item.ref for item in vendor.items if item.recorded_at <= found.as_of - vendor.lag}
        seen = list(found.items)
        for which, more, seconds in [*steps, *[(0, 0, 0.1)] * 60]:
            if not found.items:
                break
            for _ in range(more):
                vendor.time.passed += 0.001
                vendor.record()
            vendor.time.passed += seconds
            found = await newest(processes[which], first, gap=after(found))
            seen += found.items
        assert seen == NEWEST_FIRST.sorted(set(seen))
        assert at_the_start <= {item.ref for item in seen}
        for process in processes:
            await process.aclose()

    asyncio.run(story())
