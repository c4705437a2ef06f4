"""Reading the ledger."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Engine, Select, and_, func, or_, select, tuple_

from domain.capabilities import Capability
from domain.commands import OPEN, Command, CommandStatus
from domain.refs import Ref
from journal import codec
from journal.intents import Kept, kept
from journal.log import moment
from journal.tables import commands

UNDER_WAY = (CommandStatus.PENDING.value, CommandStatus.SENT.value, CommandStatus.ACKNOWLEDGED.value)
AT_ONCE = 500


def find(engine: Engine, native: str) -> Kept | None:
    return next(iter(_kept(engine, select(commands).where(commands.c.id == native))), None)


def by_key(engine: Engine, organization: str, key: str) -> tuple[Command, str] | None:
    """The command that was asked for with a client's key, and the fingerprint of what was asked."""
    same = and_(commands.c.organization == organization, commands.c.idempotency_key == key)
    with engine.connect() as connection:
        row = connection.execute(select(commands.c.content, commands.c.fingerprint).where(same)).one_or_none()
    return None if row is None else (codec.read_command(row.content), row.fingerprint)


def page(
    engine: Engine,
    organizations: Iterable[str],
    machines: Iterable[Ref] | None,
    statuses: Iterable[CommandStatus] | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[Command]:
    """The newest first. `after`: when the last one that was read was asked for, as text, and its native id."""
    wanted = select(commands.c.content).where(commands.c.organization.in_(sorted(organizations)))
    if machines is not None:
        named = [(ref.account, ref.native) for ref in machines]
        wanted = wanted.where(tuple_(commands.c.account, commands.c.machine).in_(named))
    if statuses is not None:
        wanted = wanted.where(commands.c.status.in_([status.value for status in statuses]))
    if after is not None:
        at, native = after
        older = and_(commands.c.created_at == at, commands.c.id < native)
        wanted = wanted.where(or_(commands.c.created_at < at, older))
    wanted = wanted.order_by(commands.c.created_at.desc(), commands.c.id.desc()).limit(limit)
    with engine.connect() as connection:
        return [codec.read_command(content) for content in connection.scalars(wanted)]


def place(command: Command) -> tuple[str, str]:
    """Its place in that order."""
    return moment(command.created_at), command.ref.native


def in_the_way(engine: Engine, native: str, kinds: Iterable[Capability]) -> bool:
    """Whether another command of these kinds, which was recorded earlier, is still to change the same machine."""
    mine = select(commands.c.account, commands.c.machine, commands.c.placed).where(commands.c.id == native).subquery()
    earlier = and_(
        commands.c.account == mine.c.account,
        commands.c.machine == mine.c.machine,
        commands.c.placed < mine.c.placed,
        commands.c.kind.in_([kind.value for kind in kinds]),
        commands.c.status.in_([CommandStatus.PENDING.value, CommandStatus.SENT.value]),
    )
    with engine.connect() as connection:
        return connection.execute(select(commands.c.id).where(earlier).limit(1)).first() is not None


def overdue(engine: Engine, now: float) -> list[Kept]:
    """Those that nobody is at any more, or that heard no final word in time. `now`: UNIX seconds."""
    waiting = and_(commands.c.status.in_(UNDER_WAY), commands.c.until < now)
    return _kept(engine, select(commands).where(waiting).order_by(commands.c.until).limit(AT_ONCE))


def unknown(engine: Engine, since: datetime) -> list[Kept]:
    """Those of which nobody knows what became of them, and that were sent since then."""
    open_ = and_(commands.c.status == CommandStatus.UNKNOWN.value, commands.c.sent_at >= moment(since))
    return _kept(engine, select(commands).where(open_).order_by(commands.c.sent_at.desc()).limit(AT_ONCE))


def open_counts(engine: Engine) -> Mapping[tuple[str, CommandStatus], int]:
    """By account and status, of those that have not come to an end."""
    wanted = select(commands.c.account, commands.c.status, func.count()).where(
        commands.c.status.in_([status.value for status in OPEN])
    )
    with engine.connect() as connection:
        rows = connection.execute(wanted.group_by(commands.c.account, commands.c.status)).all()
    return {(account, CommandStatus(status)): count for account, status, count in rows}


def doubtful(engine: Engine, now: float) -> list[Kept]:
    """Those that a person told to have failed, while a sale may still show otherwise. `now`: UNIX seconds."""
    told = and_(commands.c.status == CommandStatus.FAILED.value, commands.c.until > now)
    return _kept(engine, select(commands).where(told).order_by(commands.c.until.desc()).limit(AT_ONCE))


def followed(engine: Engine, asked: Kept, kinds: Iterable[Capability]) -> bool:
    """Whether something of these kinds was sent to the same machine since."""
    assert asked.sent_at is not None
    machine = asked.command.machine_ref
    since = and_(
        commands.c.account == asked.account,
        commands.c.machine.is_(None) if machine is None else commands.c.machine == machine.native,
        commands.c.kind.in_([kind.value for kind in kinds]),
        commands.c.sent_at >= moment(asked.sent_at),
        commands.c.id != asked.command.ref.native,
    )
    with engine.connect() as connection:
        return connection.execute(select(commands.c.id).where(since).limit(1)).one_or_none() is not None


def _kept(engine: Engine, wanted: Select[tuple[object, ...]]) -> list[Kept]:
    with engine.connect() as connection:
        return [kept(row) for row in connection.execute(wanted)]
