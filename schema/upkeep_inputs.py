"""What mutations of events, sites and machines as they stand take."""

from datetime import datetime
from decimal import Decimal

import strawberry

from domain import backoffice, upkeep
from schema.catalogue_inputs import may, must
from schema.inputs import KEY, MACHINE, UNSENT


@strawberry.input(description="An event that is over. It cannot be made active again.")
class ResolveEventInput:
    event_id: strawberry.ID = must("Which event.")
    message: str | None = may("A text that takes the place of the event's own, which is kept where this is left out.")
    idempotency_key: str = must(KEY)


@strawberry.input(description=f"A site to add, where machines will stand. {UNSENT}")
class CreateSiteInput:
    account_id: strawberry.ID = must("In which account.")
    organization_id: strawberry.ID | None = may(
        "For which of the vendor's organizations; the only one that there is where it is left out."
    )
    customer_account: str | None = may(
        "Whose site it is: the `vendorId` of one of `VendorAccount.customerAccounts`, and the only one where it is "
        "left out."
    )
    name: str = must("What it is called: no other site of the customer's may have the name.")
    timezone: str | None = may("The IANA name of its time zone, such as America/Chicago.")
    largest_charge: Decimal | None = may(
        "The most that a card is charged at once, in the major unit of the account's currency."
    )
    idempotency_key: str = must(KEY)


@strawberry.input(description="A machine to put into service, once it has called in and shows its code.")
class ProvisionMachineInput:
    organization_id: strawberry.ID = must("In which of the vendor's organizations.")
    serial_number: str = must("The machine's, as the vendor keeps it.")
    idempotency_key: str = must(KEY)


@strawberry.input(description="What is to change of a machine; what is left out stays.")
class UpdateMachineInput:
    name: str | None = may("What it is called.")
    asset_number: str | None = may("The operator's own number of it.")
    accepts_cash: bool | None = may("Whether it can be paid in cash.")
    accepts_cards: bool | None = may("Whether it can be paid by card.")
    accepts_accounts: bool | None = may("Whether it can be paid from accounts kept at the vendor.")
    counts_stock: bool | None = may("Whether what is in its slots is counted.")
    visible: bool | None = may("Whether it is shown at the vendor.")
    tax_rate: Decimal | None = may("The rate of tax on its prices, in per cent, such as 19.")
    own_tax_rate: bool | None = may("Whether `taxRate` holds for all of it, whatever its products have.")
    commission: Decimal | None = may("What the site's owner gets of its sales, in per cent.")
    own_commission: bool | None = may("Whether `commission` holds for all of it, whatever its products have.")
    card_fee: Decimal | None = may("What is added to a payment by card, in the major unit of the account's currency.")
    central_prices: bool | None = may("Whether it sells at the vendor's prices rather than at those kept in it.")
    sms_receipts: bool | None = may("Whether it offers receipts by text message.")
    ignores_door: bool | None = may("Whether it goes on selling while its door is open.")
    update_software: bool | None = may("Whether it has to take its next software at its next check-in.")
    machine_id: strawberry.ID = must(MACHINE)
    group_id: strawberry.ID | None = may("To which site it moves: the id of a `MachineGroup`.")
    idempotency_key: str = must(KEY)


@strawberry.input(description="Somebody who works at a machine.")
class CreateServiceSessionInput:
    machine_id: strawberry.ID = must("At which machine.")
    reason: str = must("What they came for.")
    started_at: datetime | None = may("When it began; now where it is left out.")
    ended_at: datetime | None = may("When it ended; it goes on where it is left out.")
    idempotency_key: str = must(KEY)


INPUTS: dict[type, type] = {
    upkeep.ResolveEventInput: ResolveEventInput,
    upkeep.CreateSiteInput: CreateSiteInput,
    upkeep.ProvisionMachineInput: ProvisionMachineInput,
    upkeep.UpdateMachineInput: UpdateMachineInput,
    backoffice.CreateServiceSessionInput: CreateServiceSessionInput,
}
