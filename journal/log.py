"""The journal: what was told, once each, in one order.

A group of reports is appended in one transaction that holds the head of the journal from its beginning, so that
numbers come in the order of commits: who has read up to a number has missed none below it, on any database."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, RowMapping, Select, and_, delete, func, select, tuple_

from domain.facts import Content, Fact, FactKind, Origin
from domain.times import Span
from journal import codec, days
from journal.store import writing
from journal.tables import entries, facts, head, sale_lines

PRUNED_AT_ONCE = 1_000
PRUNING_RESTS = 0.05  # seconds in which others get at the journal
ASKED_AT_ONCE = 1_000

T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal. `changed`: of a state, the graph's fields that it changed."""

    seq: int
    account: str
    kind: FactKind
    machine: str | None
    machine_name: str | None
    origin: Origin
    received_at: datetime
    changed: tuple[str, ...]
    content: Content


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry's number, and the newest that is gone; 0 is before the first."""

    seq: int
    pruned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A fact on its way into the journal."""

    account: str
    fact: Fact
    origin: Origin
    received_at: datetime
    raw: bytes | None = None
    changed: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        return self.account, self.fact.kind.value, self.fact.identity


@dataclass(slots=True)
class Appending:
    """A group under way: entries get their numbers as they come. Everything is written by `write`."""

    connection: Connection
    seq: int
    known: set[tuple[str, str, str]]
    news: list[tuple[int, New]] = field(default_factory=list)

    @classmethod
    def begin(cls, connection: Connection, keys: Sequence[tuple[str, str, str]]) -> "Appending":
        """Holds the journal until the transaction ends. `keys`: the facts that may be repeats."""
        held = head.update().values(seq=head.c.seq).returning(head.c.seq)
        seq = connection.execute(held).scalar_one()
        return cls(connection, seq, known_facts(connection, keys))

    def add(self, new: New) -> bool:
        """False for a repeat."""
        if new.key in self.known:
            return False
        self.known.add(new.key)
        self.seq += 1
        self.news.append((self.seq, new))
        return True

    def mark(self) -> int:
        return len(self.news)

    def back_to(self, mark: int) -> None:
        """Forgets what was added since."""
        self.known -= {new.key for _, new in self.news[mark:]}
        self.seq -= len(self.news) - mark
        del self.news[mark:]

    def write(self) -> None:
        if not self.news:
            return
        self.connection.execute(facts.insert(), [_identity(seq, new) for seq, new in self.news])
        self.connection.execute(entries.insert(), [_entry(seq, new) for seq, new in self.news])
        self.connection.execute(head.update().values(seq=self.seq))


def known_facts(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    identity = tuple_(facts.c.account, facts.c.kind, facts.c.identity)
    wanted = select(facts.c.account, facts.c.kind, facts.c.identity)
    rows = (row for some in batches(keys) for row in connection.execute(wanted.where(identity.in_(some))))
    return {(row.account, row.kind, row.identity) for row in rows}


def told_since(connection: Connection, account: str, kind: FactKind, machine: str, since: datetime) -> list[Content]:
    """What was told of a machine since then, in the order in which it was told."""
    wanted = select(entries.c.content).where(
        entries.c.account == account,
        entries.c.kind == kind.value,
        entries.c.recorded_at >= moment(since),
        entries.c.machine == machine,
    )
    return [codec.read(kind, raw) for raw in connection.scalars(wanted.order_by(entries.c.seq))]


def batches(keys: Iterable[T]) -> Iterator[list[T]]:
    """As many as may stand in one statement: databases take no more than some ten thousand parameters."""
    rest = iter(keys)
    while some := list(islice(rest, ASKED_AT_ONCE)):
        yield some


def known(engine: Engine, account: str, kind: FactKind, identities: Sequence[str]) -> frozenset[str]:
    with engine.connect() as connection:
        found = known_facts(connection, [(account, kind.value, identity) for identity in identities])
    return frozenset(identity for _, _, identity in found)


def _identity(seq: int, new: New) -> dict[str, Any]:
    account, kind, identity = new.key
    return {"account": account, "kind": kind, "identity": identity, "seq": seq}


def _entry(seq: int, new: New) -> dict[str, Any]:
    return {
        "seq": seq,
        "account": new.account,
        "kind": new.fact.kind.value,
        "machine": new.fact.machine,
        "machine_name": new.fact.machine_name,
        "recorded_at": moment(new.fact.recorded_at),
        "received_at": moment(new.received_at),
        "origin": new.origin.value,
        "changed": ",".join(new.changed) or None,
        "content": codec.write(new.fact.content),
        "raw": new.raw,
    }


def moment(at: datetime) -> str:
    """As the journal keeps times: text that orders as the times do."""
    return at.isoformat(timespec="microseconds")


def read_head(engine: Engine) -> Head:
    with engine.connect() as connection:
        row = connection.execute(select(head.c.seq, head.c.pruned)).one()
        return Head(row.seq, row.pruned)


COLUMNS = (
    entries.c.seq,
    entries.c.account,
    entries.c.kind,
    entries.c.machine,
    entries.c.machine_name,
    entries.c.origin,
    entries.c.received_at,
    entries.c.changed,
    entries.c.content,
)


@dataclass(frozen=True, slots=True)
class Page:
    """All entries after one number, up to and with another. As numbers have no holes, a page that begins later than
    it was asked to tells that what is between is gone."""

    after: int
    until: int
    entries: Sequence[Entry]


def after(engine: Engine, seq: int, limit: int) -> Page:
    """The next entries. One that cannot be read, such as of a newer version, is left out: others follow it."""
    wanted = select(*COLUMNS).where(entries.c.seq > seq).order_by(entries.c.seq).limit(limit)
    with engine.connect() as connection:
        rows = connection.execute(wanted).mappings().all()
    found = [entry for row in rows if (entry := _legible(row)) is not None]
    return Page(rows[0]["seq"] - 1, rows[-1]["seq"], found) if rows else Page(seq, seq, [])


def _legible(row: RowMapping) -> Entry | None:
    try:
        return _of(row)
    except ValueError as error:
        log.error("an entry cannot be read", seq=row["seq"], kind=type(error).__name__)  # noqa: TRY400  it shows content
        return None


def history(
    engine: Engine, account: str, kind: FactKind, span: Span, want: int, machines: Iterable[str] | None
) -> list[Entry]:
    """An account's newest of a kind by the time they were recorded, newest first, `want` at the most."""
    wanted = select(*COLUMNS).where(
        entries.c.account == account,
        entries.c.kind == kind.value,
        entries.c.recorded_at >= moment(span.since),
        entries.c.recorded_at < moment(span.until),
    )
    if machines is not None:
        wanted = wanted.where(entries.c.machine.in_(list(machines)))
    return _read(engine, wanted.order_by(entries.c.recorded_at.desc(), entries.c.seq.desc()).limit(want))


