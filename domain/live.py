"""Messages of subscriptions. Exactly one of the item and the gap is there.

`seq` is the message's place in the journal; `cursor` is that place as the caller is given it."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.commands import Command
from domain.facts import Origin
from domain.model import MachineEvent
from domain.refs import Ref
from domain.sales import Sale


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Between two cursors messages are missing: the journal no longer holds them."""

    from_: str
    to: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    seq: int
    cursor: str
    origin: Origin
    gap: Gap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleMessage(Message):
    sale: Sale | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineEventMessage(Message):
    event: MachineEvent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandMessage(Message):
    command: Command | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineMessage(Message):
    """`changed`: names of the graph's fields."""

    machine_ref: Ref | None = None
    changed: Sequence[str] = ()
