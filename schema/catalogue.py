"""What some vendors tell of products, organizations and machines beyond the common words."""

from datetime import datetime
from decimal import Decimal

import strawberry

from domain.promotions import DiscountType
from schema.edge import attribute as told

THE_VENDORS = "The vendor's own id."


@strawberry.type(description="How a product is packed.")
class ProductPackaging:
    net_weight: Decimal | None = told("In `netWeightUnit`.")
    net_weight_unit: str | None = told('Such as "g" or "ml".')
    gross_weight: Decimal | None = told("In grams.")
    package_weight: Decimal | None = told("In grams.")
    shelf_life_days: int | None = told("How long it keeps.")
    unit_count: int | None = told("How many are in it.")
    tolerance_percentage: Decimal | None = told("By how much one may weigh more or less, in per cent.")
    description: str | None = told("What it is packed in.")


@strawberry.type(description="How many of a product fit onto a surface.")
class ProductCapacity:
    surface_size: Decimal = told("The surface's size, in the vendor's measure.")
    units: int = told("How many fit.")


@strawberry.type(description="What is in a product, in the vendor's words.")
class ProductNutrition:
    energy: str | None = told("In kJ or kcal.")
    fat: str | None = told("Fat.")
    saturated_fat: str | None = told("Saturated fat.")
    carbohydrates: str | None = told("Carbohydrates.")
    sugars: str | None = told("Sugars.")
    fiber: str | None = told("Fiber.")
    protein: str | None = told("Protein.")
    salt: str | None = told("Salt.")


@strawberry.type(description="Who can eat a product.")
class ProductDiet:
    gluten_free: bool | None = told("Whether it has no gluten.")
    vegetarian: bool | None = told("Whether it is vegetarian.")
    vegan: bool | None = told("Whether it is vegan.")
    allergens: str | None = told("What it may cause an allergy by.")
    ingredients: str | None = told("What it is made of.")


@strawberry.type(description="A size that a product comes in.")
class ProductSize:
    vendor_id: str | None = told(THE_VENDORS)
    name: str = told("What it is called.")


@strawberry.type(description="A certificate of a product.")
class ProductCertificate:
    vendor_id: str | None = told(THE_VENDORS)
    number: str = told("Its number.")
    expires_at: datetime | None = told("When it is no longer good.")


@strawberry.type(description="A rate of value added tax.")
class TaxRate:
    vendor_id: str = told(THE_VENDORS)
    name: str = told("What it is called.")
    rate: Decimal = told("In per cent.")
    country: str | None = told("ISO 3166 alpha-2.")


@strawberry.type(description="A product as it is sold at one place of one machine.")
class ProductLine:
    vendor_id: str = told(THE_VENDORS)
    name: str = told("The product's name.")
    image_url: str | None = told("A picture, at the vendor.")


@strawberry.type(description="Something that a machine makes its products of.")
class Ingredient:
    vendor_id: str = told(THE_VENDORS)
    capacity: Decimal | None = told("How much of it the machine holds when it is full, in the vendor's measure.")


@strawberry.type(description="What a promo code takes off on a day of the week.")
class PromoRule:
    day: int | None = told("From 0 for Sunday to 6 for Saturday.")
    type: DiscountType = told("Whether `percentage` or `flat` says how much.")
    uses: int | None = told("How often it can be used before it is reset.")
    percentage: Decimal | None = told("In per cent.")
    flat: Decimal | None = told("In the organization's currency.")
    capping: bool | None = told("Whether the discount has a limit.")
    capping_percentage: Decimal | None = told("The limit in per cent.")
    capping_flat: Decimal | None = told("The limit in the organization's currency.")
    least_items: int | None = told("How many things have to be bought; null for any number.")
    description: str | None = told("For a person to read.")


@strawberry.type(description="A code that takes something off a purchase.")
class PromoCode:
    vendor_id: str | None = told(THE_VENDORS)
    code: str = told("The code.")
    balance: int | None = told("How often it can still be used.")
    enabled: bool | None = told("Whether it can be used.")
    valid_from: datetime | None = told("From when on.")
    valid_to: datetime | None = told("Until when.")
    config_id: str | None = told("The vendor's id of its set of rules.")
    rules: list[PromoRule] | None = told("What it takes off.")
