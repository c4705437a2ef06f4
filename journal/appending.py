"""What a group of reports comes to, in one transaction: new facts, what they mean for machines, and the counts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Case, ColumnElement, Connection, Table, case, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from domain.facts import CommandWord, Fact, FactKind, Observation, Origin, Scan, TagLinks, occurrence
from domain.sales import Sale
from domain.scans import held
from domain.states import MachineState, Seen, merged
from journal import codec, sums
from journal.ledger import Ledger, Meaning
from journal.log import Appending, New, batches, known_facts, moment, told_since
from journal.tables import deliveries, heard, links, quarantine, states

OVERTAKEN = timedelta(hours=8)  # how far back a report that comes late is put in its place
FLEETING = timedelta(minutes=10)  # how long a report without an identity is taken for a repeat of the same one

Machine = tuple[str, str]  # an account's key, and the vendor's id
TagOf = Mapping[str, tuple[str, str]]  # tag -> the product's native id, and its name
Taken = Callable[[str, Observation, frozenset[str] | None, TagOf], Fact | None]
Moved = Callable[[str, Fact, frozenset[str] | None, TagOf], Sequence[Fact]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came at once: one delivery, or a part of a polled list. `delivered`: it counts as a webhook."""

    account: str
    facts: Sequence[Fact]
    origin: Origin
    received_at: datetime
    raw: bytes | None = None
    delivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Illegible:
    """A genuine delivery that cannot be read. `key` tells it apart from all others; `signed` is what was verified, as
    JSON: keys may be others by the time that it is read once more."""

    key: str
    account: str
    machine: str | None
    received_at: datetime
    headers: bytes
    body: bytes
    signed: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many facts were new; how many were known."""

    new: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Meanings:
    """What only connectors know: `taken(account, observed, before, links)` is the sale that a scan of tags proves,
    `moved(account, scan, before, links)` the movements of stock, `progress(account, kind, word)` what a vendor's word
    means for a command of that kind."""

    taken: Taken
    progress: Meaning
    moved: Moved = lambda *_: ()


NO_MEANINGS = Meanings(lambda *_: None, lambda *_: None)


class Group:
    """Reports and changes of the ledger, appended together."""

    def __init__(self, connection: Connection, reports: Sequence[Report], meanings: Meanings) -> None:
        self._connection = connection
        self._taken = meanings.taken
        self._moved = meanings.moved
        told = [(report.account, fact) for report in reports for fact in report.facts]
        self._log = Appending.begin(connection, [_key(account, fact) for account, fact in told if not fact.fleeting])
        self.ledger = Ledger(connection, self._log, meanings.progress)
        self._states = _states(connection, told)
        self._heard = _heard(connection, told)
        self._links = _links(connection, {account for account, fact in told if _scans(fact)})
        self._changed_states: set[Machine] = set()
        self._changed_links: list[dict[str, Any]] = []

    def add(self, report: Report) -> Receipt:
        """All of a report, or, where it raises, nothing of it."""
        news = [new for fact in report.facts if (new := self._new(report, fact)) is not None]
        meant = dict[Machine, MachineState]()
        derived: list[New] = []
        for at, new in enumerate(news):
            if isinstance(new.fact.content, Observation):
                news[at], proved = self._observed(new, new.fact.content, meant)
                derived += proved
        for new in (*news, *derived):
            self._log.add(new)
            self._remember(new)
        for new in news:
            if isinstance(new.fact.content, CommandWord):
                self.ledger.hear(new.account, new.fact.content, new.fact.occurred_at, new.origin)
        self._states |= meant
        self._changed_states |= meant.keys()
        return Receipt(len(news), len(report.facts) - len(news))

    def change(self, change: Callable[[Ledger], Any]) -> Any:
        """All of a change of the ledger, or, where it raises, nothing of it."""
        before = self._log.mark()
        try:
            with self._connection.begin_nested():
                return change(self.ledger)
        except BaseException:
            self._log.back_to(before)
            raise

    @property
    def until(self) -> int:
        """The number of its last entry, or of the last before it."""
        return self._log.seq

    def write(self) -> None:
        self._log.write()
        sold = [(seq, new.account, new.fact.content) for seq, new in self._log.news]
        sums.keep(self._connection, [(seq, account, one) for seq, account, one in sold if isinstance(one, Sale)])
        upsert(self._connection, states, [self._state_row(machine) for machine in self._changed_states])
        upsert(self._connection, heard, [row for row in self._heard.values() if row.pop("new", False)])
        linked = {(row["account"], row["tag"]): row for row in self._changed_links}
        upsert(self._connection, links, list(linked.values()))

    def _new(self, report: Report, fact: Fact) -> New | None:
        raw = report.raw if fact is report.facts[0] else None
        new = New(account=report.account, fact=fact, origin=report.origin, received_at=report.received_at, raw=raw)
        if not fact.fleeting:
            return None if new.key in self._log.known else new
        if self._repeats(report, fact):
            return None
        return replace(new, fact=replace(fact, identity=occurrence(fact.identity, report.received_at)))

    def _repeats(self, report: Report, fact: Fact) -> bool:
        last = self._heard.get((report.account, fact.machine or "", fact.topic))
        if last is None or last["identity"] != fact.identity:
            return False
        return report.received_at - datetime.fromisoformat(last["at"]) < FLEETING

    def _observed(self, new: New, observed: Observation, meant: dict[Machine, MachineState]) -> tuple[New, list[New]]:
        machine = (new.account, observed.machine)
        before = meant.get(machine, self._states.get(machine, MachineState()))
        after, changed = merged(before, observed)
        meant[machine] = after
        told = replace(new, changed=tuple(changed))
        proved = [] if observed.scan is None else self._proved(new, observed, observed.scan, before, after)
        return told, [replace(new, fact=fact, origin=Origin.DERIVED, raw=None) for fact in proved]

    def _proved(
        self, new: New, observed: Observation, scan: Scan, before: MachineState, after: MachineState
    ) -> list[Fact]:
        """What a scan that was overtaken shows to have moved was told with the later one: all levels follow."""
        overtaken = after.scanned != Seen(scan.tags, observed.at)
        known = self._links.get(new.account, {})
        moved = [] if overtaken else list(self._moved(new.account, new.fact, before.tags, known))
        if scan.opening is None:
            return moved
        tags = held(self._arrived(new, observed.machine), observed) if overtaken else before.tags
        sale = self._taken(new.account, observed, tags, known)
        if sale is None or known_facts(self._connection, [_key(new.account, sale)]):
            return moved
        return [sale, *moved]

    def _arrived(self, new: New, machine: str) -> list[Observation]:
        """What was observed of a machine before this."""
        since = new.received_at - OVERTAKEN
        kept = told_since(self._connection, new.account, FactKind.STATE, machine, since)
        own = (one.fact for _, one in self._log.news if (one.account, one.fact.machine) == (new.account, machine))
        return [one for one in (*kept, *(fact.content for fact in own)) if isinstance(one, Observation)]

    def _remember(self, new: New) -> None:
        fact = new.fact
        if fact.topic:
            identity = fact.identity.rpartition("@")[0] if fact.fleeting else fact.identity
            row = {"account": new.account, "machine": fact.machine or "", "topic": fact.topic}
            told = {"identity": identity, "at": moment(new.received_at), "new": True}
            self._heard[new.account, fact.machine or "", fact.topic] = row | told
        if isinstance(fact.content, TagLinks):
            product, name = fact.content.product.native, fact.content.product_name
            self._links.setdefault(new.account, {}).update((tag, (product, name)) for tag in fact.content.tags)
            rows = ({"tag": tag, "product": product, "name": name} for tag in fact.content.tags)
            self._changed_links += [{"account": new.account, **row} for row in rows]

    def _state_row(self, machine: Machine) -> dict[str, Any]:
        account, native = machine
        return {"account": account, "machine": native, "state": codec.write_state(self._states[machine])}


def _key(account: str, fact: Fact) -> tuple[str, str, str]:
    return account, fact.kind.value, fact.identity


def _scans(fact: Fact) -> bool:
    return isinstance(fact.content, Observation) and fact.content.scan is not None


def _states(connection: Connection, told: Iterable[tuple[str, Fact]]) -> dict[Machine, MachineState]:
    wanted = {(account, fact.content.machine) for account, fact in told if isinstance(fact.content, Observation)}
    key = tuple_(states.c.account, states.c.machine)
    rows = [row for some in batches(wanted) for row in connection.execute(select(states).where(key.in_(some)))]
    return {(row.account, row.machine): codec.read_state(row.state) for row in rows}


def _heard(connection: Connection, told: Iterable[tuple[str, Fact]]) -> dict[tuple[str, str, str], dict[str, Any]]:
    wanted = {(account, fact.machine or "", fact.topic) for account, fact in told if fact.topic}
    key = tuple_(heard.c.account, heard.c.machine, heard.c.topic)
    asked = (connection.execute(select(heard).where(key.in_(some))).mappings() for some in batches(wanted))
    return {(row["account"], row["machine"], row["topic"]): dict(row) for rows in asked for row in rows}


def _links(connection: Connection, accounts: set[str]) -> dict[str, dict[str, tuple[str, str]]]:
    found: dict[str, dict[str, tuple[str, str]]] = {account: {} for account in accounts}
    if accounts:
        for row in connection.execute(select(links).where(links.c.account.in_(list(accounts)))):
            found[row.account][row.tag] = (row.product, row.name)
    return found


def count(connection: Connection, account: str, at: datetime | None, **counts: int) -> None:
    """Adds to what is counted of an account's webhooks; `at`: when a genuine one came."""
    zero = dict.fromkeys(("accepted", "duplicates", "rejected", "quarantined"), 0)
    row = {"account": account, **zero, **counts, "last_received_at": None if at is None else moment(at)}
    insert = INSERTS[connection.dialect.name](deliveries).values(row)
    sums = {name: deliveries.c[name] + insert.excluded[name] for name in zero}
    sums["last_received_at"] = latest(deliveries.c.last_received_at, insert.excluded.last_received_at)
    connection.execute(insert.on_conflict_do_update(index_elements=["account"], set_=sums))


def latest(kept: ColumnElement[Any], new: ColumnElement[Any]) -> Case[Any]:
    """The later of two times as the journal keeps them, either of which may be null."""
    return case((kept.is_(None), new), (new > kept, new), else_=kept)


def keep_illegible(connection: Connection, one: Illegible) -> bool:
    """False where it is kept already."""
    row = {
        "id": one.key,
        "account": one.account,
        "machine": one.machine,
        "received_at": moment(one.received_at),
        "headers": one.headers,
        "body": one.body,
        "signed": one.signed,
        "reason": one.reason,
    }
    insert = INSERTS[connection.dialect.name](quarantine).values(row)
    keeping = insert.on_conflict_do_nothing(index_elements=["id"]).returning(quarantine.c.id)
    return connection.execute(keeping).first() is not None


INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    insert = INSERTS[connection.dialect.name](table)
    keys = [column.name for column in table.primary_key]
    changes = {column.name: insert.excluded[column.name] for column in table.c if column.name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changes), rows)
