"""Budgets, places, the breaker, and how an account is said to fare."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from connectors.budget import Bucket, Budget, Window
from connectors.guard import Guard, Limits, Passage, Rate, Traffic
from connectors.places import Places
from domain.errors import (
    VendorError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from domain.model import AccountStatus

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOURLY = Rate(requests=10, per_seconds=3600)


class Clock:
    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def guarded(
    clock: Callable[[], float], *, rates: Sequence[Rate] = (), limits: Limits | None = None, concurrency: int = 64
) -> Guard:
    return Guard(
        account="acme",
        vendor="livello",
        limits=limits or Limits(),
        rates=rates,
        concurrency=concurrency,
        clock=clock,
        now=lambda: NOON,
    )


def wrong(kind: type[VendorError] = VendorUnavailable) -> VendorError:
    return kind("livello answered with 500", account="acme", vendor="livello")


def status(guard: Guard) -> AccountStatus:
    return guard.status


async def succeed(guard: Guard, traffic: Traffic = Traffic.QUERY) -> None:
    async with guard.admit(traffic) as passage:
        guard.succeed(passage)


async def fail(guard: Guard, times: int = 1) -> None:
    for _ in range(times):
        async with guard.admit(Traffic.QUERY) as passage:
            guard.fail(passage, wrong())


async def how_many(guard: Guard, traffic: Traffic) -> int:
    """How many requests of this kind go before one is refused."""
    for done in range(1000):
        try:
            await succeed(guard, traffic)
        except VendorRateLimited:
            return done
    raise AssertionError("nothing was refused")


def moments(count: int) -> list[float]:
    """Bursts with gaps between them."""
    rng = Random(1)  # noqa: S311  no secret
    return [rng.choice([0, 0, 0, 0.3, 9]) for _ in range(count)]


def test_no_stretch_of_time_holds_more_than_a_window_allows(clock: Clock) -> None:
    window = Window(Rate(requests=50, per_seconds=100), clock)
    taken = list[float]()
    for gap in moments(2000):
        clock.seconds += gap
        if not window.wait():
            window.take()
            taken.append(clock.seconds)
    assert len(taken) > 300
    assert all(later - earlier >= 100 for earlier, later in zip(taken, taken[50:], strict=False))


def test_a_window_tells_when_it_frees_and_keeps_that_promise(clock: Clock) -> None:
    window = Window(Rate(requests=3, per_seconds=60), clock)
    for _ in range(3):
        window.take()
        clock.seconds += 10
    assert (window.left, window.wait(), window.wait(keep=1)) == (0, 30, 40)
    assert window.seconds_to_full() == 50
    clock.seconds += 30
    assert (window.left, window.wait()) == (1, 0)


def test_a_bucket_gives_its_burst_and_then_its_rate(clock: Clock) -> None:
    bucket = Bucket(Rate(requests=20, per_seconds=1, burst=100), clock)
    for _ in range(100):
        assert bucket.wait() == 0
        bucket.take()
    assert bucket.wait() == pytest.approx(0.05)
    clock.seconds += 0.5
    assert bucket.left == pytest.approx(10)
    clock.seconds += 3600
    assert bucket.left == 100


async def test_several_rates_hold_at_once(clock: Clock) -> None:
    guard = guarded(clock, rates=[Rate(requests=5, per_seconds=100, burst=5), Rate(requests=8, per_seconds=1000)])
    assert await how_many(guard, Traffic.COMMAND) == 5
    clock.seconds += 200
    assert await how_many(guard, Traffic.COMMAND) == 3


async def test_bulks_give_way_to_feeds_and_these_to_queries_and_queries_to_commands(clock: Clock) -> None:
    guard = guarded(clock, rates=[HOURLY])
    assert guard.wait(Traffic.BULK) == 0
    assert await how_many(guard, Traffic.BULK) == 5
    assert guard.wait(Traffic.BULK) > guard.wait(Traffic.FEED) == 0
    assert await how_many(guard, Traffic.FEED) == 2
    assert await how_many(guard, Traffic.QUERY) == 2
    assert await how_many(guard, Traffic.COMMAND) == 1


async def test_a_budget_of_one_serves_everyone(clock: Clock) -> None:
    for traffic in Traffic:
        for rate in (Rate(requests=1, per_seconds=60), Rate(requests=1, per_seconds=60, burst=1)):
            assert await how_many(guarded(clock, rates=[rate]), traffic) == 1


async def test_a_spent_budget_refuses_before_anything_is_sent_and_not_against_the_breaker(clock: Clock) -> None:
    guard = guarded(clock, rates=[HOURLY])
    await how_many(guard, Traffic.COMMAND)
    for _ in range(6):
        with pytest.raises(VendorRateLimited, match="budget") as caught:
            await succeed(guard)
        assert (caught.value.sent, caught.value.retry_after) == (False, 3600)
    assert status(guard) is AccountStatus.RATE_LIMITED
    assert guard.requests == 10
    clock.seconds += 3600
    await succeed(guard)
    assert status(guard) is AccountStatus.OK


async def test_the_configuration_replaces_the_documented_rates(clock: Clock) -> None:
    guard = guarded(clock, rates=[HOURLY], limits=Limits(requests=3, per_seconds=60))
    assert await how_many(guard, Traffic.COMMAND) == 3


async def test_a_place_that_frees_soon_is_waited_for() -> None:
    guard = guarded(asyncio.get_running_loop().time, rates=[Rate(requests=1, per_seconds=0.02)])
    for _ in range(4):
        await succeed(guard)
    assert guard.outcomes == {"ok": 4}


async def test_what_the_vendor_says_of_its_budget_counts(clock: Clock) -> None:
    guard = guarded(clock, rates=[HOURLY])
    guard.tell_budget(1000, 101, 60)
    assert await how_many(guard, Traffic.FEED) == 0
    assert await how_many(guard, Traffic.QUERY) == 1
    guard.tell_budget(1000, 0, 58.5)
    with pytest.raises(VendorRateLimited) as caught:
        await succeed(guard, Traffic.COMMAND)
    assert caught.value.retry_after == 60
    clock.seconds += 60
    await succeed(guard, Traffic.COMMAND)


def test_answers_that_overtake_each_other_do_not_give_back(clock: Clock) -> None:
    budget = Budget([], 0.1, clock)
    budget.tell(100, 50, 30)
    budget.take()
    budget.tell(100, 60, 29)
    assert budget.tightest() == (100, 49, 30)
    budget.tell(100, 99, 60)
    assert budget.tightest() == (100, 99, 60)


def test_parts_of_what_the_vendor_says_may_be_absent(clock: Clock) -> None:
    budget = Budget([], 0.1, clock)
    budget.tell(100, 50, None)
    assert budget.tightest() is None
    budget.tell(None, 50, 30)
    assert budget.tightest() == (50, 50, 30)
    budget.tell(None, 7, None)
    assert budget.tightest() == (50, 7, 30)
    budget.tell(None, 5, 10**12)
    assert budget.tightest() == (50, 5, 86_400)


async def test_a_pause_holds_everyone_back(clock: Clock) -> None:
    guard = guarded(clock)
    await succeed(guard)
    guard.pause(30)
    guard.pause(5)
    assert status(guard) is AccountStatus.RATE_LIMITED
    for traffic in Traffic:
        with pytest.raises(VendorRateLimited, match="asked us to wait") as caught:
            await succeed(guard, traffic)
        assert caught.value.retry_after == 30
    clock.seconds += 30
    await succeed(guard)
    assert status(guard) is AccountStatus.OK


async def test_a_pause_without_a_word_is_a_moment(clock: Clock) -> None:
    guard = guarded(clock)
    guard.pause(None)
    assert status(guard) is AccountStatus.RATE_LIMITED
    clock.seconds += 1
    assert status(guard) is AccountStatus.UNKNOWN


async def test_the_tightest_budget_is_told(clock: Clock) -> None:
    assert guarded(clock).rate_limit is None
    guard = guarded(clock, rates=[HOURLY, Rate(requests=100, per_seconds=1, burst=100)])
    await succeed(guard)
    found = guard.rate_limit
    assert found is not None
    assert (found.limit, found.remaining, found.resets_at) == (10, 9, NOON + timedelta(hours=1))
    guard.tell_budget(1000, 500, 60)
    found = guard.rate_limit
    assert found is not None
    assert (found.limit, found.remaining, found.resets_at) == (1000, 500, NOON + timedelta(minutes=1))


async def waiting(places: Places, traffic: Traffic, seen: list[Traffic]) -> None:
    await places.take(traffic)
    seen.append(traffic)


async def test_a_free_place_goes_to_the_most_urgent() -> None:
    places, seen = Places(1), list[Traffic]()
    await places.take(Traffic.QUERY)
    order = [Traffic.BULK, Traffic.FEED, Traffic.QUERY, Traffic.COMMAND]
    tasks = [asyncio.create_task(waiting(places, traffic, seen)) for traffic in order]
    for _ in order:
        await asyncio.sleep(0)
        places.leave()
    await asyncio.gather(*tasks)
    assert seen == sorted(order)


async def test_who_gives_up_waiting_takes_no_place_along() -> None:
    places, seen = Places(1), list[Traffic]()
    await places.take(Traffic.QUERY)
    gone, late = (asyncio.create_task(waiting(places, Traffic.QUERY, seen)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    places.leave()
    late.cancel()  # in the moment in which it is handed the place
    await asyncio.gather(gone, late, return_exceptions=True)
    assert (seen, places.free) == ([], 1)


async def test_nobody_keeps_a_place_while_waiting_for_the_budget() -> None:
    limits = Limits(concurrency=1, reserve=0.5)
    guard = guarded(asyncio.get_running_loop().time, rates=[Rate(requests=2, per_seconds=0.1)], limits=limits)
    await succeed(guard)
    query = asyncio.create_task(succeed(guard))
    await asyncio.sleep(0)
    await succeed(guard, Traffic.COMMAND)
    assert not query.done()
    await query


async def hang(guard: Guard, passages: list[Passage]) -> None:
    async with guard.admit(Traffic.QUERY) as passage:
        passages.append(passage)
        await asyncio.Event().wait()


async def test_no_more_requests_at_once_than_there_are_places_and_a_cancelled_one_frees_its_own(clock: Clock) -> None:
    guard, passages = guarded(clock, concurrency=2), list[Passage]()
    tasks = [asyncio.create_task(hang(guard, passages)) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert len(passages) == 2
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    assert len(passages) == 3
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await succeed(guard)


async def test_who_waited_for_a_place_is_asked_again_whether_it_may_go(clock: Clock) -> None:
    guard = guarded(clock, concurrency=1, rates=[Rate(requests=6, per_seconds=3600)])
    async with guard.admit(Traffic.COMMAND):
        tasks = [asyncio.create_task(succeed(guard, Traffic.COMMAND)) for _ in range(7)]
        await asyncio.sleep(0)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(it) for it in found] == [type(None)] * 5 + [VendorRateLimited] * 2


async def test_who_waited_for_a_place_does_not_go_once_the_breaker_is_open(clock: Clock) -> None:
    guard = guarded(clock, concurrency=1)
    await fail(guard, 4)
    async with guard.admit(Traffic.QUERY) as passage:
        task = asyncio.create_task(succeed(guard))
        await asyncio.sleep(0)
        guard.fail(passage, wrong())
    with pytest.raises(VendorUnavailable, match="left alone"):
        await task
    assert guard.requests == 5


async def test_five_failures_in_a_row_open_the_breaker(clock: Clock) -> None:
    guard = guarded(clock)
    await fail(guard, 4)
    await succeed(guard)
    await fail(guard, 4)
    assert status(guard) is AccountStatus.DEGRADED
    await fail(guard)
    assert status(guard) is AccountStatus.UNAVAILABLE
    with pytest.raises(VendorUnavailable, match="left alone") as caught:
        await succeed(guard)
    assert (caught.value.sent, caught.value.retry_after) == (False, 4)
    assert guard.requests == 10


async def test_one_probe_goes_through_and_closes_the_breaker(clock: Clock) -> None:
    guard = guarded(clock)
    await fail(guard, 5)
    clock.seconds += 4
    async with guard.admit(Traffic.QUERY) as passage:
        assert passage.probe
        with pytest.raises(VendorUnavailable) as caught:
            await succeed(guard)
        assert caught.value.retry_after == 1
        guard.succeed(passage)
    assert status(guard) is AccountStatus.OK
    await fail(guard, 4)
    assert status(guard) is AccountStatus.DEGRADED


async def test_a_probe_that_fails_doubles_the_wait_up_to_twelve_seconds(clock: Clock) -> None:
    guard = guarded(clock)
    await fail(guard, 5)
    for wait in (4, 8, 12, 12):
        with pytest.raises(VendorUnavailable) as caught:
            await succeed(guard)
        assert caught.value.retry_after == wait
        clock.seconds += wait
        await fail(guard)
    clock.seconds += 12
    await succeed(guard)
    await fail(guard, 5)
    with pytest.raises(VendorUnavailable) as caught:
        await succeed(guard)
    assert caught.value.retry_after == 4


async def test_requests_from_before_it_opened_neither_lengthen_nor_close_it(clock: Clock) -> None:
    guard = guarded(clock)
    async with guard.admit(Traffic.QUERY) as failing, guard.admit(Traffic.QUERY) as succeeding:
        await fail(guard, 5)
        clock.seconds += 3
        guard.fail(failing, wrong())
        guard.succeed(succeeding)
    assert status(guard) is AccountStatus.UNAVAILABLE
    clock.seconds += 1
    await succeed(guard)


async def test_a_cancelled_probe_lets_another_try(clock: Clock) -> None:
    guard, passages = guarded(clock), list[Passage]()
    await fail(guard, 5)
    clock.seconds += 4
    probe = asyncio.create_task(hang(guard, passages))
    await asyncio.sleep(0)
    assert passages[0].probe
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    await succeed(guard)
    assert status(guard) is AccountStatus.OK


async def test_a_vendor_that_says_no_is_well(clock: Clock) -> None:
    guard = guarded(clock)
    await fail(guard, 5)
    clock.seconds += 4
    async with guard.admit(Traffic.QUERY) as passage:
        guard.refuse(passage, wrong(VendorRejected))
    assert status(guard) is AccountStatus.OK
    assert guard.last_success_at is None


async def test_refused_credentials_are_left_alone_for_twenty_seconds(clock: Clock) -> None:
    guard = guarded(clock)
    guard.refuse_credentials(wrong(VendorUnauthorized))
    assert status(guard) is AccountStatus.UNAUTHORIZED
    clock.seconds += 2
    with pytest.raises(VendorUnauthorized) as caught:
        await succeed(guard)
    assert (caught.value.sent, caught.value.retry_after) == (False, 18)
    clock.seconds += 18
    await succeed(guard)
    assert status(guard) is AccountStatus.OK


async def test_refusals_of_what_was_under_way_do_not_lengthen_it(clock: Clock) -> None:
    guard = guarded(clock)
    guard.refuse_credentials(wrong(VendorUnauthorized))
    clock.seconds += 5
    guard.refuse_credentials(wrong(VendorUnauthorized))
    clock.seconds += 15
    await succeed(guard)
    assert status(guard) is AccountStatus.OK


async def refuse_for_now(guard: Guard, seconds: float | None, kind: type[VendorError] = VendorRateLimited) -> None:
    async with guard.admit(Traffic.QUERY) as passage:
        error = kind("too many", account="acme", vendor="livello", retry_after=seconds)
        guard.fail(passage, error)


async def test_too_many_requests_are_no_outage(clock: Clock) -> None:
    guard = guarded(clock)
    for _ in range(5):
        await refuse_for_now(guard, None)
    assert status(guard) is AccountStatus.RATE_LIMITED
    with pytest.raises(VendorRateLimited) as caught:
        await succeed(guard)
    assert (caught.value.sent, caught.value.retry_after) == (False, 4)


@pytest.mark.parametrize("kind", [VendorRateLimited, VendorUnavailable])
@pytest.mark.parametrize(("told", "wait"), [(2, 2), (30, 30), (0, 1)])
async def test_a_vendor_that_says_when_to_come_back_is_asked_then(
    clock: Clock, kind: type[VendorError], told: float, wait: float
) -> None:
    guard = guarded(clock)
    await fail(guard, 4)
    for _ in range(3):
        await refuse_for_now(guard, told, kind)
        clock.seconds += wait - 0.5
        with pytest.raises(kind) as caught:
            await succeed(guard)
        assert caught.value.retry_after == 0.5
        clock.seconds += 0.5
    await succeed(guard)
    assert status(guard) is AccountStatus.OK


async def test_a_refused_token_proves_nothing_of_the_vendor(clock: Clock) -> None:
    guard = guarded(clock)
    await fail(guard, 5)
    clock.seconds += 4
    async with guard.admit(Traffic.QUERY) as passage:
        guard.refuse(passage, wrong(VendorUnauthorized))
    assert status(guard) is AccountStatus.UNAVAILABLE
    async with guard.admit(Traffic.QUERY) as passage:
        assert passage.probe
        guard.succeed(passage)


def test_retries_are_a_tenth_of_what_is_sent(clock: Clock) -> None:
    guard = guarded(clock)
    assert [guard.may_retry() for _ in range(5)].count(True) == 3
    retries = 0
    for _ in range(1000):
        guard.earn_retry()
        retries += guard.may_retry()
    assert 95 <= retries <= 100


def test_saved_up_retries_have_an_end(clock: Clock) -> None:
    guard = guarded(clock)
    for _ in range(500):
        guard.earn_retry()
    assert sum(guard.may_retry() for _ in range(50)) == 10


async def test_nothing_is_retried_against_an_open_breaker(clock: Clock) -> None:
    guard = guarded(clock)
    await fail(guard, 5)
    assert not guard.may_retry()


async def test_how_an_account_fares_is_told(clock: Clock) -> None:
    guard = guarded(clock)
    assert (status(guard), guard.last_success_at, guard.last_error) == (AccountStatus.UNKNOWN, None, None)
    await succeed(guard)
    assert (status(guard), guard.last_success_at) == (AccountStatus.OK, NOON)
    await fail(guard)
    assert (status(guard), guard.last_error) == (AccountStatus.DEGRADED, "livello answered with 500")
    assert (guard.requests, guard.errors) == (2, 1)
    assert guard.outcomes == {"ok": 1, "vendor_unavailable": 1}
    await succeed(guard)
    assert status(guard) is AccountStatus.OK
