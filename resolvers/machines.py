"""Machines: the merged list, and every edge that leads away from one."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import asdict

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
from resolvers.cursors import Position
from resolvers.lists import binding, of_organization, page_size, refs, taking_part
from resolvers.lookahead import Selection
from resolvers.merge import Order, Part, failed, told, unsupported, whole_page
from resolvers.organizations import owner
from resolvers.sources import Source


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
    among = None if parent is None else of_organization(context, parent)
    sources = taking_part(context, vendors=narrowed.vendors, accounts=narrowed.accounts, among=among)
    prefetch.for_machines(context, sources, Selection.of(info).nodes())
    parts = await asyncio.gather(*(_part(context, source, parent, narrowed) for source in sources))
    return whole_page(parts, size, cursor, BY_NAME, lambda at: context.graph.signer.write(at, bound))


async def _part(
    context: Context, source: Source, parent: Organization | None, narrowed: MachineFilter
) -> Part[Machine]:
    if source.machines is None:
        return Part(source.key, unsupported(source.ref))
    try:
        cached = await source.machines.get(context.patience)
        inside = await members(context, source, parent, narrowed.organizations)
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), failed=True)
    found = [machine for machine in cached.value.items if fits(machine, inside, narrowed)]
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
    """The organizations whose machines are wanted, with all below them; None is all, a None in it the root's own."""
    wanted = [refs(ids, Kind.ORGANIZATION), None if parent is None else frozenset({parent.ref})]
    tops = [one for one in wanted if one is not None and context.tenant_ref(source) not in one]
    if not tops:
        return None
    tree = () if source.organizations is None else (await source.organizations.get(context.patience)).value.items
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
    if ref is None or ref.kind is not Kind.MACHINE:
        return None
    source = info.context.source(ref.account)
    if source is not None:
        prefetch.for_machines(info.context, [source], Selection.of(info))
    return await info.context.loaders.machines.find(ref)


def account(root: Machine, info: Info) -> Source:
    return info.context.graph.sources[root.ref.account]


async def organization(root: Machine, info: Info) -> Organization:
    return await owner(info.context, root.ref.account, root.organization_ref)


def slots(root: Machine, info: Info) -> Sequence[Slot] | Awaitable[Sequence[Slot]] | None:
    return info.context.loaders.slots.get(root.ref)


async def group(root: Machine, info: Info) -> MachineGroup | None:
    if root.group is not None or root.place_ref is None or root.place_ref.kind is not Kind.PLACE:
        return root.group
    place = await info.context.loaders.places.find(root.place_ref)
    return place.group if place else None


async def location(root: Machine, info: Info) -> Location | None:
    if root.location is not None or root.place_ref is None:
        return root.location
    if root.place_ref.kind is Kind.ORGANIZATION:
        owner_ = await info.context.loaders.organizations.find(root.place_ref)
        return owner_.location if owner_ else None
    place = await info.context.loaders.places.find(root.place_ref)
    return place.location if place else None


def capabilities(root: Machine, info: Info) -> list[CapabilityStatus]:
    source = info.context.graph.sources[root.ref.account]
    reasons = ((capability, source.refusal(capability, root)) for capability in Capability)
    return [
        CapabilityStatus(capability=capability, available=reason is None, reason=reason)
        for capability, reason in reasons
    ]


async def unavailable(root: Machine, info: Info) -> Sequence[UnavailableField]:
    """Those that the vendor never tells, and, where the slots could not be had just now, why."""
    try:
        found = info.context.loaders.slots.get(root.ref)
        if isinstance(found, Awaitable):
            await found
    except VendorForbidden:
        reason = UnavailableReason.NOT_PERMITTED
    except VendorRateLimited:
        reason = UnavailableReason.OUT_OF_BUDGET
    except VendorError:
        reason = UnavailableReason.VENDOR_UNAVAILABLE
    else:
        return root.unavailable
    return [*root.unavailable, UnavailableField(field="slots", reason=reason)]
