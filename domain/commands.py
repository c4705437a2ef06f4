"""Commands: what was asked of a machine, and what became of it.

A command goes forward only: PENDING, SENT, ACKNOWLEDGED, and then SUCCEEDED, FAILED or UNKNOWN. One that is UNKNOWN
becomes one of the other two when it is proven, and what has come to an end is never rewritten."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from domain.capabilities import Capability, UnavailableReason
from domain.errors import ErrorCode
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


class CommandOutcome(Enum):
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


FINAL = frozenset({CommandStatus.SUCCEEDED, CommandStatus.FAILED})
OPEN = frozenset(CommandStatus) - FINAL
RANK = {status: at for at, status in enumerate(CommandStatus)}
STAGES = {stage: at for at, stage in enumerate(CommandStage)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a command has come to, by a vendor's word or by ours.

    `note` is for a person to read; `error` and `code` tell why it was not done; `result` is what the vendor answered,
    less secrets; `evidence` the sale that proves it, and `subject` what was made or changed. `unsent`: it was about to
    be sent, and the vendor got nothing to act on."""

    status: CommandStatus
    stage: CommandStage | None = None
    note: str | None = None
    error: str | None = None
    code: ErrorCode | None = None
    result: Any = None
    evidence: Ref | None = None
    subject: Ref | None = None
    unsent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandTransition:
    status: CommandStatus
    stage: CommandStage | None
    at: datetime
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`machine_ref` is None where no machine is meant; `subject_ref` is what was made or changed.

    `result` is what the vendor answered, less secrets; `evidence_ref` the sale that settled it; `error_code` says
    whose fault it is that it was not done, or is not known to be."""

    ref: Ref
    kind: Capability
    machine_ref: Ref | None
    status: CommandStatus
    stage: CommandStage | None
    requested_by: str
    idempotency_key: str
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    result: Any
    error: str | None
    error_code: ErrorCode | None
    evidence_ref: Ref | None
    subject_ref: Ref | None
    history: Sequence[CommandTransition]

    @property
    def id(self) -> str:
        return self.ref.text

    @property
    def ended(self) -> bool:
        return self.status in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """Why a command was not taken on. `field` is the path to what is wrong in the arguments; `reason`, of what cannot
    be done, is what the machine's capabilities tell."""

    code: ErrorCode
    message: str
    field: Sequence[str] | None = None
    reason: UnavailableReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """A request to a vendor that would be sent, less secrets."""

    method: str
    path: str
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPayload:
    """The command, or the errors for which there is none. `planned`: what a dry run would send. `init_key`: secret."""

    command: Command | None = None
    errors: Sequence[UserError] = ()
    planned: Sequence[PlannedRequest] | None = None
    init_key: str | None = field(default=None, repr=False)


def advanced(command: Command, progress: Progress, at: datetime) -> Command | None:
    """The command after it has come so far; None where that is nothing new, or would go back.

    Stages stand in their order, whatever the order in which they were told: a late one is put in its place."""
    moves = _moves(command, progress.status)
    if any(one.stage is progress.stage for one in command.history):
        progress = replace(progress, stage=None)
    if not moves and progress.stage is None:
        return None
    if moves and progress.stage is not _later(command.stage, progress.stage):
        progress = replace(progress, stage=None)  # it has come further than that
    status = progress.status if moves else command.status
    return replace(
        command,
        status=status,
        stage=_later(command.stage, progress.stage),
        updated_at=max(at, command.updated_at),
        completed_at=at if status in FINAL and not command.ended else command.completed_at,
        result=command.result if progress.result is None else progress.result,
        error=progress.error if moves else command.error,
        error_code=progress.code if moves else command.error_code,
        evidence_ref=progress.evidence or command.evidence_ref,
        subject_ref=progress.subject or command.subject_ref,
        history=_inserted(command.history, progress, status if moves else command.status, at),
    )


def contradicts(command: Command, progress: Progress) -> bool:
    """Whether what has come to an end would have ended otherwise."""
    return command.ended and progress.status in FINAL and progress.status is not command.status


def _moves(command: Command, status: CommandStatus) -> bool:
    if command.ended:
        return False
    if command.status is CommandStatus.UNKNOWN:
        return status in FINAL
    return status in FINAL or RANK[status] > RANK[command.status]


def _later(one: CommandStage | None, other: CommandStage | None) -> CommandStage | None:
    told = [stage for stage in (one, other) if stage is not None]
    return max(told, key=STAGES.__getitem__, default=None)


def _inserted(
    history: Sequence[CommandTransition], progress: Progress, status: CommandStatus, at: datetime
) -> tuple[CommandTransition, ...]:
    """At its end, or, for a stage that is late, before the first that is beyond it."""
    place = len(history)
    if progress.stage is not None:
        beyond = (index for index, one in enumerate(history) if _beyond(one, progress.stage))
        place = next(beyond, place)
    late = place < len(history)
    told = CommandTransition(
        status=CommandStatus.ACKNOWLEDGED if late else status,
        stage=progress.stage,
        at=min(at, history[place].at) if late else at,
        note=progress.note,
    )
    return (*history[:place], told, *history[place:])


def _beyond(one: CommandTransition, stage: CommandStage) -> bool:
    if one.stage is not None:
        return STAGES[one.stage] > STAGES[stage]
    return one.status in FINAL
