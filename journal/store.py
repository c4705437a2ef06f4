"""The store: SQLite by default, PostgreSQL where several processes share it. SQLAlchemy Core, migrated by Alembic.

Calls are synchronous; who serves requests runs them in a thread."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from journal.tables import secrets

MIGRATIONS = Path(__file__).with_name("migrations")
WAIT_SECONDS = 5.0  # for a connection, or for SQLite's lock


class StoreError(Exception):
    """The store cannot be used; the message names no credentials."""


def open_store(url: str) -> Engine:
    """An engine on a store of the newest layout. Raises StoreError where it cannot be reached or migrated."""
    try:
        engine = _engine(url)
        migrate(engine)
    except ArgumentError:
        raise StoreError("the store's url cannot be read: sqlite:///file.db or postgresql://… is expected") from None
    except SQLAlchemyError as error:
        raise StoreError(f"the store cannot be opened: {type(error).__name__}") from error
    return engine


def _engine(url: str) -> Engine:
    target = make_url(url)
    if target.get_backend_name() == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
        return create_engine(
            target,
            pool_pre_ping=True,
            pool_timeout=WAIT_SECONDS,
            connect_args={"connect_timeout": int(WAIT_SECONDS)},
        )
    engine = create_engine(target, connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _durable)
    return engine


def _durable(connection: Any, _: ConnectionPoolEntry) -> None:
    """What is committed stays: the log is synced to the disk with each commit."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def secret(engine: Engine, name: str, fresh: bytes) -> bytes:
    """A secret that all processes on one store share: the one kept under `name`, else `fresh`, kept from now on."""
    with engine.begin() as connection:
        kept = connection.scalar(select(secrets.c.value).where(secrets.c.name == name))
        if kept is None:
            connection.execute(secrets.insert().prefix_with("OR IGNORE", dialect="sqlite"), _row(name, fresh))
            kept = fresh
    return bytes(kept)


def _row(name: str, value: bytes) -> dict[str, Any]:
    return {"name": name, "value": value}
