"""The store: SQLite by default, PostgreSQL where several processes share it. SQLAlchemy Core, migrated by Alembic.

Calls are synchronous; who serves requests runs them in a thread."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, Executable, create_engine, event, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from journal.tables import secrets

MIGRATIONS = Path(__file__).with_name("migrations")
WAIT_SECONDS = 5.0  # for a connection, or for SQLite's lock
MIGRATING = 0x76656E64  # the advisory lock of PostgreSQL that one process at a time migrates under
LONGEST_REASON = 200
KEPT_ALIVE = {  # seconds, and milliseconds: a network that swallows everything is noticed
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class StoreError(Exception):
    """The store cannot be used; the message names no credentials."""


def open_store(url: str) -> Engine:
    """An engine on a store of the newest layout. Raises StoreError where it cannot be reached or migrated."""
    try:
        target = make_url(url)
        engine = _engine(target)
    except (ArgumentError, ValueError):
        raise StoreError("it cannot be read: sqlite:///file.db or postgresql://… is expected") from None
    try:
        migrate(engine)
    except CommandError:
        engine.dispose()
        raise StoreError("the store was made by a newer version") from None
    except SQLAlchemyError as error:
        engine.dispose()
        raise StoreError(f"the store cannot be opened: {_reason(error)}") from None
    return engine


def _reason(error: SQLAlchemyError) -> str:
    """The database's own words in one line; neither of them repeats a password."""
    words = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
    return " ".join(words.split())[:LONGEST_REASON]


def _engine(target: URL) -> Engine:
    """Errors of the database never show the values of a statement: some of them are secrets."""
    if target.get_backend_name() == "postgresql":
        engine = create_engine(
            target.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            pool_timeout=WAIT_SECONDS,
            connect_args={"connect_timeout": int(WAIT_SECONDS), **KEPT_ALIVE},
        )
        event.listen(engine, "connect", _impatient)
        _ends_with_its_work(engine)
        return engine
    engine = create_engine(
        target,
        hide_parameters=True,
        pool_timeout=WAIT_SECONDS,
        connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", _begin)
    _ends_with_its_work(engine)
    return engine


def _ends_with_its_work(engine: Engine) -> None:
    """A thread may outlast whoever waited for it. What it gives back after the end, the old pool would drop open."""
    ended = threading.Event()

    def given_back(_: object, entry: ConnectionPoolEntry) -> None:
        if ended.is_set():
            entry.invalidate()

    event.listen(engine, "engine_disposed", lambda _: ended.set())
    event.listen(engine, "checkin", given_back)


def _impatient(connection: psycopg.Connection[Any], _: ConnectionPoolEntry) -> None:
    """The journal is held by one process at a time: one that stops in the midst of it must not stop the others."""
    connection.execute(f"SET lock_timeout = '{WAIT_SECONDS}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{WAIT_SECONDS}s'")
    connection.commit()


def _durable(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    """What is committed stays: the log is synced to the disk with each commit."""
    _use_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """A new file is changed over once. While another process holds it, SQLite refuses that without any patience."""
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    """The driver alone would start a transaction with the first change, and none for a change of tables.

    Who will write says so at once: a reader that becomes a writer later is refused where another was faster."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, after waiting for its turn."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def migrate(engine: Engine) -> None:
    """Brings the tables up to date, in one transaction. Whoever else is at it is waited for."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATING})
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def secret(engine: Engine, name: str, fresh: bytes) -> bytes:
    """A secret that all processes on one store share: the one kept under `name`, else `fresh`, kept from now on."""
    wanted = select(secrets.c.value).where(secrets.c.name == name)
    with engine.connect() as connection:
        kept = connection.scalar(wanted)
    if kept is None:
        with writing(engine) as connection:
            connection.execute(_unless_there(engine, {"name": name, "value": fresh}))
            kept = connection.execute(wanted).scalar_one()
    return bytes(kept)


def _unless_there(engine: Engine, row: dict[str, Any]) -> Executable:
    """An insertion that leaves a row alone that another process was faster to make."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    return insert(secrets).values(row).on_conflict_do_nothing()
