"""How organizations divide their people: units, and groups with what they may take, merged by name."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, TypeVar

from domain.errors import VendorError
from domain.model import Product
from domain.paging import Connection
from domain.people import (
    EntitlementGroup,
    EntitlementGroupFilter,
    EntitlementRule,
    OrganizationUnit,
    OrganizationUnitFilter,
)
from domain.refs import Kind, Ref
from resolvers.context import Context, Info
from resolvers.cursors import EVERYWHERE, Position
from resolvers.lists import binding, page_size, taking_part
from resolvers.merge import Order, Part, failed, told, unsupported, whole_page
from resolvers.sources import Source
from resolvers.whole import Whole

T = TypeVar("T", OrganizationUnit, EntitlementGroup)


def position(one: OrganizationUnit | EntitlementGroup) -> Position:
    return Position(one.name, one.id)


async def units(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: OrganizationUnitFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[OrganizationUnit]:
    narrowed = filter or OrganizationUnitFilter()
    search = (narrowed.search or "").casefold()

    def wanted(unit: OrganizationUnit) -> bool:
        of_kind = narrowed.kinds is None or unit.kind in narrowed.kinds
        return of_kind and search in f"{unit.name}\n{unit.code or ''}".casefold()

    return await _connection(info.context, "units", first, after, narrowed, lambda source: source.units, wanted)


async def groups(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: EntitlementGroupFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[EntitlementGroup]:
    narrowed = filter or EntitlementGroupFilter()
    search = (narrowed.search or "").casefold()

    def wanted(group: EntitlementGroup) -> bool:
        return search in group.name.casefold()

    return await _connection(info.context, "groups", first, after, narrowed, lambda source: source.groups, wanted)


async def _connection(
    context: Context,
    name: str,
    first: int | None,
    after: str | None,
    narrowed: OrganizationUnitFilter | EntitlementGroupFilter,
    whole: Callable[[Source], Whole[T] | None],
    wanted: Callable[[T], bool],
) -> Connection[T]:
    size, bound = page_size(first), binding(context, name, None, asdict(narrowed))
    cursor = context.graph.signer.read(after, bound)
    sources = taking_part(context, vendors=narrowed.vendors, accounts=narrowed.accounts)
    parts = await asyncio.gather(*(_part(context, source, whole(source), wanted) for source in sources))
    order: Order[T] = Order(position, newest_first=False)
    return whole_page(parts, size, cursor, order, lambda at: context.graph.signer.write(at, bound))


async def _part(context: Context, source: Source, whole: Whole[T] | None, wanted: Callable[[T], bool]) -> Part[T]:
    if whole is None:
        return Part(source.key, unsupported(source.ref))
    try:
        cached = await context.loaders.lists.get(whole)
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), untold=(EVERYWHERE,))
    status = told(source.ref, cached.as_of, cached.error, complete=cached.value.complete)
    return Part(source.key, status, [one for one in cached.value.items if wanted(one)])


async def find_one(context: Context, ref: Ref, whole: Callable[[Source], Whole[Any] | None], read: str) -> Any:
    """From the list where that is fresh, else alone: nobody reads thousands for one. `read`: the connector's method."""
    source = context.source(ref.account)
    listed = None if source is None else whole(source)
    if source is None or listed is None:
        return None
    known = context.loaders.lists.peek(listed)
    if known is not None and ref.native in known.by_native:
        return known.by_native[ref.native]
    return await getattr(source.connector, read)(ref.native)


async def find_unit(context: Context, ref: Ref) -> OrganizationUnit | None:
    found: OrganizationUnit | None = await find_one(context, ref, lambda source: source.units, "unit")
    return found


async def find_group(context: Context, ref: Ref) -> EntitlementGroup | None:
    found: EntitlementGroup | None = await find_one(context, ref, lambda source: source.groups, "group")
    return found


async def unit(root: object, info: Info, id: str) -> OrganizationUnit | None:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    return None if ref is None or ref.kind is not Kind.UNIT else await find_unit(info.context, ref)


async def group(root: object, info: Info, id: str) -> EntitlementGroup | None:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    return None if ref is None or ref.kind is not Kind.GROUP else await find_group(info.context, ref)


def account(root: OrganizationUnit | EntitlementGroup, info: Info) -> Source:
    return info.context.graph.sources[root.ref.account]


def product(root: EntitlementRule, info: Info) -> Product | Awaitable[Product | None] | None:
    return info.context.loaders.products.get(root.product_ref)
