"""Who is calling: keys of the configuration and of the store, whatever becomes of the store."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from domain.errors import Unauthenticated
from domain.model import Role
from gateway.auth import NO_KEY, REFRESHED, WRONG_KEY, Authenticator
from gateway.settings import KeySettings
from journal import keys
from journal.store import open_store
from resolvers.context import Viewer
from tests.scripted import Clock

DASHBOARD = KeySettings(name="dashboard", sha256=keys.digest("k-1"), role=Role.OPERATOR, organizations=["acme"])


def authenticator(
    store: Engine, *, configured: Sequence[KeySettings] = (DASHBOARD,), clock: Clock | None = None, **options: Any
) -> Authenticator:
    return Authenticator(configured, ["acme", "other"], store, clock=clock or Clock(), **options)


def made(store: Engine, *organizations: str) -> tuple[str, keys.ApiKey]:
    return keys.create(store, name="stored", role=Role.VIEWER, organizations=organizations or ["*"])


async def refusal(asked: Authenticator, authorization: str | None) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await asked.viewer(authorization)
    return refused.value.message


async def is_known(asked: Authenticator, key: str) -> bool:
    try:
        await asked.viewer(f"Bearer {key}")
    except Unauthenticated:
        return False
    return True


@contextmanager
def counted_reads(store: Engine) -> Iterator[list[str]]:
    """The statements that go to the store meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "api_keys" in statement:
            seen.append(statement)

    event.listen(store, "before_cursor_execute", note)
    yield seen
    event.remove(store, "before_cursor_execute", note)


async def test_without_a_key_it_is_said_how_to_pass_one(store: Engine) -> None:
    for authorization in (None, "", "Bearer", "Bearer ", "Basic azox", "k-1", "Bearerk-1", "  "):
        assert await refusal(authenticator(store), authorization) == NO_KEY


async def test_a_key_of_the_configuration_is_who_it_says(store: Engine) -> None:
    for authorization in ("Bearer k-1", "bearer k-1", "BEARER   k-1  "):
        found = await authenticator(store).viewer(authorization)
        assert found == Viewer(name="dashboard", role=Role.OPERATOR, organizations=frozenset({"acme"}))


async def test_a_wrong_key_is_refused(store: Engine) -> None:
    for key in ("k-2", "K-1", "k-1x", keys.digest("k-1"), "*", "\x00", "k-1 k-1"):
        assert await refusal(authenticator(store), f"Bearer {key}") == WRONG_KEY


async def test_a_star_is_every_organization(store: Engine) -> None:
    every = DASHBOARD.model_copy(update={"organizations": ["*"]})
    found = await authenticator(store, configured=[every]).viewer("Bearer k-1")
    assert found.organizations == {"acme", "other"}


async def test_an_organization_that_is_gone_is_not_seen(store: Engine) -> None:
    key, _ = made(store, "acme", "gone")
    assert (await authenticator(store).viewer(f"Bearer {key}")).organizations == {"acme"}


async def test_a_hash_is_compared_to_its_very_end(store: Engine) -> None:
    """Candidates are found by the beginning of the hash alone."""
    whole = keys.digest("k-1")
    near = [whole[:-1] + ("0" if whole[-1] != "0" else "1"), whole[:8] + "0" * 56]
    configured = [DASHBOARD.model_copy(update={"sha256": sha256}) for sha256 in near]
    assert await refusal(authenticator(store, configured=configured), "Bearer k-1") == WRONG_KEY
    assert await authenticator(store, configured=[*configured, DASHBOARD]).viewer("Bearer k-1")


async def test_a_key_that_was_made_meanwhile_is_good_at_once(store: Engine) -> None:
    clock = Clock()
    asked = authenticator(store, clock=clock)
    clock.seconds += 0.2
    assert await is_known(asked, made(store)[0])


async def test_a_revoked_key_ends_within_ten_seconds(store: Engine) -> None:
    clock = Clock()
    key, kept = made(store)
    asked = authenticator(store, clock=clock)
    keys.revoke(store, kept.id)
    clock.seconds += REFRESHED - 0.1
    assert await is_known(asked, key)
    clock.seconds += 0.1
    assert not await is_known(asked, key)
    assert REFRESHED <= 10


async def test_a_key_that_is_known_costs_the_store_a_read_every_ten_seconds(store: Engine) -> None:
    clock = Clock()
    key, _ = made(store)
    asked = authenticator(store, clock=clock)
    with counted_reads(store) as reads:
        for _ in range(21):
            assert await is_known(asked, key)
            clock.seconds += 1.0
    assert len(reads) == 2


async def test_wrong_keys_cost_the_store_ten_reads_a_second_at_most(store: Engine) -> None:
    clock = Clock()
    asked = authenticator(store, clock=clock)
    with counted_reads(store) as reads:
        for number in range(100):
            assert not await is_known(asked, f"wrong-{number}")
            clock.seconds += 0.01
    assert 8 <= len(reads) <= 10


async def test_forty_at_once_share_one_read(store: Engine) -> None:
    clock = Clock()
    key, _ = made(store)
    asked = authenticator(store, clock=clock)
    clock.seconds += REFRESHED
    with counted_reads(store) as reads:
        assert all(await asyncio.gather(*(is_known(asked, key) for _ in range(40))))
    assert len(reads) == 1


async def test_known_keys_go_on_while_the_store_fails(store: Engine) -> None:
    clock = Clock()
    stored, _ = made(store)
    asked = authenticator(store, clock=clock)
    with store.begin() as connection:
        connection.execute(text("ALTER TABLE api_keys RENAME TO away"))
    for _ in range(3):
        clock.seconds += 3600
        assert await is_known(asked, stored)
        assert await is_known(asked, "k-1")
        assert not await is_known(asked, "wrong")
    with store.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO api_keys"))
    later, _ = made(store)
    clock.seconds += 1
    assert await is_known(asked, later)
    assert await is_known(asked, stored)


async def test_known_keys_do_not_wait_for_a_store_that_hangs(postgresql: str) -> None:
    """Another session holds the table, so that reading it takes for ever."""
    clock = Clock()
    store = open_store(postgresql)
    stored, _ = made(store)
    asked = authenticator(store, clock=clock, patience=0.01)
    clock.seconds += REFRESHED
    with store.connect() as other, other.begin():
        other.execute(text("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE"))
        assert await is_known(asked, stored)
        assert not await is_known(asked, "wrong")
        clock.seconds += 1
        assert await is_known(asked, stored)
        assert asked._flight is not None
    await asked._flight
    later, _ = made(store)
    clock.seconds += 1
    while not await is_known(asked, later):  # reading them may take longer than it has patience
        if asked._flight is not None:
            await asked._flight
        clock.seconds += 1
    store.dispose()
