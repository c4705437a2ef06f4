"""What fields are worth, in the one place where that is told: an object costs 1, and what has no fields nothing.

An object of a list costs as often as `first` says, or as often as is said here. So a cost is about the number of
objects that an answer may hold, and more where a vendor has to be asked for each."""

from collections.abc import Mapping

REQUEST = 10  # a request to a vendor, for this alone
COMMAND = 20
PAGE = 50  # where `first` is left out
LARGEST_PAGE = 1000
USUAL_SIZE = 3  # of a list that belongs to its object, such as a sale's lines
INTROSPECTION = 500

WEIGHTS: Mapping[str, int] = {
    "Machine.cash": REQUEST,
    "Machine.config": REQUEST,
    "Machine.ingredients": REQUEST,
    "Machine.session": REQUEST,
    "Organization.productLines": REQUEST,
    "Organization.taxRates": REQUEST,
    "Query.lowStock": 100,
    "Query.promoCode": REQUEST,
    "Query.salesReport": 100,
    "Query.__schema": INTROSPECTION,
    "Query.__type": INTROSPECTION,
}
SIZES: Mapping[str, int] = {
    "Machine.capabilities": 20,
    "Machine.slots": 20,
    "Query.accounts": 10,
    "SalesReport.rows": 100,
}
ITEMS = frozenset({"nodes", "edges"})  # of a connection: as many as its field's `first`


def weight(parent: str, field: str, *, leaf: bool, mutation: bool) -> int:
    """Of one object of a field."""
    if mutation:
        return COMMAND
    return WEIGHTS.get(f"{parent}.{field}", 0 if leaf else 1)
