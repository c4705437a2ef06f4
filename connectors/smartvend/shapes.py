"""What SmartVend's answers and deliveries are taken to look like: by its documents, and by what they leave open."""

from collections.abc import Mapping
from typing import Any

from connectors.shapes import AMOUNT, DIGITED, FLAG, NUMBER, OBJECT, TEXT, AnyShape, Forms, Members, Rows, Words
from connectors.smartvend.config import TYPES
from connectors.smartvend.parse import AMOUNTS, CONNECTIVITY, KINDS, PAYMENT_TYPES, SEVERITIES, STATES

SALE_WEBHOOK, EVENT_WEBHOOK = "webhook:sale", "webhook:event"
OF_EVENTS = frozenset({"level", "localizeKey", "tag"})  # a delivery does not say what it is

CONTROLLER = Members(
    {
        "id!": TEXT,
        "serialNumber": TEXT,
        "humanName": TEXT,
        "type": Words(KINDS),
        "location": TEXT,
        "city": TEXT,
        "connectionStatus": Words(CONNECTIVITY),
    }
)
CELL = Members({"columnNumber!": NUMBER, "rowNumber!": NUMBER, "productId": TEXT, "price": NUMBER})
RESOURCE = Members({"resourceId!": TEXT, "maxRefillQuantity": NUMBER})
MATRIX = Members(
    {
        "id!": TEXT,
        "columnsNumber!": NUMBER,
        "rowsNumber!": NUMBER,
        "products!": Rows(CELL),
        "resources!": Rows(RESOURCE),
    }
)
LINE = Members({"productId": TEXT, "name": TEXT, "quantity!": NUMBER, "price": DIGITED, "position?": NUMBER})
RECORDED = Members({"controllerId!": TEXT, "createdAt!": NUMBER, "controllerCreatedAt": NUMBER})
SALE = (
    RECORDED
    | {"saleId!": TEXT, "totalPrice!": DIGITED, "products!": Rows(LINE), "paymentTypes": Rows(Words(PAYMENT_TYPES))}
    | dict.fromkeys(AMOUNTS, DIGITED)
)
EVENT = RECORDED | {
    "id": TEXT,
    "tag": TEXT,
    "code": TEXT,
    "localizeKey": TEXT,
    "source": TEXT,
    "status": Words(STATES),
    "level": Words(SEVERITIES),
}
PRODUCT = Members({"id!": TEXT, "name": TEXT, "price": AMOUNT, "archive": FLAG})
ENCASHMENT = Members(
    {"id!": TEXT, "controllerId!": TEXT, "createdAt!": NUMBER, "bill": AMOUNT, "coin": AMOUNT, "total": AMOUNT}
)
PAGES = Members({"totalPages": NUMBER, "totalItems": NUMBER})


def _success(shape: AnyShape) -> Members:
    return Members({"result!": Members({"$case!": TEXT, "success?": shape})})


def _list(row: AnyShape) -> Members:
    return _success(Forms({list: Rows(row), dict: Members({"items?": Rows(row)})}))


def _pages(row: AnyShape) -> Members:
    return _success(Forms({list: Rows(row), dict: Members({"items?": Rows(row), "pagination": PAGES})}))


SHAPES: Mapping[str, AnyShape] = {
    "get-list-of-controllers": _list(CONTROLLER),
    "get-controller-matrix": _success(MATRIX),
    "get-list-of-products": _list(PRODUCT),
    "get-list-of-sales": _pages(SALE),
    "get-list-of-events": _pages(EVENT),
    "get-encashments-list": _pages(ENCASHMENT),
    "get-dictionary-of-events": _list(Members({"localizeKey": TEXT, "text": TEXT})),
    "get-controller-config": _success(Members({"controllerConfigId!": TEXT, "type!": Words(TYPES), "config!": OBJECT})),
    "get-controller-state": _success(
        Members(
            {"data!": Members({"connectionStatus": Words(CONNECTIVITY), **dict.fromkeys(("mc", "bc", "cc"), AMOUNT)})}
        )
    ),
    "get-controller-connection-status": _success(Members({"connectionStatus": Words(CONNECTIVITY)})),
    SALE_WEBHOOK: SALE,
    EVENT_WEBHOOK: EVENT,
}


def delivered(signed: Any) -> str:
    """Which of the two it is, as far as that can be told of what may lack anything."""
    return EVENT_WEBHOOK if isinstance(signed, dict) and OF_EVENTS & signed.keys() else SALE_WEBHOOK
