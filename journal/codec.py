"""How facts and machine states are kept: as JSON that reads back as the same domain value."""

from typing import TypeVar

from pydantic import TypeAdapter

from domain.capabilities import Capability
from domain.commands import Command
from domain.every_order import EVERY_ORDER
from domain.facts import KINDS, Content, FactKind
from domain.orders import Order
from domain.states import MachineState

T = TypeVar("T")

CONTENT = {kind: TypeAdapter[Content](content) for content, kind in KINDS.items()}
STATE = TypeAdapter(MachineState)
COMMAND = TypeAdapter(Command)
ORDER = {kind: TypeAdapter[Order](order) for kind, order in EVERY_ORDER.items()}


def write(content: Content) -> bytes:
    return CONTENT[KINDS[type(content)]].dump_json(content)


def read(kind: FactKind, raw: bytes) -> Content:
    return CONTENT[kind].validate_json(raw)


def write_state(state: MachineState) -> bytes:
    return STATE.dump_json(state)


def read_state(raw: bytes) -> MachineState:
    return STATE.validate_json(raw)


def write_command(command: Command) -> bytes:
    return COMMAND.dump_json(command)


def read_command(raw: bytes) -> Command:
    return COMMAND.validate_json(raw)


def write_order(order: Order) -> bytes:
    return ORDER[order.kind].dump_json(order)


def read_order(kind: Capability, raw: bytes) -> Order:
    return ORDER[kind].validate_json(raw)
