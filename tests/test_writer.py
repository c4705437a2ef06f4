"""The writer: durable before it answers, together where it can be, and nobody's fault but one's own."""

import asyncio
import threading
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from domain.facts import Fact, Observation, Scan
from domain.sales import Sale
from journal import log
from journal import writer as module
from journal.appending import NO_MEANINGS, Illegible, Receipt, Report
from journal.reports import Counts
from journal.store import open_store, writing
from journal.tables import head
from journal.writer import JournalUnavailable, Writer
from tests.journals import AT, identities, illegible, report, sale, sold, until, writer

HALF = "half a character \ud83d"


class Commits:
    """Counts them, and holds each until `go`."""

    def __init__(self, engine: Engine) -> None:
        self.count = 0
        self.go = threading.Event()
        self.go.set()
        event.listen(engine, "commit", self._commit)

    async def begun(self) -> None:
        """The first is under way."""
        await until(lambda: self.count > 0)

    def _commit(self, _: object) -> None:
        self.count += 1
        assert self.go.wait(10)


async def test_what_comes_while_one_is_committed_is_committed_together(store: Engine) -> None:
    commits = Commits(store)
    with writer(store) as one:
        commits.go.clear()
        first = asyncio.create_task(one.append(sold("s0")))
        await commits.begun()
        rest = [asyncio.create_task(one.append(sold(f"s{at}"))) for at in range(1, 200)]
        await asyncio.sleep(0.05)
        assert not first.done()
        assert commits.count == 1
        commits.go.set()
        receipts = await asyncio.gather(first, *rest)
    assert receipts == [Receipt(1, 0)] * 200
    assert commits.count == 2
    assert log.read_head(store).seq == 200


async def test_it_is_there_for_others_when_the_answer_comes(store_url: str) -> None:
    mine, other = open_store(store_url), open_store(store_url)
    with writer(mine) as one:
        for at in range(5):
            await one.append(sold(f"s{at}"))
            assert len(log.after(other, 0, 10).entries) == at + 1
    mine.dispose()
    other.dispose()


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param(report(sale("sx", vendor_id=HALF)), id="content that is no text"),
        pytest.param(report(sale("sx", machine=HALF)), id="a machine that is no text"),
        pytest.param(report(replace(sale("sx"), machine_name=HALF)), id="a name that is no text"),
        pytest.param(report(replace(sale("sx"), recorded_at=None)), id="no time"),  # type: ignore[arg-type]
    ],
)
async def test_one_that_cannot_be_kept_fails_alone(store: Engine, poison: Report) -> None:
    commits = Commits(store)
    with writer(store) as one:
        commits.go.clear()
        first = asyncio.create_task(one.append(sold("s0")))
        await commits.begun()
        works: list[Report | Illegible] = [sold("s1"), sold("s2"), poison, illegible("q1"), sold("s3"), sold("s3")]
        tasks = [asyncio.create_task(one.append(work)) for work in works]
        await asyncio.sleep(0.05)
        commits.go.set()
        found = await asyncio.gather(first, *tasks, return_exceptions=True)
        assert isinstance(found[3], Exception)
        assert not isinstance(found[3], JournalUnavailable)
        del found[3]
        assert found == [Receipt(1, 0)] * 5 + [Receipt(0, 1)]
        assert one.counts()["acme"] == Counts(accepted=4, duplicates=1, quarantined=1, last_received_at=AT)
    assert identities(log.after(store, 0, 10).entries) == ["s0", "s1", "s2", "s3"]


async def test_a_text_that_postgresql_does_not_take_fails_alone(postgresql: str) -> None:
    store = open_store(postgresql)
    with writer(store) as one:
        works = [sold("s1"), sold("nul\0"), sold("s2")]
        found = await asyncio.gather(*map(one.append, works), return_exceptions=True)
    assert (found[0], found[2]) == (Receipt(1, 0), Receipt(1, 0))
    assert not isinstance(found[1], Receipt | JournalUnavailable)
    store.dispose()


async def test_an_interpretation_that_fails_takes_nothing_along(store: Engine) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError

    scanned = _scan("scan")
    with writer(store, breaks) as one:
        found = await asyncio.gather(one.append(scanned), one.append(sold("s1")), return_exceptions=True)
    assert isinstance(found[0], ZeroDivisionError)
    assert found[1] == Receipt(1, 0)
    assert identities(log.after(store, 0, 10).entries) == ["s1"]


def _scan(identity: str) -> Report:
    observed = Observation(machine="m1", at=AT, scan=Scan(tags=frozenset({"t1"}), opening=identity))
    return report(Fact(identity=identity, machine="m1", recorded_at=AT, occurred_at=AT, content=observed))


async def test_too_many_that_wait_are_refused(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 3)
    await _refused(store, [sold(f"s{at}") for at in range(3)], sold("s9"))


