"""How facts and machine states are kept: as JSON that reads back as the same domain value."""

from typing import TypeVar

from pydantic import TypeAdapter

from domain.facts import KINDS, Content, FactKind
from domain.states import MachineState

T = TypeVar("T")

CONTENT = {kind: TypeAdapter[Content](content) for content, kind in KINDS.items()}
STATE = TypeAdapter(MachineState)


def write(content: Content) -> bytes:
    return CONTENT[KINDS[type(content)]].dump_json(content)


def read(kind: FactKind, raw: bytes) -> Content:
    return CONTENT[kind].validate_json(raw)


def write_state(state: MachineState) -> bytes:
    return STATE.dump_json(state)


def read_state(raw: bytes) -> MachineState:
    return STATE.validate_json(raw)
