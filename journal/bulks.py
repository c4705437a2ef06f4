"""What the store keeps of bulks: who asked for them, who is at them, and what became of each item.

Changes are made by the journal's one writer, as those of the ledger are; whoever is at a bulk holds it for a while,
under a number that only grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Engine, select

from domain.capabilities import Capability
from domain.commands import Command, CommandStatus, UserError
from domain.errors import Conflict
from journal import audit
from journal.audit import Actor, Deed
from journal.intents import Intent, Kept, kept
from journal.ledger import Ledger
from journal.log import moment
from journal.tables import bulk_items, bulks, commands

ERRORS = TypeAdapter(tuple[UserError, ...])
AT_A_TIME = 250  # ids in a statement


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBulk:
    """`fingerprint`: of all that was asked. `until`: UNIX seconds to which `owner` is at it, None where nobody is."""

    id: str
    organization: str
    idempotency_key: str
    kind: Capability
    requested_by: str
    created_at: datetime
    fingerprint: str
    size: int
    owner: str
    attempt: int
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptItem:
    """`tries`: how many commands were made of it; `kept` is the newest. `errors` are of the newest look at it."""

    index: int
    tries: int
    kept: Kept | None
    errors: Sequence[UserError]

    @property
    def unsent(self) -> bool:
        """Whether it is proven that nothing was ever sent for it, so that it may be."""
        if self.kept is None or self.errors:
            return True
        status, sent_at = self.kept.command.status, self.kept.sent_at
        return status is CommandStatus.PENDING or (status is CommandStatus.FAILED and sent_at is None)


def place(ledger: Ledger, asked: KeptBulk, actor: Actor) -> tuple[KeptBulk, bool]:
    """The bulk, and whether it is new. Raises Conflict where its key was used for something else."""
    same = (bulks.c.organization == asked.organization) & (bulks.c.idempotency_key == asked.idempotency_key)
    row = ledger.connection.execute(select(bulks).where(same)).one_or_none()
    if row is not None:
        if row.fingerprint != asked.fingerprint:
            raise Conflict("this idempotencyKey was used before, for something else")
        return _bulk(row), False
    ledger.connection.execute(bulks.insert().values(**_row(asked)))
    details = {"kind": asked.kind.value, "idempotencyKey": asked.idempotency_key, "items": asked.size}
    deed = Deed(organization=asked.organization, action="bulk requested", outcome="PENDING", details=details)
    audit.write(ledger.connection, deed, actor, asked.created_at)
    return asked, True


def take_over(ledger: Ledger, seen: KeptBulk, owner: str, until: float) -> int | None:
    """The number under which this process is at it; None where another was faster."""
    mine = (bulks.c.id == seen.id) & (bulks.c.attempt == seen.attempt)
    mine &= bulks.c.until.is_(None) if seen.until is None else bulks.c.until == seen.until
    changed = bulks.update().where(mine).values(owner=owner, attempt=seen.attempt + 1, until=until)
    return seen.attempt + 1 if ledger.connection.execute(changed).rowcount else None


def hold(ledger: Ledger, id_: str, attempt: int, owner: str, until: float, waiting: Sequence[str]) -> bool:
    """Goes on being at it, and at those of its commands that wait to be sent."""
    mine = (bulks.c.id == id_) & (bulks.c.attempt == attempt)
    if not ledger.connection.execute(bulks.update().where(mine).values(until=until)).rowcount:
        return False
    for first in range(0, len(waiting), AT_A_TIME):
        ours = commands.c.id.in_(waiting[first : first + AT_A_TIME]) & (commands.c.owner == owner)
        ours &= commands.c.status == CommandStatus.PENDING.value
        ledger.connection.execute(commands.update().where(ours).values(until=until))
    return True


def leave(ledger: Ledger, id_: str, attempt: int) -> None:
    """Nobody is at it any more."""
    mine = (bulks.c.id == id_) & (bulks.c.attempt == attempt)
    ledger.connection.execute(bulks.update().where(mine).values(until=None))


def take_on(
    ledger: Ledger, id_: str, attempt: int, index: int, tries: int, intent: Intent
) -> tuple[Command, bool] | None:
    """A command for an item, with the item's mark in the same commit; None where another is at the bulk by now. Raises
    as `Ledger.place`."""
    if not _is_at(ledger, id_, attempt):
        return None
    command, new = ledger.place(intent)
    _mark(ledger, id_, index, tries=tries, command=command.ref.native, errors=None)
    return command, new


def refuse(ledger: Ledger, id_: str, attempt: int, index: int, error: UserError) -> None:
    if _is_at(ledger, id_, attempt):
        _mark(ledger, id_, index, errors=ERRORS.dump_json((error,)))


def _is_at(ledger: Ledger, id_: str, attempt: int) -> bool:
    return ledger.connection.scalar(select(bulks.c.attempt).where(bulks.c.id == id_)) == attempt


def _mark(ledger: Ledger, id_: str, index: int, **values: Any) -> None:
    this = (bulk_items.c.bulk == id_) & (bulk_items.c.place == index)
    if not ledger.connection.execute(bulk_items.update().where(this).values(**values)).rowcount:
        ledger.connection.execute(bulk_items.insert().values(bulk=id_, place=index, **{"tries": 0, **values}))


def find(engine: Engine, id_: str) -> KeptBulk | None:
    with engine.connect() as connection:
        row = connection.execute(select(bulks).where(bulks.c.id == id_)).one_or_none()
    return None if row is None else _bulk(row)


def items(engine: Engine, bulk: KeptBulk) -> list[KeptItem]:
    """All of them, in their order."""
    named = select(bulk_items).where(bulk_items.c.bulk == bulk.id)
    theirs = (
        select(commands).join(bulk_items, bulk_items.c.command == commands.c.id).where(bulk_items.c.bulk == bulk.id)
    )
    with engine.connect() as connection:
        marks = {row.place: row for row in connection.execute(named)}
        found = {row.id: kept(row) for row in connection.execute(theirs.where(bulk_items.c.bulk == bulk.id))}
    return [_item(index, marks.get(index), found) for index in range(bulk.size)]


def waited_behind(engine: Engine, account: str, machines: Sequence[str]) -> set[str]:
    """Of these machines, those for which a command waits that is of no bulk."""
    alone = ~select(bulk_items.c.bulk).where(bulk_items.c.command == commands.c.id).exists()
    waiting = commands.c.status == CommandStatus.PENDING.value
    theirs = (commands.c.account == account) & commands.c.machine.in_(machines)
    with engine.connect() as connection:
        return set(connection.scalars(select(commands.c.machine).where(waiting, theirs, alone)))


def _item(index: int, mark: Any, found: dict[str, Kept]) -> KeptItem:
    if mark is None:
        return KeptItem(index=index, tries=0, kept=None, errors=())
    errors = () if mark.errors is None else ERRORS.validate_json(mark.errors)
    return KeptItem(index=index, tries=mark.tries, kept=found.get(mark.command), errors=errors)


def _bulk(row: Any) -> KeptBulk:
    values = dict(row._mapping)  # noqa: SLF001  SQLAlchemy's public name for it
    values |= {"kind": Capability(row.kind), "created_at": datetime.fromisoformat(row.created_at)}
    return KeptBulk(**values)


def _row(asked: KeptBulk) -> dict[str, Any]:
    return {
        "id": asked.id,
        "organization": asked.organization,
        "idempotency_key": asked.idempotency_key,
        "kind": asked.kind.value,
        "requested_by": asked.requested_by,
        "created_at": moment(asked.created_at),
        "fingerprint": asked.fingerprint,
        "size": asked.size,
        "owner": asked.owner,
        "attempt": asked.attempt,
        "until": asked.until,
    }
