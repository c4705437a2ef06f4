"""Machines: the merged list, and every edge that leads away from one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TypeVar

from domain.errors import VendorError, VendorForbidden, VendorRateLimited
from domain.filters import MachineFilter
from domain.model import (
    Capability,
    CapabilityStatus,
    Location,
    Machine,
    MachineGroup,
    Organization,
    Slot,
    UnavailableField,
    UnavailableReason,
)
from domain.paging import Connection
from domain.refs import Kind, Ref
from resolvers import prefetch
from resolvers.context import Context, Info
from resolvers.cursors import BEGINNING, EVERYWHERE, Position
from resolvers.lists import binding, of_organization, page_size, refs, taking_part
from resolvers.lookahead import Selection
from resolvers.merge import Order, Part, failed, told, unsupported, whole_page
from resolvers.organizations import owner
from resolvers.sources import Source

T = TypeVar("T")
V = TypeVar("V")


def position(machine: Machine) -> Position:
    return Position(machine.name, machine.id)


BY_NAME = Order(position, newest_first=False)
EVERYTHING = MachineFilter()


async def connection(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: MachineFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Machine]:
    return await _connection(info, None, first, after, filter or EVERYTHING)


async def of_tenant_or_vendor(
    root: Organization,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: MachineFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Machine]:
    return await _connection(info, root, first, after, filter or EVERYTHING)


async def _connection(
    info: Info, parent: Organization | None, first: int | None, after: str | None, narrowed: MachineFilter
) -> Connection[Machine]:
    context = info.context
    size = page_size(first)
    bound = binding(context, "machines", parent.id if parent else None, asdict(narrowed))
    cursor = context.graph.signer.read(after, bound)
    sources = taking_part(
        context,
        vendors=narrowed.vendors,
        accounts=narrowed.accounts,
        organizations=narrowed.organizations,
        among=None if parent is None else of_organization(context, parent),
    )
    selected = Selection.of(info).nodes()
    ahead = prefetch.Ahead(context, size if cursor == BEGINNING else 0, selected)
    parts = await asyncio.gather(*(_part(context, source, parent, narrowed, ahead) for source in sources))
    found = whole_page(parts, size, cursor, BY_NAME, lambda at: context.graph.signer.write(at, bound))
    prefetch.for_machines(context, found.nodes, selected)
    return found


async def _part(
    context: Context, source: Source, parent: Organization | None, narrowed: MachineFilter, ahead: prefetch.Ahead
) -> Part[Machine]:
    if source.machines is None:
        return Part(source.key, unsupported(source.ref))
    try:
        cached, inside = await asyncio.gather(
            context.loaders.lists.get(source.machines), members(context, source, parent, narrowed.organizations)
        )
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), untold=(EVERYWHERE,))
    found = [machine for machine in cached.value.items if fits(machine, inside, narrowed)]
    ahead.told(found)
    status = told(source.ref, cached.as_of, cached.error, complete=cached.value.complete)
    return Part(source.key, status, found)


def fits(machine: Machine, inside: frozenset[Ref | None] | None, narrowed: MachineFilter) -> bool:
    """`inside`: the organizations that are wanted, as `members` finds them."""
    search = (narrowed.search or "").casefold()
    return (
        (inside is None or machine.organization_ref in inside)
        and (narrowed.connectivity is None or machine.connectivity is narrowed.connectivity)
        and (not search or search in f"{machine.name}\n{machine.serial_number or ''}".casefold())
    )


async def members(
    context: Context, source: Source, parent: Organization | None, ids: Sequence[str] | None
) -> frozenset[Ref | None] | None:
    """The organizations whose things are wanted, with all below them; None is all. Raises VendorError."""
    wanted = [refs(ids, Kind.ORGANIZATION), None if parent is None else frozenset({parent.ref})]
    tops = [one for one in wanted if one is not None and context.tenant_ref(source) not in one]
    if not tops:
        return None
    if source.organizations is None:
        return frozenset()
    tree = (await context.loaders.lists.get(source.organizations)).value.items
    sets = [_with_all_below(top, tree) for top in tops]
    return frozenset[Ref | None](sets[0].intersection(*sets[1:]))


def _with_all_below(tops: frozenset[Ref], tree: Iterable[Organization]) -> frozenset[Ref]:
    children: dict[Ref | None, list[Ref]] = {}
    for organization in tree:
        children.setdefault(organization.parent_ref, []).append(organization.ref)
    found: set[Ref] = set()
    pending = list(tops)
    while pending:
        ref = pending.pop()
        if ref not in found:
            found.add(ref)
            pending.extend(children.get(ref, ()))
    return frozenset(found)


async def one(root: object, info: Info, id: str) -> Machine | None:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    found = None if ref is None or ref.kind is not Kind.MACHINE else await info.context.loaders.machines.find(ref)
    if found is not None:
        prefetch.for_machines(info.context, [found], Selection.of(info))
    return found


def account(root: Machine, info: Info) -> Source:
    return info.context.graph.sources[root.ref.account]


def organization(root: Machine, info: Info) -> Organization | Awaitable[Organization]:
    return owner(info.context, root.ref.account, root.organization_ref)


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


def capabilities(root: Machine, info: Info) -> list[CapabilityStatus]:
    source = info.context.graph.sources[root.ref.account]
    reasons = ((capability, source.refusal(capability, root)) for capability in Capability)
    return [
        CapabilityStatus(capability=capability, available=reason is None, reason=reason)
        for capability, reason in reasons
    ]


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
