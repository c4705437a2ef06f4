"""What Livello's answers are taken to look like: by its documents, and by what they leave open."""

from collections.abc import Mapping

from connectors.livello.promotions import TYPES
from connectors.livello.records import METHODS, SEVERITIES, STATES, letters
from connectors.livello.users import ROLES, STATUSES
from connectors.shapes import AMOUNT, FLAG, ID, LIST, NUMBER, OBJECT, TEXT, TIME, AnyShape, Forms, Members, Rows, Words

KIOSK = Members(
    {
        "serialNumber!": TEXT,
        "name": TEXT,
        "orgId": ID,
        "networkLastOnline": TIME,
        "latestTemperature": AMOUNT,
    }
)
LINE = Members({"productMetaId": ID, "price": AMOUNT, "currency": TEXT, "quantity": NUMBER, "capacity": NUMBER})
CELL = Members({"planogramPosition": TEXT, "productLineData": LINE})
PRODUCT = Members(
    {
        "id!": ID,
        "name": TEXT,
        "description": TEXT,
        "category": TEXT,
        "manufacturer": TEXT,
        "articleNumber": TEXT,
        "organizationId": ID,
        "organizationCurrency": TEXT,
        "price": AMOUNT,
        "cost": AMOUNT,
        "weight": AMOUNT,
        "weightUnit": TEXT,
        "images": LIST,
    }
)
AT = Members({"serialNumber!": TEXT})
BOUGHT = Members(
    {
        "productMetaId": ID,
        "name": TEXT,
        "quantity": NUMBER,
        "price": AMOUNT,
        "taxRate": AMOUNT,
        "planogramPosition": TEXT,
    }
)
PAID = Members(
    {
        "isPaid": FLAG,
        "paymentType": Words(METHODS, letters),
        "cardType": TEXT,
        "membercardId": ID,
        "externalTransactionId": ID,
    }
)
TRANSACTION = Members(
    {
        "id!": ID,
        "created!": TIME,
        "total!": AMOUNT,
        "discountTotal": AMOUNT,
        "userId": ID,
        "kiosk!": AT,
        "paymentMethod": PAID,
        "itemsPurchased": Rows(BOUGHT),
    }
)
TOUCHED = Members({"productMetaId": ID, "name": TEXT, "planogramPosition": TEXT, "added": NUMBER, "removed": NUMBER})
REFILL = Members({"id!": ID, "created!": TIME, "kiosk!": AT, "itemsReplenished": Rows(TOUCHED)})
ADDRESS = Members({"address": TEXT, "postalCode": TEXT, "city": TEXT, "countryCode": TEXT})
ORGANIZATION = Members(
    {
        "id!": ID,
        "name": TEXT,
        "address": ADDRESS,
        "currency": TEXT,
        "parentOrg?": Forms({int: ID, str: ID, dict: OBJECT}),
    }
)
ROLE = Members({"role?": Words(ROLES, str.casefold)})
USER = Members(
    {
        "id!": ID,
        "email": TEXT,
        "firstName": TEXT,
        "lastName": TEXT,
        "status": Words(STATUSES),
        "lang": TEXT,
        "membercards": Rows(ID),
        "rolesInOrganizations": Rows(ROLE),
        "created": TIME,
        "updated": TIME,
    }
)
ALERT = Members(
    {
        "id!": ID,
        "type": TEXT,
        "severity": Words(SEVERITIES, str.casefold),
        "status": Words(STATES, str.casefold),
        "kioskSerialNumber": TEXT,
        "message": TEXT,
        "startDate": TIME,
        "createdAt!": TIME,
    }
)
SESSION = Members(
    {
        "status": TEXT,
        "type": TEXT,
        "createdAt!": TIME,
        "updatedAt": TIME,
        "isTerminal": FLAG,
        "details": Members({"sessionClosedAt": TIME, "endedWithPurchase": FLAG, "externalTransactionId": ID}),
    }
)
RULE = Members({"day": NUMBER, "type": Words(TYPES, str.lower), "resetAmount": NUMBER, "cappingEnabled": FLAG})
PROMO_CODE = Members(
    {
        "id": ID,
        "code!": ID,
        "balance": NUMBER,
        "enabled": FLAG,
        "workingDurationStart": TIME,
        "workingDurationEnd": TIME,
        "organizationId": ID,
        "config": Members({"id": ID, "rules": Rows(RULE)}),
    }
)
SUMS = dict.fromkeys(("netSales", "netCost", "profit"), AMOUNT)
RANKED = Members({"rank": NUMBER, **SUMS})
SOLD = Members(
    {"date?": TIME, **dict.fromkeys(("totalSales", "totalNetSales", "totalTax", "totalCost", "profit"), AMOUNT)}
)
KPIS = dict.fromkeys(
    (
        "totalNumberOfTransactions",
        "averagePurchaseValue",
        "totalNumberOfProductsSold",
        "totalNetIncome",
        "totalGrossIncome",
    ),
    AMOUNT,
)
REFILLED = dict.fromkeys(
    (
        "totalNumberOfProductsAdded",
        "defaultTotalCostValueOfRefills",
        "totalNumberOfProductsRemoved",
        "averageSpoilageRate",
        "defaultTotalSalesValueOfRefills",
        "defaultTotalCostValueOfRemovedProducts",
    ),
    AMOUNT,
)
MEASURED = Members(
    {"sensorPosition": TEXT, "kioskSerial": TEXT, "values": Rows(Members({"timestamp": TIME, "temperature": AMOUNT}))}
)
ALERT_TYPE = Members({"type!": TEXT, "category": TEXT, "defaultSeverity": Words(SEVERITIES, str.casefold)})
TOKEN = Members({"access_token!": TEXT, "expires_in": NUMBER, "scope": Forms({str: TEXT, list: LIST})})


