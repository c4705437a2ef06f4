"""Movements of stock and collections of cash, and every edge that leads away from one."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

from domain.commands import Command, CommandStatus
from domain.model import Machine, Organization, Product
from domain.stock import CashCollection, CashCollectionFilter, StockMovement, StockMovementFilter
from domain.times import Span
from resolvers import records
from resolvers.context import Context, Info
from resolvers.cursors import EVERYWHERE
from resolvers.histories import Parent, finding, listing, narrowed
from resolvers.loaders import Request
from resolvers.stretches import Wanted

SKEW = timedelta(seconds=5)  # by which the vendor's clock may be off


def narrow_movements(parent: Parent, filtered: StockMovementFilter) -> records.Narrowed[StockMovement]:
    kinds = None if filtered.kinds is None else frozenset(filtered.kinds)
    return narrowed(
        "stockMovements",
        parent,
        filtered if kinds != frozenset() else replace(filtered, vendors=()),
        keeps=None if kinds is None else tuple(sorted(kind.value for kind in kinds)),
        records=lambda context: context.loaders.movements,
        timeline=lambda source: source.movements_of(kinds),
    )


def narrow_collections(parent: Parent, filtered: CashCollectionFilter) -> records.Narrowed[CashCollection]:
    return narrowed(
        "cashCollections",
        parent,
        filtered,
        records=lambda context: context.loaders.collections,
        timeline=lambda source: None if source.collections is None else source.collections.whole,
    )


movements = listing(narrow_movements, StockMovementFilter)
collections = listing(narrow_collections, CashCollectionFilter)
find_movement = finding(lambda source: source.movements)
find_collection = finding(lambda source: source.collections)


async def collected(context: Context, command: Command) -> CashCollection | None:
    """The one that was recorded while a command that succeeded was carried out: the vendor's answer names none."""
    source = context.source(command.ref.account)
    sent = next((one.at for one in command.history if one.status is CommandStatus.SENT), None)
    done = command.completed_at if command.status is CommandStatus.SUCCEEDED else None
    if sent is None or done is None or source is None or source.collections is None or command.machine_ref is None:
        return None
    machines = frozenset({command.machine_ref.native})
    wanted = Wanted(Span(sent - SKEW, done + SKEW), EVERYWHERE, 2)
    found = await context.loaders.collections.get(Request(source, source.collections.whole, machines, wanted))
    return found.items[0] if len(found.items) == 1 else None


def machine(root: StockMovement | CashCollection, info: Info) -> Machine | Awaitable[Machine | None] | None:
    return info.context.loaders.machines.get(root.machine_ref)


def organization(root: StockMovement | CashCollection, info: Info) -> Organization | Awaitable[Organization]:
    return records.organization(info.context, root)


def product(root: StockMovement, info: Info) -> Product | Awaitable[Product | None] | None:
    return info.context.loaders.products.get(root.product_ref)
