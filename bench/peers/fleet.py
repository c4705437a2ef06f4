"""The fleet that all are asked about, in Livello's JSON: 50 kiosks of 20 load cells, 40 products, 10 sales a kiosk.

All amounts are texts, and times have no milliseconds, so that a peer which can only pass on what it was told answers
as one that formats."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

KIOSKS, CELLS, PRODUCTS, SALES = 50, 20, 40, 10
FIRST_PRODUCT = 501
CURRENCY = "EUR"
MINUTE = timedelta(minutes=1)

Row = dict[str, Any]


def iso(at: datetime) -> str:
    """Of a whole second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def serial(kiosk: int) -> str:
    return f"LIV-{kiosk + 1:04}"


def price(number: int) -> str:
    return f"{(101 + number * 37 % 400) / 100:.2f}"


def kiosks(now: datetime) -> list[Row]:
    return [
        {
            "_id": serial(at),
            "name": f"Kiosk {at + 1:02}, Harbour Street",
            "orgId": "1",
            "organizationName": "Acme Retail",
            "serialNumber": serial(at),
            "networkLastOnline": iso(now),
            "latestTemperature": 4.2,
            "todaySalesTotal": 45.99,
        }
        for at in range(KIOSKS)
    ]


def inventory(kiosk: int) -> list[Row]:
    return [_cell(kiosk, at) for at in range(CELLS)]


def _cell(kiosk: int, at: int) -> Row:
    product = (kiosk * 7 + at) % PRODUCTS
    return {
        "loadCellId": at + 1,
        "planogramPosition": f"{'ABCDE'[at // 4]}{at % 4 + 1}",
        "surfaceSize": 100,
        "cellId": 400 + at,
        "productLineData": {
            "id": kiosk * 100 + at + 1,
            "productMetaId": FIRST_PRODUCT + product,
            "price": price(product),
            "currency": CURRENCY,
            "quantity": (kiosk + at) % 12,
            "capacity": 12,
            "taxRate": 19,
            "imageUrl": None,
        },
    }


def products(now: datetime) -> list[Row]:
    return [
        {
            "id": FIRST_PRODUCT + at,
            "name": f"Sandwich no. {at + 1:02}",
            "description": None,
            "category": "Food",
            "manufacturer": "Bakery",
            "articleNumber": f"ART-{at:03}",
            "organizationId": 1,
            "organizationName": "Acme Retail",
            "organizationCurrency": CURRENCY,
            "netPrice": "1.51",
            "price": price(at),
            "cost": 0.85,
            "weight": 250,
            "weightUnit": "g",
            "updatedAt": iso(now),
            "createdAt": iso(now),
            "images": [],
        }
        for at in range(PRODUCTS)
    ]


def organizations() -> list[Row]:
    return [{"id": 1, "name": "Acme Retail", "slug": "acme", "type": "CLIENT", "currency": CURRENCY, "parentOrg": None}]


def transactions(now: datetime) -> Iterator[Row]:
    """The newest first; the kiosks sell in turn."""
    for number in range(KIOSKS * SALES):
        yield _transaction(number, now - MINUTE * (number + 1))


def _transaction(number: int, at: datetime) -> Row:
    kiosk = number % KIOSKS
    lines = [_item(number, line) for line in range(2)]
    return {
        "id": 10_000 + number,
        "created": iso(at),
        "total": price(number),
        "discountTotal": 0,
        "session": {"details": {"sessionClosedAt": iso(at), "endedWithPurchase": True}},
        "type": "purchase",
        "userId": 0,
        "kiosk": {"id": kiosk + 1, "name": f"Kiosk {kiosk + 1:02}, Harbour Street", "serialNumber": serial(kiosk)},
        "paymentMethod": {
            "isPaid": True,
            "membercardId": None,
            "paymentCardType": "Credit",
            "cardType": "Visa",
            "paymentType": "CreditOrDebitCard",
            "externalTransactionId": f"ext-{number}",
        },
        "itemsPurchased": lines,
    }


def _item(number: int, line: int) -> Row:
    product = (number * 3 + line) % PRODUCTS
    return {
        "productMetaId": FIRST_PRODUCT + product,
        "productLineId": number % KIOSKS * 100 + line + 1,
        "name": f"Sandwich no. {product + 1:02}",
        "ean": None,
        "quantity": 1 + line,
        "price": price(product),
        "taxRate": 19,
        "planogramPosition": f"A{line + 1}",
    }
