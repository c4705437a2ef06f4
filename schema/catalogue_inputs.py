"""What mutations of the catalogue take."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from domain import catalogue
from schema.inputs import CURRENCY, KEY, UNSENT

MONEY = "In the currency's major unit, exact to its hundredth."
LIVELLO = "What only Livello has."
SMARTEPI = "What only SmartEPI has."


def may(description: str) -> Any:
    """A field that may be left out."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def must(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.input(description=f"How a product is packed. It is told as a whole, or not at all. {UNSENT}")
class ProductPackagingInput:
    shelf_life_days: int = must("For how many days it keeps.")
    net_weight: Decimal = must("What its content weighs or measures, in `netWeightUnit`.")
    net_weight_unit: str = must('The unit of `netWeight`, such as "g" or "ml".')
    gross_weight: Decimal = must("What it weighs with its package, in grams.")
    package_weight: Decimal | None = may("What the package alone weighs, in grams.")
    unit_count: int | None = may("How many are in it.")
    tolerance_percentage: Decimal | None = may("By how much one may weigh more or less, in per cent.")
    description: str | None = may("What it is packed in.")


@strawberry.input(description="How many of a product fit onto a surface.")
class ProductCapacityInput:
    surface_size: Decimal = must("The surface's size, in the vendor's measure.")
    units: int = must("How many fit.")


@strawberry.input(description=f"What is in a product, each with its unit. {UNSENT}")
class ProductNutritionInput:
    energy: str | None = may("Energy, in kJ or kcal.")
    fat: str | None = may("Fat.")
    saturated_fat: str | None = may("Saturated fat.")
    carbohydrates: str | None = may("Carbohydrates.")
    sugars: str | None = may("Sugars.")
    fiber: str | None = may("Fiber.")
    protein: str | None = may("Protein.")
    salt: str | None = may("Salt.")


@strawberry.input(description=f"Who can eat a product. {UNSENT}")
class ProductDietInput:
    gluten_free: bool | None = may("Whether it has no gluten.")
    vegetarian: bool | None = may("Whether it is vegetarian.")
    vegan: bool | None = may("Whether it is vegan.")
    allergens: str | None = may("What it may cause an allergy by.")
    ingredients: str | None = may("What it is made of.")


@strawberry.input(description=f"What only Livello has of a product. {UNSENT}")
class LivelloProductInput:
    organization_id: strawberry.ID | None = may("Whose product it is; needed to create one.")
    tax_rate: str | None = may("The `vendorId` of one of the organization's `taxRates`; with price and cost only.")
    packaging: ProductPackagingInput | None = may("How it is packed; needed to create one.")
    capacities: list[ProductCapacityInput] | None = may("How many fit where; needed to create one.")
    nutrition: ProductNutritionInput | None = may(
        "What is in it. The vendor's documents lost the member's name: it is sent as `nutrition`, unless"
        " `members.nutrition` of the account tells another."
    )
    diet: ProductDietInput | None = may(
        "Who can eat it. The vendor's documents lost the member's name: it is sent as `dietaryInfo`, unless"
        " `members.diet` of the account tells another."
    )
    images: list[str] | None = may("Pictures in base64: eight at most, and 180 KiB in all.")
    copy_images_from: strawberry.ID | None = may("The product whose pictures it gets, where none are given.")


@strawberry.input(description=f"A size. With `vendorId` one that is there is changed, else one is added. {UNSENT}")
class ProductSizeInput:
    vendor_id: str | None = may("The vendor's id of it.")
    name: str | None = may("What it is called.")


@strawberry.input(
    description=f"A certificate. With `vendorId` one that is there is changed, else one is added. {UNSENT}"
)
class ProductCertificateInput:
    vendor_id: str | None = may("The vendor's id of it.")
    number: str | None = may("Its number.")
    expires_at: datetime | None = may("When it is no longer good, to the second.")


@strawberry.input(description=f"What only SmartEPI has of a product. {UNSENT}")
class SmartEPIProductInput:
    sizes: list[ProductSizeInput] | None = may("Sizes that are added or changed; none goes away.")
    certificates: list[ProductCertificateInput] | None = may("Certificates that are added or changed; none goes away.")


@strawberry.input(description=f"A product to add. What the vendor does not have is refused. {UNSENT}")
class CreateProductInput:
    name: str = must("What it is called.")
    description: str | None = may("What it is.")
    manufacturer: str | None = may("Who makes it.")
    category: str | None = may("As the operator sorts it.")
    sku: str | None = may("The operator's own article number.")
    gtin: str | None = may("The number of its bar code, an EAN or UPC.")
    price: Decimal | None = may(f"What one costs, tax included. {MONEY}")
    cost: Decimal | None = may(f"What one costs the operator. {MONEY}")
    currency: str | None = may(CURRENCY)
    livello: LivelloProductInput | None = may(LIVELLO)
    smartepi: SmartEPIProductInput | None = may(SMARTEPI)
    account_id: strawberry.ID = must("To which account's catalogue.")
    idempotency_key: str = must(KEY)


@strawberry.input(description="What is to change of a product; what is left out stays.")
class UpdateProductInput:
    name: str | None = may("What it is called.")
    description: str | None = may("What it is.")
    manufacturer: str | None = may("Who makes it.")
    category: str | None = may("As the operator sorts it.")
    sku: str | None = may("The operator's own article number.")
    gtin: str | None = may("The number of its bar code, an EAN or UPC; with the packaging only.")
    price: Decimal | None = may(f"What one costs, tax included; with the cost only. {MONEY}")
    cost: Decimal | None = may(f"What one costs the operator; with the price only. {MONEY}")
    currency: str | None = may(CURRENCY)
    livello: LivelloProductInput | None = may(LIVELLO)
    smartepi: SmartEPIProductInput | None = may(SMARTEPI)
    product_id: strawberry.ID = must("Which product.")
    idempotency_key: str = must(KEY)


@strawberry.input(description="A product to delete.")
class DeleteProductInput:
    product_id: strawberry.ID = must("Which product.")
    idempotency_key: str = must(KEY)


INPUTS: dict[type, type] = {
    catalogue.ProductPackagingInput: ProductPackagingInput,
    catalogue.ProductCapacityInput: ProductCapacityInput,
    catalogue.ProductNutritionInput: ProductNutritionInput,
    catalogue.ProductDietInput: ProductDietInput,
    catalogue.LivelloProductInput: LivelloProductInput,
    catalogue.ProductSizeInput: ProductSizeInput,
    catalogue.ProductCertificateInput: ProductCertificateInput,
    catalogue.SmartEPIProductInput: SmartEPIProductInput,
    catalogue.CreateProductInput: CreateProductInput,
    catalogue.UpdateProductInput: UpdateProductInput,
    catalogue.DeleteProductInput: DeleteProductInput,
}
