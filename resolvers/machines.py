"""Machines: the merged list, one by its id, and whose it is."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import asdict
from heapq import nsmallest

from domain.capabilities import Capability, CapabilityStatus
from domain.errors import VendorError
from domain.filters import MachineFilter
from domain.model import Machine, Organization
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
    if cursor == BEGINNING and any(name in selected for name in prefetch.POINTED_TO):
        prefetch.for_expected(context, _expected(sources, parent, narrowed, size), selected)
    ahead = prefetch.Ahead(context, size if cursor == BEGINNING else 0, selected)
    parts = await asyncio.gather(*(_part(context, source, parent, narrowed, ahead) for source in sources))
    found = whole_page(parts, size, cursor, BY_NAME, lambda at: context.graph.signer.write(at, bound))
    prefetch.for_machines(context, found.nodes, selected)
    return found


def _expected(
    sources: Sequence[Source], parent: Organization | None, narrowed: MachineFilter, size: int
) -> Sequence[Machine]:
    """The first page as it would be by the lists that were read last, where one of them is to be read again. Nothing
    where one was never read, or where the organizations would have to be asked for."""
    lists = [source.machines for source in sources if source.machines is not None]
    kept = [one.kept() for one in lists]
    within = narrowed.organizations is not None or (parent is not None and parent.ref.account)
    if within or None in kept or all(one.reading() is not None for one in lists):
        return ()
    known = (machine for one in kept if one is not None for machine in one.items if fits(machine, None, narrowed))
    return nsmallest(size, known, key=position)


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
    return None if ref is None or ref.kind is not Kind.MACHINE else await named(info, ref)


async def named(info: Info, ref: Ref) -> Machine | None:
    """The one machine that a field is asked for, with what is selected of it begun. Raises VendorError."""
    selected = Selection.of(info)
    prefetch.for_one(info.context, ref, selected)
    found = await info.context.loaders.machines.find(ref)
    if found is not None:
        prefetch.for_machines(info.context, [found], selected)
    return found


def account(root: Machine, info: Info) -> Source:
    return info.context.graph.sources[root.ref.account]


def organization(root: Machine, info: Info) -> Organization | Awaitable[Organization]:
    return owner(info.context, root.ref.account, root.organization_ref)


def capabilities(root: Machine, info: Info) -> list[CapabilityStatus]:
    source = info.context.graph.sources[root.ref.account]
    reasons = ((capability, source.refusal(capability, root)) for capability in Capability)
    return [
        CapabilityStatus(capability=capability, available=reason is None, reason=reason)
        for capability, reason in reasons
    ]
