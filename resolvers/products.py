"""Products: every account's catalogue, merged by name."""

import asyncio
from collections.abc import Awaitable
from dataclasses import asdict

from domain.errors import VendorError
from domain.filters import ProductFilter
from domain.model import Organization, Product
from domain.paging import Connection
from domain.refs import Kind, Ref
from resolvers.context import Context, Info
from resolvers.cursors import EVERYWHERE, Position
from resolvers.lists import binding, of_organization, page_size, taking_part
from resolvers.machines import members
from resolvers.merge import Order, Part, failed, told, unsupported, whole_page
from resolvers.organizations import owner
from resolvers.sources import Source


def position(product: Product) -> Position:
    return Position(product.name, product.id)


BY_NAME = Order(position, newest_first=False)
EVERYTHING = ProductFilter()


async def connection(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: ProductFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Product]:
    return await _connection(info.context, None, first, after, filter or EVERYTHING)


async def of_tenant_or_vendor(
    root: Organization,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: ProductFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Product]:
    return await _connection(info.context, root, first, after, filter or EVERYTHING)


async def _connection(
    context: Context,
    parent: Organization | None,
    first: int | None,
    after: str | None,
    narrowed: ProductFilter,
) -> Connection[Product]:
    size = page_size(first)
    bound = binding(context, "products", parent.id if parent else None, asdict(narrowed))
    cursor = context.graph.signer.read(after, bound)
    among = None if parent is None else of_organization(context, parent)
    sources = taking_part(context, vendors=narrowed.vendors, accounts=narrowed.accounts, among=among)
    parts = await asyncio.gather(*(_part(context, source, parent, narrowed) for source in sources))
    return whole_page(parts, size, cursor, BY_NAME, lambda at: context.graph.signer.write(at, bound))


async def _part(
    context: Context, source: Source, parent: Organization | None, narrowed: ProductFilter
) -> Part[Product]:
    if source.products is None:
        return Part(source.key, unsupported(source.ref))
    try:
        cached, inside = await asyncio.gather(
            context.loaders.lists.get(source.products), members(context, source, parent, None)
        )
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), untold=(EVERYWHERE,))
    search = (narrowed.search or "").casefold()
    found = [
        product
        for product in cached.value.items
        if (inside is None or product.organization_ref in inside)
        and (narrowed.archived is None or product.archived is narrowed.archived)
        and (not search or search in f"{product.name}\n{product.sku or ''}\n{product.gtin or ''}".casefold())
    ]
    status = told(source.ref, cached.as_of, cached.error, complete=cached.value.complete)
    return Part(source.key, status, found)


async def one(root: object, info: Info, id: str) -> Product | None:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    if ref is None or ref.kind is not Kind.PRODUCT:
        return None
    return await info.context.loaders.products.find(ref)


def account(root: Product, info: Info) -> Source:
    return info.context.graph.sources[root.ref.account]


def organization(root: Product, info: Info) -> Organization | Awaitable[Organization]:
    return owner(info.context, root.ref.account, root.organization_ref)
