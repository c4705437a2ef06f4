"""Products as callers ask for them, and the orders that this becomes. What one vendor alone has stands apart.

What is None was left out: a change leaves it as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.capabilities import Capability
from domain.details import ProductDiet, ProductNutrition
from domain.money import Money
from domain.orders import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductPackagingInput:
    """As `ProductPackaging`; what has no default is told whenever any of it is."""

    shelf_life_days: int
    net_weight: Decimal
    net_weight_unit: str
    gross_weight: Decimal
    package_weight: Decimal | None = None
    unit_count: int | None = None
    tolerance_percentage: Decimal | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCapacityInput:
    surface_size: Decimal
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductNutritionInput(ProductNutrition):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDietInput(ProductDiet):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class LivelloProductInput:
    """`tax_rate` is the vendor's id of one of the organization's tax rates; `images` are in base64."""

    organization_id: str | None = None
    tax_rate: str | None = None
    packaging: ProductPackagingInput | None = None
    capacities: Sequence[ProductCapacityInput] | None = None
    nutrition: ProductNutritionInput | None = None
    diet: ProductDietInput | None = None
    images: Sequence[str] | None = None
    copy_images_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSizeInput:
    """`vendor_id`: of one that is there; None for a new one."""

    vendor_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCertificateInput:
    """As `ProductSizeInput`."""

    vendor_id: str | None = None
    number: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartEPIProductInput:
    sizes: Sequence[ProductSizeInput] | None = None
    certificates: Sequence[ProductCertificateInput] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductGiven:
    name: str | None = None
    description: str | None = None
    manufacturer: str | None = None
    category: str | None = None
    sku: str | None = None
    gtin: str | None = None
    price: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None
    livello: LivelloProductInput | None = None
    smartepi: SmartEPIProductInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProductInput(ProductGiven):
    account_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProductInput(ProductGiven):
    product_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteProductInput:
    product_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTold:
    """What is to be known of a product. `organization` and `images_of` are native ids."""

    name: str | None = None
    description: str | None = None
    manufacturer: str | None = None
    category: str | None = None
    sku: str | None = None
    gtin: str | None = None
    price: Money | None = None
    cost: Money | None = None
    organization: str | None = None
    images_of: str | None = None
    livello: LivelloProductInput | None = None
    smartepi: SmartEPIProductInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProduct(Order):
    kind: Capability = Capability.CREATE_PRODUCT
    told: ProductTold


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProduct(Order):
    kind: Capability = Capability.UPDATE_PRODUCT
    product: str
    told: ProductTold


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteProduct(Order):
    kind: Capability = Capability.DELETE_PRODUCT
    product: str


ORDERS: Mapping[Capability, type[Order]] = {
    Capability.CREATE_PRODUCT: CreateProduct,
    Capability.UPDATE_PRODUCT: UpdateProduct,
    Capability.DELETE_PRODUCT: DeleteProduct,
}
