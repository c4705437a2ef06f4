"""Events that are over, sites, and machines as they are linked and changed: as callers ask, and the orders of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from domain.capabilities import Capability
from domain.orders import MachineOrder, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveEventInput:
    """`message` takes the place of the event's own."""

    event_id: str
    message: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSiteInput:
    """`customer_account` is a vendor's id; `timezone` an IANA name; `largest_charge` in the major unit."""

    account_id: str
    organization_id: str | None = None
    customer_account: str | None = None
    name: str
    timezone: str | None = None
    largest_charge: Decimal | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionMachineInput:
    organization_id: str
    serial_number: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineTold:
    """Rates and commissions in per cent; the fee in the major unit."""

    name: str | None = None
    asset_number: str | None = None
    accepts_cash: bool | None = None
    accepts_cards: bool | None = None
    accepts_accounts: bool | None = None
    counts_stock: bool | None = None
    visible: bool | None = None
    tax_rate: Decimal | None = None
    own_tax_rate: bool | None = None
    commission: Decimal | None = None
    own_commission: bool | None = None
    card_fee: Decimal | None = None
    central_prices: bool | None = None
    sms_receipts: bool | None = None
    ignores_door: bool | None = None
    update_software: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMachineInput(MachineTold):
    machine_id: str
    group_id: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveEvent(Order):
    """`event` is the native id, with what finds it again."""

    kind: Capability = Capability.RESOLVE_EVENT
    event: str
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSite(Order):
    kind: Capability = Capability.CREATE_SITE
    organization: str | None
    customer_account: str | None
    name: str
    timezone: str | None = None
    largest_charge: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionMachine(Order):
    """`asked_at`: what the vendor recorded before is not of this order."""

    kind: Capability = Capability.PROVISION_MACHINE
    organization: str
    serial_number: str
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMachine(MachineOrder):
    kind: Capability = Capability.UPDATE_MACHINE
    group: str | None
    told: MachineTold


def told_of(given: MachineTold) -> MachineTold:
    return MachineTold(**{one.name: getattr(given, one.name) for one in fields(MachineTold)})


LASTING = frozenset({Capability.RESOLVE_EVENT, Capability.CREATE_SITE, Capability.PROVISION_MACHINE})  # none undoes it
ORDERS: Mapping[Capability, type[Order]] = {
    Capability.RESOLVE_EVENT: ResolveEvent,
    Capability.CREATE_SITE: CreateSite,
    Capability.PROVISION_MACHINE: ProvisionMachine,
    Capability.UPDATE_MACHINE: UpdateMachine,
}
