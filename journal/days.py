"""Days of sales, summed up ahead of reports. A day that changes is told to have no sums until it is summed up again."""

import time
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, Table, cast, delete, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from domain.times import EPOCH
from journal.cuts import DAY, Grain
from journal.store import writing
from journal.tables import head, sale_days, sale_lines, sale_sums

RESTS = 0.02  # seconds between days, in which others write
AT_ONCE = 31
MEASURES = ("sales", "items", "total", "tax", "discount")
APART = ("kind", "method", "currency")
INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def mark(connection: Connection, changed: Iterable[tuple[int, int]]) -> None:
    """`changed`: numbers of accounts, with times at which they sold something, in microseconds since 1970."""
    rows = [{"account": account, "day": day, "summed": 0} for account, day in {(one, at // DAY) for one, at in changed}]
    if rows:
        told = INSERTS[connection.dialect.name](sale_days)
        unless = {"index_elements": ["account", "day"], "set_": {"summed": 0}, "where": sale_days.c.summed != 0}
        connection.execute(told.on_conflict_do_update(**unless), rows)


def forget(connection: Connection, last: int) -> None:
    """Before the lines of all entries up to this one go."""
    day = (sale_lines.c.at // DAY).label("day")
    gone = select(sale_lines.c.account, day).where(sale_lines.c.seq <= last).distinct()
    mark(connection, [(row.account, row.day * DAY) for row in connection.execute(gone)])


def sum_up(engine: Engine, before: datetime) -> int:
    """The newest days that were over before then and have no sums; how many it were. Each in a transaction."""
    last = (before - EPOCH).days
    wanted = select(sale_days.c.account, sale_days.c.day).where(sale_days.c.summed == 0, sale_days.c.day < last)
    with engine.connect() as connection:
        lacking = connection.execute(wanted.order_by(sale_days.c.day.desc()).limit(AT_ONCE)).all()
    for account, day in lacking:
        with writing(engine) as connection:
            _sum(connection, account, day)
        time.sleep(RESTS)
    return len(lacking)


def _sum(connection: Connection, account: int, day: int) -> None:
    """While the journal is held, so that nothing is added meanwhile."""
    connection.execute(select(head.c.seq).with_for_update())
    since, until = day * DAY, (day + 1) * DAY
    for grain in Grain:
        known = sale_sums.c.grain == grain.value
        connection.execute(delete(sale_sums).where(known, *_within(sale_sums, account, since, until)))
        _insert(connection, grain, account, since, until)
    own = (sale_days.c.account == account, sale_days.c.day == day)
    left = select(sale_lines.c.seq).where(*_within(sale_lines, account, since, until)).limit(1)
    if connection.execute(left).first() is None:
        connection.execute(delete(sale_days).where(*own))
    else:
        connection.execute(sale_days.update().where(*own).values(summed=1))


def _within(table: Table, account: int, since: int, until: int) -> tuple[ColumnElement[bool], ...]:
    return table.c.account == account, table.c.at >= since, table.c.at < until


def _insert(connection: Connection, grain: Grain, account: int, since: int, until: int) -> None:
    lines = sale_lines.c
    whole = grain.width == DAY
    begins = literal(since, BigInteger) if whole else lines.at // grain.width * grain.width
    machine = lines.machine if grain is Grain.MACHINES else literal(0, BigInteger)
    product = lines.product if grain in (Grain.PRODUCTS, Grain.SHIFTS) else literal(0, BigInteger)
    columns: dict[str, ColumnElement[Any]] = {
        "grain": literal(grain.value),
        "account": lines.account,
        "at": begins.label("begins"),
        "machine": machine,
        "product": product,
        **{name: lines[name] for name in APART},
        **{name: cast(func.sum(lines[name]), BigInteger) for name in MEASURES},
        "shares": func.count(),
    }
    by: list[ColumnElement[Any]] = [lines.account, *(lines[name] for name in APART)]
    by += [] if whole else [columns["at"]]
    by += [] if grain is Grain.QUARTERS else [machine if grain is Grain.MACHINES else product]
    found = select(*columns.values()).where(*_within(sale_lines, account, since, until)).group_by(*by)
    connection.execute(insert(sale_sums).from_select(list(columns), found))


def summed(connection: Connection, accounts: Collection[int]) -> Mapping[int, set[int]]:
    """The days of accounts whose sums are good."""
    found: dict[int, set[int]] = {account: set() for account in accounts}
    wanted = select(sale_days.c.account, sale_days.c.day).where(sale_days.c.summed == 1)
    for row in connection.execute(wanted.where(sale_days.c.account.in_(list(accounts)))):
        found[row.account].add(row.day)
    return found
