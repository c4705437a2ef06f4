"""What some vendors tell of a product beyond the common words. None means that the vendor does not say."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


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
