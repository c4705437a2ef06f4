"""Sales in numbers: on each kind of store, as the entries have them, and gone when they are."""

from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, func, select, text

from domain.facts import FactKind
from domain.periods import Calendar, Granularity, zone
from domain.refs import Kind, Ref
from domain.sales import PaymentMethod, SaleKind
from domain.times import EPOCH, Span
from journal import codec, log, reports
from journal.appending import Report
from journal.log import moment
from journal.reports import Watermark
from journal.sold import END, Asked, Coverage, Part, Sum, coverage, sums
from journal.store import MIGRATIONS, open_store, writing
from journal.sums import METHODS, currency_of, fill, number_of
from journal.tables import entries, head, names, sale_lines
from tests.journals import AT, report, sale, writer
from tests.test_revenue import euro, line

WEEK = Span(AT - timedelta(days=3), AT + timedelta(days=4))
HOUR = timedelta(hours=1)


def told(number: int, *, account: str = "acme", machine: str = "m1", product: str = "a", price: str = "1.50") -> Report:
    fact = sale(str(number), machine=machine, at=AT + number * HOUR, total=euro(price), lines=[line(product, price)])
    return report(fact, account=account)


def read(
    store: Engine, *parts: Part, granularity: Granularity | None = None, accounts: tuple[str, ...] = ("acme",)
) -> list[Sum]:
    calendar = Calendar(WEEK, zone("Asia/Kolkata"), granularity)
    spans = dict.fromkeys(accounts, WEEK)
    return sums(store, Asked(spans=spans, groups=calendar.groups, hourly=calendar.hourly, parts=frozenset(parts)))


async def test_each_sale_is_summed_once_however_often_it_is_told(store: Engine) -> None:
    with writer(store) as into:
        for number in (1, 2, 1, 2, 3):
            await into.append(told(number))
    (one,) = read(store)
    assert (one.sales, one.items, one.total, one.currency) == (3, 3, 4_500_000, "EUR")


async def test_sums_are_told_apart_by_what_is_asked_for(store: Engine) -> None:
    with writer(store) as into:
        await into.append(told(1, machine="m1", product="a"))
        await into.append(told(2, machine="m2", product="a", price="0.1905"))
        await into.append(told(3, machine="m2", product="b"))
    machines = {one.machine: one.total for one in read(store, Part.MACHINE)}
    assert machines == {Ref(Kind.MACHINE, "acme", "m1"): 1_500_000, Ref(Kind.MACHINE, "acme", "m2"): 1_690_500}
    products = {one.product: (one.sales, one.total) for one in read(store, Part.PRODUCT)}
    assert products == {Ref(Kind.PRODUCT, "acme", "a"): (2, 1_690_500), Ref(Kind.PRODUCT, "acme", "b"): (1, 1_500_000)}
    hours = {one.hour * HOUR: one.sales for one in read(store, granularity=Granularity.HOUR)}
    clock = AT.astimezone(zone("Asia/Kolkata")).replace(tzinfo=UTC) - EPOCH  # 17:30 there, as though it were UTC
    assert hours == {clock - HOUR / 2 + number * HOUR: 1 for number in (1, 2, 3)}


async def test_accounts_are_apart(store: Engine) -> None:
    with writer(store) as into:
        await into.append(told(1))
        await into.append(told(1, account="other", price="9.00"))
    assert [one.total for one in read(store)] == [1_500_000]
    assert {one.account: one.total for one in read(store, Part.ACCOUNT, accounts=("acme", "other"))} == {
        "acme": 1_500_000,
        "other": 9_000_000,
    }
    assert read(store, accounts=()) == []
    assert read(store, accounts=("nobody",)) == []


async def test_only_machines_and_kinds_that_are_asked_for_count(store: Engine) -> None:
    with writer(store) as into:
        await into.append(told(1, machine="m1"))
        await into.append(told(2, machine="m2"))
    calendar = Calendar(WEEK, UTC, None)
    asked = Asked(spans={"acme": WEEK}, groups=calendar.groups, hourly=False, parts=frozenset())
    one = Ref(Kind.MACHINE, "acme", "m1")
    for machines, kinds, count in (
        ({one}, None, 1),
        (set(), None, 0),
        ({one}, {SaleKind.RETURN}, 0),
        (None, {SaleKind.PURCHASE}, 2),
    ):
        wanted = Asked(
            spans=asked.spans,
            groups=asked.groups,
            hourly=False,
            parts=frozenset(),
            machines=None if machines is None else frozenset(machines),
            kinds=None if kinds is None else frozenset(kinds),
        )
        assert sum(found.sales for found in sums(store, wanted)) == count


