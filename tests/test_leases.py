"""Leases and watermarks: one at a time, another takes over, and who was stopped meanwhile does no harm."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from connectors import shared
from connectors.shared import RedisLink
from domain.facts import FactKind
from journal import reports
from journal.leases import Leases, RedisLeases, StoreLeases, acquire, release
from journal.reports import Watermark
from journal.store import open_store
from journal.tables import leases
from tests.journals import AT
from tests.redises import OwnRedis, own_redis

NOWHERE = "redis://127.0.0.1:9/0"  # nobody listens on the discard port
LONG, SHORT = 1000.0, 0.2  # seconds


def test_one_holds_it_at_a_time(store: Engine) -> None:
    assert acquire(store, "feed", "a", 10, now=100)
    assert not acquire(store, "feed", "b", 10, now=105)
    assert acquire(store, "other", "b", 10, now=105)


def test_who_renews_it_keeps_it(store: Engine) -> None:
    assert acquire(store, "feed", "a", 10, now=100)
    assert acquire(store, "feed", "a", 10, now=109)
    assert not acquire(store, "feed", "b", 10, now=115)
    assert acquire(store, "feed", "b", 10, now=119.5)


def test_another_takes_over_and_who_was_stopped_notices(store: Engine) -> None:
    assert acquire(store, "feed", "a", 10, now=100)
    assert acquire(store, "feed", "b", 10, now=111)
    assert not acquire(store, "feed", "a", 10, now=112)
    release(store, "feed", "a")  # it is not its own any more
    assert not acquire(store, "feed", "a", 10, now=113)


def test_what_is_released_is_free_at_once(store: Engine) -> None:
    assert acquire(store, "feed", "a", 10, now=100)
    release(store, "feed", "a")
    assert acquire(store, "feed", "b", 10, now=100)


def test_of_many_who_reach_for_it_at_once_one_gets_it(store: Engine) -> None:
    held: list[str] = []
    together = threading.Barrier(8)

    def reach(owner: str) -> None:
        together.wait(10)
        if acquire(store, "feed", owner, 10, now=100):
            held.append(owner)

    threads = [threading.Thread(target=reach, args=(str(at),)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 1


# ---- over the store alone, over Redis as well, and over a Redis that does not answer


Make = Callable[..., RedisLeases]
Process = Callable[[str], Leases]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[OwnRedis]:
    with own_redis(tmp_path) as redis:
        yield redis


@pytest.fixture
async def over_redis(redis: OwnRedis, store: Engine, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Makes the leases of one more process, which looks for Redis each time. They may be of another store."""
    monkeypatch.setattr(shared, "LOST_SECONDS", 0.0)
    async with AsyncExitStack() as links:

        def make(owner: str, url: str = redis.url, engine: Engine = store, scope: str = "this") -> RedisLeases:
            link = RedisLink.to(url)
            links.push_async_callback(link.aclose)
            return RedisLeases(link, StoreLeases(engine, owner), scope)

        yield make


@pytest.fixture(params=["store", "redis", "redis away"])
def process(request: pytest.FixtureRequest, store: Engine, over_redis: Make, redis: OwnRedis) -> Process:
    """One more, by its name."""
    if request.param == "store":
        return lambda owner: StoreLeases(store, owner)
    if request.param == "redis away":
        redis.stop()
    return over_redis


async def until_held(found: Leases, name: str) -> None:
    for _ in range(3_000):
        if await found.hold(name, LONG):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never got it")


async def test_one_process_holds_it_until_it_is_released(process: Process) -> None:
    one, other = process("one"), process("other")
    assert await one.hold("feed", LONG)
    assert not await other.hold("feed", LONG)
    assert await other.hold("prune", LONG)
    await other.release("feed")  # it is not its own
    assert not await other.hold("feed", LONG)
    await one.release("feed")
    assert await other.hold("feed", LONG)
    assert not await one.hold("feed", LONG)


async def test_a_process_that_renews_it_keeps_it(process: Process) -> None:
    one, other = process("one"), process("other")
    assert await one.hold("feed", SHORT)
    assert await one.hold("measure", SHORT)
    assert await one.hold("feed", LONG)
    await until_held(other, "measure")
    assert not await other.hold("feed", LONG)


