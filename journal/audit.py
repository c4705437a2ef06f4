"""The audit log: who asked for what, from where, and what came of it.

Each row's hash covers the row and the hash before it, so that none can be changed, taken out or moved unseen. Whoever
can write to the store can rewrite all that follows a row as well: keep the last hash elsewhere to notice that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, RowMapping, select

from journal.log import moment
from journal.tables import audit

GATEWAY = "vendgraph"  # the actor of what the gateway does by itself
BEGINNING = "0" * 64
READ_AT_ONCE = 1_000
COVERED = ("seq", "at", "organization", "actor", "address", "request_id", "action", "command", "machine", "details")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """`name` is the key's, `address` where the request came from."""

    name: str
    address: str | None = None
    request_id: str | None = None


BY_ITSELF = Actor(name=GATEWAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """`command` and `machine` are ids of the graph; `details` are plain values without secrets."""

    organization: str
    action: str
    outcome: str
    command: str | None = None
    machine: str | None = None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row as it is kept."""

    seq: int
    at: datetime
    organization: str
    actor: str
    address: str | None
    request_id: str | None
    action: str
    command: str | None
    machine: str | None
    details: Mapping[str, Any]
    outcome: str
    hash: str


def write(connection: Connection, deed: Deed, actor: Actor, at: datetime) -> None:
    """In the caller's transaction, which holds the head of the journal: rows come in one order."""
    last = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    row = {
        "seq": 1 if last is None else last.seq + 1,
        "at": moment(at),
        "organization": deed.organization,
        "actor": actor.name,
        "address": actor.address,
        "request_id": actor.request_id,
        "action": deed.action,
        "command": deed.command,
        "machine": deed.machine,
        "details": orjson.dumps(deed.details, option=orjson.OPT_SORT_KEYS).decode(),
        "outcome": deed.outcome,
    }
    row["hash"] = _hash(BEGINNING if last is None else last.hash, row)
    connection.execute(audit.insert().values(row))


def _hash(before: str, row: Mapping[str, Any] | RowMapping) -> str:
    covered = [before, *(row[name] for name in COVERED), row["outcome"]]
    return sha256(orjson.dumps(covered)).hexdigest()


def records(engine: Engine, organizations: Sequence[str], before: int | None, limit: int) -> list[Record]:
    """The newest first, of those organizations, below a number."""
    wanted = select(audit).where(audit.c.organization.in_(organizations))
    if before is not None:
        wanted = wanted.where(audit.c.seq < before)
    with engine.connect() as connection:
        rows = connection.execute(wanted.order_by(audit.c.seq.desc()).limit(limit)).mappings()
        return [_record(row) for row in rows]


def _record(row: RowMapping) -> Record:
    values: dict[str, Any] = dict(row)
    told = {"at": datetime.fromisoformat(row["at"]), "details": orjson.loads(row["details"])}
    return Record(**(values | told))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`last`: the hash of the newest row, to keep elsewhere; `broken` is the first row that is not as it was."""

    rows: int
    last: str
    broken: int | None


def verify(engine: Engine) -> Verdict:
    seq, before = 0, BEGINNING
    for row in _all(engine):
        if row["seq"] != seq + 1 or row["hash"] != _hash(before, row):
            return Verdict(seq, before, seq + 1)
        seq, before = row["seq"], row["hash"]
    return Verdict(seq, before, None)


def _all(engine: Engine) -> Iterator[RowMapping]:
    seq = 0
    while True:
        wanted = select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(READ_AT_ONCE)
        with engine.connect() as connection:
            rows = connection.execute(wanted).mappings().all()
        yield from rows
        if not rows:
            return
        seq = rows[-1]["seq"]
