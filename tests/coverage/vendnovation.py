"""VendNovation's operations in the graph."""

from tests.coverage.reach import Reach, Reaches, changing, listing, of_machine

VENDOR = "VENDNOVATION"
LISTED = "{ machines(first: 5, filter: { vendors: [VENDNOVATION] }) { nodes { id } } }"

REACHES: Reaches = {
    "authenticate": [Reach(coordinates=("Query.machines",), document=LISTED, renewing="/machines")],
    "list-machines": [listing("machines", VENDOR)],
    "list-sites": [of_machine("Machine.location", "location { city }", VENDOR)],
    "list-organizations": [
        Reach(coordinates=("Query.organizations",), document="{ organizations(first: 5) { nodes { name } } }")
    ],
    "list-products": [listing("products", VENDOR)],
    "list-selections": [of_machine("Machine.slots", "slots { position }", VENDOR)],
    "list-transactions": [listing("sales", VENDOR)],
    "list-alerts": [listing("events", VENDOR)],
    "list-inventory-adjustments": [listing("stockMovements", VENDOR)],
    "update-selections": [changing("setPrice", lambda things: {"slotId": things.slot(VENDOR)["id"], "amount": "1.75"})],
    "apply-delta": [changing("adjustStock", lambda things: {"slotId": things.slot(VENDOR)["id"], "delta": 1})],
}
