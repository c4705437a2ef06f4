"""What some vendors tell of one machine, product or organization beyond the common words.

None means that the vendor does not say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from domain.money import Money


class Language(Enum):
    """By ISO 639-1."""

    EN = "en"
    PT = "pt"
    ES = "es"
    DE = "de"
    FR = "fr"
    RU = "ru"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSession:
    """The last time that somebody was served. `status` and `kind` are the vendor's words; `final`: it is over."""

    status: str | None
    kind: str | None
    started_at: datetime
    updated_at: datetime | None
    closed_at: datetime | None
    final: bool | None
    with_purchase: bool | None
    reference: str | None
    vendor_data: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCash:
    """What was paid in since the last collection."""

    total: Money | None
    bills: Money | None
    coins: Money | None
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineConfig:
    """Less secrets. `kind` and the keys of `settings` are the vendor's words."""

    kind: str
    settings: Mapping[str, Any]
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPackaging:
    """Weights in grams; but for `net_weight`, which is in `net_weight_unit`, such as "g" or "ml"."""

    net_weight: Decimal | None = None
    net_weight_unit: str | None = None
    gross_weight: Decimal | None = None
    package_weight: Decimal | None = None
    shelf_life_days: int | None = None
    unit_count: int | None = None
    tolerance_percentage: Decimal | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCapacity:
    """How many fit onto a surface of this size, which is the vendor's measure."""

    surface_size: Decimal
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductNutrition:
    """In the vendor's words, units included."""

    energy: str | None = None
    fat: str | None = None
    saturated_fat: str | None = None
    carbohydrates: str | None = None
    sugars: str | None = None
    fiber: str | None = None
    protein: str | None = None
    salt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDiet:
    gluten_free: bool | None = None
    vegetarian: bool | None = None
    vegan: bool | None = None
    allergens: str | None = None
    ingredients: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSize:
    vendor_id: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCertificate:
    vendor_id: str | None
    number: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """`rate` in per cent; `country`: ISO 3166 alpha-2."""

    vendor_id: str
    name: str
    rate: Decimal
    country: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLine:
    """A product as it is sold at one place of one machine."""

    vendor_id: str
    name: str
    image_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """What a machine makes its products of. `capacity`: how much of it the machine holds, in the vendor's measure."""

    vendor_id: str
    capacity: Decimal | None
