"""Livello's operations in the graph."""

from uuid import uuid4

from domain.refs import Kind
from tests.coverage.reach import (
    SPANNED,
    Found,
    Reach,
    Reaches,
    Things,
    by_id,
    changing,
    listing,
    of_account,
    of_machine,
    of_span,
    span,
)

VENDOR, KIOSKS = "LIVELLO", "acme-kiosks"
ACCOUNT = Things.ref(Kind.ACCOUNT, KIOSKS)


def _product(things: Things) -> Found:
    return {
        "accountId": ACCOUNT,
        "name": f"Cola {uuid4().hex}",
        "manufacturer": "Fizz",
        "price": "1.79",
        "cost": "0.85",
        "livello": {
            "organizationId": things.organization,
            "packaging": {"shelfLifeDays": 180, "netWeight": "330", "netWeightUnit": "ml", "grossWeight": "345"},
            "capacities": [{"surfaceSize": "100", "units": 12}],
        },
    }


def _organization(things: Things) -> Found:
    return {
        "accountId": ACCOUNT,
        "parentId": things.organization,
        "name": "North",
        "type": "client",
        "currency": "EUR",
        "address": {"country": "Germany"},
    }


def _person(things: Things) -> Found:
    details = {
        "email": f"{uuid4().hex}@acme.example",
        "firstName": "Ada",
        "lastName": "Lake",
        "status": "ACTIVE",
        "language": "en",
        "organizationId": things.organization,
    }
    return {"accountId": ACCOUNT, "details": details}


def _made_product(things: Things) -> Found:
    return {"productId": things.made("createProduct", **_product(things))}


def _listed_product(things: Things) -> Found:
    return {"productId": things.first("products", vendors=[VENDOR])}


def _code(things: Things) -> Found:
    query = "mutation ($input: CreatePromoCodesInput!) { createPromoCodes(input: $input) { command { promoCodes } } }"
    given = {"idempotencyKey": uuid4().hex, "organizationId": things.organization}
    command = things.gateway.ask(query, {"input": given})["createPromoCodes"]["command"]
    return {"account": ACCOUNT, "code": command["promoCodes"][0]}


def _consumer(things: Things) -> Found:
    return {"personId": things.made("createPerson", **_person(things)), "details": {"firstName": "Eve"}}


def _summed(field: str, selection: str) -> Reach:
    """What the vendor itself sums up."""
    name = field.partition("(")[0]
    return of_span(
        f"VendorAnalytics.{name}", f"analytics(from: $from, to: $to) {{ {field} {{ {selection} }} }}", ACCOUNT
    )


ANALYTICS: Reaches = {
    "sales-analytics": [_summed("sales(granularity: DAY)", "since total { amount }")],
    "top-kiosks": [_summed("topMachines", "rank")],
    "top-products": [_summed("topProducts", "rank")],
    "transaction-kpis": [_summed("kpis", "sales")],
    "peak-hour": [_summed("peakHour", "since")],
    "daily-profit": [_summed("dailyProfit", "day")],
    "payment-types": [_summed("paymentTypes", "type")],
    "product-lifecycle": [_summed("lifecycle", "mostSold { count }")],
    "refill-statistics": [_summed("restocks", "restocked")],
    "low-stock": [_summed("lowStock", "quantity")],
    "product-statistics": [_summed("statistics", "sold")],
    "temperature-series": [
        by_id(
            "Machine.temperatures",
            SPANNED,
            "machine(id: $id) { temperatures(from: $from, to: $to) { buckets { mean } } }",
            lambda things: {"id": things.machine(VENDOR)["id"], **span()},
        )
    ],
}
REACHES: Reaches = {
    "get-token": [
        Reach(
            coordinates=("VendorAccount.signIn",),
            document="query ($id: ID!) { node(id: $id) { ... on VendorAccount { signIn { accepted } } } }",
            given=lambda _: {"id": ACCOUNT},
            renewing="/kiosks",
        )
    ],
    "list-kiosks": [listing("machines", VENDOR)],
    "get-kiosk": [of_machine("Machine.terminal", "terminal { language }", VENDOR)],
    "get-kiosk-inventory": [of_machine("Machine.slots", "slots { position }", VENDOR)],
    "get-kiosk-session": [of_machine("Machine.session", "session { status }", VENDOR)],
    "list-products": [listing("products", VENDOR)],
    "create-product": [changing("createProduct", _product)],
    "get-product": [
        changing(
            "updateProduct",
            lambda things: _listed_product(things) | {"category": "Snacks"},
            losing="/products/",
        )
    ],
    "update-product": [changing("updateProduct", lambda things: _listed_product(things) | {"category": "Drinks"})],
    "delete-product": [changing("deleteProduct", _made_product)],
    "update-product-line-price": [
        changing("setPrice", lambda things: {"slotId": things.slot(VENDOR)["id"], "amount": "1.75"})
    ],
    "list-transactions": [listing("sales", VENDOR)],
    "get-transaction": [
        by_id(
            "Query.sale",
            "$id: ID!",
            "sale(id: $id) { id }",
            lambda things: {"id": things.first("sales", vendors=[VENDOR])},
        )
    ],
    "list-refills": [listing("stockMovements", VENDOR)],
    "get-refill": [
        by_id(
            "Query.node",
            "$id: ID!",
            "node(id: $id) { ... on StockMovement { delta } }",
            lambda things: {"id": things.first("stockMovements", vendors=[VENDOR])},
        )
    ],
    "list-organizations": [
        Reach(coordinates=("Query.organizations",), document="{ organizations(first: 5) { nodes { name } } }")
    ],
    "create-organization": [changing("createOrganization", _organization)],
    "get-organization": [
        changing(
            "updateOrganization",
            lambda things: {"organizationId": things.organization, "description": "All of us"},
            losing="/organizations/",
        )
    ],
    "update-organization": [
        changing("updateOrganization", lambda things: {"organizationId": things.organization, "description": "All"})
    ],
    "list-vat-rates": [
        by_id(
            "Organization.taxRates",
            "$id: ID!",
            "organization(id: $id) { taxRates { rate } }",
            lambda things: {"id": things.organization},
        )
    ],
    "list-organization-product-lines": [
        by_id(
            "Organization.productLines",
            "$id: ID!",
            "organization(id: $id) { productLines { name } }",
            lambda things: {"id": things.organization},
        )
    ],
    "list-users": [listing("people", VENDOR)],
    "create-user": [changing("createPerson", _person)],
    "get-user": [
        by_id(
            "Query.person",
            "$id: ID!",
            "person(id: $id) { id }",
            lambda things: {"id": things.first("people", vendors=[VENDOR])},
        )
    ],
    "update-user": [changing("updatePerson", _consumer)],
    "list-alerts": [listing("events", VENDOR)],
    "list-alert-types": [of_account("VendorAccount.eventTypes", "eventTypes { code }", ACCOUNT)],
    "create-promocodes": [changing("createPromoCodes", lambda things: {"organizationId": things.organization})],
    "set-promocode-eligibility": [
        changing(
            "setPromoEligibility",
            lambda things: {
                "organizationId": things.organization,
                "enabled": True,
                "machineId": things.machine(VENDOR)["id"],
            },
        )
    ],
    "get-promocode": [
        by_id(
            "Query.promoCode",
            "$account: ID!, $code: String!",
            "promoCode(accountId: $account, code: $code) { code }",
            _code,
        )
    ],
    **ANALYTICS,
}
