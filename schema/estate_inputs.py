"""What mutations of organizations, fleets, machines and promo codes take."""

from datetime import datetime
from decimal import Decimal

import strawberry

from domain import estate, promotions
from domain.promotions import DiscountType
from schema.catalogue_inputs import may, must
from schema.inputs import KEY, UNSENT


@strawberry.input(description=f"Where an organization is. {UNSENT}")
class AddressInput:
    country: str = must("The country's name.")
    country_code: str | None = may("The country by ISO 3166 alpha-2, such as DE.")
    address: str | None = may("Street and number.")
    postal_code: str | None = may("Postal code.")
    city: str | None = may("City.")
    state: str | None = may("State or province.")


@strawberry.input(description=f"Whom to ask at an organization. {UNSENT}")
class ContactInput:
    person: str | None = may("Their name.")
    role: str | None = may("What they are there.")
    email: str | None = may("Their e-mail address.")
    phone: str | None = may("Their telephone number.")
    support_email: str | None = may("The e-mail address of the support.")
    support_phone: str | None = may("The telephone number of the support.")


@strawberry.input(description=f"Where an organization's customers find help. {UNSENT}")
class SupportInput:
    email: str | None = may("An e-mail address.")
    hotline: str | None = may("A telephone number.")
    availability: str | None = may("When somebody is there.")


TYPE = "general, client or manufacturer; needed to create one."
PAYS = "EUR, CHF, GBP, USD or CZK; needed to create one."
ADDRESS = "Where it is; needed to create one."


@strawberry.input(description=f"An organization to add at the vendor. {UNSENT}")
class CreateOrganizationInput:
    name: str = must("What it is called.")
    type: str | None = may(TYPE)
    currency: str | None = may(PAYS)
    description: str | None = may("What it is.")
    slug: str | None = may("Its short name in addresses.")
    ean_prefix: str | None = may("What its EANs begin with.")
    privacy_policy_url: str | None = may("Where its privacy policy is.")
    terms_url: str | None = may("Where its terms and conditions are.")
    address: AddressInput | None = may(ADDRESS)
    contact: ContactInput | None = may("Whom to ask.")
    support: SupportInput | None = may("Where its customers find help.")
    account_id: strawberry.ID = must("In which account.")
    parent_id: strawberry.ID | None = may("The vendor's organization above it. Most credentials need one.")
    idempotency_key: str = must(KEY)


@strawberry.input(description="What is to change of a vendor's organization; what is left out stays.")
class UpdateOrganizationInput:
    name: str | None = may("What it is called.")
    type: str | None = may("general, client or manufacturer.")
    currency: str | None = may("EUR, CHF, GBP, USD or CZK.")
    description: str | None = may("What it is.")
    slug: str | None = may("Its short name in addresses.")
    ean_prefix: str | None = may("What its EANs begin with.")
    privacy_policy_url: str | None = may("Where its privacy policy is.")
    terms_url: str | None = may("Where its terms and conditions are.")
    address: AddressInput | None = may("Where it is.")
    contact: ContactInput | None = may("Whom to ask.")
    support: SupportInput | None = may("Where its customers find help.")
    organization_id: strawberry.ID = must("Which organization.")
    parent_id: strawberry.ID | None = may("The vendor's organization above it.")
    idempotency_key: str = must(KEY)


@strawberry.input(description="A fleet, which is a group of machines.")
class CreateFleetInput:
    account_id: strawberry.ID = must("In which account.")
    name: str = must("What it is called.")
    idempotency_key: str = must(KEY)


@strawberry.input(description=f"A machine to add. Where its webhooks go is set with it. {UNSENT}")
class CreateMachineInput:
    account_id: strawberry.ID = must("In which account.")
    group_id: strawberry.ID = must("In which fleet: the id of a `MachineGroup`, such as `Command.fleet`.")
    least_celsius: Decimal | None = may("Below this temperature, in degrees Celsius, the vendor raises an alert.")
    most_celsius: Decimal | None = may("Above this temperature, in degrees Celsius, the vendor raises an alert.")
    heartbeat_seconds: int | None = may("After how many seconds it reports each time that it is alive.")
    kiosk_url: str | None = may("The address of what its screen shows.")
    idempotency_key: str = must(KEY)


@strawberry.input(description=f"What a promo code takes off on a day of the week. {UNSENT}")
class PromoRuleInput:
    day: int = must("The day of the week, from 0 for Sunday to 6 for Saturday.")
    type: DiscountType = must("Whether `percentage` or `flat` says how much.")
    uses: int = must("How often it can be used before it is reset.")
    percentage: Decimal | None = may("What is taken off, in per cent, from 0 to 100; left out where `flat` says it.")
    flat: Decimal | None = may(
        "What is taken off, in the major unit of the organization's currency; left out where `percentage` says it."
    )
    capping: bool = must("Whether the discount has a limit.")
    capping_percentage: Decimal | None = may("At most so much is taken off, in per cent.")
    capping_flat: Decimal | None = may(
        "At most so much is taken off, in the major unit of the organization's currency."
    )
    least_items: int | None = may("How many things have to be bought; any number where it is left out.")
    description: str | None = may("What it says of itself, for a person to read.")


@strawberry.input(description=f"Promo codes to make. `rules` and `configId` exclude each other. {UNSENT}")
class CreatePromoCodesInput:
    code: str | None = may("Five digits; the vendor chooses where it is left out.")
    quantity: int | None = may("How many, from 1 to 100; with a `code` of one's own there is one.")
    balance: int | None = may("How often each can be used.")
    enabled: bool | None = may("Whether they can be used.")
    valid_from: datetime | None = may("From when on; at once where it is left out.")
    valid_to: datetime | None = may("Until when they can be used. Excludes `durationDays`.")
    duration_days: int | None = may("For how many days they can be used. Excludes `validTo`.")
    rules: list[PromoRuleInput] | None = may("What they take off: a new set of rules, one for each day.")
    config_id: str | None = may("The vendor's id of a set of rules that is there.")
    organization_id: strawberry.ID = must("For which of the vendor's organizations.")
    idempotency_key: str = must(KEY)


@strawberry.input(
    description=(
        "For what promo codes hold. Exactly one of `productLines` and `machineId` says for what, the other is "
        f"left out. {UNSENT}"
    )
)
class SetPromoEligibilityInput:
    organization_id: strawberry.ID = must("For which of the vendor's organizations.")
    enabled: bool = must("Whether they hold.")
    product_lines: list[str] | None = may("For these product lines, by their `vendorId`.")
    machine_id: strawberry.ID | None = may("For all that is in this machine.")
    config_id: str | None = may("The vendor's id of a set of rules, where the organization has several.")
    valid_to: datetime | None = may("Until when they hold.")
    idempotency_key: str = must(KEY)


INPUTS: dict[type, type] = {
    estate.AddressInput: AddressInput,
    estate.ContactInput: ContactInput,
    estate.SupportInput: SupportInput,
    estate.CreateOrganizationInput: CreateOrganizationInput,
    estate.UpdateOrganizationInput: UpdateOrganizationInput,
    estate.CreateFleetInput: CreateFleetInput,
    estate.CreateMachineInput: CreateMachineInput,
    promotions.PromoRuleInput: PromoRuleInput,
    promotions.CreatePromoCodesInput: CreatePromoCodesInput,
    promotions.SetPromoEligibilityInput: SetPromoEligibilityInput,
}