async def test_another_process_takes_over_from_one_that_died(process: Process) -> None:
    one, other = process("one"), process("other")
    assert await one.hold("feed", SHORT)
    await until_held(other, "feed")
    assert not await one.hold("feed", LONG)


async def test_of_many_processes_one_gets_it(process: Process) -> None:
    found = await asyncio.gather(*(process(str(at)).hold("feed", LONG) for at in range(8)))
    assert found.count(True) == 1


# ---- Redis and the store together


def holder(store: Engine, name: str = "feed") -> str | None:
    with store.connect() as connection:
        return connection.scalar(leases.select().with_only_columns(leases.c.owner).where(leases.c.name == name))


async def in_redis(one: RedisLeases, name: str = "feed") -> str | None:
    found = await one._link.redis.get(one._prefix + name)
    return found.decode() if isinstance(found, bytes) else None


async def test_a_holder_has_both_and_gives_both_back(over_redis: Make, store: Engine) -> None:
    one = over_redis("one")
    assert await one.hold("feed", LONG)
    await over_redis("other").release("feed")
    assert (holder(store), await in_redis(one)) == ("one", "one")
    await one.release("feed")
    assert (holder(store), await in_redis(one)) == (None, None)


async def test_redis_that_goes_and_comes_back_empty_leaves_it_with_its_holder(
    over_redis: Make, redis: OwnRedis, store: Engine
) -> None:
    one, other = over_redis("one"), over_redis("other")
    assert await one.hold("feed", LONG)
    redis.stop()
    assert not await other.hold("feed", LONG)
    assert await one.hold("feed", LONG)
    redis.start()
    assert not await other.hold("feed", LONG)
    assert await in_redis(other) is None  # it got that one, and gave it back
    assert await one.hold("feed", LONG)
    assert (holder(store), await in_redis(one)) == ("one", "one")
    await one.release("feed")
    assert await other.hold("feed", LONG)


async def test_who_cannot_reach_redis_and_who_can_are_not_two(over_redis: Make) -> None:
    near, far = over_redis("near"), over_redis("far", NOWHERE)
    assert await near.hold("feed", LONG)
    assert not await far.hold("feed", LONG)
    assert await far.hold("prune", LONG)
    assert not await near.hold("prune", LONG)
    assert await in_redis(near, "prune") is None


async def test_a_clock_that_is_ahead_takes_nothing_while_redis_answers(over_redis: Make, store: Engine) -> None:
    """To such a process the store's lease looks as if it had run out."""
    one, other = over_redis("one"), over_redis("other")
    assert await one.hold("feed", LONG)
    with store.begin() as connection:
        connection.execute(leases.update().values(until=0.0))
    assert not await other.hold("feed", LONG)
    assert await one.hold("feed", LONG)


async def test_who_cannot_reach_the_store_holds_nothing(over_redis: Make, store: Engine) -> None:
    one = over_redis("one")
    assert await one.hold("feed", LONG)
    with store.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE leases RENAME TO gone")
    with pytest.raises(SQLAlchemyError):
        await one.hold("feed", LONG)
    assert await in_redis(one) is None


async def test_those_of_another_store_on_the_same_redis_are_others(over_redis: Make, tmp_path: Path) -> None:
    elsewhere = open_store(f"sqlite:///{tmp_path}/elsewhere.db")
    assert await over_redis("one").hold("feed", LONG)
    assert await over_redis("other", engine=elsewhere, scope="that").hold("feed", LONG)
    elsewhere.dispose()


# ---- watermarks


def test_what_was_missed_is_not_forgotten_by_who_was_stopped(store: Engine) -> None:
    """Its mark goes back, so that more is read once more; that something was missed stays, as does the beginning."""
    hour = timedelta(hours=1)
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(since=AT, at=AT))
    reports.set_watermark(
        store, "acme", FactKind.SALE, Watermark(since=AT + hour, at=AT + 2 * hour, missed_at=AT + hour)
    )
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(since=AT - hour, at=AT + hour, missed_at=AT))
    assert reports.watermark(store, "acme", FactKind.SALE) == Watermark(since=AT, at=AT + hour, missed_at=AT + hour)
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(since=AT, at=AT + hour))
    reports.set_watermark(store, "acme", FactKind.EVENT, Watermark(since=AT, at=AT, missed_at=AT))
    assert reports.missed(store) == {"acme": AT + hour}
    assert reports.watermark(store, "other", FactKind.SALE) is None
