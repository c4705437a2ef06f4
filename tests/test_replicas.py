"""Two gateways on one PostgreSQL and one Redis: whichever one talks to, it is the same."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, select

from domain.facts import Origin
from journal import log
from journal.store import open_store
from journal.tables import leases
from tests.gateways import Flood, Served, config, counted, fed, serving, without_repeats
from tests.journals import identities, until
from tests.redises import own_redis
from tests.running import Sandbox
from tests.telling import smartvend, smartvend_sale
from tests.test_live import SALES, Follower

Pair = tuple[Served, Served]


@pytest.fixture
def store_of_both(postgresql: str) -> Iterator[Engine]:
    engine = open_store(postgresql)
    yield engine
    engine.dispose()


@pytest.fixture
def pair(postgresql: str, tmp_path: Path) -> Iterator[Pair]:
    with own_redis(tmp_path) as redis:
        text = config(postgresql, bus=redis.url)
        with serving(tmp_path / "one", text) as one, serving(tmp_path / "other", text) as other:
            yield one, other


async def told(served: Served) -> str:
    """A sale's id, told to this one."""
    sale = smartvend_sale()
    answer = await asyncio.to_thread(smartvend, served.gateway.base, sale)
    assert answer.status_code == 200, answer.text
    return str(sale["saleId"])


async def heard(follower: Follower) -> Any:
    return (await follower.hear())["payload"]["data"]["sales"]


async def test_what_one_is_told_the_others_subscribers_hear_and_cursors_are_good_at_both(pair: Pair) -> None:
    one, other = pair
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": SALES}}
    async with Follower(other.gateway) as follower:
        await follower.say(subscribe)
        await asyncio.sleep(0.3)
        sales = [await told(served) for served in (one, other, one, one, other)]
        messages = [await heard(follower) for _ in sales]
    assert [message["sale"]["vendorId"] for message in messages] == sales
    async with Follower(one.gateway) as follower:
        after = {"query": SALES, "variables": {"after": messages[1]["cursor"]}}
        await follower.say({"id": "1", "type": "subscribe", "payload": after})
        sales.append(await told(other))
        assert [(await heard(follower))["sale"]["vendorId"] for _ in sales[2:]] == sales[2:]


async def test_a_flood_over_both_is_kept_once_and_counted_once(pair: Pair, store_of_both: Engine) -> None:
    """Every delivery goes to both, at the same time: one of them has it first."""
    one, other = (Flood(served.gateway.base) for served in pair)
    refused = smartvend_sale()
    sales = [smartvend_sale() for _ in range(60)]

    async def send(flood: Flood) -> None:
        async with flood.client() as client:
            await asyncio.gather(*(flood.tell(client, sale) for sale in sales))
            await client.post(f"{flood.base}/webhooks/acme-coffee", json=refused, headers={"x-signature": "AAAA"})

    await asyncio.gather(send(one), send(other))
    assert one.taken == other.taken == {sale["saleId"] for sale in sales}
    assert without_repeats(identities(log.after(store_of_both, 0, 1000).entries)) == one.taken
    wanted = {"accepted": 60, "duplicates": 60, "rejected": 2, "quarantined": 0}
    for served in pair:  # a refusal is written within a second, until then its own gateway alone knows of it
        await until(lambda served=served: counted(served.gateway) == wanted)  # type: ignore[misc]


async def test_one_reads_a_list_at_a_time_and_another_takes_over_when_it_is_killed(
    sandbox: Sandbox, postgresql: str, store_of_both: Engine, tmp_path: Path
) -> None:
    text = fed(sandbox, postgresql, "livello")

    def owner() -> str | None:
        return _owner(store_of_both)

    def recorded() -> list[str]:
        return identities(log.after(store_of_both, 0, 10_000).entries)

    with serving(tmp_path / "one", text) as one:
        await until(lambda: owner() is not None)
        first = owner()
        with serving(tmp_path / "other", text):
            _sell(sandbox)
            await until(lambda: len(recorded()) == 2)
            assert owner() == first
            one.kill()
            _sell(sandbox)
            await until(lambda: len(recorded()) == 4)
            assert owner() not in {None, first}
    found = log.after(store_of_both, 0, 10_000).entries
    assert {entry.origin for entry in found} == {Origin.POLL}
    without_repeats(recorded())


def _owner(store: Engine) -> str | None:
    with store.connect() as connection:
        return connection.scalar(select(leases.c.owner).where(leases.c.name == "feed:acme-kiosks"))


def _sell(sandbox: Sandbox) -> None:
    sandbox.sell("livello", 2)


async def test_redis_that_goes_and_comes_back_leaves_the_reading_of_a_list_with_who_does_it(
    sandbox: Sandbox, postgresql: str, store_of_both: Engine, tmp_path: Path
) -> None:
    def recorded() -> int:
        return len(without_repeats(identities(log.after(store_of_both, 0, 10_000).entries)))

    with own_redis(tmp_path) as redis:
        text = fed(sandbox, postgresql, "livello", bus=redis.url)
        with serving(tmp_path / "one", text) as one:
            await until(lambda: _in_redis(redis.url) is not None)
            first = _in_redis(redis.url)
            with serving(tmp_path / "other", text):
                _sell(sandbox)
                await until(lambda: recorded() == 2)
                redis.stop()
                _sell(sandbox)
                await until(lambda: recorded() == 4)
                redis.start()
                await until(lambda: _in_redis(redis.url) == first)
                _sell(sandbox)
                await until(lambda: recorded() == 6)
                assert _owner(store_of_both) == first
                assert one.process.stop() == 0
                await until(lambda: _owner(store_of_both) not in {None, first})
                assert _owner(store_of_both) == _in_redis(redis.url)


def _in_redis(url: str) -> str | None:
    """Who holds the one lease of a feed."""
    with Redis.from_url(url) as redis:
        found = [redis.get(name) for name in redis.scan_iter("vendgraph:lease:*:feed:*")]
    holders = [one.decode() for one in found if isinstance(one, bytes)]
    return holders[0] if holders else None


async def test_who_stops_in_order_hands_over_at_once(
    sandbox: Sandbox, postgresql: str, store_of_both: Engine, tmp_path: Path
) -> None:
    with serving(tmp_path / "one", fed(sandbox, postgresql, "livello")) as one:
        await until(lambda: _held(store_of_both) == 1)
        assert one.process.stop() == 0
    assert _held(store_of_both) == 0


def _held(store: Engine) -> int:
    with store.connect() as connection:
        return len(connection.execute(select(leases).where(leases.c.name.like("feed:%"))).all())