async def test_an_older_store_is_filled_from_its_entries(store: Engine) -> None:
    with writer(store) as into:
        for number in range(1, 6):
            await into.append(told(number, machine=f"m{number % 2}"))
    before = sorted(read(store, Part.MACHINE, granularity=Granularity.DAY), key=str)
    with writing(store) as connection:
        connection.execute(sale_lines.delete())
        connection.execute(names.delete())
        fill(connection)
    assert sorted(read(store, Part.MACHINE, granularity=Granularity.DAY), key=str) == before
    assert len(before) == 2


def test_a_store_of_the_version_before_is_filled_when_it_is_opened(store_url: str) -> None:
    engine = create_engine(store_url.replace("postgresql://", "postgresql+psycopg://"))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    fact = told(1).facts[0]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        row = {
            "seq": 1,
            "account": "acme",
            "kind": "sale",
            "machine": "m1",
            "origin": "POLL",
            "received_at": moment(AT),
        }
        entry = row | {"recorded_at": moment(fact.recorded_at), "content": codec.write(fact.content)}
        connection.execute(entries.insert().values(entry))
        connection.execute(entries.insert().values(entry | {"seq": 2, "content": b"{}"}))
        mark = "INSERT INTO watermarks (account, kind, since, at) VALUES ('acme', 'sale', :at, :at)"
        connection.execute(text(mark), {"at": moment(AT)})
    engine.dispose()
    upgraded = open_store(store_url)
    assert [one.total for one in read(upgraded)] == [1_500_000]
    assert coverage(upgraded).lists == {}
    reports.set_watermark(upgraded, "acme", FactKind.SALE, Watermark(since=AT, at=AT + HOUR))
    assert coverage(upgraded).lists == {"acme": Span(AT, AT + HOUR)}
    upgraded.dispose()


async def test_sums_go_with_the_entries_and_the_journal_says_since_when_it_has_all(store: Engine) -> None:
    with writer(store) as into:
        await into.append(told(1))
    assert coverage(store) == Coverage(EPOCH, {})
    later = AT + timedelta(days=2)
    with writer(store) as into:
        await into.append(report(sale("9", at=later, total=euro("2.00")), at=later))
    assert log.prune(store, AT + HOUR) == 1
    assert [one.total for one in read(store)] == [2_000_000]
    assert coverage(store) == Coverage(later, {})
    assert log.prune(store, later + HOUR) == 1
    with store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(sale_lines)) == 0
        assert connection.scalar(select(head.c.pruned)) == 2
    assert coverage(store) == Coverage(END, {})


def test_a_list_is_covered_from_where_its_feed_began_to_where_all_has_settled(store: Engine) -> None:
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(since=AT, at=AT))
    assert coverage(store).lists == {}
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(since=AT, at=AT + HOUR / 2))
    reports.set_watermark(store, "other", FactKind.EVENT, Watermark(since=AT, at=AT + HOUR))
    assert coverage(store).lists == {"acme": Span(AT, AT + HOUR / 2)}
    reports.set_watermark(store, "acme", FactKind.SALE, Watermark(since=AT + HOUR / 4, at=AT + HOUR))
    assert coverage(store).lists == {"acme": Span(AT, AT + HOUR)}


@pytest.mark.parametrize("currency", [None, "EUR", "USD", "RUB"])
def test_currencies_come_back_from_numbers(currency: str | None) -> None:
    assert currency_of(number_of(currency)) == currency


def test_each_way_of_paying_has_a_number_of_its_own() -> None:
    assert METHODS.keys() == {None, *PaymentMethod}
    assert len(set(METHODS.values())) == len(METHODS)


@pytest.mark.parametrize("changed", [{"total": euro("1e30")}, {"lines": [line("a", "1.00", quantity=10**25)]}])
async def test_what_nobody_ever_sold_spoils_nothing(store: Engine, changed: dict[str, Any]) -> None:
    with writer(store) as into:
        await into.append(report(sale("0", **changed), sale("1", total=euro("2.00"))))
        await into.append(told(2))
    assert sum(one.total or 0 for one in read(store)) == 3_500_000


async def test_many_millions_are_summed_exactly(store: Engine) -> None:
    with writer(store) as into:
        facts = [sale(f"{number}", at=AT, total=euro("123456789.0001")) for number in range(200)]
        await into.append(report(*facts))
    (one,) = read(store)
    assert one.total is not None
    assert Decimal(one.total).scaleb(-6) == Decimal("123456789.0001") * 200
