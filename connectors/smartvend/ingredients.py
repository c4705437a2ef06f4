"""What a coffee machine makes its drinks of: the resources of its matrix. How much is left the vendor does not tell."""

from collections.abc import Sequence

from connectors.base import Account
from connectors.parsing import Raw, listing, need, number, rows
from domain.details import Ingredient


def ingredients(account: Account, matrix: Raw) -> Sequence[Ingredient]:
    """One that cannot be read is left out."""
    told = rows(account, "resources", matrix.get("resources") or [])
    return listing(account, "resource", told, _ingredient).items


def _ingredient(row: Raw) -> Ingredient:
    return Ingredient(vendor_id=need(row["resourceId"]), capacity=number(row.get("maxRefillQuantity")))
