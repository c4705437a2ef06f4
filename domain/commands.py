"""Commands: what was asked of a machine, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from domain.model import Capability
from domain.refs import Ref


class CommandStatus(Enum):
    PENDING = "PENDING"
    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class CommandStage(Enum):
    UNLOCKED = "UNLOCKED"
    OPENED = "OPENED"
    CLOSED = "CLOSED"
    INVENTORIED = "INVENTORIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a vendor's word on a command comes to. `note` is for a person to read."""

    status: CommandStatus
    stage: CommandStage | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTransition:
    status: CommandStatus
    stage: CommandStage | None
    at: datetime
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`result` is what the vendor answered, less secrets; `evidence_ref` the sale that settled it."""

    ref: Ref
    kind: Capability
    machine_ref: Ref
    status: CommandStatus
    stage: CommandStage | None
    requested_by: str
    idempotency_key: str
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    result: Any
    error: str | None
    evidence_ref: Ref | None
    history: Sequence[CommandTransition]

    @property
    def id(self) -> str:
        return self.ref.text
