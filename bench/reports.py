"""A month of sales of 1,000 machines, summed by SQL over the journal, against reading its entries one by one."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine

from domain.facts import FactKind
from domain.model import Trust, Vendor
from domain.money import Money
from domain.periods import Calendar, Granularity, zone
from domain.refs import Kind, Ref
from domain.revenue import shares
from domain.sales import DispenseOutcome, Payment, PaymentMethod, Sale, SaleKind, SaleLine, SaleStatus
from domain.times import Span
from journal import codec
from journal.cuts import DAY
from journal.days import RESTS, mark, sum_up
from journal.sold import Asked, Part, sums
from journal.store import open_store, writing
from journal.sums import METHODS, microseconds, number_of
from journal.tables import names, sale_lines
from resolvers.figures import Layout, rows

MACHINES, PRODUCTS, SALES = 1_000, 300, 1_000_000
SAMPLE = 10_000  # entries that are read one by one; all of them would take minutes
ROUNDS = 3
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = Span(BEGIN, BEGIN + timedelta(days=31))
ACCOUNT = "fleet"
AIM = 1.0  # seconds
ON_OTHER_CLOCKS = "the same, on India's clocks"  # whose days are no days of UTC, nor made of whole hours of them
BY = {
    "all": (None, ()),
    "by day": (Granularity.DAY, ()),
    "by hour, and the peak hour": (Granularity.HOUR, ()),
    "by machine, and the top": (None, (Part.MACHINE,)),
    "by product, and the top": (None, (Part.PRODUCT,)),
    "by way of paying": (None, (Part.METHOD,)),
    "by way of paying and day": (Granularity.DAY, (Part.METHOD,)),
    "by machine and week": (Granularity.WEEK, (Part.MACHINE,)),
    "by product and day": (Granularity.DAY, (Part.PRODUCT,)),
    ON_OTHER_CLOCKS: (Granularity.DAY, (Part.PRODUCT,)),
}


def main() -> None:
    with _filled() as engine:
        by_one = _read_one_by_one()
        began = time.perf_counter()
        days = sum_up(engine, MONTH.until)
        each = (time.perf_counter() - began) / days - RESTS
        print(f"A month of {MACHINES} machines, {SALES} sales, on SQLite, in the time zone of Lisbon: seconds")
        print(f"Reference: the entries of the journal read and summed in Python, as {SAMPLE} of them take")
        print(f"Its days are summed up once they are over, in {each:.2f} s each")
        print(f"{'':<28}{'rows':>7}{'seconds':>9}{'of CPU':>8}{'aim':>6}{'of it':>7}{'reference':>11}{'ratio':>7}")
        for name, (granularity, parts) in BY.items():
            clocks = "Asia/Kolkata" if name == ON_OTHER_CLOCKS else "Europe/Lisbon"
            wanted = Calendar(MONTH, zone(clocks), granularity)
            seconds, cpu, count = min(_report(engine, wanted, frozenset(parts)) for _ in range(ROUNDS))
            print(
                f"{name:<28}{count:>7}{seconds:>9.2f}{cpu:>8.2f}{AIM:>6.1f}{seconds / AIM:>7.0%}"
                f"{by_one:>11.1f}{by_one / seconds:>7.0f}"
            )


def _report(engine: Engine, calendar: Calendar, parts: frozenset[Part]) -> tuple[float, float, int]:
    """How long it took, how much of the processor, and how many rows there are."""
    began, used = time.perf_counter(), time.process_time()
    asked = Asked(spans={ACCOUNT: MONTH}, groups=calendar.groups, hourly=calendar.hourly, parts=parts)
    layout = Layout(calendar=calendar, parts=parts, periods=True, vendors={ACCOUNT: Vendor.SMARTVEND})
    found = rows(layout, sums(engine, asked), lambda _: None)
    took, cpu = time.perf_counter() - began, time.process_time() - used
    if sum(row.sales for row in found) != SALES:
        raise RuntimeError("the report is not of all sales")
    return took, cpu, len(found)


def _read_one_by_one() -> float:
    """For as many as there are, in seconds."""
    kept = [codec.write(sale) for sale in _sales(SAMPLE)]
    began = time.perf_counter()
    total = 0
    for content in kept:
        sale = codec.read(FactKind.SALE, content)
        assert isinstance(sale, Sale)
        total += sum(share.total or 0 for share in shares(sale))
    return (time.perf_counter() - began) * SALES / SAMPLE


def _sales(count: int) -> Iterator[Sale]:
    random = Random(1)  # noqa: S311  it only has to be the same each time
    for number in range(count):
        price = Money(Decimal(random.randrange(80, 500)).scaleb(-2), "EUR")
        at = BEGIN + (MONTH.until - BEGIN) * number / count
        yield Sale(
            ref=Ref(Kind.SALE, ACCOUNT, str(number)),
            kind=SaleKind.PURCHASE,
            status=SaleStatus.COMPLETED,
            machine_ref=Ref(Kind.MACHINE, ACCOUNT, f"machine {random.randrange(MACHINES)}"),
            vendor=Vendor.SMARTVEND,
            vendor_id=str(number),
            recorded_at=at,
            occurred_at=at,
            total=price,
            tax=None,
            discount=None,
            payments=(Payment(method=random.choice((PaymentMethod.CARD, PaymentMethod.COIN)), amount=price),),
            lines=(_line(f"product {random.randrange(PRODUCTS)}", price),),
            person=None,
            trust=Trust.SIGNED,
            vendor_data=None,
        )


def _line(product: str, price: Money) -> SaleLine:
    return SaleLine(
        product_ref=Ref(Kind.PRODUCT, ACCOUNT, product),
        product_name=product,
        position=None,
        quantity=1,
        unit_price=price,
        total=price,
        tax=None,
        tax_rate=None,
        dispensed=DispenseOutcome.DISPENSED,
    )


@contextmanager
def _filled() -> Iterator[Engine]:
    """A store with the numbers alone: no report reads the entries, which would take long to write."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_store(f"sqlite:///{Path(folder) / 'bench.db'}")
        named = [("a", "")]
        named += [("m", f"machine {number}") for number in range(MACHINES)]
        named += [("p", f"product {number}") for number in range(PRODUCTS)]
        told = [{"id": at, "account": ACCOUNT, "kind": kind, "native": one} for at, (kind, one) in enumerate(named, 1)]
        with writing(engine) as connection:
            connection.execute(names.insert(), told)
            columns = [column.name for column in sale_lines.c]
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO sale_lines ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608  our own names
            raw: Any = connection.connection.driver_connection
            raw.executemany(statement, _numbers())
            begun = microseconds(BEGIN)
            mark(connection, ((1, begun + day * DAY) for day in range((MONTH.until - BEGIN).days)))
        yield engine
        engine.dispose()


def _numbers() -> Iterator[tuple[int | None, ...]]:
    random = Random(1)  # noqa: S311  it only has to be the same each time
    began, took = microseconds(BEGIN), microseconds(MONTH.until) - microseconds(BEGIN)
    methods = (METHODS[PaymentMethod.CARD], METHODS[PaymentMethod.COIN])
    euro = number_of("EUR")
    for number in range(SALES):
        at = began + took * number // SALES
        machine, product = 2 + random.randrange(MACHINES), 2 + MACHINES + random.randrange(PRODUCTS)
        price = random.randrange(80, 500) * 10_000
        yield 1, at, number, 0, machine, product, 1, random.choice(methods), euro, 1, 1, price, None, None
