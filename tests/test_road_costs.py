"""What is made anew on the short road is charged as on the long one, once; what is to be refused is refused there, and
charged nothing before."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiled import Keeper
from gateway.buckets import Bucket
from gateway.lag import IN_A_ROW
from tests.roads import FLEET, LONG, MACHINE, SALES, TENANTS, Question, bucket, endpoint, shown
from tests.running import ADMIN, VIEWER, Gateway, Sandbox, running_gateway
from tests.sameness import FOREVER

WHOLE = "query ($first: Int!) { machines(first: $first) { nodes { id } } }"
SLOW = "\n[limits]\ncost_per_second = 1\n"
CHARGED = 60  # requests


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that keeps no answer."""
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("road_costs"), cache=FOREVER) as gateway:
        endpoint(gateway).execution.kept = Keeper(0)
        yield gateway


def stopped(bucket: Bucket) -> Bucket:
    """One that does not fill up as time goes on."""
    now = bucket._clock()
    bucket._clock = lambda: now
    return bucket


def test_what_is_charged_is_the_same_and_charged_once(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """Whatever comes after whatever, on whichever road."""
    chance = random.Random(49)  # noqa: S311  nothing is kept secret by it
    with running_gateway(shared_sandbox, tmp_path, cache=FOREVER) as gateway:
        endpoint(gateway).execution.kept = Keeper(0)
        possible = [
            Question(query, variables, by, key)
            for query, variables in ((FLEET, None), (SALES, None), (MACHINE, {"id": None}), (WHOLE, {"first": 20}))
            for by in ("POST", "GET")
            for key in (ADMIN, VIEWER)
        ]
        for one in possible:
            one.learn(gateway)
        for key in (ADMIN, VIEWER):
            stopped(bucket(gateway, key))
        charged: dict[tuple[str, str], set[float]] = {}
        for one in chance.choices(possible, k=CHARGED):
            made, before = endpoint(gateway).made, bucket(gateway, one.key).left
            more = chance.choice(({}, LONG))
            one.ask(gateway, **more)
            assert endpoint(gateway).made == made + (not more)
            charged.setdefault((one.query, one.key), set()).add(before - bucket(gateway, one.key).left)
        assert all(len(costs) == 1 and min(costs) > 0 for costs in charged.values())
        assert {min(costs) for (query, _), costs in charged.items() if query == MACHINE} == {1.0}


def test_who_has_spent_all_is_refused_alike_and_charged_nothing(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path, cache=FOREVER, more=SLOW) as gateway:
        asked = Question(WHOLE, {"first": 50})
        asked.learn(gateway)
        mine = stopped(bucket(gateway, ADMIN))
        mine.spend(mine.left - 3)
        by_short, by_long = asked.both(gateway, short=False)
        assert by_short.status_code == 429
        assert shown(by_short) == shown(by_long)
        assert by_short.headers["ratelimit"] == by_long.headers["ratelimit"]
        assert mine.left == 3


def test_who_asks_for_too_much_is_refused_alike(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path, cache=FOREVER, more="\n[limits]\nmax_cost = 100\n") as gateway:
        for first, short in ((20, True), (500, False)):
            asked = Question(WHOLE, {"first": first})
            endpoint(gateway).execution.kept = Keeper(0)
            asked.learn(gateway)
            by_short, by_long = asked.both(gateway, short=short)
            assert shown(by_short) == shown(by_long)
            assert ("errors" in by_short.json()) is not short


def test_who_finds_no_place_is_refused_alike_and_charged_nothing(gateway: Gateway) -> None:
    asked, crowd = Question(TENANTS), endpoint(gateway).capacity.operations_of
    asked.learn(gateway)
    crowd._counts[ADMIN[3:]] += crowd._at_most
    try:
        left = bucket(gateway, ADMIN).left
        by_short, by_long = asked.both(gateway, short=False)
        assert bucket(gateway, ADMIN).left >= left
    finally:
        crowd._counts[ADMIN[3:]] -= crowd._at_most
    assert by_short.status_code == 429
    assert shown(by_short) == shown(by_long)
    assert asked.both(gateway)[0].status_code == 200


def test_nobody_is_served_while_callers_are_turned_away(gateway: Gateway) -> None:
    asked, lag = Question(TENANTS), endpoint(gateway).capacity.lag
    asked.learn(gateway)
    shed = lag.shed
    for _ in range(IN_A_ROW):
        lag.observe(60.0)
    lag._clock, clock = (lambda: 0.0), lag._clock
    try:
        by_short, by_long = asked.both(gateway, short=False)
    finally:
        lag._clock, lag._began = clock, None
    assert by_short.status_code == 503
    assert shown(by_short) == shown(by_long)
    assert lag.shed == shed + 2
