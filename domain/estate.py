"""Organizations, fleets and machines as callers ask for them, and the orders that this becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.capabilities import Capability
from domain.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressInput:
    """`country` is its name, `country_code` ISO 3166 alpha-2."""

    country: str
    country_code: str | None = None
    address: str | None = None
    postal_code: str | None = None
    city: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactInput:
    person: str | None = None
    role: str | None = None
    email: str | None = None
    phone: str | None = None
    support_email: str | None = None
    support_phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportInput:
    email: str | None = None
    hotline: str | None = None
    availability: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationTold:
    """`type` and `currency` in the vendor's words, in any case."""

    name: str | None = None
    type: str | None = None
    currency: str | None = None
    description: str | None = None
    slug: str | None = None
    ean_prefix: str | None = None
    privacy_policy_url: str | None = None
    terms_url: str | None = None
    address: AddressInput | None = None
    contact: ContactInput | None = None
    support: SupportInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrganizationInput(OrganizationTold):
    account_id: str
    parent_id: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOrganizationInput(OrganizationTold):
    organization_id: str
    parent_id: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFleetInput:
    account_id: str
    name: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMachineInput:
    """Temperatures in degrees Celsius, beyond which the vendor raises an alert; heartbeats in seconds."""

    account_id: str
    group_id: str
    least_celsius: Decimal | None = None
    most_celsius: Decimal | None = None
    heartbeat_seconds: int | None = None
    kiosk_url: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrganization(Order):
    kind: Capability = Capability.CREATE_ORGANIZATION
    told: OrganizationTold
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOrganization(Order):
    kind: Capability = Capability.UPDATE_ORGANIZATION
    organization: str
    told: OrganizationTold
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFleet(Order):
    kind: Capability = Capability.CREATE_FLEET
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMachine(Order):
    """`place`: what stands for the machine in its webhook's address, which is needed before it has an id."""

    kind: Capability = Capability.CREATE_MACHINE
    group: str
    place: str
    least_celsius: Decimal | None = None
    most_celsius: Decimal | None = None
    heartbeat_seconds: int | None = None
    kiosk_url: str | None = None


ORDERS: Mapping[Capability, type[Order]] = {
    Capability.CREATE_ORGANIZATION: CreateOrganization,
    Capability.UPDATE_ORGANIZATION: UpdateOrganization,
    Capability.CREATE_FLEET: CreateFleet,
    Capability.CREATE_MACHINE: CreateMachine,
}
