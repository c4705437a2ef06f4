"""Ledgers for tests: intents, changes of the ledger, and what the store then holds."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy import Engine, func, select
from sqlalchemy.engine import Connection

from domain.capabilities import Capability
from domain.commands import Command, CommandStage, CommandStatus, Progress
from domain.facts import CommandWord, Fact, FactKind
from domain.model import Vendor
from domain.money import Money
from domain.orders import MachineOrder, Order, SendDeposit, UpdateConfig
from domain.refs import Kind, Ref
from domain.sales import Payment, PaymentMethod, Sale
from journal import codec
from journal import commands as reading
from journal.appending import NO_MEANINGS, Group, Report
from journal.audit import Actor
from journal.intents import Intent, Kept, begun
from journal.ledger import Ledger
from journal.store import writing
from journal.tables import audit, commands, entries
from tests.journals import AT, report, sale

T = TypeVar("T")

EUROS = Money(Decimal("1.50"), "EUR")
STEPS: Mapping[str, Progress] = {
    "unlocked": Progress(status=CommandStatus.ACKNOWLEDGED, stage=CommandStage.UNLOCKED),
    "closed": Progress(status=CommandStatus.ACKNOWLEDGED, stage=CommandStage.CLOSED),
    "inventory": Progress(status=CommandStatus.SUCCEEDED, stage=CommandStage.INVENTORIED),
    "failed": Progress(status=CommandStatus.FAILED, note="it failed"),
}
MEANINGS = replace(NO_MEANINGS, progress=lambda _, __, word: STEPS.get(word.step))
UNTIL = 1000.0


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def intent(
    native: str,
    *,
    order: MachineOrder | None = None,
    key: str | None = None,
    organization: str = "acme",
    seconds: float = 0.0,
    fingerprint: str | None = None,
    **changed: Any,
) -> Intent:
    """Of what is paid into machine `m1`, unless another order is meant. Equal orders have equal fingerprints."""
    meant = order or SendDeposit(machine="m1", amount=EUROS)
    ref, machine = Ref(Kind.COMMAND, "acme", native), Ref(Kind.MACHINE, "acme", meant.machine)
    known: dict[str, Any] = {
        "vendor": Vendor.SMARTVEND,
        "amount": getattr(meant, "amount", None),
        "actor": Actor(name="me"),
        "owner": "worker",
        "until": UNTIL,
    }
    return Intent(
        command=begun(ref, meant.kind, machine, "me", key or native, at(seconds)),
        organization=organization,
        order=meant,
        fingerprint=fingerprint or sha256(repr(meant).encode()).hexdigest(),
        **(known | changed),
    )


def opening(machine: str = "m1") -> MachineOrder:
    return MachineOrder(kind=Capability.OPEN_DOOR, machine=machine)


def configuring(secret: str) -> MachineOrder:
    return UpdateConfig(machine="m1", settings={"wp": secret})


@contextmanager
def group(engine: Engine, *reports: Report) -> Iterator[Group]:
    """What is written together."""
    with writing(engine) as connection:
        found = Group(connection, reports, MEANINGS)
        yield found
        found.write()


def change(engine: Engine, changing: Callable[[Ledger], T]) -> T:
    """By itself. What it raises undoes it."""
    with group(engine) as together:
        found: T = together.change(changing)
    return found


def told(engine: Engine, *facts: Fact, seconds: float = 0.0) -> None:
    """By webhook."""
    one = report(*facts, at=at(seconds))
    with group(engine, one) as together:
        together.add(one)


def word(step: str, *, vendor_id: str = "v1", machine: str = "m1", seconds: float = 0.0) -> Fact:
    content = CommandWord(command=vendor_id, machine=machine, word=step, step=step, message=None)
    return Fact(
        identity=f"{vendor_id}:{step}",
        machine=machine,
        recorded_at=at(seconds),
        occurred_at=at(seconds),
        content=content,
    )


def deposited(identity: str, amount: Money = EUROS, **where: Any) -> Fact:
    payment = Payment(method=PaymentMethod.REMOTE_DEPOSIT, amount=amount)
    return sale(identity, payments=[payment], **where)


def fits(order: Order, found: Sale) -> bool:
    return isinstance(order, SendDeposit) and any(payment.amount == order.amount for payment in found.payments)


def kept(engine: Engine, native: str) -> Kept:
    found = reading.find(engine, native)
    assert found is not None
    return found


def now(engine: Engine, native: str) -> Command:
    return kept(engine, native).command


def read_back(command: Command) -> Command:
    """As the store gives it back."""
    return codec.read_command(codec.write_command(command))


def sent(engine: Engine, native: str, *, seconds: float = 0.0, **asked: Any) -> None:
    """Placed and claimed then."""
    change(engine, lambda ledger: ledger.place(intent(native, seconds=seconds, **asked)))
    assert change(engine, lambda ledger: ledger.claim(native, 1, UNTIL, at(seconds))) is not None


def unknown(engine: Engine, native: str, *, seconds: float = 0.0, **asked: Any) -> None:
    sent(engine, native, seconds=seconds, **asked)
    settled(engine, native, CommandStatus.UNKNOWN, seconds=seconds)


def settled(engine: Engine, native: str, status: CommandStatus, *, seconds: float = 0.0, **how: Any) -> Command:
    return change(engine, lambda ledger: ledger.settle(native, Progress(status=status), at(seconds), **how))


def counts(engine: Engine) -> tuple[int, int, int]:
    """How many commands, entries of commands, and records of the audit log there are."""
    with engine.connect() as connection:
        return (
            _count(connection, select(func.count()).select_from(commands)),
            _count(connection, select(func.count()).where(entries.c.kind == FactKind.COMMAND.value)),
            _count(connection, select(func.count()).select_from(audit)),
        )


def _count(connection: Connection, wanted: Any) -> int:
    found: int = connection.execute(wanted).scalar_one()
    return found
