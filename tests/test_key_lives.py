"""How long a key is good: until it is revoked, until it expires, and for a while after another has taken its place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from domain.errors import Unauthenticated
from domain.model import Role
from domain.times import utc_now
from gateway.auth import EXPIRED_KEY, Authenticator
from gateway.cli import app
from gateway.settings import KeySettings
from journal import keys
from tests.gateways import config
from tests.scripted import Clock

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Now:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


async def test_a_key_of_the_configuration_ends_at_its_time(store: Engine) -> None:
    own = KeySettings(name="k", sha256=keys.digest("k-1"), role=Role.VIEWER, organizations=["acme"], expires=NOON)
    now = Now()
    asked = Authenticator([own], ["acme"], store, clock=Clock(), now=now)
    now.at = NOON - timedelta(microseconds=1)
    assert await asked.viewer("Bearer k-1")
    now.at = NOON
    with pytest.raises(Unauthenticated, match=EXPIRED_KEY):
        await asked.viewer("Bearer k-1")


async def test_a_key_of_the_store_ends_at_its_time_without_the_store_being_asked(store: Engine) -> None:
    text, kept = keys.create(store, name="k", role=Role.VIEWER, organizations=["*"], expires_at=NOON + HOUR)
    assert keys.all_keys(store) == [kept]
    now = Now()
    asked = Authenticator([], ["acme"], store, clock=Clock(), now=now)
    assert await asked.viewer(f"Bearer {text}")
    now.at += HOUR
    with pytest.raises(Unauthenticated, match=EXPIRED_KEY):
        await asked.viewer(f"Bearer {text}")


async def test_two_keys_are_good_while_one_takes_over(store: Engine) -> None:
    old, kept = keys.create(store, name="shop", role=Role.OPERATOR, organizations=["acme"], introspection=True)
    ends = utc_now() + HOUR
    made = keys.rotate(store, kept.id, ends, None)
    assert made is not None
    new, taking = made
    assert (taking.name, taking.role, taking.organizations, taking.introspection) == (
        kept.name,
        kept.role,
        kept.organizations,
        True,
    )
    now = Now()
    now.at = utc_now()
    asked = Authenticator([], ["acme"], store, clock=Clock(), now=now)
    assert await asked.viewer(f"Bearer {old}") == await asked.viewer(f"Bearer {new}")
    now.at = ends
    assert await asked.viewer(f"Bearer {new}")
    with pytest.raises(Unauthenticated, match=EXPIRED_KEY):
        await asked.viewer(f"Bearer {old}")


def test_a_key_that_ends_sooner_lives_no_longer_for_being_rotated(store: Engine) -> None:
    soon = utc_now() + HOUR
    _, kept = keys.create(store, name="shop", role=Role.VIEWER, organizations=["acme"], expires_at=soon)
    assert keys.rotate(store, kept.id, soon + HOUR, None) is not None
    assert next(key for key in keys.all_keys(store) if key.id == kept.id).expires_at == soon


def test_a_key_that_is_not_good_is_not_rotated(store: Engine) -> None:
    _, gone = keys.create(store, name="gone", role=Role.VIEWER, organizations=["acme"], expires_at=NOON)
    _, ended = keys.create(store, name="ended", role=Role.VIEWER, organizations=["acme"])
    assert keys.revoke(store, ended.id)
    for key_id in (gone.id, ended.id, "no-such-id"):
        assert keys.rotate(store, key_id, utc_now() + HOUR, None) is None
    assert len(keys.all_keys(store)) == 2


def test_the_commands_make_and_tell_it(tmp_path: Path) -> None:
    path = tmp_path / "vendgraph.toml"
    path.write_text(config(f"sqlite:///{tmp_path}/store.db"), encoding="utf-8")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["keys", *arguments, "--config", str(path)])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert run("create", "--name", "past", "--expires", "2020-01-01T00:00:00Z").startswith("vg_")
    run("create", "--name", "shop", "--role", "operator", "--expires", "2999-01-01", "--introspection")
    past, shop = run("list").splitlines()
    assert past.endswith("expired 2020-01-01T00:00:00+00:00")
    assert shop.endswith("good until 2999-01-01T00:00:00+00:00")
    assert run("rotate", shop.split()[0], "--hours", "2").startswith("vg_")
    _, old, new = run("list").splitlines()
    assert old.split()[1:3] == new.split()[1:3] == ["shop", "operator"]
    assert "good until 2999" not in old
    assert new.endswith("good")
    refused = CliRunner().invoke(app, ["keys", "rotate", past.split()[0], "--config", str(path)])
    assert refused.exit_code == 1
