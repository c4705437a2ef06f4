"""VendNovation's inventory adjustments as movements, and what is asked of its stock.

https://docs.vendnovation-services.com/vendor/v2.1/reports/get-inventory-adjustments"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.base import Account
from connectors.parsing import ROW_ALONE, Raw, iso, need, need_iso, readable, record, text, whole, without
from connectors.vendnovation.client import VendNovationClient
from connectors.vendnovation.parse import SECRETS, product_ref_of
from domain.errors import BadInput
from domain.model import Trust, Vendor
from domain.orders import AdjustStock
from domain.paging import Listing
from domain.refs import Kind
from domain.sales import Person
from domain.stock import MovementKind, StockMovement
from domain.times import Span

KINDS = {"take": MovementKind.TAKE, "stock": MovementKind.RESTOCK, "adjustment": MovementKind.ADJUSTMENT}
PERSONAL = frozenset({"userId", "externalUserIdentifier"})
NOBODY = frozenset({None, "0", "-1"})
WITHIN = timedelta(minutes=1)  # of being asked for an adjustment is recorded


def movements(account: Account, rows: Sequence[Any]) -> Listing[StockMovement]:
    return readable(account, "inventory adjustment", rows, lambda row: _movement(account, row), given=ROW_ALONE)


def _movement(account: Account, row: Raw) -> StockMovement:
    native, recorded = need(row["id"]), need_iso(row["adjustmentOccurredAt"])
    kind = KINDS.get(text(row.get("eventType")) or "", MovementKind.UNKNOWN)
    machine, user = text(row.get("machineId")), text(row.get("userId"))
    return StockMovement(
        ref=account.to(Kind.STOCK_MOVEMENT, f"{native}@{int(recorded.timestamp() * 1000)}"),
        kind=kind,
        machine_ref=None if machine is None else account.to(Kind.MACHINE, machine),
        vendor=Vendor.VENDNOVATION,
        vendor_id=native,
        position=text(row.get("selection")),
        product_ref=product_ref_of(account, row),
        product_name=None,
        delta=_delta(kind, whole(row.get("adjustmentSize"))),
        level=whole(row.get("newStockLevel")),
        recorded_at=recorded,
        occurred_at=iso(row.get("takeOccurredAt")) or recorded,
        person=None if user in NOBODY else Person(vendor_id=user, name=None),
        trust=Trust.POLLED,
        vendor_data=without(row, SECRETS | PERSONAL),
    )


def _delta(kind: MovementKind, size: int | None) -> int | None:
    """A take leaves less, whatever the sign: the documents' own sample of one has +1. So no other sign is good enough
    to tell more from less, and only a restock without one says what it does."""
    if size is None:
        return None
    if kind is MovementKind.TAKE:
        return -abs(size)
    return size if kind is MovementKind.RESTOCK and size >= 0 else None


async def adjusting(client: VendNovationClient, order: AdjustStock) -> VendorRequest:
    """By how much, from what is counted now: the vendor has no way to set a count alone."""
    row = await _selection(client, order)
    count = whole(row.get("count"))
    if count is None:
        raise BadInput("the vendor does not tell how many are in this selection")
    delta = order.level - count if order.level is not None else order.delta
    if not delta:
        raise BadInput(f"{count} are counted in this selection already: there is nothing to change")
    if count + delta < 0:
        raise BadInput(f"{count} are counted in this selection: {-delta} cannot be taken off")
    body = {"body": [{"selectionId": row["id"], "delta": delta}]}
    return VendorRequest(operation="apply-delta", body=body)


async def _selection(client: VendNovationClient, order: AdjustStock) -> Raw:
    native = order.slot.rpartition("/")[2]
    rows = await client.selections([order.machine])
    found = [row for row in rows if isinstance(row, dict) and _is(row, native, order.machine)]
    if len(found) != 1:
        raise BadInput(f"machine {order.machine} has no selection {native}")
    return found[0]


def _is(row: Raw, native: str, machine: str) -> bool:
    return text(row.get("id")) == native and text(row.get("machineId")) == machine


def taken(client: VendNovationClient, request: VendorRequest, answer: Any) -> Taken:
    """The answer has to show the one selection that was sent, as it is counted now."""
    wanted = str(request.body["body"][0]["selectionId"])
    rows = answer if isinstance(answer, list) else []
    found = [row for row in rows if isinstance(row, dict) and text(row.get("id")) == wanted]
    count = record(client.account, "selection", found[0], lambda row: whole(row.get("count"))) if found else None
    if count is None:
        raise client.broken(f"the answer to {request.operation} does not show the count of the selection")
    subject = client.account.to(Kind.SLOT, f"{found[0].get('machineId')}/{wanted}")
    return Taken(done=True, result={"count": count}, subject=subject)


async def adjusted(client: VendNovationClient, order: AdjustStock) -> bool | None:
    """True where just one adjustment that was recorded then is what was ordered. A count alone proves nothing, for what
    is sold meanwhile changes it as well; and that none is recorded proves nothing either."""
    if order.asked_at is None:
        return None
    row = await _selection(client, order)
    names = {text(row.get("friendlyNumber")), text(row.get("selectionNumber"))} - {None}
    span = Span(order.asked_at, order.asked_at + WITHIN)
    told = movements(client.account, await client.adjustments_in(span, order.machine)).items
    fits = [one for one in told if one.recorded_at in span and one.position in names and _fits(one, order)]
    return True if len(fits) == 1 else None


def _fits(one: StockMovement, order: AdjustStock) -> bool:
    machine = None if one.machine_ref is None else one.machine_ref.native
    if one.kind is not MovementKind.ADJUSTMENT or machine != order.machine:
        return False
    if order.level is not None:
        return one.level == order.level
    size = whole((one.vendor_data or {}).get("adjustmentSize"))
    return size is not None and order.delta is not None and abs(size) == abs(order.delta)
