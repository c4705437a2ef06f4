"""What its vendor keeps apart from a machine: its slots, its group and its location; and why something is not told."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from domain.capabilities import Capability, UnavailableField, UnavailableReason
from domain.errors import VendorError, VendorForbidden, VendorRateLimited
from domain.model import Location, Machine, MachineGroup, Slot
from domain.refs import Kind
from resolvers.context import Context, Info

T = TypeVar("T")
V = TypeVar("V")


def slots(root: Machine, info: Info) -> Sequence[Slot] | Awaitable[Sequence[Slot]] | None:
    return info.context.loaders.slots.get(root.ref)


def group(root: Machine, info: Info) -> MachineGroup | Awaitable[MachineGroup | None] | None:
    return _group(info.context, root)


def location(root: Machine, info: Info) -> Location | Awaitable[Location | None] | None:
    return _location(info.context, root)


def _group(context: Context, machine: Machine) -> MachineGroup | Awaitable[MachineGroup | None] | None:
    if machine.group is not None or machine.place_ref is None or machine.place_ref.kind is not Kind.PLACE:
        return machine.group
    return _then(context.loaders.places.get(machine.place_ref), lambda place: place.group)


def _location(context: Context, machine: Machine) -> Location | Awaitable[Location | None] | None:
    if machine.location is not None or machine.place_ref is None:
        return machine.location
    if machine.place_ref.kind is Kind.ORGANIZATION:
        return _then(context.loaders.organizations.get(machine.place_ref), lambda owner: owner.location)
    return _then(context.loaders.places.get(machine.place_ref), lambda place: place.location)


def _then(found: T | Awaitable[T | None] | None, read: Callable[[T], V | None]) -> V | Awaitable[V | None] | None:
    """A part of what was found, at once where it was found at once."""
    if isinstance(found, Awaitable):
        return _later(found, read)
    return None if found is None else read(found)


async def _later(promise: Awaitable[T | None], read: Callable[[T], V | None]) -> V | None:
    found = await promise
    return None if found is None else read(found)


async def unavailable(root: Machine, info: Info) -> Sequence[UnavailableField]:
    """What the vendor never tells, and what it has not told this request. Nothing is asked for it.

    It begins when all that is selected beside it has been asked for."""
    context = info.context
    reasons = {
        "group": await _why_no_place(context, root, root.group, _group),
        "location": await _why_no_place(context, root, root.location, _location),
        "slots": await _why_no_slots(context, root),
    }
    known = {one.field for one in root.unavailable}
    lacking = [
        UnavailableField(field=field, reason=reason)
        for field, reason in reasons.items()
        if reason is not None and field not in known
    ]
    return [*root.unavailable, *lacking]


async def _why_no_slots(context: Context, machine: Machine) -> UnavailableReason | None:
    refusal = context.graph.sources[machine.ref.account].refusal(Capability.SLOTS)
    if refusal is not None or not context.loaders.slots.knows(machine.ref):
        return refusal
    return await _why_null(context.loaders.slots.get(machine.ref))


async def _why_no_place(
    context: Context, machine: Machine, own: object, read: Callable[[Context, Machine], object]
) -> UnavailableReason | None:
    if own is not None or machine.place_ref is None:
        return None
    loader = context.loaders.organizations if machine.place_ref.kind is Kind.ORGANIZATION else context.loaders.places
    return await _why_null(read(context, machine)) if loader.knows(machine.place_ref) else None


async def _why_null(found: object) -> UnavailableReason | None:
    try:
        value = await found if isinstance(found, Awaitable) else found
    except VendorForbidden:
        return UnavailableReason.NOT_PERMITTED
    except VendorRateLimited:
        return UnavailableReason.OUT_OF_BUDGET
    except VendorError:
        return UnavailableReason.VENDOR_UNAVAILABLE
    return UnavailableReason.NEVER_REPORTED if value is None else None
