"""What Livello tells of a product beyond the common words, and of an organization.

Which members a product has for what is in it and who can eat it is not documented: see `catalogue`."""

from collections.abc import Sequence
from typing import Any

from connectors.base import Account
from connectors.livello.catalogue import DIET, NUTRITION, lost_name
from connectors.parsing import Raw, listing, need, number, text, whole
from domain.details import (
    ProductCapacity,
    ProductDiet,
    ProductLine,
    ProductNutrition,
    ProductPackaging,
    TaxRate,
)


def packaging(row: Raw) -> ProductPackaging | None:
    """`weight` and its unit are documented; what else is sent may be told, too."""
    told = row.get("packaging")
    told = told if isinstance(told, dict) else {}
    found = ProductPackaging(
        net_weight=number(_first(told.get("netWeightGrams"), row.get("weight"))),
        net_weight_unit=text(_first(told.get("netWeightGramsUnit"), row.get("weightUnit"))),
        gross_weight=number(told.get("grossWeightGrams")),
        package_weight=number(told.get("packageWeightGrams")),
        shelf_life_days=whole(told.get("shelfLifeDays")),
        unit_count=whole(told.get("unitCount")),
        tolerance_percentage=number(told.get("tolerancePercentage")),
        description=text(told.get("description")),
    )
    return None if found == ProductPackaging() else found


def _first(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def capacities(row: Raw) -> Sequence[ProductCapacity] | None:
    told = row.get("capacities")
    if not isinstance(told, list):
        return None
    found = ((number(one.get("surfaceSize")), whole(one.get("units"))) for one in told if isinstance(one, dict))
    return [
        ProductCapacity(surface_size=size, units=units)
        for size, units in found
        if size is not None and units is not None
    ]


def nutrition(account: Account, row: Raw) -> ProductNutrition | None:
    told = _part(account, row, "nutrition")
    return None if told is None else ProductNutrition(**{name: text(told.get(key)) for name, key in NUTRITION.items()})


def diet(account: Account, row: Raw) -> ProductDiet | None:
    told = _part(account, row, "diet")
    if told is None:
        return None
    flags = {name: told.get(DIET[name]) for name in ("gluten_free", "vegetarian", "vegan")}
    return ProductDiet(
        **{name: flag if isinstance(flag, bool) else None for name, flag in flags.items()},
        allergens=text(told.get("allergens")),
        ingredients=text(told.get("ingredientsList")),
    )


def _part(account: Account, row: Raw, name: str) -> Raw | None:
    told = row.get(lost_name(account, name))
    return told if isinstance(told, dict) else None


def tax_rates(account: Account, found: list[Any]) -> Sequence[TaxRate]:
    return listing(account, "tax rate", found, _tax_rate).items


def _tax_rate(row: Raw) -> TaxRate:
    rate, native = number(row.get("value")), need(row.get("id"))
    if rate is None:
        raise ValueError("a rate is missing")
    return TaxRate(
        vendor_id=native, name=text(row.get("name")) or native, rate=rate, country=text(row.get("countryCode"))
    )


def product_lines(account: Account, found: list[Any]) -> Sequence[ProductLine]:
    return listing(account, "product line", found, _product_line).items


def _product_line(row: Raw) -> ProductLine:
    native = need(text(row.get("_id")) or text(row.get("id")))
    return ProductLine(vendor_id=native, name=text(row.get("name")) or native, image_url=image(row))


def image(row: Raw) -> str | None:
    images = row.get("images") or []
    candidates = [row.get("imageUrl"), *(one.get("url") if isinstance(one, dict) else one for one in images)]
    return next((one for one in candidates if isinstance(one, str) and one.startswith(("https://", "http://"))), None)
