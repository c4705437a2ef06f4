"""A gateway whose journal has as many sales as a test wants, and whose vendor is out of reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from domain.facts import FactKind, Origin
from domain.money import Money
from domain.refs import Kind, Ref
from domain.sales import DispenseOutcome, Payment, PaymentMethod, Sale, SaleLine
from domain.times import EPOCH
from gateway.app import create_app
from gateway.server import PATIENCE_SECONDS, serving
from gateway.settings import load
from gateway.streams import USUAL, Pace
from journal import codec, log, reports
from journal.reports import Watermark
from journal.store import open_store, writing
from journal.tables import entries
from sandbox.server import start
from tests.gateways import config
from tests.journals import sale
from tests.running import Gateway

ACCOUNT = "acme-coffee"
NEWEST = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
APART = timedelta(seconds=10)
NUMBER, MOMENT = "8642086420", datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


def since(count: int) -> dict[str, str]:
    """The parameters of an export of so many of the newest."""
    return {"from": (NEWEST - APART * (count - 1)).isoformat(), "to": (NEWEST + APART).isoformat()}


def fill(engine: Engine, count: int) -> None:
    """Sales of two lines, some seconds apart, of which the feed has told all."""
    columns = [column.name for column in entries.c]
    statement = f"INSERT INTO journal_entries ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  our own names
    with writing(engine) as connection:
        raw: Any = connection.connection.driver_connection
        raw.executemany(statement, _entries(columns, count))
        connection.exec_driver_sql("UPDATE journal_head SET seq = ?", (count,))
    mark = Watermark(since=EPOCH, at=NEWEST + timedelta(hours=1))
    reports.set_watermark(engine, ACCOUNT, FactKind.SALE, mark)


def _entries(columns: list[str], count: int) -> Iterator[tuple[Any, ...]]:
    """Written once by the journal's own codec, and then with other numbers and times."""
    content, now = codec.write(_sale()).decode(), log.moment(datetime.now(UTC))
    told = {"account": ACCOUNT, "kind": FactKind.SALE.value, "machine": "m1", "received_at": now}
    told |= {"origin": Origin.POLL.value}
    for number in range(count):
        at = NEWEST - APART * number
        changed = content.replace(NUMBER, f"sale-{number}").replace("2001-02-03T04:05:06Z", at.isoformat())
        row = {**told, "seq": count - number, "recorded_at": log.moment(at), "content": changed.encode()}
        yield tuple(row.get(column) for column in columns)


def _sale() -> Sale:
    price = Money(Decimal("1.50"), "EUR")
    line = SaleLine(
        product_ref=None,
        product_name="Black Tea",
        position="11",
        quantity=1,
        unit_price=price,
        total=price,
        tax=None,
        tax_rate=None,
        dispensed=DispenseOutcome.DISPENSED,
    )
    paid = [Payment(method=PaymentMethod.CARD, amount=Money(Decimal("4.50"), "EUR"))]
    machine = Ref(Kind.MACHINE, ACCOUNT, "m1")
    content = sale(NUMBER, at=MOMENT, total=paid[0].amount, payments=paid, lines=[line] * 2).content
    assert isinstance(content, Sale)
    return replace(content, ref=Ref(Kind.SALE, ACCOUNT, NUMBER), machine_ref=machine)


@contextmanager
def bulky_gateway(
    folder: Path, count: int, *, pace: Pace = USUAL, patience: float = PATIENCE_SECONDS
) -> Iterator[Gateway]:
    store = f"sqlite:///{folder}/vendgraph.db"
    engine = open_store(store)
    fill(engine, count)
    engine.dispose()
    path = folder / "vendgraph.toml"
    path.write_text(config(store), encoding="utf-8")
    with start(create_app(load(path), pace), serving=partial(serving, patience=patience)) as server:
        yield Gateway(server.base, server=server)
