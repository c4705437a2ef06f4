"""What the vendors' documents describe, operation by operation: facts that no connector has a part in.

Where a document lost a method or a path, what stands here is what is assumed of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.model import Vendor


@dataclass(frozen=True, slots=True)
class Documented:
    name: str
    method: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`by_hand`: what a person does.

    `commands`: what one operation can be told to do. `besides`: what no document tells of, but others' programs ask."""

    operations: Mapping[str, Documented]
    webhooks: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    by_hand: Mapping[str, str] | None = None
    besides: Mapping[str, Documented] = field(default_factory=dict)

    @property
    def asked(self) -> Mapping[str, Documented]:
        """What a connector may ask."""
        return {**self.operations, **self.besides}


def _operations(text: str) -> Mapping[str, Documented]:
    rows = (line.split() for line in text.strip().splitlines())
    return {name: Documented(name, method, path) for name, method, path in rows}


def _resource(path: str, one: str) -> str:
    """SmartEPI's five operations of a resource."""
    return f"""
list-{path} GET /{path}
get-{one} GET /{path}/{{id}}
create-{one} POST /{path}
update-{one} PUT /{path}/{{id}}
delete-{one} DELETE /{path}/{{id}}"""


SMARTVEND = """
get-controller-matrix POST /get-controller-matrix
update-controller-matrix POST /update-controller-matrix
send-deposit-to-controller POST /send-deposit-to-controller
issue-product POST /issue-product
send-remote-payment-to-controller POST /send-remote-payment-to-controller
get-controller-config POST /get-controller-config
update-controller-config POST /update-controller-config
get-controller-state POST /get-controller-state
get-controller-connection-status POST /get-controller-connection-status
get-list-of-controllers POST /get-list-of-controllers
get-list-of-sales POST /get-list-of-sales
get-list-of-events POST /get-list-of-events
get-list-of-products POST /get-list-of-products
get-dictionary-of-events POST /get-dictionary-of-events
get-encashments-list POST /get-encashments-list
create-encashment POST /create-encashment
"""
LIVELLO = """
get-token POST /auth/token
list-kiosks GET /kiosks
get-kiosk GET /kiosks/{serialNumber}
get-kiosk-inventory GET /kiosks/{serialNumber}/inventory
get-kiosk-session GET /kiosks/{serialNumber}/session
list-products GET /products
create-product POST /products
get-product GET /products/{id}
update-product PATCH /products/{id}
delete-product DELETE /products/{id}
update-product-line-price POST /product-lines/{id}/price
list-transactions GET /transactions
get-transaction GET /transactions/{id}
list-refills GET /refills
get-refill GET /refills/{id}
list-organizations GET /organizations
create-organization POST /organizations
get-organization GET /organizations/{id}
update-organization PATCH /organizations/{id}
list-vat-rates GET /organizations/{id}/vat
list-organization-product-lines GET /organizations/{id}/product-lines
list-users GET /users
create-user POST /users
get-user GET /users/{id}
update-user PATCH /users/{id}
list-alerts GET /alerts
list-alert-types GET /alerts/types
create-promocodes POST /promocodes
set-promocode-eligibility POST /promocodes/eligibility
get-promocode GET /promocodes/{code}
sales-analytics GET /analytics/sales
top-kiosks GET /analytics/sales/top-kiosks
top-products GET /analytics/sales/top-products
transaction-kpis GET /analytics/transactions/kpis
peak-hour GET /analytics/transactions/peak-hour
daily-profit GET /analytics/transactions/daily-profit
payment-types GET /analytics/transactions/payment-types
product-lifecycle GET /analytics/transactions/product-lifecycle
refill-statistics GET /analytics/refills/statistics
low-stock GET /analytics/inventory/low-stock
product-statistics GET /analytics/inventory/products
temperature-series GET /analytics/temperature/{granularity}
"""
VENDNOVATION = """
authenticate POST /authenticate/
token-test POST /token-test/
list-machines POST /machines
update-machines PATCH /machines
provision-machine POST /machines/provision
list-sites POST /sites
create-sites PUT /sites
list-accounts POST /accounts
list-organizations POST /organizations
list-selections POST /selections
update-selections PATCH /selections
apply-delta POST /selections/apply-delta
list-products POST /products
list-transactions POST /transactions/
list-transaction-metadata POST /transactions/metadata
list-inventory-adjustments POST /inventory
product-sales-stats POST /reports/product-sales-stats
list-alerts POST /alerts/
update-alerts PATCH /alerts
clear-alerts POST /alerts/clear
list-sessions POST /sessions/management/
create-sessions PUT /sessions/management/
list-session-events PATCH /sessions/management/events/
"""
RESOURCES = {
    "employees": "employee",
    "sectors": "sector",
    "cost-centers": "cost-center",
    "job-roles": "job-role",
    "groups": "group",
    "access-groups": "access-group",
    "products": "product",
}
READ_ONLY = ("withdrawals", "returns", "exchanges")  # they come from devices, and are never written
SMARTEPI = "".join(_resource(path, one) for path, one in RESOURCES.items()) + "".join(
    f"\nlist-{path} GET /{path}" for path in READ_ONLY
)
EATMACHINE = """
who-am-i GET /auth/me
login POST /auth/login
create-fleet POST /fleets
create-fridge POST /fridges
post-command POST /fridges/{uuid}/commands/{slug}
"""

DOCUMENTS: Mapping[Vendor, Document] = {
    Vendor.SMARTVEND: Document(operations=_operations(SMARTVEND), webhooks=("sale", "event")),
    Vendor.LIVELLO: Document(operations=_operations(LIVELLO)),
    Vendor.VENDNOVATION: Document(
        operations=_operations(VENDNOVATION),
        besides=_operations("list-alert-codes POST /alerts/codes/"),
    ),
    Vendor.SMARTEPI: Document(
        operations=_operations(SMARTEPI),
        webhooks=(
            "withdrawal.created",
            "return.created",
            "exchange.created",
            "training_record.created",
            "webhook.test",
        ),
    ),
    Vendor.EATMACHINE: Document(
        operations=_operations(EATMACHINE),
        by_hand={"link-fridge": "typing the key into the fridge's screen"},
        commands=("reboot", "open", "inventory", "temperature", "door-status", "restart-app"),
        webhooks=(
            "heartbeat",
            "door-status",
            "screen-status",
            "shutdown",
            "boot",
            "inventory",
            "video",
            "temperature",
            "product-linked",
            "badge-presented",
            "ack",
        ),
    ),
}
COUNTS: Mapping[Vendor, tuple[int, int, int]] = {  # operations with those by hand, commands, webhooks
    Vendor.SMARTVEND: (16, 0, 2),
    Vendor.LIVELLO: (42, 0, 0),
    Vendor.VENDNOVATION: (23, 0, 0),
    Vendor.SMARTEPI: (38, 0, 5),
    Vendor.EATMACHINE: (6, 6, 11),
}
