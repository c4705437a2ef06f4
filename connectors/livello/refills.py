"""Livello's refills as movements of stock: of each product that one touched, what was added and what removed."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors.base import Account
from connectors.livello.parse import SECRETS, native_id
from connectors.parsing import Raw, need, need_iso, readable, record, text, whole, without
from domain.model import Trust, Vendor
from domain.paging import Listing
from domain.refs import Kind
from domain.stock import MovementKind, StockMovement

WAYS = {"added": (MovementKind.RESTOCK, 1), "removed": (MovementKind.REMOVAL, -1)}


def movements(account: Account, found: Iterable[Any]) -> Listing[StockMovement]:
    told = readable(account, "refill", found, lambda row: list(_movements(account, row)))
    return Listing([one for refill in told.items for one in refill], complete=told.complete)


def movements_of(account: Account, raw: Any) -> Sequence[StockMovement]:
    return record(account, "refill", raw, lambda row: list(_movements(account, row)))


def refill_of(native: str) -> str:
    """The vendor's id of the refill that a movement is of."""
    return native.partition("/")[0]


def _movements(account: Account, refill: Raw) -> Iterator[StockMovement]:
    for at, item in enumerate(refill.get("itemsReplenished") or ()):
        for name in WAYS:
            if count := whole(item.get(name)):
                yield _movement(account, refill, f"{at}/{name}", item, name, count)


def _movement(account: Account, refill: Raw, place: str, item: Raw, name: str, count: int) -> StockMovement:
    """The level after it is not told."""
    native, created = need(native_id(refill)), need_iso(refill["created"])
    serial, product = text((refill.get("kiosk") or {}).get("serialNumber")), text(item.get("productMetaId"))
    kind, sign = WAYS[name]
    return StockMovement(
        ref=account.to(Kind.STOCK_MOVEMENT, f"{native}/{place}"),
        kind=kind,
        machine_ref=None if serial is None else account.to(Kind.MACHINE, serial),
        vendor=Vendor.LIVELLO,
        vendor_id=native,
        position=text(item.get("planogramPosition")),
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        product_name=text(item.get("name")),
        delta=sign * abs(count),
        level=None,
        recorded_at=created,
        occurred_at=created,
        person=None,
        trust=Trust.POLLED,
        vendor_data=without({**refill, "itemsReplenished": [item]}, SECRETS),
    )
