"""What some vendors tell of products, organizations and machines beyond the common words."""

from datetime import datetime
from decimal import Decimal

import strawberry

from domain.promotions import DiscountType
from schema.basics import SILENT
from schema.edge import attribute as told

THE_VENDORS = "The vendor's own id."


@strawberry.type(description=f"How a product is packed. {SILENT}")
class ProductPackaging:
    net_weight: Decimal | None = told("What its content weighs or measures, in `netWeightUnit`.")
    net_weight_unit: str | None = told('The unit of `netWeight`, such as "g" or "ml".')
    gross_weight: Decimal | None = told("What it weighs with its package, in grams.")
    package_weight: Decimal | None = told("What the package alone weighs, in grams.")
    shelf_life_days: int | None = told("For how many days it keeps.")
    unit_count: int | None = told("How many are in it.")
    tolerance_percentage: Decimal | None = told("By how much one may weigh more or less, in per cent.")
    description: str | None = told("What it is packed in.")


@strawberry.type(description="How many of a product fit onto a surface.")
class ProductCapacity:
    surface_size: Decimal = told("The surface's size, in the vendor's measure.")
    units: int = told("How many fit.")


@strawberry.type(description=f"What is in a product, in the vendor's words. {SILENT}")
class ProductNutrition:
    energy: str | None = told("Energy, in kJ or kcal.")
    fat: str | None = told("Fat.")
    saturated_fat: str | None = told("Saturated fat.")
    carbohydrates: str | None = told("Carbohydrates.")
    sugars: str | None = told("Sugars.")
    fiber: str | None = told("Fiber.")
    protein: str | None = told("Protein.")
    salt: str | None = told("Salt.")


@strawberry.type(description=f"Who can eat a product. {SILENT}")
class ProductDiet:
    gluten_free: bool | None = told("Whether it has no gluten.")
    vegetarian: bool | None = told("Whether it is vegetarian.")
    vegan: bool | None = told("Whether it is vegan.")
    allergens: str | None = told("What it may cause an allergy by.")
    ingredients: str | None = told("What it is made of.")


@strawberry.type(description=f"A size that a product comes in. {SILENT}")
class ProductSize:
    vendor_id: str | None = told(THE_VENDORS)
    name: str = told("What it is called.")


@strawberry.type(description=f"A certificate of a product. {SILENT}")
class ProductCertificate:
    vendor_id: str | None = told(THE_VENDORS)
    number: str = told("Its number.")
    expires_at: datetime | None = told("When it is no longer good.")


@strawberry.type(description=f"A rate of value added tax. {SILENT}")
class TaxRate:
    vendor_id: str = told(THE_VENDORS)
    name: str = told("What it is called.")
    rate: Decimal = told("The rate in per cent, such as 19.")
    country: str | None = told("In which country it holds, by ISO 3166 alpha-2.")


@strawberry.type(description=f"A product as it is sold at one place of one machine. {SILENT}")
class ProductLine:
    vendor_id: str = told(THE_VENDORS)
    name: str = told("The product's name.")
    image_url: str | None = told("The address of a picture at the vendor.")


@strawberry.type(description=f"Something that a machine makes its products of. {SILENT}")
class Ingredient:
    vendor_id: str = told(THE_VENDORS)
    capacity: Decimal | None = told("How much of it the machine holds when it is full, in the vendor's measure.")


@strawberry.type(description=f"What a promo code takes off on a day of the week. {SILENT}")
class PromoRule:
    day: int | None = told("The day of the week, from 0 for Sunday to 6 for Saturday.")
    type: DiscountType = told("Whether `percentage` or `flat` says how much.")
    uses: int | None = told("How often it can be used before it is reset.")
    percentage: Decimal | None = told("What is taken off, in per cent; null where `flat` says it.")
    flat: Decimal | None = told(
        "What is taken off, in the major unit of the organization's currency; null where `percentage` says it."
    )
    capping: bool | None = told("Whether the discount has a limit.")
    capping_percentage: Decimal | None = told(
        "At most so much is taken off, in per cent; null where there is no such limit."
    )
    capping_flat: Decimal | None = told(
        "At most so much is taken off, in the major unit of the organization's currency; null where there is no "
        "such limit."
    )
    least_items: int | None = told("How many things have to be bought; null for any number.")
    description: str | None = told("What it says of itself, for a person to read.")


@strawberry.type(description=f"A code that takes something off a purchase. {SILENT}")
class PromoCode:
    vendor_id: str | None = told(THE_VENDORS)
    code: str = told("The code.")
    balance: int | None = told("How often it can still be used.")
    enabled: bool | None = told("Whether it can be used.")
    valid_from: datetime | None = told("From when on it can be used.")
    valid_to: datetime | None = told("Until when it can be used.")
    config_id: str | None = told("The vendor's id of its set of rules.")
    rules: list[PromoRule] | None = told("What it takes off, a rule for each day.")