async def test_too_much_that_waits_is_refused(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_BYTES", 300)
    await _refused(store, [sold("s0", raw=b"1" * 200)], sold("s9", raw=b"1" * 101))


async def _refused(store: Engine, taken: list[Report], refused: Report) -> None:
    commits = Commits(store)
    with writer(store) as one:
        commits.go.clear()
        tasks = [asyncio.create_task(one.append(work)) for work in taken]
        await commits.begun()
        with pytest.raises(JournalUnavailable):
            await one.append(refused)
        commits.go.set()
        await asyncio.gather(*tasks)
        assert await one.append(refused) == Receipt(1, 0)  # there is room again


async def test_a_store_that_does_not_answer_is_not_waited_for_for_ever(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of it is not known: whoever sends it again is told that it is there."""
    monkeypatch.setattr(module, "WAITING_SECONDS", 0.1)
    commits = Commits(store)
    with writer(store) as one:
        commits.go.clear()
        with pytest.raises(JournalUnavailable):
            await one.append(sold("s1"))
        commits.go.set()
        monkeypatch.setattr(module, "WAITING_SECONDS", 20)
        assert await one.append(sold("s1")) == Receipt(0, 1)


async def test_a_store_that_is_locked_is_waited_for(store_url: str) -> None:
    mine, other = open_store(store_url), open_store(store_url)
    with writer(mine) as one:
        with writing(other) as connection:
            connection.execute(head.update().values(seq=head.c.seq))
            waiting = asyncio.create_task(one.append(sold("s1")))
            await asyncio.sleep(0.2)
            assert not waiting.done()
        assert await waiting == Receipt(1, 0)
    mine.dispose()
    other.dispose()


async def test_what_was_committed_although_the_answer_was_lost_is_a_repeat(store: Engine) -> None:
    """The connection breaks after the database has committed and before it could say so."""
    lost = [True]

    def lose(connection: object) -> None:
        if lost:
            lost.clear()
            connection.connection.commit()  # type: ignore[attr-defined]
            raise ConnectionResetError

    event.listen(store, "commit", lose)
    with writer(store) as one:
        with pytest.raises((JournalUnavailable, ConnectionResetError)):
            await one.append(sold("s1"))
        assert await one.append(sold("s1")) == Receipt(0, 1)
    assert log.read_head(store).seq == 1


async def test_closing_writes_all_that_waits_and_takes_nothing_more(store: Engine) -> None:
    commits = Commits(store)
    one = Writer(store, NO_MEANINGS, lambda: None)
    one.start()
    commits.go.clear()
    tasks = [asyncio.create_task(one.append(sold(f"s{at}"))) for at in range(600)]
    await commits.begun()
    one.reject("acme")
    closing = asyncio.create_task(asyncio.to_thread(one.close))
    await until(lambda: one._thread is None)
    with pytest.raises(JournalUnavailable):
        await one.append(sold("late"))
    commits.go.set()
    await closing
    assert await asyncio.gather(*tasks) == [Receipt(1, 0)] * 600
    assert log.read_head(store).seq == 600
    assert one.counts()["acme"].rejected == 1


async def test_a_writer_that_was_not_started_refuses(store: Engine) -> None:
    with pytest.raises(JournalUnavailable):
        await Writer(store, NO_MEANINGS, lambda: None).append(sold("s1"))


async def test_counters_of_two_processes_add_up(store_url: str) -> None:
    mine, other = open_store(store_url), open_store(store_url)
    with writer(mine) as one, writer(other) as two:
        works = [
            work.append(sold(f"s{at}", account=account)) for at in range(50) for work in (one, two) for account in "ab"
        ]
        for at in range(50):
            one.reject("ab"[at % 2])
            two.reject("ba"[at % 2])
        await asyncio.gather(*works)
    for engine in (mine, other):
        found = Writer(engine, NO_MEANINGS, lambda: None).counts()
        assert found == dict.fromkeys("ab", Counts(accepted=50, duplicates=50, rejected=50, last_received_at=AT))
        engine.dispose()


async def test_rejections_count_at_once_and_once(store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COUNTED_EVERY", 0.01)
    with writer(store) as one:
        for at in range(1, 100):
            one.reject("acme")
            assert (await asyncio.to_thread(one.counts))["acme"].rejected == at


async def test_the_sale_is_told_after_what_proves_it(store: Engine) -> None:
    taken = sale("taken")
    with writer(store, lambda *_: taken) as one:
        assert await one.append(_scan("scan")) == Receipt(1, 0)
        assert await one.append(_scan("scan")) == Receipt(0, 1)
    found = log.after(store, 0, 10).entries
    assert [type(entry.content) for entry in found] == [Observation, Sale]
