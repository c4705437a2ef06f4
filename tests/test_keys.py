"""API keys in the store, on both databases: shown once, kept as a hash, ended for good."""

import re

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from domain.model import Role
from journal import keys
from tests.running import moment


def test_a_key_is_shown_once_and_only_its_hash_is_kept(store: Engine) -> None:
    shown, kept = keys.create(store, name="dashboard", role=Role.OPERATOR, organizations=["acme", "other"])
    assert re.fullmatch(r"vg_[A-Za-z0-9_-]{43}", shown)
    with store.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text("SELECT * FROM api_keys"))]
    assert keys.digest(shown) in rows[0]
    assert shown.removeprefix("vg_") not in str(rows)
    assert shown not in repr(kept)


def test_what_is_kept_of_a_key_is_read_back(store: Engine) -> None:
    _, kept = keys.create(store, name="dashboard", role=Role.ADMIN, organizations=["*"])
    assert keys.all_keys(store) == [kept]
    assert (kept.name, kept.role, list(kept.organizations), kept.revoked_at) == ("dashboard", Role.ADMIN, ["*"], None)
    assert moment(kept.created_at)


def test_keys_are_listed_in_the_order_in_which_they_were_made(store: Engine) -> None:
    made = [keys.create(store, name=name, role=Role.VIEWER, organizations=["acme"])[1] for name in "cab"]
    assert keys.all_keys(store) == made
    assert len({key.id for key in made}) == 3


def test_a_key_is_revoked_once(store: Engine) -> None:
    _, one = keys.create(store, name="one", role=Role.VIEWER, organizations=["acme"])
    _, other = keys.create(store, name="other", role=Role.VIEWER, organizations=["acme"])
    assert keys.revoke(store, one.id)
    assert not keys.revoke(store, one.id)
    assert not keys.revoke(store, "no-such-id")
    ended, good = keys.all_keys(store)
    assert ended.revoked_at is not None
    assert moment(ended.revoked_at) >= moment(ended.created_at)
    assert good == other


def test_no_key_is_there_twice(store: Engine) -> None:
    keys.create(store, name="one", role=Role.VIEWER, organizations=["acme"])
    columns = "name, sha256, role, organizations, created_at"
    statement = f"INSERT INTO api_keys (id, {columns}) SELECT 'other', {columns} FROM api_keys"  # noqa: S608
    with pytest.raises(IntegrityError), store.begin() as connection:
        connection.execute(text(statement))


def test_a_key_is_hashed_as_the_utf8_text_that_it_is() -> None:
    assert keys.digest("clé") == "51cbcf30514d0802eb5c60a018f384ea3fb9b69307c554ee63ecb43177594de4"
