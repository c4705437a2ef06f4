"""What the graph has to say of a sandbox's truth, worked out from the vendors' documents and from nothing of ours.

Each function gives, for one vendor, the fields of each thing by the vendor's own id. Money is (amount, currency)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.running import Sandbox, moment

Row = dict[str, Any]
Money = tuple[Decimal, str]

ZONES = {  # Windows names of the sandbox's places
    "GMT Standard Time": "Europe/London",
    "W. Europe Standard Time": "Europe/Berlin",
    "FLE Standard Time": "Europe/Kiev",
    "Central Europe Standard Time": "Europe/Budapest",
    "Romance Standard Time": "Europe/Paris",
    "Pacific Standard Time": "America/Los_Angeles",
    "Central Standard Time": "America/Chicago",
    "Eastern Standard Time": "America/New_York",
    "US Mountain Standard Time": "America/Phoenix",
}


def plain(value: Any) -> Any:
    """An answer with money as (amount, currency) and times as datetimes; the vendors' own records as they are."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"amount", "currency"}:
        return Decimal(value["amount"]), value["currency"]
    return {key: _member(key, item) for key, item in value.items()}


def _member(key: str, value: Any) -> Any:
    if value is None or key == "vendorData":
        return value
    return moment(value) if key.endswith("At") else plain(value)


