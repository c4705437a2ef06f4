"""Days summed up ahead: whatever a report asks for, it has the same from them as from the lines of sales."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from random import Random

from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, func, select, text

from domain.facts import Fact
from domain.money import Money
from domain.periods import Calendar, Granularity, zone
from domain.refs import Kind, Ref
from domain.sales import Payment, PaymentMethod, SaleKind, SaleStatus
from domain.times import Span
from journal import log
from journal.cuts import DAY, FINER, QUARTER, SHIFT, Grain, Run, runs
from journal.days import sum_up
from journal.sold import Asked, Part, Sum, sums
from journal.store import MIGRATIONS, open_store
from journal.sums import microseconds
from journal.tables import sale_days, sale_sums
from tests.journals import report, sale, until, writer
from tests.running import Sandbox, running_gateway
from tests.test_revenue import line

SPRING = datetime(2026, 3, 29, tzinfo=UTC)  # clocks change in Europe
SPAN = Span(SPRING - timedelta(days=1, hours=5, minutes=7), SPRING + timedelta(days=3, seconds=11))
LATER = SPRING + timedelta(days=60)
ZONES = ("UTC", "Europe/Lisbon", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")
PARTS = [frozenset(some) for count in range(len(Part) + 1) for some in combinations(Part, count)]
LENGTHS = (None, *Granularity)
ASKED = [(ZONES[at % len(ZONES)], LENGTHS[at % len(LENGTHS)], parts) for at, parts in enumerate(PARTS)]
ASKED += [(name, Granularity.HOUR, PARTS[0]) for name in ZONES] + [("UTC", Granularity.DAY, one) for one in PARTS[1:4]]
ACCOUNTS = ("acme", "other")
METHODS = (PaymentMethod.CARD, PaymentMethod.COIN)


def sold(random: Random, number: int, at: datetime) -> Fact:
    """Some have no price, some are returns, some were refunded, and the currencies are two."""
    price = Decimal(random.randrange(1, 90_000)).scaleb(-4)
    money = random.choice([None, Money(price, "EUR"), Money(price, "EUR"), Money(price, "USD")])
    return sale(
        f"{at.isoformat()} {number}",
        machine=f"m{random.randrange(4)}",
        at=at,
        kind=random.choice([SaleKind.PURCHASE, SaleKind.PURCHASE, SaleKind.RETURN]),
        status=random.choice([SaleStatus.COMPLETED, SaleStatus.COMPLETED, SaleStatus.REFUNDED]),
        total=money,
        tax=random.choice([None, money]),
        payments=[Payment(method=random.choice(METHODS), amount=money)] if money else [],
        lines=[line(random.choice(["a", "b", None]), price if money else None)],
    )


async def fill(store: Engine, seed: int, count: int = 150, received: datetime = SPRING) -> None:
    random = Random(seed)  # noqa: S311  it only has to be the same each time
    with writer(store) as into:
        for account in ACCOUNTS:
            moments = [SPRING + timedelta(seconds=random.randrange(-2 * 86_400, 4 * 86_400)) for _ in range(count)]
            facts = [sold(random, number, at) for number, at in enumerate(moments)]
            await into.append(report(*facts, account=account, at=received))


def read(store: Engine, name: str, granularity: Granularity | None, parts: frozenset[Part]) -> list[Sum]:
    calendar = Calendar(SPAN, zone(name), granularity)
    found = sums(
        store,
        Asked(spans=dict.fromkeys(ACCOUNTS, SPAN), groups=calendar.groups, hourly=calendar.hourly, parts=parts),
    )
    return sorted(found, key=str)


def everything(store: Engine, step: int = 1) -> list[list[Sum]]:
    """On each clock, by each length, and in each way of telling apart, though not in each of all."""
    return [read(store, *asked) for asked in ASKED[::step]]


def unsummed(store: Engine) -> None:
    with store.begin() as connection:
        connection.execute(sale_days.update().values(summed=0))


def counted(store: Engine, summed: int) -> int:
    with store.connect() as connection:
        return connection.scalar(select(func.count()).where(sale_days.c.summed == summed)) or 0


async def test_it_has_the_same_from_days_as_from_lines(store: Engine) -> None:
    await fill(store, 1)
    lines = everything(store)
    assert sum(map(len, lines)) > 1000
    assert sum_up(store, LATER) == counted(store, 1) > 10
    assert sum_up(store, LATER) == 0
    with store.begin() as connection:  # only a report that reads the sums sees it
        connection.execute(sale_sums.update().values(sales=sale_sums.c.sales + 1000))
    assert everything(store) != lines
    unsummed(store)
    assert sum_up(store, LATER) > 10
    assert everything(store) == lines


async def test_what_comes_late_and_what_goes_counts_at_once(store: Engine) -> None:
    await fill(store, 1)
    sum_up(store, LATER)
    await fill(store, 2, count=2, received=LATER)
    assert 0 < counted(store, 0) < counted(store, 1)
    late = everything(store, 5)
    unsummed(store)
    assert everything(store, 5) == late
    sum_up(store, LATER)
    assert everything(store, 5) == late
    log.prune(store, LATER)
    kept = everything(store, 5)
    assert kept != late
    assert sum_up(store, LATER) > 10
    assert everything(store, 5) == kept
    assert 0 < counted(store, 1) <= 4
    log.prune(store, LATER + timedelta(days=1))
    sum_up(store, LATER)
    with store.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(sale_sums)) == 0
        assert connection.scalar(select(func.count()).select_from(sale_days)) == 0


async def test_some_machines_and_some_kinds_are_had_from_days_too(store: Engine) -> None:
    await fill(store, 1)
    calendar = Calendar(SPAN, UTC, None)

    def narrowed(parts: frozenset[Part]) -> list[Sum]:
        machines = frozenset({Ref(Kind.MACHINE, "acme", "m1"), Ref(Kind.MACHINE, "other", "m2")})
        asked = Asked(
            spans=dict.fromkeys(ACCOUNTS, SPAN),
            groups=calendar.groups,
            hourly=False,
            parts=parts,
            machines=machines,
            kinds=frozenset({SaleKind.RETURN}),
        )
        return sorted(sums(store, asked), key=str)

    lines = [narrowed(parts) for parts in PARTS[:5]]
    assert all(lines)
    sum_up(store, LATER)
    assert [narrowed(parts) for parts in PARTS[:5]] == lines


async def test_a_day_is_summed_up_when_it_is_over(store: Engine) -> None:
    with writer(store) as into:
        await into.append(report(sale("1", at=SPRING + timedelta(hours=23, minutes=59))))
    assert sum_up(store, SPRING + timedelta(hours=23, minutes=59, seconds=59)) == 0
    assert sum_up(store, SPRING + timedelta(days=1)) == 1


async def test_a_gateway_sums_up_its_days(sandbox: Sandbox, tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path}/vendgraph.db")
    await fill(engine, 1)
    with running_gateway(sandbox, tmp_path):
        await until(lambda: counted(engine, 0) == 0 and counted(engine, 1) > 10)
    engine.dispose()


@given(
    st.integers(0, 4 * DAY), st.integers(1, 4 * DAY), st.sampled_from([None, *Grain]), st.frozensets(st.integers(0, 8))
)
def test_cuts_are_of_all_time_and_sums_of_whole_days_that_have_them(
    since: int, length: int, grain: Grain | None, summed: frozenset[int]
) -> None:
    found = runs(since, since + length, grain, summed)
    assert list(_joined(found)) == [(since, since + length)]
    for run in found:
        if run.grain is not None:
            assert run.grain in (grain, None if grain is None else FINER.get(grain))
            assert (run.since % run.grain.width, run.until % run.grain.width) == (0, 0)
            assert set(range(run.since // DAY, -(-run.until // DAY))) <= summed


def _joined(found: list[Run]) -> Iterator[tuple[int, int]]:
    begin = None
    for at, run in enumerate(found):
        begin = run.since if begin is None else begin
        if at + 1 == len(found) or found[at + 1].since != run.until:
            yield begin, run.until
            begin = None


def test_the_numbers_of_grains_stand_in_stores() -> None:
    numbers = {Grain.QUARTERS: 1, Grain.MACHINES: 2, Grain.PRODUCTS: 3, Grain.SHIFTS: 4}
    assert {grain: grain.value for grain in Grain} == numbers
    assert QUARTER * 96 == SHIFT * 4 == DAY


def test_of_products_a_day_on_any_clocks_has_lines_of_no_more_than_a_shift() -> None:
    for name in ZONES:
        calendar = Calendar(Span(LATER, LATER + timedelta(days=9)), zone(name), Granularity.DAY)
        for pieces in calendar.groups[1:-1]:
            since, until = (microseconds(at) for at in (pieces[0].span.since, pieces[-1].span.until))
            found = runs(since, until, Grain.PRODUCTS, frozenset(range(since // DAY, until // DAY + 1)))
            assert sum(run.until - run.since for run in found if run.grain is None) <= SHIFT


def test_a_store_of_before_has_its_days_summed_up_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.db"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        connection.execute(text("INSERT INTO sale_days VALUES (1, 20000, 1)"))
    engine.dispose()
    opened = open_store(url)
    assert counted(opened, 0) == 1
    opened.dispose()
