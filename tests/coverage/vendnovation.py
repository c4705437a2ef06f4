"""VendNovation's operations in the graph."""

from datetime import timedelta
from uuid import uuid4

from domain.refs import Kind
from domain.times import utc_now
from tests.coverage.reach import Found, Reach, Reaches, Things, changing, listing, of_account, of_machine

VENDOR = "VENDNOVATION"
ACCOUNT = Things.ref(Kind.ACCOUNT, "acme-vending")
SPAN = 'from: "2026-03-01T00:00:00Z", to: "2026-03-08T00:00:00Z"'
LISTED = "{ machines(first: 5, filter: { vendors: [VENDNOVATION] }) { nodes { id } } }"


def _lately(_: Things) -> Found:
    now = utc_now()
    return {"id": ACCOUNT, "from": (now - timedelta(days=7)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}


def _event(things: Things) -> Found:
    things.sandbox.happen("vendnovation", "NS")
    listed = "{ events(first: 1, filter: { vendors: [VENDNOVATION], state: ACTIVE }) { nodes { id } } }"
    return {"eventId": things.gateway.ask(listed)["events"]["nodes"][0]["id"]}


def _called_in(things: Things) -> Found:
    row = things.sandbox.vendors["vendnovation"]._fleet.machine_rows.records()[0]
    row["callInCode"] = "CI-1"
    organization = Things.ref(Kind.ORGANIZATION, "acme-vending", row["organizationId"])
    return {"organizationId": organization, "serialNumber": row["prose"]}


def _site(things: Things) -> Found:
    owner = things.sandbox.vendors["vendnovation"]._fleet.accounts.find(301)
    organization = Things.ref(Kind.ORGANIZATION, "acme-vending", min(owner.keys["organizationIds"]))
    return {
        "accountId": ACCOUNT,
        "organizationId": organization,
        "customerAccount": "301",
        "name": f"Harbor {uuid4().hex}",
    }


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
    "token-test": [of_account("VendorAccount.signIn", "signIn { accepted }", ACCOUNT)],
    "list-accounts": [of_account("VendorAccount.customerAccounts", "customerAccounts { name }", ACCOUNT)],
    "list-transaction-metadata": [listing("sales", VENDOR, "metadata { tags { key } }", "Sale.metadata")],
    "product-sales-stats": [
        of_account("VendorAccount.productsSold", f"productsSold({SPAN}) {{ sold }}", ACCOUNT),
    ],
    "list-sessions": [
        of_account("VendorAccount.serviceSessions", f"serviceSessions({SPAN}) {{ reason }}", ACCOUNT),
        of_machine("Machine.serviceSessions", f"serviceSessions({SPAN}) {{ reason }}", VENDOR),
    ],
    "create-sessions": [
        changing("createServiceSession", lambda things: {"machineId": things.machine(VENDOR)["id"], "reason": "Look"})
    ],
    "list-session-events": [
        Reach(
            coordinates=("ServiceSession.events",),
            document="query ($id: ID!, $from: DateTime!, $to: DateTime!) { node(id: $id) { ... on VendorAccount {"
            " serviceSessions(from: $from, to: $to) { events { kind } } } } }",
            given=_lately,
        )
    ],
    "update-alerts": [changing("resolveEvent", _event)],
    "update-machines": [
        changing("updateMachine", lambda things: {"machineId": things.machine(VENDOR)["id"], "assetNumber": "A 7"})
    ],
    "provision-machine": [changing("provisionMachine", _called_in)],
    "create-sites": [changing("createSite", _site)],
}
