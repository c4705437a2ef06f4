"""Bulks: many changes that were asked for at once, each with what became of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from domain.asked import PlanogramSlotInput
from domain.capabilities import Capability
from domain.commands import Command, CommandStatus, PlannedRequest, UserError
from domain.refs import Ref

MOST_ITEMS = 500
UNDER_WAY = (CommandStatus.PENDING, CommandStatus.SENT, CommandStatus.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """One of a bulk, by its place in the input from 0 on: its newest command, or the errors for which there is none.
    With neither it has not been looked at yet. `planned`: what a dry run would send."""

    index: int
    command: Command | None = None
    errors: Sequence[UserError] = ()
    planned: Sequence[PlannedRequest] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkCounts:
    """Of a bulk's items, each counted once."""

    waiting: int
    refused: int
    under_way: int
    succeeded: int
    failed: int
    unknown: int


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """`running`: somebody is at it. What was not sent when nobody is any more is sent when it is asked for again."""

    ref: Ref
    kind: Capability
    requested_by: str
    idempotency_key: str
    created_at: datetime
    running: bool
    items: Sequence[BulkItem]

    @property
    def id(self) -> str:
        return self.ref.text

    @cached_property
    def counts(self) -> BulkCounts:
        having = Counter(item.command.status for item in self.items if item.command is not None)
        refused = sum(bool(item.errors) for item in self.items)
        return BulkCounts(
            waiting=len(self.items) - refused - having.total(),
            refused=refused,
            under_way=sum(having[status] for status in UNDER_WAY),
            succeeded=having[CommandStatus.SUCCEEDED],
            failed=having[CommandStatus.FAILED],
            unknown=having[CommandStatus.UNKNOWN],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPayload:
    """The bulk, or the errors for which there is none."""

    bulk: Bulk | None = None
    errors: Sequence[UserError] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPriceInput:
    slot_id: str
    amount: Decimal
    currency: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    acknowledge_unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPricesInput:
    prices: Sequence[SlotPriceInput]
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePlanogramInput:
    machine_id: str
    rows: int
    columns: int
    slots: Sequence[PlanogramSlotInput]
    acknowledge_unknown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePlanogramsInput:
    planograms: Sequence[MachinePlanogramInput]
    idempotency_key: str