def unix(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def utc(text: str) -> datetime:
    """Without an offset it is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def cents(value: Any) -> Money | None:
    return None if value is None else (Decimal(int(value)) / 100, "EUR")


def major(value: Any, currency: str) -> Money | None:
    return None if value is None else (Decimal(str(value)), currency)


def online(seen: datetime | None, minutes: int) -> str:
    if seen is None:
        return "UNKNOWN"
    return "ONLINE" if datetime.now(UTC) - seen <= timedelta(minutes=minutes) else "OFFLINE"


# ---- Machines ----

NOTHING: Row = {
    "serialNumber": None,
    "model": None,
    "group": None,
    "location": None,
    "connectivity": "UNKNOWN",
    "lastSeenAt": None,
    "door": "UNKNOWN",
    "temperature": None,
}
NOWHERE: Row = dict.fromkeys(("name", "address", "city", "postalCode", "country", "timezone"))


def _smartvend_machines(sandbox: Sandbox) -> dict[str, Row]:
    return {
        row["id"]: NOTHING
        | {
            "name": row["humanName"],
            "serialNumber": row["serialNumber"],
            "kind": row["type"].upper(),
            "organization": {"name": "Acme Vending"},
            "location": NOWHERE | {"address": row["location"], "city": row["city"], "timezone": row["timezone"]},
            "connectivity": row["connectionStatus"].upper(),
        }
        for row in sandbox.truth("smartvend")["machines"]
    }


def _livello_machines(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("livello")
    organizations = {str(row["id"]): row for row in truth["organizations"]}
    found = {}
    for row in truth["machines"]:
        owner = organizations[row["orgId"]]
        seen = utc(row["networkLastOnline"]) if row.get("networkLastOnline") else None
        celsius = row["latestTemperature"]
        found[row["serialNumber"]] = NOTHING | {
            "name": row["name"],
            "serialNumber": row["serialNumber"],
            "kind": "KIOSK",
            "organization": {"name": owner["name"]},
            "location": NOWHERE
            | {
                "address": owner["address"]["address"],
                "city": owner["address"]["city"],
                "postalCode": owner["address"]["postalCode"],
                "country": owner["address"]["countryCode"],
                "timezone": "Europe/Berlin",
            },
            "connectivity": online(seen, 15),
            "lastSeenAt": seen,
            "temperature": None if celsius is None else {"celsius": float(celsius), "measuredAt": None},
        }
    return found


def _vendnovation_machines(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("vendnovation")
    sites = {row["id"]: row for row in truth["sites"]}
    organizations = {row["id"]: row for row in truth["organizations"]}
    found = {}
    for row in truth["machines"]:
        site = sites[row["siteId"]]
        beat = utc(row["lastHeartBeat"]["server"])
        seen = None if beat.year == 1 else beat
        found[str(row["id"])] = NOTHING | {
            "name": row["name"],
            "serialNumber": row["prose"],
            "model": row["modelNumber"],
            "kind": "OTHER",
            "organization": {"name": organizations[row["organizationId"]]["name"]},
            "group": {"name": site["name"]},
            "location": NOWHERE
            | {"name": site["name"], "address": site["address"], "timezone": ZONES[site["timeZone"]]},
            "connectivity": online(seen, 60),
            "lastSeenAt": seen,
        }
    return found


def _smartepi_machines(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("smartepi")
    seen = {
        row["id"]: max(sale["createdAt"] for sale in truth["sales"] if sale["deviceId"] == row["id"])
        for row in truth["machines"]
    }
    return {
        row["id"]: NOTHING
        | {
            "name": row["name"] or row["id"],
            "kind": "DISPENSER",
            "organization": {"name": "Acme Vending"},
            "lastSeenAt": unix(seen[row["id"]]),
        }
        for row in truth["machines"]
    }


def _eatmachine_machines(sandbox: Sandbox) -> dict[str, Row]:
    return {
        row["uuid"]: NOTHING | {"name": row["name"], "kind": "FRIDGE", "organization": {"name": "Acme Vending"}}
        for row in sandbox.truth("eatmachine")["machines"]
    }


# ---- Slots, by machine and position ----


def _product(native: Any, rows: list[Row]) -> Row | None:
    found = next((row for row in rows if str(row["id"]) == str(native)), None)
    return None if found is None else {"vendorId": str(found["id"]), "name": found["name"]}


def _smartvend_slots(sandbox: Sandbox) -> dict[str, dict[str, Row]]:
    truth = sandbox.truth("smartvend")
    found: dict[str, dict[str, Row]] = {}
    for row in truth["slots"]:
        position = str(row["rowNumber"] * row["columnsNumber"] + row["columnNumber"] + 1)
        found.setdefault(row["controllerId"], {})[position] = {
            "row": row["rowNumber"],
            "column": row["columnNumber"],
            "price": cents(row["price"]),
            "quantity": None,
            "capacity": None,
            "product": _product(row["productId"], truth["products"]),
        }
    return found


def _livello_slots(sandbox: Sandbox) -> dict[str, dict[str, Row]]:
    truth = sandbox.truth("livello")
    found: dict[str, dict[str, Row]] = {}
    for row in truth["slots"]:
        line = row["productLineData"] or {}
        found.setdefault(row["serialNumber"], {})[row["planogramPosition"]] = {
            "row": None,
            "column": None,
            "price": major(line.get("price"), "EUR"),
            "quantity": line.get("quantity"),
            "capacity": line.get("capacity"),
            "product": _product(line.get("productMetaId"), truth["products"]),
        }
    return found


def _vendnovation_slots(sandbox: Sandbox) -> dict[str, dict[str, Row]]:
    truth = sandbox.truth("vendnovation")
    found: dict[str, dict[str, Row]] = {}
    for row in truth["slots"]:
        found.setdefault(str(row["machineId"]), {})[row["selectionNumber"]] = {
            "row": None,
            "column": None,
            "price": major(row["price"], "USD"),
            "quantity": row["count"],
            "capacity": row["depth"],
            "product": _product(row["productId"], truth["products"]),
        }
    return found


def _no_slots(_: Sandbox) -> dict[str, dict[str, Row]]:
    return {}


# ---- Products ----

UNTOLD: Row = dict.fromkeys(("description", "manufacturer", "category", "sku", "gtin", "price", "cost", "imageUrl"))


def _smartvend_products(sandbox: Sandbox) -> dict[str, Row]:
    return {
        row["id"]: UNTOLD
        | {
            "name": row["name"],
            "price": cents(row["price"]),
            "archived": row["archive"],
            "organization": {"name": "Acme Vending"},
        }
        for row in sandbox.truth("smartvend")["products"]
    }


def _livello_products(sandbox: Sandbox) -> dict[str, Row]:
    return {
        str(row["id"]): UNTOLD
        | {
            "name": row["name"],
            "description": row["description"],
            "manufacturer": row["manufacturer"],
            "category": row["category"],
            "sku": row["articleNumber"],
            "gtin": row.get("ean"),
            "price": major(row["price"], "EUR"),
            "cost": major(row["cost"], "EUR"),
            "archived": False,
            "organization": {"name": row["organizationName"]},
        }
        for row in sandbox.truth("livello")["products"]
    }


def _vendnovation_products(sandbox: Sandbox) -> dict[str, Row]:
    return {
        str(row["id"]): UNTOLD
        | {
            "name": row["name"],
            "description": row["description"],
            "manufacturer": row["manufacturer"],
            "category": row["category"],
            "gtin": row["upc"],
            "price": major(row["price"], "USD"),
            "cost": major(row["cost"], "USD"),
            "archived": not row["isActive"],
            "organization": {"name": "Acme Vending"},
        }
        for row in sandbox.truth("vendnovation")["products"]
    }


def _smartepi_products(sandbox: Sandbox) -> dict[str, Row]:
    return {
        row["id"]: UNTOLD
        | {
            "name": row["name"],
            "description": row["description"],
            "sku": row["code"],
            "archived": False,
            "organization": {"name": "Acme Vending"},
        }
        for row in sandbox.truth("smartepi")["products"]
    }


# ---- Sales ----

SMARTVEND_METHODS = {
    "bill": "BILL",
    "coin": "COIN",
    "digital": "CARD",
    "remotePayment": "REMOTE_PAYMENT",
    "remoteDeposit": "REMOTE_DEPOSIT",
}
LIVELLO_METHODS = {"MEMBERCARD": "MEMBERCARD", "CreditOrDebitCard": "CARD"}
VENDNOVATION_METHODS = {"Credit": "CARD", "Cash": "CASH", "Account": "ACCOUNT", "A ": "ACCOUNT"}
VENDNOVATION_STATUSES = {"charged": "COMPLETED", "authorized": "PENDING", "void": "REFUNDED", "error": "FAILED"}
NO_LINE: Row = dict.fromkeys(("position", "unitPrice", "total", "tax", "taxRate"))


def _smartvend_sales(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("smartvend")
    products = {row["id"]: row["name"] for row in truth["products"]}
    return {row["saleId"]: _smartvend_sale(row, products) for row in truth["sales"]}


def _smartvend_sale(row: Row, products: Mapping[str, str]) -> Row:
    return {
        "kind": "PURCHASE",
        "status": "COMPLETED",
        "machine": {"vendorId": row["controllerId"], "name": row["controllerHumanName"]},
        "organization": {"name": "Acme Vending"},
        "recordedAt": unix(row["createdAt"]),
        "occurredAt": unix(row["controllerCreatedAt"]),
        "total": cents(row["totalPrice"]),
        "tax": None,
        "discount": None,
        "person": None,
        "trust": "POLLED",
        "payments": [
            {"method": method, "amount": cents(row[name]), "cardBrand": None, "reference": None}
            for name, method in SMARTVEND_METHODS.items()
            if row[name] != "0"
        ],
        "lines": [
            NO_LINE
            | {
                "product": {"name": products[line["productId"]]} if line["productId"] else None,
                "productName": line["name"],
                "position": None if line["position"] is None else str(line["position"]),
                "quantity": line["quantity"],
                "unitPrice": cents(line["price"]),
                "total": None if line["price"] is None else cents(int(line["price"]) * line["quantity"]),
                "dispensed": "UNKNOWN",
            }
            for line in row["products"]
        ],
    }


def _livello_sales(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("livello")
    organizations = {str(row["id"]): row["name"] for row in truth["organizations"]}
    owners = {row["serialNumber"]: organizations[row["orgId"]] for row in truth["machines"]}
    products = {row["id"]: row["name"] for row in truth["products"]}
    return {str(row["id"]): _livello_sale(row, owners, products) for row in truth["sales"]}


def _livello_sale(row: Row, owners: Mapping[str, str], products: Mapping[int, str]) -> Row:
    serial, method = row["kiosk"]["serialNumber"], row["paymentMethod"]
    return {
        "kind": "PURCHASE",
        "status": "COMPLETED" if method["isPaid"] else "PENDING",
        "machine": {"vendorId": serial, "name": row["kiosk"]["name"]},
        "organization": {"name": owners[serial]},
        "recordedAt": utc(row["created"]),
        "occurredAt": utc(row["created"]),
        "total": major(row["total"], "EUR"),
        "tax": None,
        "discount": major(row["discountTotal"], "EUR"),
        "person": {"vendorId": str(row["userId"]), "name": None} if row["userId"] else None,
        "trust": "POLLED",
        "payments": [
            {
                "method": LIVELLO_METHODS.get(method["paymentType"], "UNKNOWN"),
                "amount": major(row["total"], "EUR"),
                "cardBrand": method["cardType"],
                "reference": method["externalTransactionId"],
            }
        ],
        "lines": [
            NO_LINE
            | {
                "product": {"name": products[line["productMetaId"]]},
                "productName": line["name"],
                "position": line["planogramPosition"],
                "quantity": line["quantity"],
                "unitPrice": major(line["price"], "EUR"),
                "total": (Decimal(str(line["price"])) * line["quantity"], "EUR"),
                "taxRate": str(line["taxRate"]),
                "dispensed": "DISPENSED",
            }
            for line in row["itemsPurchased"]
        ],
    }


def _vendnovation_sales(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("vendnovation")
    organizations = {row["id"]: row["name"] for row in truth["organizations"]}
    machines = {str(row["id"]): row for row in truth["machines"]}
    owners = {native: organizations[row["organizationId"]] for native, row in machines.items()}
    names = {native: row["name"] for native, row in machines.items()}
    products = {str(row["id"]): row["name"] for row in truth["products"]}
    return {row["id"]: _vendnovation_sale(row, names, owners, products) for row in truth["sales"]}


def _vendnovation_sale(
    row: Row, names: Mapping[str, str], owners: Mapping[str, str], products: Mapping[str, str]
) -> Row:
    machine = str(row["machineId"])
    payment = row["paymentInformation"]
    credit, holder = payment["creditInformation"], payment["accountInformation"]
    return {
        "kind": "PURCHASE",
        "status": _vendnovation_status(credit, [line["vendWasSuccessful"] for line in row["lineItems"]]),
        "machine": {"vendorId": machine, "name": names[machine]} if machine in names else None,
        "organization": {"name": owners.get(machine, "Acme Vending")},
        "recordedAt": utc(row["recordedAtUtc"]),
        "occurredAt": min(utc(line["occurredAtUtc"]) for line in row["lineItems"]),
        "total": major(row["totalPrice"], "USD"),
        "tax": major(row["totalTax"], "USD"),
        "discount": None,
        "person": {"vendorId": holder["accountNumber"], "name": holder["nameOnAccount"]} if holder else None,
        "trust": "POLLED",
        "payments": [
            {
                "method": VENDNOVATION_METHODS.get(payment["type"], "UNKNOWN"),
                "amount": major(row["totalPrice"], "USD"),
                "cardBrand": None,
                "reference": credit["referenceNumber1"] if credit else None,
            }
        ],
        "lines": [
            {
                "product": {"name": products[str(line["productId"])]} if line["productId"] != -1 else None,
                "productName": line["productName"],
                "position": line["selection"],
                "quantity": line["quantity"],
                "unitPrice": major(line["unitPrice"], "USD"),
                "total": major(line["totalPrice"], "USD"),
                "tax": major(line["taxCharged"], "USD"),
                "taxRate": str(line["taxRate"]),
                "dispensed": "DISPENSED" if line["vendWasSuccessful"] else "FAILED",
            }
            for line in row["lineItems"]
        ],
    }


def _vendnovation_status(credit: Row | None, vended: list[bool]) -> str:
    paid = VENDNOVATION_STATUSES.get(credit["paymentStatus"], "UNKNOWN") if credit else "COMPLETED"
    if paid in ("REFUNDED", "FAILED") or all(vended):
        return paid
    return "PARTIAL" if any(vended) else "FAILED"


def _smartepi_sales(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("smartepi")
    devices = {row["id"]: row["name"] or row["id"] for row in truth["machines"]}
    products = {row["id"]: row["name"] for row in truth["products"]}
    return {row["id"]: _smartepi_sale(row, devices, products) for row in truth["sales"]}


def _smartepi_sale(row: Row, devices: Mapping[str, str], products: Mapping[str, str]) -> Row:
    kind = next(kind for kind in ("withdrawal", "return", "exchange") if f"{kind}Status" in row)
    status = row[f"{kind}Status"]
    dispensed = {"SUCCESS": "DISPENSED", "FAILED": "FAILED"}.get(status, "UNKNOWN")
    lines = [(row["productId"], row["productName"], row["quantity"])]
    if kind == "exchange":
        back = row["returnedProductId"]
        lines.append((back, row.get("returnedProductName", back), -row["returnedQuantity"]))
    return {
        "kind": kind.upper(),
        "status": {"SUCCESS": "COMPLETED", "FAILED": "FAILED"}.get(status, "UNKNOWN"),
        "machine": {"vendorId": row["deviceId"], "name": devices[row["deviceId"]]},
        "organization": {"name": "Acme Vending"},
        "recordedAt": unix(row["createdAt"]),
        "occurredAt": unix(row["createdAt"]),
        "total": None,
        "tax": None,
        "discount": None,
        "person": {"vendorId": row["employeeId"], "name": row["employeeName"]},
        "trust": "POLLED",
        "payments": [],
        "lines": [
            NO_LINE
            | {
                "product": {"name": products[native]} if native in products else None,
                "productName": name,
                "quantity": quantity,
                "dispensed": dispensed,
            }
            for native, name, quantity in lines
        ],
    }


# ---- Events ----


def _smartvend_events(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("smartvend")
    texts = {row["localizeKey"]: row["text"] for row in truth["dictionary"]}
    return {
        row["id"]: {
            "code": row["code"],
            "message": texts.get(row["localizeKey"], row["localizeKey"]),
            "severity": {"info": "INFO", "warning": "WARNING", "danger": "CRITICAL"}.get(row["level"], "WARNING"),
            "state": {"relevant": "ACTIVE", "irrelevant": "RESOLVED"}[row["status"]],
            "source": row["source"],
            "machine": {"vendorId": row["controllerId"]},
            "organization": {"name": "Acme Vending"},
            "recordedAt": unix(row["createdAt"]),
            "occurredAt": unix(row["controllerCreatedAt"]),
            "trust": "POLLED",
        }
        for row in truth["events"]
    }


def _livello_events(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("livello")
    organizations = {str(row["id"]): row["name"] for row in truth["organizations"]}
    owners = {row["serialNumber"]: organizations[row["orgId"]] for row in truth["machines"]}
    return {
        str(row["id"]): {
            "code": row["type"],
            "message": row["message"],
            "severity": {"low": "INFO", "mid": "WARNING", "high": "CRITICAL"}.get(row["severity"], "WARNING"),
            "state": {"open": "ACTIVE", "raised": "ACTIVE", "resolved": "RESOLVED"}[row["status"]],
            "source": None,
            "machine": {"vendorId": row["kioskSerialNumber"]},
            "organization": {"name": owners[row["kioskSerialNumber"]]},
            "recordedAt": utc(row["createdAt"]),
            "occurredAt": utc(row["startDate"]),
            "trust": "POLLED",
        }
        for row in truth["events"]
    }


def _vendnovation_events(sandbox: Sandbox) -> dict[str, Row]:
    truth = sandbox.truth("vendnovation")
    organizations = {row["id"]: row["name"] for row in truth["organizations"]}
    owners = {str(row["id"]): organizations[row["organizationId"]] for row in truth["machines"]}
    return {
        str(row["id"]): {
            "code": row["code"],
            "message": row["message"],
            "severity": "WARNING",
            "state": "RESOLVED" if row["isCleared"] else "ACTIVE",
            "source": None,
            "machine": {"vendorId": str(row["machineId"])},
            "organization": {"name": owners[str(row["machineId"])]},
            "recordedAt": utc(row["raisedAt"]),
            "occurredAt": utc(row["raisedAt"]),
            "trust": "POLLED",
        }
        for row in truth["events"]
    }


By = Mapping[str, Callable[[Sandbox], dict[str, Any]]]

MACHINES: By = {
    "smartvend": _smartvend_machines,
    "livello": _livello_machines,
    "vendnovation": _vendnovation_machines,
    "smartepi": _smartepi_machines,
    "eatmachine": _eatmachine_machines,
}
SLOTS: By = {
    "smartvend": _smartvend_slots,
    "livello": _livello_slots,
    "vendnovation": _vendnovation_slots,
    "smartepi": _no_slots,
    "eatmachine": _no_slots,
}
PRODUCTS: By = {
    "smartvend": _smartvend_products,
    "livello": _livello_products,
    "vendnovation": _vendnovation_products,
    "smartepi": _smartepi_products,
    "eatmachine": _no_slots,
}
SALES: By = {
    "smartvend": _smartvend_sales,
    "livello": _livello_sales,
    "vendnovation": _vendnovation_sales,
    "smartepi": _smartepi_sales,
    "eatmachine": _no_slots,
}
EVENTS: By = {
    "smartvend": _smartvend_events,
    "livello": _livello_events,
    "vendnovation": _vendnovation_events,
    "smartepi": _no_slots,
    "eatmachine": _no_slots,
}
