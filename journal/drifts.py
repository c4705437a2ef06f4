"""How vendors' answers differ from what they are taken to be, as all processes have counted it.

There are no more rows of an account than its vendor's shapes have members, but for a few words of each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select

from domain.drift import Drift, DriftKind
from journal.appending import INSERTS
from journal.log import moment
from journal.store import writing
from journal.tables import drifts


def keep(engine: Engine, account: str, counted: Sequence[Drift]) -> None:
    """Adds to what is kept. In one order, so that processes never wait for each other crosswise."""
    rows = [_row(account, one) for one in sorted(counted, key=lambda one: one.fingerprint)]
    new = INSERTS[engine.dialect.name](drifts)
    later = new.on_conflict_do_update(
        index_elements=["account", "fingerprint"],
        set_={"counted": drifts.c.counted + new.excluded.counted, "last_seen_at": new.excluded.last_seen_at},
    )
    with writing(engine) as connection:
        connection.execute(later, rows)


def kept(engine: Engine, account: str) -> Sequence[Drift]:
    with engine.connect() as connection:
        return [_read(row) for row in connection.execute(select(drifts).where(drifts.c.account == account))]


def _row(account: str, one: Drift) -> Mapping[str, Any]:
    return {
        "account": account,
        "fingerprint": one.fingerprint,
        "operation": one.operation,
        "path": one.path,
        "kind": one.kind.value,
        "expected": one.expected,
        "seen": one.seen,
        "counted": one.count,
        "first_seen_at": moment(one.first_seen_at),
        "last_seen_at": moment(one.last_seen_at),
    }


def _read(row: Row[Any]) -> Drift:
    return Drift(
        operation=row.operation,
        path=row.path,
        kind=DriftKind(row.kind),
        expected=row.expected,
        seen=row.seen,
        fingerprint=row.fingerprint,
        count=row.counted,
        first_seen_at=datetime.fromisoformat(row.first_seen_at),
        last_seen_at=datetime.fromisoformat(row.last_seen_at),
    )
