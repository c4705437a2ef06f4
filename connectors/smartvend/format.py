"""Orders as SmartVend's bodies: nothing but members that its documents name.

Raises BadInput where the vendor has no words for an order."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.smartvend.parse import SECRETS
from domain.errors import BadInput
from domain.money import Money
from domain.orders import DispenseProduct, MachineOrder, SendDeposit, SendRemotePayment

Body = dict[str, Any]

POSITION = re.compile(r"[1-9][0-9]{0,5}")
CENT = Decimal("0.01")
MOST = 2**53 - 1  # JavaScript counts no further
HIDDEN = "***"


def dispense(order: DispenseProduct) -> Body:
    return {"controllerId": order.machine, "position": position(order.position)}


def deposit(order: SendDeposit, currency: str | None) -> Body:
    return {"controllerId": order.machine, "deposit": cents(order.amount, currency, least=1)}


def remote_payment(order: SendRemotePayment, currency: str | None) -> Body:
    body: Body = {"controllerId": order.machine, "amount": cents(order.amount, currency, least=1)}
    return body if order.terminal_key is None else {**body, "terminalKey": order.terminal_key}


def encashment(order: MachineOrder) -> Body:
    return {"controllerId": order.machine}


def position(told: str) -> int:
    """Cells are counted from 1; "007" or "+7" are not what a slot is called."""
    if POSITION.fullmatch(told) is None:
        raise BadInput("a position is a whole number, from 1")
    return int(told)


def cents(money: Money, currency: str | None, *, least: int) -> int:
    """Exactly: what would have to be rounded is refused, and so is any currency but the account's."""
    if money.currency != currency:
        raise BadInput(f"{money.currency} is not the account's currency")
    try:
        exact = money.amount.quantize(CENT)
    except InvalidOperation:
        raise BadInput("an amount is a number, and not too large a one") from None
    if exact != money.amount:
        raise BadInput("an amount is a number of whole cents")
    found = int(exact.scaleb(2))
    if not least <= found <= MOST:
        raise BadInput(f"an amount is too large, or below {least} cents")
    return found


def masked(body: Any) -> Any:
    """As it may be shown."""
    if isinstance(body, dict):
        return {key: HIDDEN if key in SECRETS else masked(value) for key, value in body.items()}
    return [masked(value) for value in body] if isinstance(body, list) else body
