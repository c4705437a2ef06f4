"""Orders as Livello takes them. Each price that is sent becomes another record of its product line's history."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.http import Answer
from connectors.livello import changes, parse
from connectors.livello.client import PRICES, LivelloClient, moment
from connectors.parsing import Raw, need, number, record
from connectors.prices import check_currency, major
from domain.errors import BadInput
from domain.orders import Order, SetPrice
from domain.times import utc_now


def check(order: Order) -> SetPrice:
    """Raises BadInput."""
    if not isinstance(order, SetPrice):
        raise BadInput("nothing of the kind can be ordered of Livello")
    _body(order, utc_now())
    return order


async def prepare(client: LivelloClient, asked: Order) -> VendorRequest:
    """What can be refused at once is; then the kiosk's inventory is read, for the product line at the slot."""
    if not isinstance(asked, SetPrice):
        return await changes.prepare(client, asked)
    order = check(asked)
    body = _body(order, utc_now())
    await client.need(PRICES)
    lines = await _lines(client, order)
    if len(lines) != 1:
        raise BadInput(f"{order.position} has {'more than one' if lines else 'no'} product line, so no price to set")
    [(native, line)] = lines.items()
    check_currency(order.price, await _currency(client, order.machine, line))
    return VendorRequest(operation="update-product-line-price", path={"id": native}, body=body)


async def send(client: LivelloClient, request: VendorRequest) -> Taken:
    answer = await client.act(request)
    if request.operation in changes.READ:
        return changes.READ[request.operation](client, request, answer)
    if not _took(answer):
        raise client.broken(f"the answer to {request.operation} does not say that it was done")
    return Taken(done=True, result={"productLineId": request.path["id"]})


async def fulfilled(client: LivelloClient, order: Order) -> bool | None:
    """None while the price is not to hold, and where the slot's is not told."""
    if not isinstance(order, SetPrice):
        return await changes.fulfilled(client, order)
    if not _holds(order, utc_now()):
        return None
    lines = await _lines(client, order)
    prices = [record(client.account, "product line", line, _price) for line in lines.values()]
    return prices[0] == order.price.amount if len(prices) == 1 and prices[0] is not None else None


def _body(order: SetPrice, now: datetime) -> dict[str, Any]:
    since, until = order.valid_from, order.valid_to
    if until is not None and until <= max(now, since or now):
        raise BadInput("a price that is valid to then is never valid")
    span = {"validFrom": since, "validTo": until}
    return {"price": major(order.price.amount), **{name: moment(at) for name, at in span.items() if at is not None}}


def _holds(order: SetPrice, now: datetime) -> bool:
    since, until = order.valid_from, order.valid_to
    return (since is None or since <= now) and (until is None or now < until)


async def _lines(client: LivelloClient, order: SetPrice) -> dict[str, Raw]:
    """Those at the slot, by their ids."""
    found = parse.lines_at(await client.inventory(order.machine), order.position)
    return {record(client.account, "product line", line, lambda row: need(row.get("id"))): line for line in found}


async def _currency(client: LivelloClient, serial: str, line: Raw) -> str | None:
    told = parse.currency_code(line.get("currency"))
    if told is None:
        await client.currencies.refresh()
        told = client.currencies.of(serial) or client.account.currency
    return told


def _price(line: Raw) -> Decimal | None:
    return number(line.get("price"))


def _took(answer: Answer) -> bool:
    """The documents show no answer. Some object is one, if it does not say no; nothing is one where the status says
    that something was made, or that there is nothing to say."""
    if answer.data is None:
        return answer.status in (201, 204)
    return isinstance(answer.data, dict) and answer.data.get("success") is not False
