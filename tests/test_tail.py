"""Who follows: everything in order, each once, from memory or from the store, and told of what is gone."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from journal import log, tail
from journal.appending import NO_MEANINGS
from journal.bus import Bus
from journal.journal import Journal
from journal.log import Entry
from journal.tail import Lost, Tail
from tests.journals import AT, follow, followed, identities, journal, sold, until, writer

LATER = AT + timedelta(hours=1)


async def tell(store: Engine, *names: str) -> None:
    """By another process, one by one."""
    with writer(store) as one:
        for name in names:
            await one.append(sold(name))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(tail, "KEPT", 4)
    monkeypatch.setattr(tail, "PAGE", 3)
    monkeypatch.setattr(tail, "READ", 2)


async def test_everything_after_a_number_and_then_what_comes(store: Engine) -> None:
    await tell(store, *"abcdefgh")
    async with journal(store) as source:
        following = asyncio.create_task(followed(source, 2, 9))
        await asyncio.sleep(0.05)
        for name in "ijk":
            await source.append(sold(name))
        assert identities(await following) == list("cdefghijk")


async def test_who_fell_behind_is_served_from_the_store(store: Engine) -> None:
    async with journal(store) as source:
        follower = follow(source, 0)
        await source.append(sold("a"))
        found = [await anext(follower)]
        for name in "bcdefghijkl":
            await source.append(sold(name))
        await until(lambda: source.tail.head == 12)
        assert len(source.tail._kept) == 4
        found += [await anext(follower) for _ in range(11)]
        assert identities(found) == list("abcdefghijkl")
        await follower.aclose()


async def test_what_is_gone_is_told(store: Engine) -> None:
    await tell(store, *"abcde")
    log.prune(store, LATER)
    await tell(store, "f")
    async with journal(store) as source:
        found = await followed(source, 2, 2)
        assert found[0] == Lost(2, 5)
        assert identities(found) == ["f"]


async def test_it_is_told_where_nothing_is_left(store: Engine) -> None:
    await tell(store, *"abcde")
    log.prune(store, LATER)
    async with journal(store) as source:
        assert await followed(source, 1, 1) == [Lost(1, 5)]
        following = asyncio.create_task(followed(source, 1, 2))
        await source.append(sold("f"))
        assert identities(await following) == ["f"]


async def test_what_went_between_two_looks_is_told_too(store: Engine) -> None:
    """A process that was away for longer than entries are kept knows where its memory ends."""
    async with journal(store, follows=False) as source:
        await source.append(sold("a"))
        await source.append(sold("b"))
        await source.tail._catch_up()
        await tell(store, "c", "d", "e")
        log.prune(store, LATER)
        await tell(store, "f")
        await source.tail._catch_up()
        found = await followed(source, 1, 2)
        assert found[0] == Lost(1, 5)
        assert identities(found) == ["f"]
        assert identities(await followed(source, 5, 1)) == ["f"]


async def test_listeners_hear_everything_once_and_before_followers(store: Engine) -> None:
    heard: list[str] = []

    async with journal(store) as source:
        source.tail.listen(lambda entries: heard.extend(identities(entries)))
        following = asyncio.create_task(followed(source, 0, 7))
        for name in "abcdefg":
            await source.append(sold(name))
        assert identities(await following) == list("abcdefg")
        assert heard == list("abcdefg")


async def test_a_listener_that_fails_stops_nobody(store: Engine) -> None:
    def fails(_: Sequence[Entry]) -> None:
        raise ZeroDivisionError

    async with journal(store) as source:
        source.tail.listen(fails)
        await source.append(sold("a"))
        assert identities(await followed(source, 0, 1)) == ["a"]
        await source.append(sold("b"))
        assert identities(await followed(source, 1, 1)) == ["b"]


async def test_an_outage_costs_time_and_nothing_else(store: Engine) -> None:
    """A follower that is behind waits for the store as one that is not does."""
    await tell(store, *"abcdef")
    async with journal(store) as source:
        with store.begin() as connection:
            connection.execute(text("ALTER TABLE journal_entries RENAME TO away"))
        behind = asyncio.create_task(followed(source, 0, 7))
        ahead = asyncio.create_task(followed(source, 6, 1))
        await asyncio.sleep(0.1)
        assert not behind.done()
        with store.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO journal_entries"))
        await source.append(sold("g"))
        assert identities(await behind) == list("abcdefg")
        assert identities(await ahead) == ["g"]


async def test_a_cursor_of_a_process_that_knows_more_waits(store: Engine) -> None:
    async with journal(store, follows=False) as source:
        following = asyncio.create_task(followed(source, 2, 1))
        for name in "abc":
            await source.append(sold(name))
        await source.tail._catch_up()
        assert identities(await following) == ["c"]


async def test_news_of_others_comes_without_a_bus(store: Engine) -> None:
    async with journal(store) as source:
        following = asyncio.create_task(followed(source, 0, 2))
        await tell(store, "a", "b")
        assert identities(await following) == ["a", "b"]


@given(st.lists(st.integers(1, 6), max_size=12), st.data())
def test_wherever_one_begins_nothing_is_missed_or_told_twice(grows: list[int], data: st.DataObject) -> None:
    """Memory and store are joined without a seam, however the journal grew and where the memory begins."""
    asyncio.run(_seamless(grows, data))


async def _seamless(grows: list[int], data: st.DataObject) -> None:
    one = _Remembering(sum(grows))
    for more in grows:
        one.grow(more)
        at = data.draw(st.integers(0, one.head))
        part = one._remembered(at) if at >= one._since else tail.Part([], at)
        assert [entry.seq for entry in part.found if isinstance(entry, Entry)] == list(range(at + 1, part.until + 1))
        assert one._since <= max(0, one.head - len(one._kept))


class _Remembering(Tail):
    """Without a store: entries are told to it as pages."""

    def __init__(self, count: int) -> None:
        self._all = [_entry(seq) for seq in range(1, count + 1)]
        super().__init__(None, Bus())  # type: ignore[arg-type]

    def grow(self, more: int) -> None:
        self._keep(log.Page(self.head, self.head + more, self._all[self.head : self.head + more]))


def _entry(seq: int) -> Entry:
    (fact,) = sold(str(seq)).facts
    return Entry(
        seq=seq,
        account="acme",
        kind=fact.kind,
        machine=None,
        machine_name=None,
        origin=sold().origin,
        received_at=AT,
        changed=(),
        content=fact.content,
    )


async def test_closing_ends_it(store: Engine) -> None:
    source = Journal(store, Bus(), NO_MEANINGS)
    await source.start()
    source.follow()
    await source.close()
    assert source._following is not None
    assert source._following.done()


async def test_who_asks_after_an_append_waits_until_listeners_know_of_it(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("journal.tail.IDLE_SECONDS", 60.0)  # it is told at once, whatever the machine is at
    async with journal(store, follows=False) as source:
        known: list[int] = []
        source.tail.listen(lambda entries: known.extend(entry.seq for entry in entries))
        await source.caught_up()
        await source.append(sold("a"))
        asked = asyncio.create_task(source.caught_up())
        await asyncio.sleep(0)
        assert not asked.done()
        source.follow()
        await asked
        assert known == [1]


async def test_who_asks_waits_no_longer_than_a_while(store: Engine) -> None:
    async with journal(store, follows=False) as source:
        await source.append(sold("a"))
        await source.caught_up()
        assert source.tail.head == 0
