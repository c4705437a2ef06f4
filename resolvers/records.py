"""What sales and events have in common: newest first over all accounts, by `recorded_at` and then by id."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from domain.errors import VendorError
from domain.model import Machine, Organization, Vendor
from domain.paging import Connection
from domain.refs import Kind, Ref
from domain.times import EPOCH, Span
from resolvers.context import Context
from resolvers.cursors import Cursor
from resolvers.lists import binding, of_organization, page_size, refs, taking_part
from resolvers.loaders import Records, Request
from resolvers.machines import members
from resolvers.merge import Part, failed, page, told, unsupported
from resolvers.sources import Source
from resolvers.timeline import NEWEST_FIRST, Machines, Recorded, Timeline

R = TypeVar("R", bound=Recorded)

END = datetime(9999, 1, 1, tzinfo=UTC)
NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed(Generic[R]):
    """A filter, read: `keeps` is what it looks like in a cursor and in a loader's key, `keep` what it does."""

    vendors: Sequence[Vendor] | None
    accounts: Sequence[str] | None
    machines: Sequence[str] | None
    since: datetime | None
    until: datetime | None
    keeps: str
    keep: Callable[[R], bool] | None

    @property
    def span(self) -> Span:
        return Span(self.since or EPOCH, self.until or END)

    @property
    def bound(self) -> Sequence[object]:
        """What a cursor is bound to of it."""
        vendors = None if self.vendors is None else [vendor.value for vendor in self.vendors]
        return (vendors, self.accounts, self.machines, self.since, self.until, self.keeps)


@dataclass(frozen=True, slots=True)
class Kept(Generic[R]):
    """One of the two lists: its name in cursors, its loader, and an account's timeline of it."""

    name: str
    records: Callable[[Context], Records[R]]
    timeline: Callable[[Source], Timeline[R] | None]


async def connection(
    context: Context,
    kept: Kept[R],
    parent: Organization | Machine | None,
    first: int | None,
    after: str | None,
    narrowed: Narrowed[R],
    sources: Sequence[Source],
) -> Connection[R]:
    size = page_size(first)
    bound = _binding(context, kept, parent, narrowed)
    cursor = context.graph.signer.read(after, bound)
    parts = await asyncio.gather(*(_part(context, kept, source, parent, narrowed, cursor, size) for source in sources))
    write = context.graph.signer.write
    return page(parts, size, cursor, NEWEST_FIRST, lambda at: write(at, bound), _total(parts, cursor))


def sources(context: Context, parent: Organization | Machine | None, narrowed: Narrowed[R]) -> list[Source]:
    if isinstance(parent, Machine):
        among: Sequence[Source] | None = [context.graph.sources[parent.ref.account]]
    else:
        among = None if parent is None else of_organization(context, parent)
    found = taking_part(context, vendors=narrowed.vendors, accounts=narrowed.accounts, among=among)
    machines = refs(narrowed.machines, Kind.MACHINE)
    if machines is None:
        return found
    named = {machine.account for machine in machines}
    return [source for source in found if source.key in named]


def _binding(context: Context, kept: Kept[R], parent: Organization | Machine | None, narrowed: Narrowed[R]) -> bytes:
    return binding(context, kept.name, parent.id if parent else None, narrowed.bound)


async def _part(
    context: Context,
    kept: Kept[R],
    source: Source,
    parent: Organization | Machine | None,
    narrowed: Narrowed[R],
    cursor: Cursor,
    size: int,
) -> Part[R]:
    if kept.timeline(source) is None:
        return Part(source.key, unsupported(source.ref))
    try:
        machines = await _machines(context, source, parent, narrowed)
        request = Request(
            source.key,
            machines,
            narrowed.span,
            cursor.start(source.key),
            size + 1,
            narrowed.keeps,
            narrowed.keep,
        )
        found = await kept.records(context).get(request)
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), failed=True)
    return Part(source.key, told(source.ref, found.as_of, found.error), found.items, found.exhausted)


async def _machines(
    context: Context, source: Source, parent: Organization | Machine | None, narrowed: Narrowed[R]
) -> Machines:
    """The native ids of the machines that are wanted of an account; None is all of them."""
    wanted = refs(narrowed.machines, Kind.MACHINE)
    named = None if wanted is None else frozenset(ref.native for ref in wanted if ref.account == source.key)
    if isinstance(parent, Machine):
        own = frozenset({parent.ref.native})
        return own if named is None else own & named
    inside = await members(context, source, parent, None)
    if inside is None:
        return named
    if source.machines is None:
        return NOBODY
    everyone = (await source.machines.get(context.patience)).value.items
    own = frozenset(machine.ref.native for machine in everyone if machine.organization_ref in inside)
    return own if named is None else own & named


def _total(parts: Sequence[Part[R]], cursor: Cursor) -> int | None:
    """Known only where the first page has read everything to the end."""
    if cursor.position is not None or not all(part.exhausted and part.status.complete for part in parts):
        return None
    return sum(len(part.items) for part in parts)


async def owner_ref(context: Context, machine: Ref | None) -> Ref | None:
    """The organization of a record is its machine's; the tenant's root where the machine is gone or not told."""
    try:
        found = await context.loaders.machines.find(machine)
    except VendorError:
        return None
    return found.organization_ref if found else None


async def machine(root: Recorded, context: Context) -> Machine | None:
    return await context.loaders.machines.find(root.machine_ref)