def find(engine: Engine, account: str, kind: FactKind, identity: str) -> Entry | None:
    """None also where the entry itself is gone."""
    known = and_(facts.c.account == account, facts.c.kind == kind.value, facts.c.identity == identity)
    seq = select(facts.c.seq).where(known).scalar_subquery()
    return next(iter(_read(engine, select(*COLUMNS).where(entries.c.seq == seq))), None)


def _read(engine: Engine, wanted: Select[Any]) -> list[Entry]:
    with engine.connect() as connection:
        rows = connection.execute(wanted).mappings().all()
    return [entry for row in rows if (entry := _legible(row)) is not None]


def _of(row: RowMapping) -> Entry:
    kind = FactKind(row["kind"])
    return Entry(
        seq=row["seq"],
        account=row["account"],
        kind=kind,
        machine=row["machine"],
        machine_name=row["machine_name"],
        origin=Origin(row["origin"]),
        received_at=datetime.fromisoformat(row["received_at"]),
        changed=tuple(row["changed"].split(",")) if row["changed"] else (),
        content=codec.read(kind, row["content"]),
    )


def prune(engine: Engine, before: datetime) -> int:
    """Forgets entries that were received before then, oldest first, and leaves a mark; how many are gone.

    What was told stays known: a repeat is one for ever."""
    gone = 0
    while found := _prune_some(engine, before):
        gone += found
        time.sleep(PRUNING_RESTS)
    return gone


def _prune_some(engine: Engine, before: datetime) -> int:
    with writing(engine) as connection:
        kept = connection.scalar(select(func.min(entries.c.seq)).where(entries.c.received_at >= moment(before)))
        oldest = select(entries.c.seq).order_by(entries.c.seq).limit(PRUNED_AT_ONCE)
        if kept is not None:
            oldest = oldest.where(entries.c.seq < kept)
        last = connection.scalar(select(func.max(oldest.subquery().c.seq)))
        if last is None:
            return 0
        connection.execute(head.update().values(pruned=last))
        days.forget(connection, last)
        connection.execute(delete(sale_lines).where(sale_lines.c.seq <= last))
        return connection.execute(delete(entries).where(entries.c.seq <= last)).rowcount
