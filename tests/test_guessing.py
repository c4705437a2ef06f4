"""Who guesses keys is slowed, by the address that the guesses come from; who has a good one there is not."""

from pathlib import Path

import httpx2
import pytest

from domain.errors import Unauthenticated
from domain.model import Role
from gateway.auth import Authenticator
from gateway.guessing import ADDRESSES, BURST, SECONDS, Guesses, TooManyGuesses, block
from gateway.settings import KeySettings
from journal.keys import digest
from journal.store import open_store
from tests.running import CLIENT, OPERATOR, Gateway
from tests.scripted import Clock

HERE, THERE = "198.51.100.7", "198.51.100.8"


def guessed(guesses: Guesses, address: str, times: int) -> int:
    """How many were allowed."""
    for at in range(times):
        try:
            guesses.allow(address, f"wrong-{at}")
        except TooManyGuesses:
            return at
        guesses.wrong(address)
    return times


def test_so_many_at_once_and_then_one_every_few_seconds() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    assert guessed(guesses, HERE, 1000) == BURST
    with pytest.raises(TooManyGuesses) as refused:
        guesses.allow(HERE, "another")
    assert 0 < refused.value.retry_after <= SECONDS
    clock.seconds += SECONDS
    assert guessed(guesses, HERE, 1000) == 1
    clock.seconds += BURST * SECONDS * 2
    assert guessed(guesses, HERE, 1000) == BURST


def test_a_good_key_goes_on_being_so_and_another_address_is_another() -> None:
    guesses = Guesses(Clock())
    guesses.right(HERE, "good")
    guessed(guesses, HERE, 1000)
    guesses.allow(HERE, "good")
    guesses.allow(THERE, "any")
    with pytest.raises(TooManyGuesses):
        guesses.allow(HERE, "good elsewhere")


def test_the_addresses_that_are_remembered_are_bounded() -> None:
    guesses = Guesses(Clock())
    guessed(guesses, HERE, BURST)
    for at in range(ADDRESSES):
        guesses.wrong(f"host-{at}")
    guesses.allow(HERE, "any")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", HERE, True),
        ("fe80::1%eth0", "fe80::2", True),
        (HERE, THERE, False),
    ],
)
def test_a_network_of_one_customer_is_one_address(one: str, other: str, same: bool) -> None:
    assert (block(one) == block(other)) is same
    assert block(None) is None


async def test_what_is_no_address_and_who_passes_no_key_are_not_counted(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    known = KeySettings(name="k", sha256=digest("good"), role=Role.VIEWER, organizations=["acme"])
    asked = Authenticator([known], ["acme"], store, clock=Clock())
    for _ in range(BURST * 2):
        for authorization, address in ((None, HERE), ("Bearer wrong", None)):
            with pytest.raises(Unauthenticated) as refused:
                await asked.viewer(authorization, address)
            assert not isinstance(refused.value, TooManyGuesses)
    assert await asked.viewer("Bearer good", HERE)
    store.dispose()


def test_over_http_it_is_a_429_that_says_when(gateway: Gateway) -> None:
    """Whoever says to be forwarded for another is not believed: no proxy is trusted here."""
    query = "{ viewer { name } }"
    assert gateway.ask(query)
    for at in range(BURST + 10):
        headers = {"authorization": f"Bearer vg_guess-{at}", "x-forwarded-for": f"203.0.113.{at}"}
        answer = CLIENT.post(f"{gateway.base}/graphql", json={"query": query}, headers=headers)
        if answer.status_code == 429:
            break
        assert answer.status_code == 401
    else:
        pytest.fail("nobody was slowed")
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryAfterSeconds": int(answer.headers["retry-after"])}
    assert gateway.ask(query)
    refused = httpx2.post(f"{gateway.base}/graphql", json={"query": query})
    assert refused.status_code == 401
    assert gateway.post(query, key=OPERATOR).status_code == 429
