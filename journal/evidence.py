"""Which sale proves a command whose outcome is unknown: one that fits it, where no other does, and it fits no other.

Whether a sale fits is the connector's to say; here are the times, and that it is unique on both sides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, select

from domain.commands import CommandStatus
from domain.facts import FactKind
from domain.orders import Order
from domain.sales import Sale
from journal import codec
from journal.intents import Kept, kept
from journal.log import moment
from journal.tables import commands, entries

BEFORE = timedelta(seconds=2)  # a vendor tells whole seconds, and its clock may be a little behind
WINDOW = timedelta(minutes=15)  # within which a command that was carried out shows in a sale

Fits = Callable[[Order, Sale], bool]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sale that fits, and when it was heard of."""

    sale: Sale
    received_at: datetime


def candidates(connection: Connection, asked: Kept, fits: Fits) -> Sequence[Candidate]:
    """The sales that fit the command, by when they were recorded; none where it was never sent."""
    machine = asked.command.machine_ref
    if machine is None or asked.sent_at is None or asked.order is None:
        return []
    since = asked.sent_at - BEFORE
    wanted = select(entries.c.content, entries.c.received_at).where(
        entries.c.account == machine.account,
        entries.c.kind == FactKind.SALE.value,
        entries.c.machine == machine.native,
        entries.c.recorded_at >= moment(since),
        entries.c.recorded_at <= moment(asked.sent_at + WINDOW),
    )
    found = (_candidate(row) for row in connection.execute(wanted.order_by(entries.c.recorded_at)).mappings())
    order = asked.order
    return [one for one in found if fits(order, one.sale)]


def _candidate(row: RowMapping) -> Candidate:
    sale = codec.read(FactKind.SALE, row["content"])
    assert isinstance(sale, Sale)
    return Candidate(sale, datetime.fromisoformat(row["received_at"]))


def rivals(connection: Connection, asked: Kept, sale: Sale, fits: Fits) -> Sequence[Kept]:
    """Other commands that the sale may be of as well, or that it proved already."""
    machine = asked.command.machine_ref
    wanted = select(commands).where(
        commands.c.account == asked.account,
        commands.c.machine == (None if machine is None else machine.native),
        commands.c.kind == asked.command.kind.value,
        commands.c.id != asked.command.ref.native,
        commands.c.status != CommandStatus.FAILED.value,
        commands.c.sent_at >= moment(sale.recorded_at - WINDOW),
        commands.c.sent_at <= moment(sale.recorded_at + BEFORE),
    )
    others = [kept(row) for row in connection.execute(wanted)]
    return [one for one in others if _may_be_of(one, sale, fits)]


def _may_be_of(other: Kept, sale: Sale, fits: Fits) -> bool:
    """One that another sale proved has had its own."""
    if other.command.evidence_ref is not None:
        return other.command.evidence_ref == sale.ref
    return other.order is not None and fits(other.order, sale)
