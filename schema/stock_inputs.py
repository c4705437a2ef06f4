"""What narrows movements of stock and collections of cash, and what mutations of stock take."""

from datetime import datetime

import strawberry

from domain.model import Vendor
from domain.stock import MovementKind
from schema.inputs import ACCOUNTS, KEY, MACHINES, NARROWS, VENDORS

SINCE, UNTIL = "Recorded at this time or later.", "Recorded before this time."


@strawberry.input(description=f"Narrows a list of movements of stock. {NARROWS}")
class StockMovementFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    machines: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=MACHINES)
    kinds: list[MovementKind] | None = strawberry.field(default=strawberry.UNSET, description="Only of these kinds.")
    from_: datetime | None = strawberry.field(name="from", default=strawberry.UNSET, description=SINCE)
    to: datetime | None = strawberry.field(default=strawberry.UNSET, description=UNTIL)


@strawberry.input(description=f"Narrows a report over stock. {NARROWS}")
class StockReportFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    machines: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=MACHINES)


@strawberry.input(description=f"Narrows a list of collections of cash. {NARROWS}")
class CashCollectionFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    machines: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=MACHINES)
    from_: datetime | None = strawberry.field(name="from", default=strawberry.UNSET, description=SINCE)
    to: datetime | None = strawberry.field(default=strawberry.UNSET, description=UNTIL)


@strawberry.input(
    description=(
        "How many there really are in a slot. Exactly one of `delta` and `level` says it, the other is left out."
    )
)
class AdjustStockInput:
    slot_id: strawberry.ID = strawberry.field(description="In which slot.")
    delta: int | None = strawberry.field(
        default=strawberry.UNSET, description="By how many more, or, below zero, less than the vendor counts."
    )
    level: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How many in all: the difference is to what the vendor counts when it is sent.",
    )
    idempotency_key: str = strawberry.field(description=KEY)
