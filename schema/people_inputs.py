"""What narrows lists of people and structure, and what mutations of them take."""

import strawberry

from domain.model import Vendor
from domain.people import PersonRole, PersonStatus, UnitKind
from schema.inputs import ACCOUNTS, KEY, NARROWS, UNSENT, VENDORS

LEFT_OUT = "What is left out, or null, stays as it is."
ACCOUNT = "In which account."


@strawberry.input(description=f"Narrows a list of people. {NARROWS}")
class PersonFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    units: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Only those who belong to one of these units."
    )
    groups: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Only those who belong to one of these groups."
    )
    statuses: list[PersonStatus] | None = strawberry.field(
        default=strawberry.UNSET, description="Only those with one of these."
    )
    roles: list[PersonRole] | None = strawberry.field(
        default=strawberry.UNSET, description="Only those with one of these."
    )
    search: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Only those with this text in their name, e-mail or identification, in any case. Not for viewers.",
    )


@strawberry.input(description=f"Narrows a list of units. {NARROWS}")
class OrganizationUnitFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    kinds: list[UnitKind] | None = strawberry.field(default=strawberry.UNSET, description="Only of these kinds.")
    search: str | None = strawberry.field(
        default=strawberry.UNSET, description="Only those with this text in their name or code, in any case."
    )


@strawberry.input(description=f"Narrows a list of groups. {NARROWS}")
class EntitlementGroupFilter:
    vendors: list[Vendor] | None = strawberry.field(default=strawberry.UNSET, description=VENDORS)
    accounts: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=ACCOUNTS)
    search: str | None = strawberry.field(
        default=strawberry.UNSET, description="Only those with this text in their name, in any case."
    )


@strawberry.input(description="An address. What is left out, or null, is not said.")
class PersonAddressInput:
    address: str | None = strawberry.field(default=strawberry.UNSET, description="Street and number.")
    city: str | None = strawberry.field(default=strawberry.UNSET, description="The city.")
    postal_code: str | None = strawberry.field(default=strawberry.UNSET, description="The postal code.")
    country: str | None = strawberry.field(default=strawberry.UNSET, description="The country.")


@strawberry.input(
    description=f"What is to be kept of a person. {LEFT_OUT} A vendor that keeps nothing of the kind refuses it."
)
class PersonDetailsInput:
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Their whole name.")
    first_name: str | None = strawberry.field(default=strawberry.UNSET, description="Their first name.")
    last_name: str | None = strawberry.field(default=strawberry.UNSET, description="Their last name.")
    email: str | None = strawberry.field(default=strawberry.UNSET, description="Their e-mail address.")
    identification: str | None = strawberry.field(
        default=strawberry.UNSET, description="The number by which the operator knows them."
    )
    mobile: str | None = strawberry.field(default=strawberry.UNSET, description="Their mobile number.")
    note: str | None = strawberry.field(default=strawberry.UNSET, description="What is to be noted.")
    avatar_url: str | None = strawberry.field(default=strawberry.UNSET, description="Where their picture is.")
    language: str | None = strawberry.field(default=strawberry.UNSET, description="Two letters, such as de.")
    address: PersonAddressInput | None = strawberry.field(default=strawberry.UNSET, description="Their address.")
    membercards: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="Ids of their cards: all of them from then on."
    )
    status: PersonStatus | None = strawberry.field(default=strawberry.UNSET, description="ACTIVE or INACTIVE.")
    organization_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="One of the vendor's own organizations."
    )
    sector_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Their sector.")
    cost_center_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Their cost center.")
    second_cost_center_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Their other cost center."
    )
    job_role_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Their job role.")
    group_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The group that says what they may take."
    )


@strawberry.input(description="A person who is to be known. Each vendor says what it needs, and what keeps them apart.")
class CreatePersonInput:
    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    details: PersonDetailsInput = strawberry.field(description="What is to be kept of them.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="What is to change of a person.")
class UpdatePersonInput:
    person_id: strawberry.ID = strawberry.field(description="Which person.")
    details: PersonDetailsInput = strawberry.field(description="What is to change.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="A person who is to be known no longer.")
class DeletePersonInput:
    person_id: strawberry.ID = strawberry.field(description="Which person.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description=f"A unit that is to be there. Its name is no other's of its kind. {UNSENT}")
class CreateUnitInput:
    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    kind: UnitKind = strawberry.field(description="What it is.")
    name: str = strawberry.field(description="What it is called.")
    code: str | None = strawberry.field(default=strawberry.UNSET, description="A cost center's code.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description=f"What is to change of a unit. {LEFT_OUT}")
class UpdateUnitInput:
    unit_id: strawberry.ID = strawberry.field(description="Which unit.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What it is called.")
    code: str | None = strawberry.field(default=strawberry.UNSET, description="A cost center's code.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="A unit that is to go. The vendor refuses it while people belong to it.")
class DeleteUnitInput:
    unit_id: strawberry.ID = strawberry.field(description="Which unit.")
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="How much of a product those of a group may take.")
class EntitlementRuleInput:
    product_id: strawberry.ID = strawberry.field(description="Of which product.")
    quantity: int = strawberry.field(description="How many in each period.")
    period_days: int = strawberry.field(description="How long a period is, in days.")


@strawberry.input(description="A group that is to be there. Its name is no other's.")
class CreateGroupInput:
    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    name: str = strawberry.field(description="What it is called.")
    rules: list[EntitlementRuleInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What its people may take; nothing where it is left out."
    )
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description=f"What is to change of a group. {LEFT_OUT}")
class UpdateGroupInput:
    group_id: strawberry.ID = strawberry.field(description="Which group.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="What it is called.")
    rules: list[EntitlementRuleInput] | None = strawberry.field(
        default=strawberry.UNSET, description="What its people may take: all of it from then on."
    )
    idempotency_key: str = strawberry.field(description=KEY)


@strawberry.input(description="A group that is to go. The vendor refuses it while people belong to it.")
class DeleteGroupInput:
    group_id: strawberry.ID = strawberry.field(description="Which group.")
    idempotency_key: str = strawberry.field(description=KEY)
