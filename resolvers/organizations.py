"""Organizations: the tenants of the configuration, and below them the vendors' own."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace

from domain.errors import VendorError
from domain.model import Organization
from domain.paging import Connection
from domain.refs import Kind, Ref
from resolvers.context import Context, Info
from resolvers.cursors import EVERYWHERE, Position
from resolvers.lists import binding, of_organization, page_size
from resolvers.merge import Order, Part, failed, told, unsupported, whole_page
from resolvers.sources import Source

ROOTS, BELOW = "0", "1"


def position(organization: Organization) -> Position:
    """Roots first, then by name."""
    rank = BELOW if organization.ref.account else ROOTS
    return Position(rank + organization.name, organization.id)


ORDER = Order(position, newest_first=False)


async def connection(
    root: object, info: Info, first: int | None = None, after: str | None = None
) -> Connection[Organization]:
    context = info.context
    bound = binding(context, "organizations", None, None)
    parts = await asyncio.gather(*(_all(context, source) for source in context.sources))
    return _page(context, context.tenants, parts, first, after, bound)


async def children(
    root: Organization, info: Info, first: int | None = None, after: str | None = None
) -> Connection[Organization]:
    context = info.context
    bound = binding(context, "children", root.id, None)
    parts = await asyncio.gather(*(_below(context, source, root) for source in of_organization(context, root)))
    return _page(context, (), parts, first, after, bound)


def _page(
    context: Context,
    tenants: Sequence[Organization],
    parts: Sequence[Part[Organization]],
    first: int | None,
    after: str | None,
    bound: bytes,
) -> Connection[Organization]:
    cursor = context.graph.signer.read(after, bound)
    roots = Part("", unsupported(Ref(Kind.ACCOUNT, "", "")), tenants)  # of no account, so it is not shown
    found = whole_page(
        [roots, *parts], page_size(first), cursor, ORDER, lambda at: context.graph.signer.write(at, bound)
    )
    return replace(found, sources=[part.status for part in parts])


async def _all(context: Context, source: Source) -> Part[Organization]:
    if source.organizations is None:
        return Part(source.key, unsupported(source.ref))
    try:
        cached = await context.loaders.lists.get(source.organizations)
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), untold=(EVERYWHERE,))
    status = told(source.ref, cached.as_of, cached.error, complete=cached.value.complete)
    return Part(source.key, status, cached.value.items)


async def _below(context: Context, source: Source, parent: Organization) -> Part[Organization]:
    part = await _all(context, source)
    wanted = parent.ref if parent.ref.account else None
    mine = [organization for organization in part.items if organization.parent_ref == wanted]
    return replace(part, items=mine)


async def parent(root: Organization, info: Info) -> Organization | None:
    if root.parent_ref is not None:
        found = await info.context.loaders.organizations.find(root.parent_ref)
        if found is not None:
            return found
    source = info.context.source(root.ref.account)
    return None if source is None else info.context.tenant(source.organization_key)


def accounts(root: Organization, info: Info) -> list[Source]:
    return of_organization(info.context, root)


def owner(context: Context, account: str, organization: Ref | None) -> Organization | Awaitable[Organization]:
    """The organization of a thing: the vendor's, where it has one, else the tenant that the account belongs to."""
    tenant = context.graph.tenants[context.graph.sources[account].organization_key]
    if organization is None:
        return tenant
    found = context.loaders.organizations.get(organization)
    return _owner(found, organization, tenant) if isinstance(found, Awaitable) else found or tenant


async def _owner(promise: Awaitable[Organization | None], organization: Ref, tenant: Organization) -> Organization:
    """Where the vendor fails to tell, its id alone has to do: the thing itself must not be lost over it."""
    try:
        found = await promise
    except VendorError:
        found = Organization(ref=organization, name=organization.native, parent_ref=None)
    return found or tenant
