"""Rows of reports against sales that are counted one by one, each by what a calendar on the wall there says."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from domain.facts import Fact
from domain.model import Vendor
from domain.money import Money
from domain.periods import Calendar, Granularity
from domain.sales import Payment, PaymentMethod, Sale, SaleStatus
from domain.times import Span
from journal.days import sum_up
from journal.sold import Asked, Part, sums
from journal.store import open_store
from resolvers.figures import Layout, rows
from tests.journals import report, sale, writer
from tests.test_revenue import line

ZONES = {
    "Asia/Kolkata": datetime(2026, 3, 27, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 2, tzinfo=UTC),  # half an hour is there twice
    "Antarctica/Troll": datetime(2026, 3, 27, tzinfo=UTC),  # two hours are left out
    "Pacific/Apia": datetime(2011, 12, 28, tzinfo=UTC),  # a day is left out
    "Asia/Beirut": datetime(2026, 3, 26, tzinfo=UTC),  # a day begins at one o'clock
    "America/Havana": datetime(2026, 10, 30, tzinfo=UTC),  # midnight is there twice
    "Pacific/Chatham": datetime(2026, 12, 28, tzinfo=UTC),  # the year's last week
}
LENGTH, COUNT = timedelta(days=6), 250
GROUPS: Sequence[frozenset[Part]] = (
    frozenset(),
    frozenset({Part.MACHINE}),
    frozenset({Part.METHOD}),
    frozenset({Part.MACHINE, Part.METHOD}),
    frozenset({Part.PRODUCT}),
)
METHODS = (PaymentMethod.CARD, PaymentMethod.COIN)
Row = tuple[str | None, str | None, str | None, PaymentMethod | None, str | None]
Counted = dict[Row, tuple[int, int, Decimal | None]]


def sold(random: Random, number: int, at: datetime) -> Fact:
    """Of one to three things, some without a price; many at the very ends of hours and days."""
    currency = random.choice(["EUR", "EUR", "USD", None])
    lines = [
        (random.choice("abc"), Decimal(random.randrange(1, 99_999)).scaleb(-random.choice([2, 4])))
        for _ in range(random.choice([1, 1, 2, 3]))
    ]
    total = None if currency is None else Money(sum((price for _, price in lines), Decimal(0)), currency)
    return sale(
        str(number),
        machine=f"m{random.randrange(3)}",
        at=at,
        status=random.choice([SaleStatus.COMPLETED, SaleStatus.COMPLETED, *SaleStatus]),
        total=total,
        payments=[] if total is None else [Payment(method=random.choice(METHODS), amount=total)],
        lines=[line(product, None if total is None else price) for product, price in lines],
    )


def moments(random: Random, zone: ZoneInfo, begin: datetime) -> Iterator[datetime]:
    for _ in range(COUNT):
        at = begin + timedelta(seconds=random.randrange(-86_400, 7 * 86_400))
        if random.random() < 0.5:
            there = at.astimezone(zone).replace(minute=0, second=0, hour=random.choice([0, 0, 1, 2, 3, 23]))
            at = there.replace(fold=random.choice([0, 1])).astimezone(UTC)
            at += random.choice([-1, 0, 1]) * timedelta(microseconds=1)
        yield at


def named(length: Granularity | None, at: datetime) -> str | None:
    """By the standard library alone."""
    match length:
        case Granularity.HOUR:
            return f"{at:%Y-%m-%dT%H:00}{at.isoformat()[-6:]}"
        case Granularity.DAY:
            return f"{at:%Y-%m-%d}"
        case Granularity.WEEK:
            return f"{at:%G-W%V}"
        case Granularity.MONTH:
            return f"{at:%Y-%m}"
    return None


def counted(sales: Sequence[Sale], zone: ZoneInfo, length: Granularity | None, parts: frozenset[Part]) -> Counted:
    found: dict[Row, list[tuple[str, int, Decimal | None]]] = defaultdict(list)
    for one in sales:
        machine = one.machine_ref.native if one.machine_ref is not None and Part.MACHINE in parts else None
        method = one.payments[0].method if one.payments and Part.METHOD in parts else None
        for each in one.lines:
            product = each.product_ref.native if each.product_ref is not None and Part.PRODUCT in parts else None
            currency = None if one.total is None else one.total.currency
            row = (named(length, one.recorded_at.astimezone(zone)), machine, product, method, currency)
            found[row].append((one.vendor_id, each.quantity, None if each.total is None else each.total.amount))
    return {
        row: (len({sale for sale, _, _ in told}), sum(items for _, items, _ in told), added([one[2] for one in told]))
        for row, told in found.items()
    }


def added(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [one for one in amounts if one is not None]
    return sum(known, Decimal(0)) if known else None


def reported(store: Engine, span: Span, zone: ZoneInfo, length: Granularity | None, parts: frozenset[Part]) -> Counted:
    calendar = Calendar(span, zone, length)
    layout = Layout(calendar=calendar, parts=parts, periods=length is not None, vendors={"acme": Vendor.SMARTVEND})
    asked = Asked(spans={"acme": span}, groups=calendar.groups, hourly=calendar.hourly, parts=parts)
    told = rows(layout, sums(store, asked), lambda _: None)
    found: Counted = {
        (
            None if one.period is None else one.period.name,
            None if one.machine_ref is None else one.machine_ref.native,
            None if one.product_ref is None else one.product_ref.native,
            one.payment_method,
            one.currency,
        ): (one.sales, one.items, None if one.total is None else one.total.amount)
        for one in told
    }
    assert len(found) == len(told)
    return found


@pytest.mark.parametrize("name", ZONES)
async def test_a_report_is_what_is_counted_one_by_one(tmp_path: Path, name: str) -> None:
    random, zone, begin = Random(name), ZoneInfo(name), ZONES[name]  # noqa: S311  it only has to be the same each time
    store = open_store(f"sqlite:///{tmp_path}/vendgraph.db")
    span = Span(begin + timedelta(hours=5, seconds=7), begin + LENGTH + timedelta(minutes=11))
    facts = [sold(random, number, at) for number, at in enumerate(moments(random, zone, begin))]
    with writer(store) as into:
        await into.append(report(*facts, account="acme", at=begin))
    sales = [one for fact in facts if isinstance(one := fact.content, Sale) and one.recorded_at in span]
    done = [one for one in sales if one.status in (SaleStatus.COMPLETED, SaleStatus.PARTIAL)]  # all was handed out
    for ahead in (False, True):
        assert not ahead or sum_up(store, begin + 2 * LENGTH) >= LENGTH.days
        for length in (None, *Granularity):
            for parts in GROUPS[::2] if length is Granularity.HOUR else GROUPS:
                assert reported(store, span, zone, length, parts) == counted(done, zone, length, parts)
    store.dispose()
