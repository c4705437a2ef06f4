"""What the vendors document of their limits is kept to the last request, and the last tenth of it is the commands'."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from connectors.guard import Guard, Limits, Rate, Traffic
from connectors.livello.client import HOURLY
from connectors.vendnovation.client import RATES
from domain.errors import VendorRateLimited
from sandbox.livello import Livello
from sandbox.vendnovation_gate import Throttle
from tests.hurried import hurry, now
from tests.vendors import SMALL, standing

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def guarded(rates: Sequence[Rate]) -> Guard:
    return Guard(account="acme", vendor="any", limits=Limits(), rates=rates, clock=now)


async def admitted(guard: Guard, traffic: Traffic) -> bool:
    """Whether a request goes, at once or after a while; where it does not, it is refused at once."""
    asked = now()
    try:
        async with guard.admit(traffic) as passage:
            guard.succeed(passage)
    except VendorRateLimited as error:
        if error.sent or now() > asked:
            raise
        return False
    return True


async def how_many(guard: Guard, traffic: Traffic) -> int:
    """How many go one after the other before one is refused."""
    found = 0
    while await admitted(guard, traffic):
        found += 1
    return found


async def until_midnight_tomorrow(guard: Guard, traffic: Traffic, throttle: Throttle) -> int:
    found = 0
    while now() < 36 * 3600:
        if await admitted(guard, traffic):
            assert throttle.refusal() is None
            found += 1
        else:
            await asyncio.sleep(60)
    return found


def test_livello_allows_a_thousand_an_hour() -> None:
    async def story() -> None:
        guard = guarded([HOURLY])
        assert [await how_many(guard, traffic) for traffic in (Traffic.QUERY, Traffic.COMMAND)] == [900, 100]
        await asyncio.sleep(3590)
        assert not await admitted(guard, Traffic.QUERY)
        await asyncio.sleep(10)
        assert [await how_many(guard, traffic) for traffic in (Traffic.QUERY, Traffic.COMMAND)] == [900, 100]

    hurry(story())


def test_vendnovation_allows_five_thousand_a_day_and_a_tenth_of_them_is_left_to_commands() -> None:
    async def story() -> None:
        guard = guarded(RATES)
        assert [await how_many(guard, traffic) for traffic in (Traffic.QUERY, Traffic.COMMAND)] == [4500, 500]

    hurry(story())


@pytest.mark.parametrize("traffic", Traffic)
def test_whoever_asks_vendnovation_as_often_as_it_may_is_never_turned_away(traffic: Traffic) -> None:
    """By an emulated gateway that counts as it documents: bursts by the second, and a quota from midnight on."""

    async def story() -> None:
        throttle = Throttle(lambda: NOON + timedelta(seconds=now()), per_second=20, burst=100, per_day=5000)
        share = {Traffic.COMMAND: 1, Traffic.QUERY: 0.9, Traffic.FEED: 0.7, Traffic.BULK: 0.5}[traffic]
        assert await until_midnight_tomorrow(guarded(RATES), traffic, throttle) >= 5000 * share

    hurry(story())


def test_a_burst_is_let_through_and_then_twenty_a_second() -> None:
    async def story() -> None:
        guard = guarded(RATES)
        went: list[float] = []
        for _ in range(200):
            assert await admitted(guard, Traffic.COMMAND)
            went.append(now())
        assert went[99] == 0
        assert went[199] == pytest.approx(5, abs=0.1)

    hurry(story())


LIMITS = (("livello", 1000), ("vendnovation", 100), ("smartvend", None), ("smartepi", None), ("eatmachine", None))


@pytest.mark.parametrize(("name", "limit"), LIMITS)
async def test_a_connector_keeps_what_its_vendor_documents(name: str, limit: int | None) -> None:
    async with standing(name, limits=Limits()) as it:
        found = it.connector.guard.rate_limit
    assert (None if found is None else (found.limit, found.remaining)) == (None if limit is None else (limit, limit))


async def test_what_livello_says_is_left_is_what_counts() -> None:
    """Others may use the same client, so that less is left than a thousand less what was asked."""
    async with standing("livello", vendor=Livello(SMALL, hourly=50), limits=Limits()) as it:
        for _ in range(45):
            await it.connector.machines()
        with pytest.raises(VendorRateLimited) as caught:
            await it.connector.machines()
        assert caught.value.sent is False
        assert it.wire.requests("/kiosks") == 45
        found = it.connector.guard.rate_limit
        assert (found.limit, found.remaining) == (50, 5)
