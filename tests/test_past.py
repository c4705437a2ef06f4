"""The journal's sales read backwards in batches, on both databases; and many accounts' as one list."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

from sqlalchemy import Engine

from domain.facts import identity_of
from domain.sales import Sale
from domain.times import END, EPOCH, Span
from journal import past
from journal.past import Asked
from resolvers.export_merge import merged
from tests.journals import AT, report, sale, writer

ALL = Asked(account="acme", span=Span(EPOCH, END), machines=None)
SECOND = timedelta(seconds=1)


async def told(engine: Engine) -> None:
    """Three at each of four times, in no order, of two machines; and one of another account."""
    facts = [sale(f"{at}{name}", at=AT + SECOND * at, machine=f"m{name}") for at in (2, 0, 3, 1) for name in "bca"]
    with writer(engine) as into:
        await into.append(report(*facts))
        await into.append(report(sale("foreign"), account="other"))


def names(sales: Sequence[Sale]) -> list[str]:
    return [identity_of(one.ref) for one in sales]


def batches(engine: Engine, asked: Asked, size: int) -> list[list[str]]:
    found, last = [], None
    while True:
        batch = past.batch(engine, asked, last, size)
        found.append(names(batch.sales))
        last = batch.last
        if last is None:
            return found


async def test_batches_of_any_size_are_all_there_is_newest_first(emptied_store: Engine) -> None:
    await told(emptied_store)
    whole = [name for batch in batches(emptied_store, ALL, 100) for name in batch]
    assert whole == [f"{at}{name}" for at in (3, 2, 1, 0) for name in "acb"]
    for size in (1, 2, 4, 5, 12):
        found = batches(emptied_store, ALL, size)
        assert [name for batch in found for name in batch] == whole
        assert max(map(len, found)) == size


async def test_what_is_wanted_is_what_is_read_and_counted(emptied_store: Engine) -> None:
    await told(emptied_store)
    narrow = Asked(account="acme", span=Span(AT + SECOND, AT + SECOND * 3), machines=["ma", "mb"])
    assert batches(emptied_store, narrow, 3) == [["2a", "2b", "1a"], ["1b"]]
    assert past.count(emptied_store, narrow) == 4
    assert past.count(emptied_store, ALL) == 12
    nobody = Asked(account="acme", span=ALL.span, machines=[])
    assert (past.count(emptied_store, nobody), batches(emptied_store, nobody, 3)) == (0, [[]])


async def test_what_cannot_be_read_is_left_out_and_passed_over(emptied_store: Engine) -> None:
    await told(emptied_store)
    with emptied_store.begin() as connection:
        connection.exec_driver_sql("UPDATE journal_entries SET content = '{}' WHERE machine = 'ma'")
    found = [name for batch in batches(emptied_store, ALL, 1) for name in batch]
    assert found == [f"{at}{name}" for at in (3, 2, 1, 0) for name in "cb"]


async def given(*batches: Sequence[tuple[int, str]]) -> AsyncGenerator[Sequence[Sale], None]:
    for batch in batches:
        contents = [sale(name, at=AT + SECOND * at).content for at, name in batch]
        yield [content for content in contents if isinstance(content, Sale)]


async def test_accounts_are_merged_by_time_and_then_by_id() -> None:
    one = given([(9, "a"), (7, "b")], [], [(7, "a")], [(1, "x")])
    other = given([(8, "a"), (7, "c"), (6, "d"), (5, "e")], [(1, "y"), (0, "z")])
    found = [[name for place, sold in batch for name in names([sold])] async for batch in merged([one, other, given()])]
    assert [name for batch in found for name in batch] == ["a", "a", "c", "b", "a", "d", "e", "y", "x", "z"]
    assert all(found)
