"""What a coffee machine makes its drinks of: the resources of its matrix. How much is left the vendor does not tell."""

from collections.abc import Sequence

from connectors.base import Account
from connectors.parsing import Raw, need, number, records, rows
from domain.details import Ingredient


def ingredients(account: Account, matrix: Raw) -> Sequence[Ingredient]:
    return records(account, "resource", rows(account, "resources", matrix.get("resources") or []), _ingredient)


def _ingredient(row: Raw) -> Ingredient:
    return Ingredient(vendor_id=need(row["resourceId"]), capacity=number(row.get("maxRefillQuantity")))
