"""Two gateways on one account: together they keep the vendor's limits, and log in once."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from redis.exceptions import RedisError

from connectors.budget import Rate, Traffic
from connectors.guard import Guard, Limits
from connectors.login import Token, TokenLogin
from connectors.shared import RedisLink, RedisShared
from domain.errors import VendorRateLimited
from sandbox import livello as emulated
from sandbox.app import create_app
from sandbox.livello_gate import CREDENTIALS
from sandbox.world import World
from tests.stores import MUST

SECRET = b"s" * 32
ADDRESS = os.environ.get("VENDGRAPH_TEST_REDIS", "redis://127.0.0.1:6379/0")
HUNDRED = Rate(requests=100, per_seconds=3600)

Share = Callable[[], RedisShared]


@pytest.fixture
async def share() -> AsyncIterator[Share]:
    """Makes what one more gateway shares of the same account, with connections of its own."""
    key = f"test-{secrets.token_hex(8)}"
    links: list[RedisLink] = []

    def one() -> RedisShared:
        links.append(RedisLink.to(ADDRESS))
        return RedisShared(links[-1], key, SECRET)

    try:
        await one()._redis.ping()
    except (RedisError, OSError) as error:
        if MUST:
            raise
        pytest.skip(f"there is no Redis to test with: {error}")
    yield one
    found = [name async for name in links[0].redis.scan_iter(f"vendgraph:{key}:*")]
    if found:
        await links[0].redis.delete(*found)
    for link in links:
        await link.aclose()


def guard(shared: RedisShared, rate: Rate = HUNDRED, reserve: float = 0.1) -> Guard:
    limits = Limits(timeout_seconds=0.2, reserve=reserve)
    return Guard(account="acme", vendor="livello", limits=limits, rates=[rate], shared=shared)


async def admitted(one: Guard, traffic: Traffic, times: int) -> int:
    """How many of so many requests may go."""
    gone = 0
    for _ in range(times):
        try:
            async with one.admit(traffic):
                gone += 1
        except VendorRateLimited:
            pass
    return gone


async def test_two_gateways_spend_one_budget_and_leave_the_reserve_to_commands(share: Share) -> None:
    one, other = guard(share()), guard(share())
    gone = await asyncio.gather(admitted(one, Traffic.QUERY, 70), admitted(other, Traffic.QUERY, 70))
    assert sum(gone) == 90
    assert await admitted(one, Traffic.COMMAND, 20) == 10
    assert await admitted(other, Traffic.COMMAND, 1) == 0


async def test_a_bucket_is_shared_as_a_window_is(share: Share) -> None:
    rate = Rate(requests=1, per_seconds=3600, burst=10)
    one, other = guard(share(), rate, reserve=0.0), guard(share(), rate, reserve=0.0)
    assert [await admitted(each, Traffic.QUERY, 8) for each in (one, other)] == [8, 2]


async def test_what_is_left_of_a_window_is_told_in_seconds(share: Share) -> None:
    rate = Rate(requests=1, per_seconds=3600)
    one, other = share(), share()
    assert await one.take("requests", [rate], [0.0]) == 0
    assert 3590 < await other.take("requests", [rate], [0.0]) <= 3601


async def test_a_vendor_that_asks_one_to_wait_is_left_alone_by_the_others(share: Share) -> None:
    one, other = share(), share()
    guard(one).pause(30)
    await asyncio.gather(*one._tasks)
    with pytest.raises(VendorRateLimited) as refused:
        async with guard(other).admit(Traffic.COMMAND):
            pass
    assert refused.value.retry_after is not None
    assert 25 < refused.value.retry_after <= 30


async def test_gateways_that_need_a_token_at_once_ask_for_one(share: Share) -> None:
    vendor = emulated.Livello(World(scale=0.05, days=2))
    transport = httpx2.ASGITransport(app=create_app(vendors=[vendor]))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox/livello/api/v1") as client:
        asked = 0

        async def fetch() -> Token:
            nonlocal asked
            asked += 1
            body = {**CREDENTIALS, "grant_type": "client_credentials"}
            answer = (await client.post("/auth/token", json=body)).json()
            return Token(answer["access_token"], None, frozenset(answer["scope"].split()))

        logins = [TokenLogin(fetch, lambda it: ("authorization", it), guard=guard(share())) for _ in range(3)]
        tokens = await asyncio.gather(*(login.token() for login in logins for _ in range(5)))
        assert asked == 1
        assert len({token.value for token in tokens}) == 1
        assert tokens[0].scope == frozenset(emulated.SCOPES.split())
        vendor.gate.forget_token()
        renewed = await asyncio.gather(*(login.renewed(tokens[0]) for login in logins))
        assert asked == 2
        assert {token.value for token in renewed} != {tokens[0].value}


async def test_a_token_is_not_readable_where_it_is_kept(share: Share) -> None:
    shared = share()
    await shared.keep_token(Token("very-secret", None, None))
    kept = await shared._redis.get(f"{shared._prefix}token")
    assert kept is not None
    assert b"very-secret" not in kept
    assert (await share().token()) == Token("very-secret", None, None)
    stranger = share()
    stranger._cipher = RedisShared(stranger._link, "other", b"t" * 32)._cipher
    assert await stranger.token() is None


async def test_without_redis_each_gateway_goes_by_its_own_count() -> None:
    nowhere = RedisShared(RedisLink.to("redis://127.0.0.1:1/0"), "acme", SECRET)
    one = guard(nowhere)
    assert await admitted(one, Traffic.QUERY, 100) == 90
    login = TokenLogin(_token, lambda it: ("authorization", it), guard=one)
    assert (await login.token()).value == "own"
    one.pause(1)
    await asyncio.gather(*nowhere._tasks)


async def _token() -> Token:
    return Token("own", None)
