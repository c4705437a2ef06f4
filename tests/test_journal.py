"""The journal on both databases: each fact once, for ever, in the order in which it can be read."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from domain.facts import FactKind
from domain.times import Span
from journal import log, tail
from journal.appending import Receipt
from journal.log import Appending, New
from journal.store import open_store, writing
from journal.tables import entries
from journal.writer import JournalUnavailable
from tests.journals import AT, followed, identities, journal, report, sale, sold, writer

HOUR = timedelta(hours=1)
EVERYTHING = Span(AT - timedelta(days=1), AT + timedelta(days=1))


async def tell(store: Engine, *names: str, **changed: Any) -> Receipt:
    with writer(store) as one:
        return await one.append(sold(*names, **changed))


async def test_what_was_told_reads_back_as_it_was(store: Engine) -> None:
    told = sale("s1")
    with writer(store) as one:
        assert await one.append(report(told, raw=b"\x00raw\xff")) == Receipt(new=1, repeats=0)
    (entry,) = log.after(store, 0, 10).entries
    assert (entry.seq, entry.account, entry.kind, entry.machine) == (1, "acme", FactKind.SALE, "m1")
    assert entry.content == told.content
    assert entry.received_at == AT
    with store.connect() as connection:
        assert bytes(connection.execute(select(entries.c.raw)).scalar_one()) == b"\x00raw\xff"


async def test_a_repeat_is_none_whatever_it_says(store: Engine) -> None:
    assert await tell(store, "s1") == Receipt(1, 0)
    with writer(store) as one:
        assert await one.append(report(sale("s1", machine="m2"), sale("s2"))) == Receipt(1, 1)
    found = log.after(store, 0, 10).entries
    assert [(entry.seq, entry.machine) for entry in found] == [(1, "m1"), (2, "m1")]


async def test_accounts_do_not_share_identities(store: Engine) -> None:
    await tell(store, "s1")
    assert await tell(store, "s1", account="other") == Receipt(1, 0)


async def test_a_repeat_is_known_long_after_its_entry_is_gone(store: Engine) -> None:
    await tell(store, "s1", "s2")
    assert log.prune(store, AT + HOUR) == 2
    assert log.after(store, 0, 10).entries == []
    assert await tell(store, "s2", "s3", at=AT + HOUR) == Receipt(1, 1)
    assert identities(log.after(store, 0, 10).entries) == ["s3"]
    assert log.find(store, "acme", FactKind.SALE, "s2") is None
    found = log.find(store, "acme", FactKind.SALE, "s3")
    assert found is not None
    assert found.seq == 3


async def test_pruning_takes_the_oldest_and_leaves_a_mark(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PRUNED_AT_ONCE", 2)
    for at in range(7):
        await tell(store, f"s{at}", at=AT + at * HOUR)
    assert log.prune(store, AT + 5 * HOUR) == 5
    assert log.read_head(store) == log.Head(seq=7, pruned=5)
    assert identities(log.after(store, 0, 10).entries) == ["s5", "s6"]
    assert log.after(store, 2, 10).after == 5
    assert log.prune(store, AT + 5 * HOUR) == 0


async def test_an_entry_from_a_clock_that_was_behind_waits_for_those_before_it(store: Engine) -> None:
    """Only a beginning is ever gone, so that one number tells what is."""
    await tell(store, "s1", at=AT + 2 * HOUR)
    await tell(store, "s2", at=AT)
    assert log.prune(store, AT + HOUR) == 0
    assert log.prune(store, AT + 3 * HOUR) == 2


async def test_history_is_an_accounts_own_newest_first(store: Engine) -> None:
    with writer(store) as one:
        for at in (2, 0, 1):
            await one.append(report(sale(f"s{at}", machine=f"m{at}", at=AT + at * HOUR)))
        await one.append(sold("s9", account="other"))
    found = log.history(store, "acme", FactKind.SALE, EVERYTHING, 2, None)
    assert identities(found) == ["s2", "s1"]
    assert identities(log.history(store, "acme", FactKind.SALE, EVERYTHING, 9, ["m0", "m2"])) == ["s2", "s0"]
    assert identities(log.history(store, "acme", FactKind.SALE, Span(AT, AT + HOUR), 9, None)) == ["s0"]
    assert log.history(store, "acme", FactKind.EVENT, EVERYTHING, 9, None) == []


async def test_more_facts_than_a_statement_takes_parameters(store: Engine) -> None:
    names = [f"s{at}" for at in range(23_000)]
    assert log.known(store, "acme", FactKind.SALE, names) == frozenset()
    assert await tell(store, "s0", "s22999") == Receipt(2, 0)
    assert log.known(store, "acme", FactKind.SALE, names) == {"s0", "s22999"}


async def test_an_entry_that_cannot_be_read_hides_no_other(store: Engine) -> None:
    """Such as a newer version writes while an older one still runs beside it."""
    await tell(store, "s1", "s2", "s3")
    with writing(store) as connection:
        connection.execute(update(entries).where(entries.c.seq == 2).values(kind="unheard-of"))
        connection.execute(update(entries).where(entries.c.seq == 3).values(content=b"{}"))
    await tell(store, "s4")
    page = log.after(store, 0, 10)
    assert (identities(page.entries), page.after, page.until) == (["s1", "s4"], 0, 4)
    async with journal(store) as source:
        assert identities(await followed(source, 0, 2)) == ["s1", "s4"]


def test_who_commits_late_is_never_overtaken(store_url: str) -> None:
    """A second writer waits for the first, so that a reader never sees a number before a smaller one."""
    first, second = open_store(store_url), open_store(store_url)
    new = [New(account="acme", fact=sale(name), origin=sold().origin, received_at=AT) for name in ("s1", "s2")]
    entered = Event()

    def overtake() -> None:
        with writing(second) as connection:
            appending = Appending.begin(connection, [])
            entered.set()
            appending.add(new[1])
            appending.write()

    other = Thread(target=overtake)
    with writing(first) as connection:
        appending = Appending.begin(connection, [])
        appending.add(new[0])
        other.start()
        assert not entered.wait(0.2)
        appending.write()
        assert log.after(second, 0, 10).entries == []
    other.join()
    assert identities(log.after(first, 0, 10).entries) == ["s1", "s2"]
    first.dispose()
    second.dispose()


def test_a_process_that_stops_in_the_midst_does_not_hold_the_journal_for_ever(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("journal.store.WAIT_SECONDS", 0.3)
    stopped, other = open_store(postgresql), open_store(postgresql)
    connection = stopped.connect().execution_options(writes=True)
    Appending.begin(connection, [])
    asyncio.run(_until_taken(other))
    assert identities(log.after(other, 0, 10).entries) == ["s1"]
    connection.invalidate()
    connection.close()
    stopped.dispose()
    other.dispose()


async def _until_taken(store: Engine) -> None:
    for _ in range(20):
        try:
            await tell(store, "s1")
        except JournalUnavailable:
            continue
        return
    pytest.fail("it stays held")


@pytest.fixture
def two(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Engine]]:
    """Two processes' engines on one store; they look for what the other wrote all the time."""
    monkeypatch.setattr(tail, "IDLE_SECONDS", 0.02)
    engines = open_store(store_url), open_store(store_url)
    yield engines
    for engine in engines:
        engine.dispose()


