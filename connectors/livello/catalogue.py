"""Products as Livello takes them: what a part needs is needed whenever anything of that part is told.

Its documents have lost two members' names, of what is in a product and of who can eat it: they are called as their
types are, unless the account tells otherwise."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.acting import VendorRequest
from connectors.base import Account
from connectors.livello.words import number_of
from connectors.prices import major
from domain.catalogue import (
    CreateProduct,
    LivelloProductInput,
    ProductDietInput,
    ProductNutritionInput,
    ProductPackagingInput,
    ProductTold,
    UpdateProduct,
)
from domain.errors import BadInput

Body = dict[str, Any]
NOTHING = LivelloProductInput()
NUTRITION: Mapping[str, str] = {
    "energy": "energy",
    "fat": "fat",
    "saturated_fat": "fatSaturated",
    "carbohydrates": "carbo",
    "sugars": "carboSugar",
    "fiber": "fiber",
    "protein": "protein",
    "salt": "salt",
}
DIET: Mapping[str, str] = {
    "gluten_free": "glutenFree",
    "vegetarian": "vegetarian",
    "vegan": "vegan",
    "allergens": "allergens",
    "ingredients": "ingredientsList",
}
LOST: Mapping[str, str] = {"nutrition": "nutrition", "diet": "dietaryInfo"}
PLAIN: Mapping[str, str] = {
    "name": "name",
    "description": "description",
    "category": "category",
    "manufacturer": "manufacturer",
    "sku": "articleNumber",
}
MEASURES: Mapping[str, str] = {"package_weight": "packageWeightGrams", "tolerance_percentage": "tolerancePercentage"}


def created(account: Account, order: CreateProduct) -> VendorRequest:
    """Raises BadInput for what the vendor needs and is not told."""
    told, livello = order.told, order.told.livello or NOTHING
    needed = {
        "manufacturer": told.manufacturer,
        "price": told.price,
        "cost": told.cost,
        "livello.organizationId": told.organization,
        "livello.packaging": livello.packaging,
        "livello.capacities": livello.capacities or None,
    }
    for name, value in needed.items():
        if value is None:
            raise BadInput("livello needs it", "input", *name.split("."))
    return VendorRequest(operation="create-product", body=_body(account, told))


def updated(account: Account, order: UpdateProduct) -> VendorRequest:
    return VendorRequest(operation="update-product", path={"id": order.product}, body=_body(account, order.told))


def _body(account: Account, told: ProductTold) -> Body:
    if told.smartepi is not None:
        raise BadInput("livello has neither sizes nor certificates", "input", "smartepi")
    livello = told.livello or NOTHING
    found = {member: getattr(told, name) for name, member in PLAIN.items()}
    found |= {
        "organizationId": _id(told.organization, "organizationId"),
        "pricing": _pricing(told, livello),
        "packaging": _packaging(livello.packaging, told.gtin),
        "capacities": _capacities(livello),
        "images": None if livello.images is None else [{"data": image} for image in livello.images],
        "copyImagesFromMetaId": _id(told.images_of, "copyImagesFrom"),
    }
    body = {member: value for member, value in found.items() if value is not None}
    return body | _lost(account, "nutrition", livello.nutrition, NUTRITION) | _lost(account, "diet", livello.diet, DIET)


def _id(native: str | None, field: str) -> int | None:
    """Ids of organizations, products and tax rates are numbers."""
    return None if native is None else number_of(native, "livello", field)


def _pricing(told: ProductTold, livello: LivelloProductInput) -> Body | None:
    if told.price is None and told.cost is None and livello.tax_rate is None:
        return None
    if told.price is None or told.cost is None:
        raise BadInput("livello takes price and cost together", "input", "price" if told.price is None else "cost")
    vat = None if livello.tax_rate is None else {"defaultVat_id": number_of(livello.tax_rate, "livello", "taxRate")}
    pricing = {"defaultPrice": major(told.price.amount), "defaultCost": major(told.cost.amount)}
    return pricing | (vat or {})


def _packaging(given: ProductPackagingInput | None, ean: str | None) -> Body | None:
    if given is None and ean is not None:
        raise BadInput("livello takes it with the packaging only", "input", "gtin")
    if given is None:
        return None
    optional = {
        "ean": ean,
        "description": given.description,
        "unitCount": given.unit_count,
        **{member: _plain(getattr(given, name)) for name, member in MEASURES.items()},
    }
    return {
        "shelfLifeDays": given.shelf_life_days,
        "netWeightGrams": _plain(given.net_weight),
        "grossWeightGrams": _plain(given.gross_weight),
        "netWeightGramsUnit": given.net_weight_unit,
        **{member: value for member, value in optional.items() if value is not None},
    }


def _capacities(livello: LivelloProductInput) -> list[Body] | None:
    if livello.capacities is None:
        return None
    return [{"surfaceSize": _plain(one.surface_size), "units": one.units} for one in livello.capacities]


def _lost(
    account: Account, name: str, given: ProductNutritionInput | ProductDietInput | None, words: Mapping[str, str]
) -> Body:
    if given is None:
        return {}
    told = {word: getattr(given, field) for field, word in words.items()}
    return {lost_name(account, name): {word: value for word, value in told.items() if value is not None}}


def lost_name(account: Account, name: str) -> str:
    return account.members.get(name, LOST[name])


def _plain(value: Decimal | None) -> int | float | None:
    """As JSON's number, which says just this."""
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)
