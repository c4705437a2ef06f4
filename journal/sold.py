"""Sums of what was sold, by SQL over the journal; and from when to when it has all of an account's sales."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Select, bindparam, func, literal, select

from domain.facts import FactKind
from domain.periods import HOUR, MICROSECOND, Piece
from domain.refs import Kind, Ref
from domain.sales import PaymentMethod, SaleKind
from domain.times import EPOCH, Span
from journal import days
from journal.cuts import Grain, Run, grain_of, shared
from journal.sums import KINDS, METHODS, Name, currency_of, known_names, microseconds
from journal.tables import entries, head, names, sale_lines, sale_sums, watermarks

ASKED_AT_ONCE = 500
READERS = 2  # of one report, side by side
END = datetime(9999, 1, 1, tzinfo=UTC)


class Part(Enum):
    """What sums are told apart by, besides the currency."""

    ACCOUNT = "account"
    MACHINE = "machine"
    PRODUCT = "product"
    METHOD = "method"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`spans`: of each account, by its key. `groups`: pieces that are summed up together. `hourly`: but by the hour.
    None does not narrow."""

    spans: Mapping[str, Span]
    groups: Sequence[Sequence[Piece]]
    hourly: bool
    parts: frozenset[Part]
    machines: frozenset[Ref] | None = None
    kinds: frozenset[SaleKind] | None = None


class Sum(NamedTuple):
    """What is not told apart is None. `piece`: the first of its group. `hour` counts on its clocks. Money is in
    millionths.

    `shares`: how many there are, which of one product is as many as there are sales of it."""

    piece: Piece
    hour: int
    account: str | None
    machine: Ref | None
    product: Ref | None
    method: PaymentMethod | None
    currency: str | None
    sales: int
    items: int
    total: int | None
    tax: int | None
    discount: int | None
    shares: int


APART = 6  # columns that come before the measures: the hour, the parts and the currency
METHOD_OF = {number: method for method, number in METHODS.items()}


class Job(NamedTuple):
    """To be read at once. `offset`: by how much clocks are ahead of UTC, in microseconds."""

    group: int
    run: Run
    accounts: list[int]
    offset: int


Apart = tuple[int, ...]
Measures = list[int | None]
Found = dict[tuple[int, Apart], Measures]  # by group of pieces, and what is told apart in it


def sums(engine: Engine, asked: Asked) -> list[Sum]:
    if not asked.spans:
        return []
    with engine.connect() as connection:
        accounts = known_names(connection, [(key, Kind.ACCOUNT.value, "") for key in asked.spans])
        machines = None if asked.machines is None else _numbers(connection, asked.machines)
        numbered = {id_: name[0] for name, id_ in accounts.items()}
        good = days.summed(connection, numbered)
    jobs = list(_jobs(asked, numbered, good))
    with ThreadPoolExecutor(READERS) as readers:
        shares = [jobs[at::READERS] for at in range(READERS)]
        parts = list(readers.map(lambda share: _read(engine, asked, machines, share), shares))
    found: Found = {}
    for part in parts:
        for key, measures in part.items():
            _add(found, key, measures)
    with engine.connect() as connection:
        named = _named(connection, {id_ for _, apart in found for id_ in apart[1:4] if id_})
    return [_sum(asked.groups[group][0], apart, measures, named) for (group, apart), measures in found.items()]


def _numbers(connection: Connection, refs: Iterable[Ref]) -> list[int]:
    return list(known_names(connection, [(ref.account, ref.kind.value, ref.native) for ref in refs]).values())


def _jobs(asked: Asked, accounts: Mapping[int, str], summed: Mapping[int, AbstractSet[int]]) -> Iterator[Job]:
    """What to read, for each group of pieces. Only hours depend on the clocks of each piece."""
    for group, pieces in enumerate(asked.groups):
        whole = [(Span(pieces[0].span.since, pieces[-1].span.until), timedelta())]
        for span, offset in [(piece.span, piece.offset) for piece in pieces] if asked.hourly else whole:
            ahead = offset // MICROSECOND
            grain = grain_of(
                machine=Part.MACHINE in asked.parts or asked.machines is not None,
                product=Part.PRODUCT in asked.parts,
                hourly=asked.hourly,
                offset=ahead,
            )
            for run, ids in shared(_clipped(span, asked.spans, accounts), grain, summed).items():
                yield Job(group, run, ids, ahead)


