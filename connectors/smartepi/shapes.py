"""What SmartEPI's answers and deliveries are taken to look like: by its documents, and by what they leave open."""

from collections.abc import Mapping
from typing import Any

from connectors.shapes import ID, NUMBER, OBJECT, TEXT, AnyShape, Members, Rows, Words
from connectors.smartepi.hooks import CREATED, MESSAGES, TEST
from connectors.smartepi.parse import STATUSES as OUTCOMES
from connectors.smartepi.parse import TRANSACTIONS, Transaction
from connectors.smartepi.records import EMPLOYEES, GROUPS, STATUSES, UNITS

WEBHOOK = "webhook"
NAMED = Members({"id!": ID, "name": TEXT})
EMPLOYEE = NAMED | {
    "email": TEXT,
    "identification": ID,
    "sectorId": ID,
    "costCenterId": ID,
    "costCenter2Id": ID,
    "jobRoleId": ID,
    "groupId": ID,
    "status": Words(STATUSES),
}
GROUP = NAMED | {"rules": Rows(Members({"productId": ID, "quantity": NUMBER, "periodDays": NUMBER}))}
PRODUCT = NAMED | {
    "code": ID,
    "description": TEXT,
    "sizes": Rows(Members({"id": ID, "name": TEXT})),
    "certificates": Rows(Members({"id": ID, "number": ID, "expiresAt": NUMBER})),
}
HANDED = Members(
    {
        "id!": ID,
        "createdAt!": NUMBER,
        "employeeId": ID,
        "employeeName?": TEXT,
        "productId": ID,
        "productName?": TEXT,
        "quantity": NUMBER,
        "deviceId": ID,
        "deviceName?": TEXT,
    }
)
OF_EXCHANGES = {"returnedProductId": ID, "returnedQuantity": NUMBER}
COST_CENTER = "cost-center"


def _transaction(one: Transaction) -> Members:
    return HANDED | {one.status: Words(OUTCOMES), **(OF_EXCHANGES if one.letter == "x" else {})}


def _page(row: AnyShape) -> Members:
    return Members({"data!": Rows(row), "cursor": TEXT})


def _envelope(data: AnyShape) -> Members:
    return Members({"id": TEXT, "type!": TEXT, "createdAt": NUMBER, "data!": data})


RECORDS = {
    EMPLOYEES: EMPLOYEE,
    GROUPS: GROUP,
    "product": PRODUCT,
    **{name: NAMED | ({"code": ID} if name == COST_CENTER else {}) for name in UNITS.values()},
}
SHAPES: Mapping[str, AnyShape] = (
    {f"list-{name}s": _page(shape) for name, shape in RECORDS.items()}
    | {f"get-{name}": Members({"data!": shape}) for name, shape in RECORDS.items()}
    | {one.operation: _page(_transaction(one)) for one in TRANSACTIONS}
    | {f"{WEBHOOK}:{kind}": _envelope(_transaction(one)) for kind, one in CREATED.items()}
    | {f"{WEBHOOK}:{kind}": _envelope(OBJECT) for kind in MESSAGES}
    | {WEBHOOK: Members({"type!": Words(CREATED.keys() | MESSAGES.keys() | {TEST})})}
)


def delivered(signed: Any) -> str:
    """By its type, where that is known."""
    told = signed.get("type") if isinstance(signed, dict) else None
    named = f"{WEBHOOK}:{told}"
    return named if named in SHAPES else WEBHOOK
