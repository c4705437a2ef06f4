"""The store, on both databases: it is made once, however many make it, and keeps what it was given."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, inspect, make_url, select, text
from sqlalchemy.exc import IntegrityError

from journal.store import StoreError, _engine, _upgrade, open_store, secret, writing
from journal.tables import api_keys, metadata, secrets
from tests.processes import environment

STARTS = """
import sys
from journal.store import open_store, secret
print("ready", flush=True)
sys.stdin.readline()
engine = open_store(sys.argv[1])
print(secret(engine, "cursors", sys.argv[2].encode()).decode())
engine.dispose()
"""


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = open_store(url)
    yield engine
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_knows(store: Engine) -> None:
    found = inspect(store)
    for table in metadata.tables.values():
        there = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert there == {column.name: column.nullable for column in table.columns}


def test_a_store_is_opened_again_with_what_it_holds(store_url: str) -> None:
    with opened(store_url) as first:
        kept = secret(first, "cursors", b"first")
    with opened(store_url) as second:
        assert secret(second, "cursors", b"second") == kept == b"first"


def test_secrets_are_kept_by_name(store: Engine) -> None:
    assert secret(store, "one", b"1") == b"1"
    assert secret(store, "other", b"2") == b"2"


def test_what_a_thread_still_works_with_is_closed_with_its_work(store_url: str) -> None:
    """Whoever waited for it was cancelled, and the process has closed its store."""
    engine = open_store(store_url)
    with engine.connect() as connection:
        used = connection.connection.dbapi_connection
        engine.dispose()
        assert connection.scalar(text("SELECT 1")) == 1
    assert used is not None
    with pytest.raises((psycopg.OperationalError, sqlite3.ProgrammingError), match="closed"):
        used.cursor()


def test_processes_that_start_at_once_make_one_store_with_one_secret(store_url: str) -> None:
    """Each brings a secret of its own; the one that was kept is everyone's."""
    processes = [
        subprocess.Popen(  # noqa: S603  our own code
            [sys.executable, "-c", STARTS, store_url, f"secret-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for number in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    found = [process.communicate(timeout=30)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(set(found)) == 1
    assert found[0].startswith("secret-")


def test_who_loses_the_race_for_a_secret_gets_the_winners(store: Engine) -> None:
    """Eight at once on one store: whoever finds none may still be too late with their own."""
    together = threading.Barrier(8)

    def ask(number: int) -> bytes:
        together.wait()
        return secret(store, "cursors", b"secret-%d" % number)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_a_file_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    """SQLite refuses to change a locked file over to its write-ahead log at once, without patience."""
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE theirs (a)")
        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(open_store, f"sqlite:///{path}")
            assert not opening.done()
            other.execute("COMMIT")
            opening.result(timeout=20).dispose()


def test_what_is_committed_is_synced_to_the_disk(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/store.db") as engine, engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_writers_take_turns(store: Engine) -> None:
    """Each reads and then writes: a reader that becomes a writer too late would be refused by SQLite."""
    secret(store, "counted", b"0")
    counted = secrets.c.name == "counted"
    together = threading.Barrier(4)

    def count(_: int) -> None:
        together.wait()
        with writing(store) as connection:
            locked = select(secrets.c.value).where(counted).with_for_update()
            so_far = int(connection.execute(locked).scalar_one())
            connection.execute(secrets.update().where(counted).values(value=b"%d" % (so_far + 1)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert secret(store, "counted", b"") == b"4"


def test_what_fails_leaves_nothing_behind(store: Engine) -> None:
    def half() -> None:
        with writing(store) as connection:
            connection.execute(secrets.insert(), {"name": "half", "value": b"1"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert secret(store, "half", b"fresh") == b"fresh"


def test_a_migration_is_made_whole_or_not_at_all(store_url: str) -> None:
    """A process that dies in the middle leaves a store that the next one can make."""
    engine = _engine(make_url(store_url))

    def half() -> None:
        with writing(engine) as connection:
            _upgrade(connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    with opened(store_url) as whole:
        assert secret(whole, "cursors", b"kept") == b"kept"


def test_an_error_of_the_database_shows_no_values(store: Engine) -> None:
    row = {"id": "1", "name": "canary-77aa", "sha256": "ff", "role": "viewer", "organizations": "*", "created_at": ""}

    def keep() -> None:
        with writing(store) as connection:
            connection.execute(api_keys.insert(), row)

    keep()
    with pytest.raises(IntegrityError) as failed:
        keep()
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("sqlite:///{here}", "unable to open database file"),
        ("sqlite:///{here}/text.txt", "file is not a database"),
        ("nonsense", "it cannot be read: sqlite:///file.db or postgresql://… is expected"),
        ("postgresql://user:canary-51c0@host:port/database", "it cannot be read"),
        ("postgresql://user:canary-51c0@127.0.0.1:1/database", "Connection refused"),
    ],
)
def test_a_store_that_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, url: str, reason: str) -> None:
    (tmp_path / "text.txt").write_text("no database" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=reason) as refused:
        open_store(url.format(here=tmp_path))
    assert "canary" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_store_of_a_newer_version_is_refused(store_url: str) -> None:
    with opened(store_url) as engine, writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        open_store(store_url)


def test_a_postgresql_that_refuses_is_told_without_the_password(postgresql: str) -> None:
    there = make_url(postgresql).set(password="canary-51c0", database="no-such-database")
    with pytest.raises(StoreError, match="does not exist") as refused:
        open_store(there.render_as_string(hide_password=False))
    assert "canary" not in str(refused.value)
