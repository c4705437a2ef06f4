"""Sales: the merged list, and every edge that leads away from one."""

from collections.abc import Awaitable

from domain.filters import SaleFilter
from domain.model import Machine, Organization, Product
from domain.paging import Connection
from domain.refs import Kind, Ref
from domain.sales import Sale, SaleLine
from resolvers import prefetch, records
from resolvers.context import Context, Info
from resolvers.lookahead import Selection

EVERYTHING = SaleFilter()


async def connection(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: SaleFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Sale]:
    return await _connection(info, None, first, after, filter or EVERYTHING)


async def below(
    root: Organization | Machine,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: SaleFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Sale]:
    return await _connection(info, root, first, after, filter or EVERYTHING)


async def _connection(
    info: Info,
    parent: Organization | Machine | None,
    first: int | None,
    after: str | None,
    filtered: SaleFilter,
) -> Connection[Sale]:
    narrowed = narrow(parent, filtered)
    found = await records.connection(info.context, narrowed, first, after)
    prefetch.for_records(info.context, found.nodes, Selection.of(info).nodes())
    return found


def narrow(parent: Organization | Machine | None, filtered: SaleFilter) -> records.Narrowed[Sale]:
    kinds = None if filtered.kinds is None else frozenset(filtered.kinds)
    return records.Narrowed(
        name="sales",
        parent=parent,
        vendors=filtered.vendors if kinds != frozenset() else (),
        accounts=filtered.accounts,
        machines=filtered.machines,
        since=filtered.from_,
        until=filtered.to,
        keeps=None if kinds is None else tuple(sorted(kind.value for kind in kinds)),
        records=lambda context: context.loaders.sales,
        timeline=lambda source: source.sales_of(kinds),
    )


async def find(context: Context, ref: Ref) -> Sale | None:
    source = context.source(ref.account)
    if source is None or source.sales is None:
        return None
    return await source.sales.find(ref.native, context.patience(source.seconds))


async def one(root: object, info: Info, id: str) -> Sale | None:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    return None if ref is None or ref.kind is not Kind.SALE else await find(info.context, ref)


def machine(root: Sale, info: Info) -> Machine | Awaitable[Machine | None] | None:
    return info.context.loaders.machines.get(root.machine_ref)


def organization(root: Sale, info: Info) -> Organization | Awaitable[Organization]:
    return records.organization(info.context, root)


def product(root: SaleLine, info: Info) -> Product | Awaitable[Product | None] | None:
    return info.context.loaders.products.get(root.product_ref)
