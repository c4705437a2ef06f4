"""VendNovation's operations in the graph."""

from uuid import uuid4

from domain.refs import Kind
from tests.commanding import when
from tests.coverage.reach import (
    ON_ACCOUNT,
    SPANNED,
    Found,
    Reach,
    Reaches,
    Things,
    by_id,
    changing,
    keyed,
    listing,
    of_account,
    of_machine,
    of_span,
    span,
)

VENDOR, KEY = "VENDNOVATION", "acme-vending"
ACCOUNT = Things.ref(Kind.ACCOUNT, KEY)
LISTED = "{ machines(first: 5, filter: { vendors: [VENDNOVATION] }) { nodes { id } } }"
ACTIVE = "{ events(first: 1, filter: { vendors: [VENDNOVATION], state: ACTIVE }) { nodes { id } } }"
WORK = "serviceSessions(from: $from, to: $to) { %s }"
SESSION = """mutation ($input: CreateServiceSessionInput!) {
  createServiceSession(input: $input) { command { result } errors { message } } }"""


def _machine(things: Things) -> Found:
    return {"machineId": things.machine(VENDOR)["id"]}


def _active(things: Things) -> Found:
    things.sandbox.happen("vendnovation", "NS")
    (found,) = when(lambda: things.gateway.ask(ACTIVE)["events"]["nodes"], bool)
    return {"eventId": found["id"]}


def _site(things: Things) -> Found:
    """Of a customer of the organization's."""
    customer = next(iter(things.sandbox.vendors["vendnovation"]._fleet.accounts))
    organization = things.ref(Kind.ORGANIZATION, KEY, min(customer.keys["organizationIds"]))
    return {
        "accountId": ACCOUNT,
        "organizationId": organization,
        "customerAccount": str(customer.record["id"]),
        "name": f"Harbor {uuid4().hex}",
    }


def _called_in(things: Things) -> Found:
    """A machine that shows its code, as it does when it first calls in."""
    row = things.sandbox.vendors["vendnovation"]._fleet.machine_rows.records()[0]
    row["callInCode"] = "CI-1"
    organization = things.ref(Kind.ORGANIZATION, KEY, row["organizationId"])
    return {"organizationId": organization, "serialNumber": row["prose"]}


def _session(things: Things) -> Found:
    return {**_machine(things), "reason": "belt replaced"}


def _worked(things: Things) -> Found:
    """The account, in a span in which somebody worked."""
    payload = things.gateway.ask(SESSION, {"input": keyed(**_session(things))})["createServiceSession"]
    assert payload["errors"] == [], payload
    return {"id": ACCOUNT, **span()}


REACHES: Reaches = {
    "authenticate": [Reach(coordinates=("Query.machines",), document=LISTED, renewing="/machines")],
    "token-test": [of_account("VendorAccount.signIn", "signIn { accepted }", ACCOUNT)],
    "list-machines": [listing("machines", VENDOR)],
    "update-machines": [changing("updateMachine", lambda things: {**_machine(things), "name": uuid4().hex})],
    "provision-machine": [changing("provisionMachine", _called_in)],
    "list-sites": [of_machine("Machine.location", "location { city }", VENDOR)],
    "create-sites": [changing("createSite", _site)],
    "list-accounts": [of_account("VendorAccount.customerAccounts", "customerAccounts { name }", ACCOUNT)],
    "list-organizations": [
        Reach(coordinates=("Query.organizations",), document="{ organizations(first: 5) { nodes { name } } }")
    ],
    "list-products": [listing("products", VENDOR)],
    "list-selections": [of_machine("Machine.slots", "slots { position }", VENDOR)],
    "list-transactions": [listing("sales", VENDOR)],
    "list-transaction-metadata": [listing("sales", VENDOR, "metadata { tags { key } }", "Sale.metadata")],
    "product-sales-stats": [
        of_span("VendorAccount.productsSold", "productsSold(from: $from, to: $to) { sold }", ACCOUNT)
    ],
    "list-alerts": [listing("events", VENDOR)],
    "list-alert-codes": [of_account("VendorAccount.eventTypes", "eventTypes { code }", ACCOUNT)],
    "update-alerts": [changing("resolveEvent", _active)],
    "clear-alerts": [changing("resolveEvent", _active, missing="PATCH /prod/alerts")],
    "list-inventory-adjustments": [listing("stockMovements", VENDOR)],
    "list-sessions": [of_span("VendorAccount.serviceSessions", WORK % "reason", ACCOUNT)],
    "list-session-events": [by_id("ServiceSession.events", SPANNED, ON_ACCOUNT % (WORK % "events { kind }"), _worked)],
    "create-sessions": [changing("createServiceSession", _session)],
    "update-selections": [changing("setPrice", lambda things: {"slotId": things.slot(VENDOR)["id"], "amount": "1.75"})],
    "apply-delta": [changing("adjustStock", lambda things: {"slotId": things.slot(VENDOR)["id"], "delta": 1})],
}
