"""Stores for tests: a file of SQLite, or a database of its own on a PostgreSQL, dropped afterwards.

`VENDGRAPH_TEST_POSTGRESQL` names the server; without it the usual ones of this machine are tried."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from journal.tables import head, metadata

KINDS = ("sqlite", "postgresql")
USUAL = ("postgresql://root@127.0.0.1:5432/test", "postgresql://postgres@127.0.0.1:5432/postgres")
MUST = os.environ.get("CI") == "true"  # there, a test is run or it fails


class NoPostgreSQL(Exception):
    """The message says why."""


@contextmanager
def new_store(kind: str, folder: Path) -> Iterator[str]:
    """The url of an empty store. Raises NoPostgreSQL."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/store.db"
        return
    name = f"vendgraph_test_{secrets.token_hex(8)}"
    administrate(f"CREATE DATABASE {name}")
    try:
        yield _server().set(database=name).render_as_string(hide_password=False)
    finally:
        administrate(f"DROP DATABASE {name} WITH (FORCE)")


def empty(engine: Engine) -> None:
    """As it was when it was made."""
    with engine.begin() as connection:
        for table in metadata.tables.values():
            if table is not head:
                connection.execute(table.delete())
        connection.execute(head.update().values(seq=0, pruned=0))


def administrate(statement: str) -> None:
    """Executes it outside of the databases of tests. Raises NoPostgreSQL."""
    _execute(_server(), statement)


@cache
def _server() -> URL:
    reasons = []
    for url in _candidates():
        try:
            _execute(url, "SELECT 1")
        except OperationalError as error:
            reasons.append(f"{url}: {str(error.orig).strip()}")
        else:
            return url
    raise NoPostgreSQL("there is no PostgreSQL to test with: " + "; ".join(reasons))


def _candidates() -> Sequence[URL]:
    told = os.environ.get("VENDGRAPH_TEST_POSTGRESQL")
    return [make_url(url) for url in ([told] if told else USUAL)]


def _execute(url: URL, statement: str) -> None:
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


def _engine(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5}
    )
