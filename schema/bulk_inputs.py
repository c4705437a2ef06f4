"""What the mutations of many changes at once take."""

from datetime import datetime
from decimal import Decimal

import strawberry

from domain import bulk
from schema.inputs import AMOUNT, CURRENCY, PlanogramSlotInput

KEY = (
    "Chosen by the client, unique for each intent, 1 to 200 characters. The same key with the same items returns the "
    "first bulk, and sends what of it was never sent; with other items it is refused."
)
ACKNOWLEDGED = "The id of the same command that is UNKNOWN, to send it once more all the same. Left out otherwise."


@strawberry.input(description="What a product costs in one of the slots.")
class SlotPriceInput:
    slot_id: strawberry.ID = strawberry.field(description="In which slot.")
    amount: Decimal = strawberry.field(description=AMOUNT)
    currency: str | None = strawberry.field(default=strawberry.UNSET, description=CURRENCY)
    valid_from: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="From when on, where the vendor can wait; at once where it is left out."
    )
    valid_to: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Until when, where the vendor can end it; for ever where it is left out."
    )
    acknowledge_unknown: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=ACKNOWLEDGED)


@strawberry.input(description="What products cost in many slots.")
class SetPricesInput:
    prices: list[SlotPriceInput] = strawberry.field(
        description="1 to 500, each of another slot or another time, all of one organization."
    )
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="All that one of the machines is to hold, cell by cell.")
class MachinePlanogramInput:
    machine_id: strawberry.ID = strawberry.field(description="Of which machine.")
    rows: int = strawberry.field(description="How many rows it has.")
    columns: int = strawberry.field(description="How many columns it has.")
    slots: list[PlanogramSlotInput] = strawberry.field(description="The cells that are in use.")
    acknowledge_unknown: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description=ACKNOWLEDGED)


@strawberry.input(description="What many machines are to hold.")
class UpdatePlanogramsInput:
    planograms: list[MachinePlanogramInput] = strawberry.field(
        description="1 to 500, each of another machine, all of one organization."
    )
    idempotency_key: str = strawberry.field(description=KEY)


INPUTS: dict[type, type] = {
    bulk.SlotPriceInput: SlotPriceInput,
    bulk.SetPricesInput: SetPricesInput,
    bulk.MachinePlanogramInput: MachinePlanogramInput,
    bulk.UpdatePlanogramsInput: UpdatePlanogramsInput,
}
