"""What callers ask for, as the graph's mutations take it. Ids are opaque; amounts are in a currency's major unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from domain.commands import CommandOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCommandInput:
    machine_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DispenseProductInput:
    """Exactly one of `slot_id` and `position`."""

    machine_id: str
    slot_id: str | None = None
    position: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDepositInput:
    machine_id: str
    amount: Decimal
    currency: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRemotePaymentInput:
    machine_id: str
    amount: Decimal
    currency: str | None = None
    terminal_key: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriceInput:
    slot_id: str
    amount: Decimal
    currency: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanogramSlotInput:
    row: int
    column: int
    product_id: str | None = None
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePlanogramInput:
    machine_id: str
    rows: int
    columns: int
    slots: Sequence[PlanogramSlotInput]
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateConfigInput:
    machine_id: str
    settings: Any
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveCommandInput:
    command_id: str
    outcome: CommandOutcome
    reason: str


class Asked(Protocol):
    """What becomes a command."""

    @property
    def idempotency_key(self) -> str: ...
