"""The queries that are measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """`wants`: the kinds that it reads: machines, places, organizations, slots, products, sales, events.

    `picks`: it shows some of all machines, so that nothing below them can be asked for before all lists are there.
    `crowd`: it is asked by many at once too."""

    name: str
    text: str
    wants: frozenset[str]
    picks: bool = False
    crowd: bool = False


SLOTS = "slots { position quantity price { amount currency } product { name } }"
SALES = "sales(first: 10) { nodes { recordedAt total { amount currency } lines { productName quantity } } }"

QUERIES = (
    Query(
        "all machines",
        "{ machines(first: 1000) { totalCount nodes { id name vendor kind connectivity } sources { state } } }",
        frozenset({"machines"}),
        crowd=True,
    ),
    Query(
        "all machines, where they stand and whose they are",
        "{ machines(first: 1000) { nodes { name vendor organization { name } group { name } location { city } } } }",
        frozenset({"machines", "places", "organizations"}),
    ),
    Query(
        "the whole fleet with slots and products",
        f"{{ machines(first: 1000) {{ nodes {{ name vendor {SLOTS} }} }} }}",
        frozenset({"machines", "slots", "products"}),
    ),
    Query(
        "a dashboard: 50 machines, their slots, products and last 10 sales",
        f"{{ machines(first: 50) {{ nodes {{ name vendor vendorId connectivity {SLOTS} {SALES} }} }} }}",
        frozenset({"machines", "slots", "products", "sales"}),
        picks=True,
        crowd=True,
    ),
    Query(
        "the newest 50 sales",
        "{ sales(first: 50) { nodes { vendor recordedAt total { amount currency } lines { productName quantity } } } }",
        frozenset({"sales"}),
    ),
    Query(
        "the newest 50 sales and their machines",
        "{ sales(first: 50) { nodes { vendor recordedAt total { amount currency } machine { name } } } }",
        frozenset({"sales", "machines"}),
        crowd=True,
    ),
    Query(
        "the newest 50 events",
        "{ events(first: 50) { nodes { vendor recordedAt severity message } } }",
        frozenset({"events"}),
    ),
    Query(
        "all products",
        "{ products(first: 1000) { totalCount nodes { name vendor price { amount currency } } } }",
        frozenset({"products"}),
    ),
)
