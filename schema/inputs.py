"""Filters. What is left out or null does not narrow; an empty list lets nothing through."""

from datetime import datetime

import strawberry

from domain.commands import CommandStatus
from domain.model import Connectivity, EventState, SaleKind, Severity, Vendor

ACCOUNTS = "Only of these accounts. An id that is none of yours stands for nothing."
MACHINES = "Only of these machines. An id that is none of yours stands for nothing."
VENDORS = "Only of these vendors."


@strawberry.input(description="Narrows a list of machines.")
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


@strawberry.input(description="Narrows a list of products.")
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


@strawberry.input(description="Narrows a list of sales.")
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


@strawberry.input(description="Narrows a list of events.")
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


@strawberry.input(description="Narrows commands.")
class CommandFilter:
    machines: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=MACHINES)
    statuses: list[CommandStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Only those that have come this far."
    )
