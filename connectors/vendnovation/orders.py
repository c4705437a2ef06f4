"""Orders as VendNovation takes them: selections, written whole, for the machine's next check-in; and counts.

https://docs.vendnovation-services.com/vendor/v2.1/selections/update"""

import re
from collections.abc import Sequence
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.parsing import Raw, need, number, record, text
from connectors.prices import check_amount, check_currency, major
from connectors.vendnovation import alerts, estate, sessions
from connectors.vendnovation.client import VendNovationClient
from connectors.vendnovation.parse import by_machine, product_of
from connectors.vendnovation.planogram import arranged, priced
from connectors.vendnovation.stock import adjusted, adjusting, taken
from domain.backoffice import CreateServiceSession
from domain.errors import BadInput
from domain.orders import AdjustStock, Order, SetPrice, UpdatePlanogram
from domain.refs import Ref
from domain.upkeep import CreateSite, ProvisionMachine, ResolveEvent, UpdateMachine

Known = (
    SetPrice
    | UpdatePlanogram
    | AdjustStock
    | ResolveEvent
    | CreateSite
    | ProvisionMachine
    | UpdateMachine
    | CreateServiceSession
)
ESTATE = frozenset({estate.CREATE_SITE, estate.PROVISION, estate.UPDATE})
PRODUCT = re.compile(r"[1-9][0-9]{0,17}")


def check(order: Order, currency: str | None) -> Known:
    """Raises BadInput."""
    match order:
        case SetPrice() | UpdatePlanogram():
            _check(order, currency)
        case CreateSite() | ProvisionMachine() | UpdateMachine():
            estate.check(order)
        case AdjustStock() | ResolveEvent() | CreateServiceSession():
            pass
        case _:
            raise BadInput("nothing of the kind can be ordered of VendNovation")
    return order


async def prepare(client: VendNovationClient, asked: Order) -> VendorRequest:
    """What can be refused at once is. Everything else is read first, right before it is written."""
    match check(asked, client.account.currency):
        case AdjustStock() as order:
            return await adjusting(client, order)
        case ResolveEvent() as order:
            return await alerts.resolving(client, order)
        case CreateServiceSession() as order:
            return await sessions.creating(client, order)
        case SetPrice() | UpdatePlanogram() as order:
            return await _selecting(client, order)
        case order:
            return await estate.prepare(client, order)


async def _selecting(client: VendNovationClient, order: SetPrice | UpdatePlanogram) -> VendorRequest:
    """All selections of the machine are read. Those that change are written, for what is sold meanwhile would be
    counted back."""
    before = await _selections(client, order.machine)
    after = _wanted(order, before)
    changed = [row for row in after if row not in before]
    return VendorRequest(operation="update-selections", body={"body": changed or after})


async def send(client: VendNovationClient, request: VendorRequest) -> Taken:
    if request.operation == alerts.CLEAR:
        return await alerts.clear(client, request)
    told = await client.act(request)
    answer = told.data
    if request.operation == "apply-delta":
        return taken(client, request, answer)
    if request.operation == sessions.CREATE:
        return sessions.made(client, answer)
    if request.operation in ESTATE:
        return estate.made(client, request, told)
    sent: Sequence[Raw] = request.body["body"]
    rows = {text(row.get("id")): row for row in answer if isinstance(row, dict)} if isinstance(answer, list) else {}
    if not all(_shows(client, rows.get(text(row.get("id"))), row) for row in sent):
        raise client.broken(f"the answer to {request.operation} does not show what was sent")
    return Taken(done=True, result={"effective": "NEXT_CHECK_IN"})


async def fulfilled(client: VendNovationClient, order: Order) -> Ref | bool | None:
    """Whether there would be nothing left to change; None where that cannot be said."""
    match order:
        case AdjustStock():
            return await adjusted(client, order)
        case ResolveEvent():
            return await alerts.resolved(client, order)
        case CreateServiceSession():
            return await sessions.created(client, order)
        case CreateSite() | ProvisionMachine() | UpdateMachine():
            return await estate.fulfilled(client, order)
        case SetPrice() | UpdatePlanogram():
            return await _set(client, order)
    return None


async def _set(client: VendNovationClient, order: SetPrice | UpdatePlanogram) -> bool | None:
    """None where the machine has no such selections any more."""
    found = await _selections(client, order.machine)
    try:
        return all(row in found for row in _wanted(order, found))
    except BadInput:
        return None


def _check(order: SetPrice | UpdatePlanogram, currency: str | None) -> None:
    if isinstance(order, SetPrice):
        check_currency(order.price, currency)
        major(order.price.amount)
        if order.valid_from is not None or order.valid_to is not None:
            raise BadInput("a price holds from the machine's next check-in, and for ever: no other time can be set")
        return
    for cell in order.cells:
        check_currency(cell.price, currency)
        check_amount(cell.price.amount)
        if cell.product is not None and PRODUCT.fullmatch(cell.product) is None:
            raise BadInput(f"{cell.product!r} is no product: these are whole numbers")


def _wanted(order: SetPrice | UpdatePlanogram, selections: Sequence[Raw]) -> list[Raw]:
    return priced(order, selections) if isinstance(order, SetPrice) else arranged(order, selections)


async def _selections(client: VendNovationClient, machine: str) -> Sequence[Raw]:
    """A filter that is not honoured is ignored without a word: what is another machine's is left out."""
    found = by_machine(await client.selections([machine])).get(machine, [])
    for row in found:
        record(client.account, "selection", row, lambda row: need(row.get("id")))
    return found


def _shows(client: VendNovationClient, told: Any, sent: Raw) -> bool:
    """Whether what can have been changed is told as it was sent."""
    if told is None:
        return False
    theirs, ours = (record(client.account, "selection", row, _changeable) for row in (told, sent))
    return theirs == ours


def _changeable(row: Raw) -> tuple[Any, str | None]:
    return number(row.get("price")), product_of(row)
