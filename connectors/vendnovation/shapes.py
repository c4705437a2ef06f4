"""What VendNovation's answers are taken to look like: by its models, and by its samples where those say otherwise."""

from collections.abc import Mapping

from connectors.shapes import FLAG, ID, LIST, NUMBER, TEXT, TIME, AnyShape, Forms, Members, Rows, Words
from connectors.vendnovation.records import METHODS, PAYMENT_STATES
from connectors.vendnovation.stock import KINDS

NOT_SAID = frozenset({"unknown", ""})  # documented, and no news


def _folded(word: str) -> str:
    return word.strip().casefold()


NAMED = Members({"id!": ID, "name": TEXT})
MACHINE = Members(
    {
        "id!": ID,
        "prose": TEXT,
        "name": TEXT,
        "modelNumber": TEXT,
        "siteId": ID,
        "organizationId": ID,
        "enableSlotCountTracking": FLAG,
        "lastHeartBeat": Members({"server": TIME}),
    }
)
SITE = NAMED | {"timeZone": TEXT, "address": Forms({str: TEXT, dict: Members({})})}
PRODUCT = NAMED | {
    "upc": ID,
    "description": TEXT,
    "manufacturer": TEXT,
    "category": TEXT,
    "cost": NUMBER,
    "price": NUMBER,
    "isActive": FLAG,
}
SELECTION = Members(
    {
        "id!": ID,
        "machineId!": ID,
        "productId": ID,
        "price": NUMBER,
        "count": NUMBER,
        "depth": NUMBER,
        "selectionNumber": ID,
        "friendlyNumber": ID,
    }
)
LINE = Members(
    {
        "selection": ID,
        "productId": ID,
        "productName": TEXT,
        "quantity?": NUMBER,
        "unitPrice?": NUMBER,
        "totalPrice": NUMBER,
        "taxCharged": NUMBER,
        "taxRate": NUMBER,
        "vendWasSuccessful": FLAG,
        "occurredAtUtc": TIME,
    }
)
PAYMENT = Members(
    {
        "type": Words(METHODS.keys() | NOT_SAID | {"c"}, _folded),
        "creditInformation?": Members({"paymentStatus?": Words(PAYMENT_STATES.keys() | NOT_SAID, _folded)}),
        "accountInformation?": Members({"accountNumber": ID, "nameOnAccount": TEXT}),
    }
)
TRANSACTION = Members(
    {
        "id!": ID,
        "recordedAtUtc!": TIME,
        "machineId": ID,
        "totalPrice": NUMBER,
        "totalTax": NUMBER,
        "lineItems": Rows(LINE),
        "paymentInformation": PAYMENT,
    }
)
ADJUSTMENT = Members(
    {
        "id!": ID,
        "eventType?": Words(KINDS),
        "adjustmentOccurredAt!": TIME,
        "takeOccurredAt": TIME,
        "machineId": ID,
        "selection": ID,
        "productId": ID,
        "userId": ID,
        "adjustmentSize": NUMBER,
        "newStockLevel": NUMBER,
    }
)
ALERT = Members(
    {
        "id!": ID,
        "machineId": ID,
        "code": TEXT,
        "message": TEXT,
        "isCleared": FLAG,
        "clearedAt": TIME,
        "raisedAt!": TIME,
    }
)
TAGGED = {
    "tags": Rows(Members({"key": TEXT, "value": TEXT})),
    "files": Rows(Members({"id": ID, "type": TEXT, "description": TEXT, "createdAtUtc": TIME})),
}
METADATA = Members(
    {"transactionId!": ID, "recordedAtUtc": TIME, **TAGGED, "lineItems": Rows(Members({"lineItemId": ID, **TAGGED}))}
)
SESSION = Members(
    {
        "id!": ID,
        "machineId": ID,
        "startedAtUtc!": TIME,
        "endedAtUtc": TIME,
        "reason": TEXT,
        "loginWasSuccessful": FLAG,
        "wasAbandoned": FLAG,
        "source": TEXT,
    }
)

SHAPES: Mapping[str, AnyShape] = {
    "authenticate": Members({"accessToken!": TEXT}),
    "list-machines": Rows(MACHINE),
    "list-sites": Rows(SITE),
    "list-organizations": Rows(NAMED),
    "list-products": Rows(PRODUCT),
    "list-selections": Rows(SELECTION),
    "list-transactions": Rows(TRANSACTION),
    "list-inventory-adjustments": Rows(ADJUSTMENT),
    "list-alerts": Rows(ALERT),
    "list-accounts": Rows(NAMED),
    "list-alert-codes": LIST,
    "token-test": TEXT,
    "list-transaction-metadata": Rows(METADATA),
    "product-sales-stats": Rows(Members({"productId": ID, "totalSalesInTimeFrame": NUMBER})),
    "list-sessions": Rows(SESSION),
    "list-session-events": Rows(Members({"id!": ID, "sessionIdId": ID, "loggedAt!": TIME, "eventType": TEXT})),
}
