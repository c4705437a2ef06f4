"""The chain of the audit log: nobody changes a record, takes one out or moves one unseen."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, select, update

from journal import audit
from journal.audit import Actor, Deed, verify
from journal.ledger import Ledger
from journal.tables import audit as table
from tests.journals import AT, journal

ROWS = 7


@pytest.fixture
def store(emptied_store: Engine) -> Engine:
    return emptied_store


def deed(at: int) -> Deed:
    return Deed(
        organization=("acme", "other")[at % 2],
        action="command refused",
        outcome="BAD_INPUT",
        command=None if at % 3 else f"c{at}",
        machine=f"m{at}",
        details={"why": f"déjà vu {at}", "kind": "OPEN_DOOR"},
    )


async def keep(engine: Engine, numbers: Sequence[int]) -> None:
    async with journal(engine, follows=False) as kept:
        for at in numbers:
            actor = Actor(name="me", address="::1" if at % 2 else None, request_id=f"r{at}")
            refuse = partial(Ledger.refuse, deed=deed(at), actor=actor, at=AT + timedelta(seconds=at))
            await kept.change(refuse)


@pytest.fixture
async def logged(store: Engine) -> Engine:
    await keep(store, range(ROWS))
    return store


def rows(connection: Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table).order_by(table.c.seq)).mappings()]


async def test_what_nobody_touched_is_whole(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are read at once."""
    assert verify(store) == audit.Verdict(0, audit.BEGINNING, None)
    await keep(store, range(ROWS))
    with store.connect() as connection:
        whole = audit.Verdict(ROWS, rows(connection)[-1]["hash"], None)
    for at_once in (1_000, 2, ROWS):
        monkeypatch.setattr(audit, "READ_AT_ONCE", at_once)
        assert verify(store) == whole


def _delete(*seqs: int) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(delete(table).where(table.c.seq.in_(seqs)))


def _renumber(connection: Connection) -> None:
    """Takes one out, and closes the gap."""
    connection.execute(delete(table).where(table.c.seq == 3))
    for seq in range(4, ROWS + 1):
        connection.execute(update(table).where(table.c.seq == seq).values(seq=seq - 1))


def _swap(connection: Connection) -> None:
    third, fourth = rows(connection)[2:4]
    _delete(3, 4)(connection)
    connection.execute(table.insert(), [{**third, "seq": 4}, {**fourth, "seq": 3}])


def _insert(connection: Connection) -> None:
    """One in the middle, with what follows moved up."""
    for seq in range(ROWS, 3, -1):
        connection.execute(update(table).where(table.c.seq == seq).values(seq=seq + 1))
    connection.execute(table.insert(), [{**rows(connection)[2], "seq": 4}])


def _append(connection: Connection) -> None:
    connection.execute(table.insert(), [{**rows(connection)[-1], "seq": ROWS + 1}])


TAMPERING: Mapping[str, tuple[Callable[[Connection], object], int]] = {
    "the first is taken out": (_delete(1), 1),
    "one is taken out": (_delete(4), 4),
    "several are taken out": (_delete(2, 3, 4), 2),
    "one is taken out and the gap closed": (_renumber, 3),
    "two change places": (_swap, 3),
    "one is put in": (_insert, 4),
    "one is put at the end": (_append, ROWS + 1),
}


def change(column: str, seq: int) -> Callable[[Connection], object]:
    wanted: dict[str, Any] = {"seq": 1000 + seq, "details": "{}", "hash": "0" * 64}
    changed = {column: wanted.get(column, "something else")}
    return lambda connection: connection.execute(update(table).where(table.c.seq == seq).values(changed))


def test_a_record_that_was_changed_is_found(logged: Engine) -> None:
    for column, seq in product(table.c.keys(), (1, 4, ROWS)):
        with tampered(logged, change(column, seq)):
            assert verify(logged).broken == seq, column
    assert verify(logged).broken is None


def test_a_log_that_was_tampered_with_is_found(logged: Engine) -> None:
    for how, (tamper, where) in TAMPERING.items():
        with tampered(logged, tamper):
            verdict = verify(logged)
        assert (verdict.broken, verdict.rows) == (where, where - 1), how
    assert verify(logged).broken is None


@contextmanager
def tampered(engine: Engine, tamper: Callable[[Connection], object]) -> Iterator[None]:
    """All is as it was afterwards."""
    with engine.begin() as connection:
        before = rows(connection)
        tamper(connection)
        assert rows(connection) != before
    yield
    with engine.begin() as connection:
        connection.execute(delete(table))
        connection.execute(table.insert(), before)


def test_a_log_that_was_cut_short_shows_in_its_last_hash(logged: Engine) -> None:
    before = verify(logged)
    with logged.begin() as connection:
        _delete(ROWS)(connection)
    after = verify(logged)
    assert (after.rows, after.broken) == (ROWS - 1, None)
    assert after.last != before.last


async def test_many_who_write_at_once_make_one_chain(store: Engine) -> None:
    await asyncio.gather(*(keep(store, range(at, 40, 4)) for at in range(4)))
    verdict = verify(store)
    assert (verdict.rows, verdict.broken) == (40, None)
