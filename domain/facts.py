"""What was told: a fact is one thing that a vendor reported, or that we deduced from its reports.

Facts are what the journal keeps. Each carries the vendor's own identity of the thing, by which a repeat is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from domain.commands import Command
from domain.model import DoorState, MachineEvent, MachineGroup, Temperature
from domain.refs import Ref
from domain.sales import Sale
from domain.stock import StockMovement
from domain.temperatures import TemperatureLimits


class Origin(Enum):
    """How a fact reached us."""

    WEBHOOK = "WEBHOOK"
    POLL = "POLL"
    BACKFILL = "BACKFILL"
    COMMAND = "COMMAND"
    DERIVED = "DERIVED"
    GATEWAY = "GATEWAY"


class FactKind(StrEnum):
    """The words are kept in the journal: never change one."""

    SALE = "sale"
    EVENT = "event"
    STATE = "state"
    TAGS = "tags"
    WORD = "word"
    COMMAND = "command"
    MOVEMENT = "movement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The tags of a whole fridge. `opening`: the command whose opening by a customer ended with this scan."""

    tags: frozenset[str]
    opening: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a machine was seen to be. None says nothing of that part.

    `at` is the vendor's time, never later than when it was received, or else that: a newer one is not undone by an
    older one. `command`: the command that `door` is a step of; within one the door only goes from unlocked to opened
    to closed. `alive`: False where it said that it is going down, None where it did not speak. A `temperature` without
    a time of its own is what the machine remembers. `limits`: those of a temperature that was measured."""

    machine: str
    at: datetime
    command: str | None = None
    alive: bool | None = True
    door: DoorState | None = None
    temperature: Temperature | None = None
    limits: TemperatureLimits | None = None
    scan: Scan | None = None
    group: MachineGroup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagLinks:
    """Tags that are of one product."""

    product: Ref
    product_name: str
    tags: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWord:
    """A vendor's word on a command of ours: `command` is the vendor's id for it, `word` its status, `step` what
    happened (of a door, what became of it), both in the vendor's words."""

    command: str
    machine: str
    word: str | None
    step: str
    message: str | None


Record = Sale | MachineEvent | StockMovement  # what has a time, and mostly a machine
Content = Record | Observation | TagLinks | CommandWord | Command

KINDS: dict[type[Content], FactKind] = {
    Sale: FactKind.SALE,
    MachineEvent: FactKind.EVENT,
    Observation: FactKind.STATE,
    TagLinks: FactKind.TAGS,
    CommandWord: FactKind.WORD,
    Command: FactKind.COMMAND,
    StockMovement: FactKind.MOVEMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """`identity` tells it apart from all others of its account and kind, for ever. `machine_name`: what the report
    calls the machine, where it does.

    `fleeting`: the vendor gives it no identity, and the same content may well come again and mean it: then it is a
    repeat only where nothing else of the same machine and `topic` was heard since, and that not long ago."""

    identity: str
    machine: str | None
    recorded_at: datetime
    occurred_at: datetime
    content: Content
    fleeting: bool = False
    topic: str = ""
    machine_name: str | None = None

    @property
    def kind(self) -> FactKind:
        return KINDS[type(self.content)]


def occurrence(identity: str, received_at: datetime) -> str:
    """The identity of a fleeting fact once it is known to be no repeat."""
    return f"{identity}@{received_at.isoformat(timespec='microseconds')}"


def identity_of(ref: Ref) -> str:
    """The vendor's identity of a sale or an event: what its reference begins with, less what only finds it again."""
    return ref.native.partition("@")[0]


def recorded(identity: str, content: Record, machine_name: str | None = None) -> Fact:
    """The fact of a record that the vendor keeps: it is told the same by webhook and by list."""
    return Fact(
        identity=identity,
        machine=None if content.machine_ref is None else content.machine_ref.native,
        recorded_at=content.recorded_at,
        occurred_at=content.occurred_at,
        content=content,
        machine_name=machine_name,
    )