def _clipped(piece: Span, spans: Mapping[str, Span], accounts: Mapping[int, str]) -> Mapping[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for id_, account in accounts.items():
        since, until = max(piece.since, spans[account].since), min(piece.until, spans[account].until)
        if since < until:
            found[id_] = microseconds(since), microseconds(until)
    return found


def _read(engine: Engine, asked: Asked, machines: Sequence[int] | None, jobs: Iterable[Job]) -> Found:
    statements = {grain: _statement(asked, machines, grain) for grain in (None, *Grain)}
    found: Found = {}
    with engine.connect() as connection:
        for job in jobs:
            bound = {"accounts": job.accounts, "since": job.run.since, "until": job.run.until, "offset": job.offset}
            for row in connection.execute(statements[job.run.grain], bound).all():
                _add(found, (job.group, tuple(row[:APART])), row[APART:])
    return found


def _add(found: Found, key: tuple[int, Apart], measures: Sequence[int | None]) -> None:
    known = found.get(key)
    if known is None:
        found[key] = [None if one is None else int(one) for one in measures]
        return
    for at, one in enumerate(measures):
        if one is not None:
            known[at] = int(one) + (known[at] or 0)


def _statement(asked: Asked, machines: Sequence[int] | None, grain: Grain | None) -> Select[Any]:
    table, shares = (sale_lines, func.count()) if grain is None else (sale_sums, func.sum(sale_sums.c.shares))
    nothing: ColumnElement[Any] = literal(0)
    hour = (table.c.at + bindparam("offset")) // (HOUR // MICROSECOND) if asked.hourly else nothing
    told = {part.value: table.c[part.value] if part in asked.parts else nothing for part in Part}
    apart = {"hour": hour, **told, "currency": table.c.currency}
    wanted = select(
        *(column.label(name) for name, column in apart.items()),
        *(func.sum(table.c[name]).label(name) for name in days.MEASURES),
        shares.label("shares"),
    )
    wanted = wanted.where(
        table.c.account.in_(bindparam("accounts", expanding=True)),
        table.c.at >= bindparam("since"),
        table.c.at < bindparam("until"),
    )
    if grain is not None:
        wanted = wanted.where(sale_sums.c.grain == grain.value)
    if machines is not None:
        wanted = wanted.where(table.c.machine.in_(machines))
    if asked.kinds is not None:
        wanted = wanted.where(table.c.kind.in_([KINDS[kind] for kind in asked.kinds]))
    return wanted.group_by(*(name for name, column in apart.items() if column is not nothing))


def _named(connection: Connection, ids: set[int]) -> Mapping[int, Name]:
    found: dict[int, Name] = {}
    asked = sorted(ids)
    for at in range(0, len(asked), ASKED_AT_ONCE):
        some = select(names).where(names.c.id.in_(asked[at : at + ASKED_AT_ONCE]))
        found |= {row.id: (row.account, row.kind, row.native) for row in connection.execute(some)}
    return found


def _sum(piece: Piece, apart: Apart, measures: Measures, named: Mapping[int, Name]) -> Sum:
    hour, account, machine, product, method, currency = apart
    sales, items, total, tax, discount, shares = measures
    return Sum(
        piece=piece,
        hour=hour,
        account=named[account][0] if account else None,
        machine=_ref(machine, named),
        product=_ref(product, named),
        method=METHOD_OF[method],
        currency=currency_of(currency),
        sales=sales or 0,
        items=items or 0,
        total=total,
        tax=tax,
        discount=discount,
        shares=shares or 0,
    )


def _ref(id_: int, named: Mapping[int, Name]) -> Ref | None:
    if not id_:
        return None
    account, kind, native = named[id_]
    return Ref(Kind(kind), account, native)


@dataclass(frozen=True, slots=True)
class Coverage:
    """`since`: what was told to the journal, and recorded from then on, is in it still. `lists`: for each account whose
    list is fed into it, from when to when it has all of its sales."""

    since: datetime
    lists: Mapping[str, Span]


def coverage(engine: Engine) -> Coverage:
    with engine.connect() as connection:
        since = _kept_since(connection)
        rows = connection.execute(select(watermarks).where(watermarks.c.kind == FactKind.SALE.value)).all()
    spans = {row.account: Span(max(since, _time(row.since)), _time(row.at)) for row in rows}
    return Coverage(since, {account: span for account, span in spans.items() if span.since < span.until})


def _kept_since(connection: Connection) -> datetime:
    oldest = select(entries.c.received_at).order_by(entries.c.seq).limit(1)
    if not connection.scalar(select(head.c.pruned)):
        return EPOCH
    kept = connection.scalar(oldest)
    return END if kept is None else _time(kept)


def _time(kept: str) -> datetime:
    return datetime.fromisoformat(kept)
