"""Filters, and what mutations take."""

from datetime import datetime
from decimal import Decimal

import strawberry

from domain.commands import CommandOutcome, CommandStatus
from domain.model import Connectivity, EventState, Severity, Vendor
from domain.sales import SaleKind
from schema.scalars import JSON

NARROWS = "What is left out, or null, does not narrow; an empty list lets nothing through."
UNSENT = "What is left out, or null, is not sent to the vendor."
ACCOUNTS = "Only of these accounts. An id that is none of yours stands for nothing."
MACHINES = "Only of these machines. An id that is none of yours stands for nothing."
VENDORS = "Only of these vendors."


@strawberry.input(description=f"Narrows a list of machines. {NARROWS}")
class MachineFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    organizations: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Only of these organizations and of all below them."
    )
    connectivity: Connectivity | None = strawberry.field(
        default=strawberry.UNSET, description="Only machines that are known to be in this state."
    )
    search: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Only those with this text in their name or serial number, in any case.",
    )


@strawberry.input(description=f"Narrows a list of products. {NARROWS}")
class ProductFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    search: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Only those with this text in their name, SKU or GTIN, in any case.",
    )
    archived: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Only those that are, or are not, archived."
    )


@strawberry.input(description=f"Narrows a list of sales. {NARROWS}")
class SaleFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    machines: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=MACHINES)
    kinds: list[SaleKind] | None = strawberry.field(
        default=strawberry.UNSET, description="Only purchases, withdrawals, returns or exchanges."
    )
    from_: datetime | None = strawberry.field(
        name="from", default=strawberry.UNSET, description="Recorded at this time or later."
    )
    to: datetime | None = strawberry.field(default=strawberry.UNSET, description="Recorded before this time.")


@strawberry.input(description=f"Narrows a report of sales. {NARROWS}")
class SalesReportFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    machines: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=MACHINES)
    kinds: list[SaleKind] | None = strawberry.field(
        default=strawberry.UNSET, description="Only purchases, withdrawals, returns or exchanges."
    )


@strawberry.input(description=f"Narrows a list of events. {NARROWS}")
class EventFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    machines: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=MACHINES)
    min_severity: Severity | None = strawberry.field(
        default=strawberry.UNSET, description="Only those as severe as this, or more."
    )
    state: EventState | None = strawberry.field(default=strawberry.UNSET, description="Only those in this state.")
    from_: datetime | None = strawberry.field(
        name="from", default=strawberry.UNSET, description="Recorded at this time or later."
    )
    to: datetime | None = strawberry.field(default=strawberry.UNSET, description="Recorded before this time.")


@strawberry.input(description=f"Narrows commands. {NARROWS}")
class CommandFilter:
    machines: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=MACHINES)
    statuses: list[CommandStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Only those that have come this far."
    )


MACHINE = "Of which machine."
KEY = (
    "Chosen by the client, unique for each intent, 1 to 255 characters. The same key with the same input returns the "
    "first command and sends nothing, for ever; with another input it is refused."
)
AMOUNT = "In the currency's major unit, exact to its hundredth."
CURRENCY = "ISO 4217; the account's where it is left out, and no other."


@strawberry.input(description="What is asked of a machine, without more to say.")
class MachineCommandInput:
    machine_id: strawberry.ID = strawberry.field(description=MACHINE)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(
    description="A product to hand out. Exactly one of `slotId` and `position` says which, the other is left out."
)
class DispenseProductInput:
    machine_id: strawberry.ID = strawberry.field(description=MACHINE)
    slot_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The slot that it is in.")
    position: str | None = strawberry.field(
        default=strawberry.UNSET, description="The slot's position, as printed on the machine."
    )
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="Credit for whoever stands at the machine.")
class SendDepositInput:
    machine_id: strawberry.ID = strawberry.field(description=MACHINE)
    amount: Decimal = strawberry.field(description=AMOUNT)
    currency: str | None = strawberry.field(default=strawberry.UNSET, description=CURRENCY)
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description=f"A payment that was made elsewhere, for a purchase at the machine. {UNSENT}")
class SendRemotePaymentInput:
    machine_id: strawberry.ID = strawberry.field(description=MACHINE)
    amount: Decimal = strawberry.field(description=AMOUNT)
    currency: str | None = strawberry.field(default=strawberry.UNSET, description=CURRENCY)
    terminal_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="Which of the machine's terminals takes it, where it has several."
    )
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="What a product costs in a slot.")
class SetPriceInput:
    slot_id: strawberry.ID = strawberry.field(description="In which slot.")
    amount: Decimal = strawberry.field(description=AMOUNT)
    currency: str | None = strawberry.field(default=strawberry.UNSET, description=CURRENCY)
    valid_from: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="From when on, where the vendor can wait; at once where it is left out."
    )
    valid_to: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Until when, where the vendor can end it; for ever where it is left out."
    )
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="One cell of a planogram.")
class PlanogramSlotInput:
    row: int = strawberry.field(description="Which, counted from 0.")
    column: int = strawberry.field(description="Which, counted from 0.")
    product_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The product in it; none where it is left out."
    )
    price: Decimal = strawberry.field(description="What one costs there, in the major unit of the account's currency.")


@strawberry.input(description="All that a machine is to hold, cell by cell.")
class UpdatePlanogramInput:
    machine_id: strawberry.ID = strawberry.field(description=MACHINE)
    rows: int = strawberry.field(description="How many rows it has.")
    columns: int = strawberry.field(description="How many columns it has.")
    slots: list[PlanogramSlotInput] = strawberry.field(description="The cells that are in use.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="Settings of a machine that are to change.")
class UpdateConfigInput:
    machine_id: strawberry.ID = strawberry.field(description=MACHINE)
    settings: JSON = strawberry.field(description="An object: the keys that are to change, in the vendor's words.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="A person's word on what became of a command that is UNKNOWN.")
class ResolveCommandInput:
    command_id: strawberry.ID = strawberry.field(description="Which command.")
    outcome: CommandOutcome = strawberry.field(description="What became of it.")
    reason: str = strawberry.field(description="How they know; it is kept in the audit log.")