RUNS = count()
TOLD = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.integers(1, 3)), max_size=25)


@given(TOLD)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_two_writers_append_at_once_is_followed_in_order_each_once(
    two: tuple[Engine, Engine], told: list[tuple[int, int, int]]
) -> None:
    """`told`: by which writer, of which sale the first, and how many of them in one report."""
    asyncio.run(_append_at_once(two, f"run{next(RUNS)}", told))


async def _append_at_once(two: tuple[Engine, Engine], run: str, told: list[tuple[int, int, int]]) -> None:
    begun = log.read_head(two[0]).seq
    works = [(which, [f"{run}-{one}" for one in range(first, first + many)]) for which, first, many in told]
    wanted = {name for _, names in works for name in names}
    async with journal(two[0]) as one, journal(two[1]) as other:
        following = asyncio.create_task(followed(one, begun, len(wanted)))
        receipts = await asyncio.gather(*((one, other)[which].append(sold(*names)) for which, names in works))
        found = await following
        assert identities(await followed(other, begun, len(wanted))) == identities(found)
    assert sorted(identities(found)) == sorted(wanted)
    assert [one.seq for one in found if isinstance(one, log.Entry)] == [begun + at for at in range(1, len(wanted) + 1)]
    assert sum(receipt.new for receipt in receipts) == len(wanted)
    assert log.read_head(two[0]).seq == begun + len(wanted)
