"""What the graph has to say of movements of stock and collections of cash, worked out from the vendors' documents.

Each function gives, for one vendor, the fields of each by the vendor's own id and what tells it apart within that."""

from typing import Any

from tests.expected import cents, unix, utc
from tests.running import Sandbox

Row = dict[str, Any]
KINDS = {"take": "TAKE", "stock": "RESTOCK", "adjustment": "ADJUSTMENT"}


def livello(sandbox: Sandbox) -> dict[tuple[str, ...], Row]:
    truth = sandbox.truth("livello")
    organizations = {str(row["id"]): row["name"] for row in truth["organizations"]}
    owners = {row["serialNumber"]: organizations[row["orgId"]] for row in truth["machines"]}
    products = {row["id"]: row["name"] for row in truth["products"]}
    found: dict[tuple[str, ...], Row] = {}
    for refill in truth["refills"]:
        serial = refill["kiosk"]["serialNumber"]
        for item in refill["itemsReplenished"]:
            for kind, delta in (("RESTOCK", item["added"]), ("REMOVAL", -item["removed"])):
                if delta:
                    found[str(refill["id"]), item["planogramPosition"], kind] = {
                        "machine": {"vendorId": serial, "name": refill["kiosk"]["name"]},
                        "organization": {"name": owners[serial]},
                        "product": {"name": products[item["productMetaId"]]},
                        "productName": item["name"],
                        "delta": delta,
                        "level": None,
                        "recordedAt": utc(refill["created"]),
                        "occurredAt": utc(refill["created"]),
                        "person": None,
                        "trust": "POLLED",
                    }
    return found


def vendnovation(sandbox: Sandbox) -> dict[tuple[str, ...], Row]:
    truth = sandbox.truth("vendnovation")
    organizations = {row["id"]: row["name"] for row in truth["organizations"]}
    machines = {str(row["id"]): row for row in truth["machines"]}
    products = {row["id"]: row["name"] for row in truth["products"]}
    found: dict[tuple[str, ...], Row] = {}
    for row in truth["adjustments"]:
        machine = machines.get(str(row["machineId"]))
        kind = KINDS.get(str(row.get("eventType")), "UNKNOWN")
        size = abs(row["adjustmentSize"])
        recorded = utc(row["adjustmentOccurredAt"])
        found[str(row["id"]), row["selection"], kind] = {
            "machine": None if machine is None else {"vendorId": str(machine["id"]), "name": machine["name"]},
            "organization": {"name": organizations[machine["organizationId"]] if machine else "Acme Vending"},
            "product": {"name": products[row["productId"]]},
            "productName": None,
            "delta": {"TAKE": -size, "RESTOCK": size}.get(kind),
            "level": row["newStockLevel"],
            "recordedAt": recorded,
            "occurredAt": utc(row["takeOccurredAt"]) if row["takeOccurredAt"] else recorded,
            "person": None if row["userId"] is None else {"vendorId": str(row["userId"]), "name": None},
            "trust": "POLLED",
        }
    return found


MOVEMENTS = {"livello": livello, "vendnovation": vendnovation}


def collections(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("smartvend")
    names = {row["id"]: row["humanName"] for row in truth["machines"]}
    return {
        row["id"]: {
            "vendor": "SMARTVEND",
            "machine": {"vendorId": row["controllerId"], "name": names[row["controllerId"]]},
            "organization": {"name": "Acme Vending"},
            "recordedAt": unix(row["createdAt"]),
            "total": cents(row["total"]),
            "bills": cents(row["bill"]),
            "coins": cents(row["coin"]),
            "trust": "POLLED",
        }
        for row in truth["encashments"]
    }
