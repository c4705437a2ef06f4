"""What is kept beside the journal: how webhooks fare, how far feeds have read, and what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select

from domain.facts import FactKind
from domain.states import MachineState
from journal import codec
from journal.appending import INSERTS, Illegible, latest
from journal.log import moment
from journal.store import writing
from journal.tables import deliveries, links, quarantine, states, watermarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """An account's webhooks so far; `last_received_at` is of genuine ones."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    quarantined: int = 0
    last_received_at: datetime | None = None


def counts(engine: Engine) -> Mapping[str, Counts]:
    """By account; those that never got one are not there."""
    with engine.connect() as connection:
        return {row.account: _counts(row) for row in connection.execute(select(deliveries))}


def _counts(row: Row[tuple[str, int, int, int, int, str | None]]) -> Counts:
    return Counts(
        accepted=row.accepted,
        duplicates=row.duplicates,
        rejected=row.rejected,
        quarantined=row.quarantined,
        last_received_at=None if row.last_received_at is None else datetime.fromisoformat(row.last_received_at),
    )


@dataclass(frozen=True, slots=True)
class Watermark:
    """All of an account's list that was recorded before `at` is in the journal.

    `missed_at`: when the newest was recorded that a webhook should have told of, and did not. `settled`: before then
    nothing is waited for any longer, be it a webhook or what is recorded late."""

    at: datetime
    missed_at: datetime | None
    settled: datetime | None = None


def watermark(engine: Engine, account: str, kind: FactKind) -> Watermark | None:
    key = (watermarks.c.account == account) & (watermarks.c.kind == kind.value)
    with engine.connect() as connection:
        row = connection.execute(select(watermarks).where(key)).one_or_none()
    return None if row is None else _watermark(row)


def missed(engine: Engine) -> Mapping[str, datetime]:
    """For each account whose webhooks fell silent, when the newest was recorded that they missed."""
    found: dict[str, datetime] = {}
    with engine.connect() as connection:
        for row in connection.execute(select(watermarks).where(watermarks.c.missed_at.is_not(None))):
            at = datetime.fromisoformat(row.missed_at)
            found[row.account] = max(at, found.get(row.account, at))
    return found


def _watermark(row: Row[Any]) -> Watermark:
    return Watermark(datetime.fromisoformat(row.at), _time(row.missed_at), _time(row.settled))


def _time(kept: str | None) -> datetime | None:
    return None if kept is None else datetime.fromisoformat(kept)


def set_watermark(engine: Engine, account: str, kind: FactKind, mark: Watermark) -> None:
    """`at` may go back: then more is read once more. What was missed is never forgotten, nor where it all began."""
    missed_at = None if mark.missed_at is None else moment(mark.missed_at)
    settled = None if mark.settled is None else moment(mark.settled)
    row = {"account": account, "kind": kind.value, "at": moment(mark.at), "missed_at": missed_at}
    insert = INSERTS[engine.dialect.name](watermarks).values(**row, since=moment(mark.at), settled=settled)
    new = insert.excluded
    changed = {"at": new.at, "missed_at": latest(watermarks.c.missed_at, new.missed_at), "settled": new.settled}
    with writing(engine) as connection:
        connection.execute(insert.on_conflict_do_update(index_elements=["account", "kind"], set_=changed))


def all_states(engine: Engine) -> Mapping[tuple[str, str], MachineState]:
    """By account and the vendor's id of the machine."""
    with engine.connect() as connection:
        rows = connection.execute(select(states))
        return {(row.account, row.machine): codec.read_state(row.state) for row in rows}


def all_links(engine: Engine) -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """By account: for each tag its product's native id and name."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with engine.connect() as connection:
        for row in connection.execute(select(links)):
            found.setdefault(row.account, {})[row.tag] = (row.product, row.name)
    return found


def quarantined(engine: Engine, since: datetime) -> list[Illegible]:
    """What was received since then and has not been replayed, oldest first."""
    waiting = quarantine.c.replayed_at.is_(None) & (quarantine.c.received_at >= moment(since))
    with engine.connect() as connection:
        rows = connection.execute(select(quarantine).where(waiting).order_by(quarantine.c.received_at))
        return [
            Illegible(
                key=row.id,
                account=row.account,
                machine=row.machine,
                received_at=datetime.fromisoformat(row.received_at),
                headers=row.headers,
                body=row.body,
                signed=row.signed,
                reason=row.reason,
            )
            for row in rows
        ]


def set_replayed(engine: Engine, id_: str, at: datetime) -> None:
    with writing(engine) as connection:
        connection.execute(quarantine.update().where(quarantine.c.id == id_).values(replayed_at=moment(at)))
