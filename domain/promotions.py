"""Promo codes: what they are, as callers ask for them, and the orders that this becomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from domain.capabilities import Capability
from domain.orders import Order


class DiscountType(Enum):
    PERCENTAGE = "PERCENTAGE"
    FLAT = "FLAT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoRule:
    """What a code takes off on a day of the week, 0 for Sunday. Flat amounts are in the organization's currency.

    `capping`: whether a discount has a limit; `uses`: how often the code can be used before it is reset; `least_items`:
    how many things have to be bought, None for any number."""

    day: int | None
    type: DiscountType
    uses: int | None
    percentage: Decimal | None = None
    flat: Decimal | None = None
    capping: bool | None = None
    capping_percentage: Decimal | None = None
    capping_flat: Decimal | None = None
    least_items: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoCode:
    """`balance`: how often it can still be used; `config_id`: the vendor's id of its set of rules."""

    vendor_id: str | None
    code: str
    balance: int | None
    enabled: bool | None
    valid_from: datetime | None
    valid_to: datetime | None
    organization: str | None
    config_id: str | None
    rules: Sequence[PromoRule] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoRuleInput:
    """As `PromoRule`."""

    day: int
    type: DiscountType
    uses: int
    percentage: Decimal | None = None
    flat: Decimal | None = None
    capping: bool
    capping_percentage: Decimal | None = None
    capping_flat: Decimal | None = None
    least_items: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoCodesTold:
    code: str | None = None
    quantity: int | None = None
    balance: int | None = None
    enabled: bool | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    duration_days: int | None = None
    rules: Sequence[PromoRuleInput] | None = None
    config_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePromoCodesInput(PromoCodesTold):
    organization_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPromoEligibilityInput:
    """Of some product lines, by the vendor's ids, or of all of a machine."""

    organization_id: str
    enabled: bool
    product_lines: Sequence[str] | None = None
    machine_id: str | None = None
    config_id: str | None = None
    valid_to: datetime | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePromoCodes(Order):
    kind: Capability = Capability.CREATE_PROMO_CODES
    organization: str
    told: PromoCodesTold


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPromoEligibility(Order):
    """`machine`: its serial number."""

    kind: Capability = Capability.SET_PROMO_ELIGIBILITY
    organization: str
    enabled: bool
    product_lines: Sequence[str] | None
    machine: str | None
    config_id: str | None
    valid_to: datetime | None


ORDERS: Mapping[Capability, type[Order]] = {
    Capability.CREATE_PROMO_CODES: CreatePromoCodes,
    Capability.SET_PROMO_ELIGIBILITY: SetPromoEligibility,
}
