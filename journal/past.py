"""An account's sales as the journal has them, newest first, a batch at a time however many there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, Select, and_, func, or_, select

from domain.facts import FactKind
from domain.sales import Sale
from domain.times import Span
from journal.log import moment
from journal.sums import legible
from journal.tables import entries


class Place(NamedTuple):
    """Of an entry among those of its account: when it was recorded, as the journal keeps times, and its number."""

    recorded_at: str
    seq: int

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.recorded_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of one account. `machines`: the vendor's ids, None for all."""

    account: str
    span: Span
    machines: Iterable[str] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """By time, and of one time in the order in which they came. `last`: where it ends; None at the end of all."""

    sales: Sequence[Sale]
    last: Place | None


def count(engine: Engine, asked: Asked) -> int:
    with engine.connect() as connection:
        return connection.scalar(_of(select(func.count()), asked)) or 0


def batch(engine: Engine, asked: Asked, below: Place | None, size: int) -> Batch:
    """The next ones. What cannot be read is left out, as it is everywhere."""
    wanted = _of(select(entries.c.recorded_at, entries.c.seq, entries.c.content), asked)
    if below is not None:
        earlier, level = entries.c.recorded_at < below.recorded_at, entries.c.recorded_at == below.recorded_at
        # The first condition says no more than the second, but to the index.
        wanted = wanted.where(
            entries.c.recorded_at <= below.recorded_at, or_(earlier, and_(level, entries.c.seq < below.seq))
        )
    with engine.connect() as connection:
        ordered = wanted.order_by(entries.c.recorded_at.desc(), entries.c.seq.desc())
        rows = connection.execute(ordered.limit(size)).all()
    sales = [sale for row in rows if (sale := legible(row.content)) is not None]
    return Batch(sales, Place(rows[-1].recorded_at, rows[-1].seq) if len(rows) == size else None)


def _of(wanted: Select[Any], asked: Asked) -> Select[Any]:
    wanted = wanted.where(
        entries.c.account == asked.account,
        entries.c.kind == FactKind.SALE.value,
        entries.c.recorded_at >= moment(asked.span.since),
        entries.c.recorded_at < moment(asked.span.until),
    )
    return wanted if asked.machines is None else wanted.where(entries.c.machine.in_(list(asked.machines)))