def _page(row: AnyShape) -> Members:
    return Members({"total": NUMBER, "data!": Rows(row)})


SHAPES: Mapping[str, AnyShape] = {
    "get-token": TOKEN,
    "list-kiosks": _page(KIOSK),
    "get-kiosk-inventory": Rows(CELL),
    "get-kiosk-session": SESSION,
    "list-products": _page(PRODUCT),
    "get-product": PRODUCT,
    "list-transactions": _page(TRANSACTION),
    "get-transaction": TRANSACTION,
    "list-refills": _page(REFILL),
    "get-refill": REFILL,
    "list-organizations": _page(ORGANIZATION),
    "get-organization": ORGANIZATION,
    "list-vat-rates": Rows(Members({"id!": ID, "name": TEXT, "value!": AMOUNT, "countryCode": TEXT})),
    "list-organization-product-lines": Rows(Members({"_id!": ID, "name": TEXT, "images": LIST})),
    "list-users": _page(USER),
    "get-user": USER,
    "list-alerts": _page(ALERT),
    "list-alert-types": Rows(ALERT_TYPE),
    "get-promocode": PROMO_CODE,
    "get-kiosk": Members({"serialNumber!": TEXT, "name": TEXT, "orgId": ID}),
    "sales-analytics": Rows(SOLD),
    "top-kiosks": Rows(RANKED | {"kioskSerialNumber": TEXT}),
    "top-products": Rows(RANKED | {"productName": TEXT, "quantitySold": NUMBER}),
    "transaction-kpis": Members(KPIS),
    "peak-hour": Members({"start": TEXT, "end": TEXT, "sum": NUMBER}),
    "daily-profit": Rows(Members({"_id": TEXT, "total_sales": AMOUNT, "total_cost": AMOUNT, "profit": AMOUNT})),
    "payment-types": OBJECT,
    "product-lifecycle": OBJECT,
    "refill-statistics": Members(REFILLED),
    "low-stock": _page(OBJECT),
    "product-statistics": _page(OBJECT),
    "temperature-series": Rows(MEASURED),
}
