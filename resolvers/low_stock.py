"""Slots that run out, over the whole fleet: those that hold a product, and are counted."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from domain.capabilities import Capability, UnavailableReason
from domain.errors import BadInput, VendorError
from domain.filters import MachineFilter
from domain.model import Machine, Slot
from domain.paging import Connection
from domain.times import utc_now
from resolvers.cache import Cached
from resolvers.context import Context, Info
from resolvers.cursors import EVERYWHERE, Position
from resolvers.lists import binding, page_size, taking_part
from resolvers.machines import fits, members
from resolvers.merge import Order, Part, failed, failure, told, unsupported, whole_page
from resolvers.sources import Source

EVERYTHING = MachineFilter()
UNCOUNTED = frozenset({UnavailableReason.UNSUPPORTED_BY_VENDOR, UnavailableReason.NEVER_REPORTED})
Told = Cached[Sequence[Slot]] | VendorError


def position(slot: Slot) -> Position:
    """Its count is no place in a list: it changes while somebody pages."""
    return Position(slot.machine_ref.text, slot.id)


BY_MACHINE = Order(position, newest_first=False)


async def connection(
    root: object,
    info: Info,
    threshold: int | None = None,
    first: int | None = None,
    after: str | None = None,
    filter: MachineFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Slot]:
    context, narrowed, most, size = info.context, filter or EVERYTHING, threshold or 0, page_size(first)
    if most < 0:
        raise BadInput("`threshold` is a count, from 0")
    bound = binding(context, "lowStock", None, (most, asdict(narrowed)))
    cursor = context.graph.signer.read(after, bound)
    sources = taking_part(
        context, vendors=narrowed.vendors, accounts=narrowed.accounts, organizations=narrowed.organizations
    )
    parts = await asyncio.gather(*(_part(context, source, narrowed, most) for source in sources))
    return whole_page(parts, size, cursor, BY_MACHINE, lambda at: context.graph.signer.write(at, bound))


async def _part(context: Context, source: Source, narrowed: MachineFilter, most: int) -> Part[Slot]:
    if source.machines is None or source.refusal(Capability.STOCK_COUNTS) in UNCOUNTED:
        return Part(source.key, unsupported(source.ref))
    try:
        machines, inside = await asyncio.gather(
            context.loaders.lists.get(source.machines), members(context, source, None, narrowed.organizations)
        )
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), untold=(EVERYWHERE,))
    fitting = [one for one in machines.value.items if one.counts_stock is not False and fits(one, inside, narrowed)]
    slots = await _slots(context, source, fitting)
    whole = machines.value.complete and len(slots) == len(fitting)
    return _joined(source, machines, list(slots.values()), most, whole=whole)


def _joined(source: Source, machines: Cached[Any], answers: Sequence[Told], most: int, *, whole: bool) -> Part[Slot]:
    """Of machines that told and of those that did not: what is missing is told with the first error."""
    kept: list[Cached[Any]] = [one for one in answers if isinstance(one, Cached)]
    errors = [one if isinstance(one, VendorError) else one.error for one in (machines, *answers)]
    first = next((error for error in errors if error is not None), None)
    if first is not None and not kept:
        return Part(source.key, failed(source.ref, first), untold=(EVERYWHERE,))
    stale = next((one.error for one in (machines, *kept) if one.error is not None), None)
    as_of = min(one.as_of for one in (machines, *kept))
    status = told(source.ref, as_of, stale, complete=whole and len(kept) == len(answers))
    if first is not None:
        status = replace(status, error=failure(first))
    return Part(source.key, status, [slot for one in kept for slot in one.value if _is_low(slot, most)])


def _is_low(slot: Slot, most: int) -> bool:
    return slot.product_ref is not None and slot.quantity is not None and slot.quantity <= most


async def _slots(context: Context, source: Source, machines: Sequence[Machine]) -> Mapping[str, Told]:
    """By native id of the machine. One that was never counted is not there."""
    natives = [machine.ref.native for machine in machines]
    if source.reads_slots:
        return await source.slots(natives, context.patience(source.seconds)) if natives else {}
    reported = ((native, source.peek_slots(native)) for native in natives)
    return {native: Cached(slots, utc_now()) for native, slots in reported if slots is not None}
