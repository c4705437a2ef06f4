"""Whatever an id stands for. A foreign id and one that never was are both null, and take the same way there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from domain.capabilities import Capability
from domain.commands import Command
from domain.errors import BadInput
from domain.refs import Kind, Ref
from resolvers import bulks, commands, events, machines, people, sales, slots, stock, structure
from resolvers.context import Context, Info
from resolvers.lists import LARGEST

Find = Callable[[Context, Ref], Awaitable[object]]


async def _organization(context: Context, ref: Ref) -> object:
    return await context.loaders.organizations.find(ref) if ref.account else context.tenant(ref.native)


async def _account(context: Context, ref: Ref) -> object:
    return context.source(ref.account)


async def _machine(context: Context, ref: Ref) -> object:
    return await context.loaders.machines.find(ref)


async def _product(context: Context, ref: Ref) -> object:
    return await context.loaders.products.find(ref)


FINDERS: Mapping[Kind, Find] = {
    Kind.ORGANIZATION: _organization,
    Kind.ACCOUNT: _account,
    Kind.MACHINE: _machine,
    Kind.SLOT: slots.find,
    Kind.PRODUCT: _product,
    Kind.SALE: sales.find,
    Kind.EVENT: events.find,
    Kind.COMMAND: commands.find,
    Kind.STOCK_MOVEMENT: stock.find_movement,
    Kind.CASH_COLLECTION: stock.find_collection,
    Kind.PERSON: people.find,
    Kind.UNIT: structure.find_unit,
    Kind.GROUP: structure.find_group,
    Kind.BULK: bulks.find,
}


async def node(root: object, info: Info, id: str) -> object:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    if ref is not None and ref.kind is Kind.MACHINE:
        return await machines.named(info, ref)
    return await _found(info.context, ref)


async def _found(context: Context, ref: Ref | None) -> object:
    find = None if ref is None else FINDERS.get(ref.kind)
    return None if ref is None or find is None else await find(context, ref)


async def nodes(root: object, info: Info, ids: Sequence[str]) -> Sequence[object]:
    if len(ids) > LARGEST:
        raise BadInput(f"`ids` may hold {LARGEST} ids, and there are {len(ids)}")
    found = (_found(info.context, Ref.parse(id_)) for id_ in ids)
    return await asyncio.gather(*found, return_exceptions=True)  # an error is that one's alone


async def organization(root: object, info: Info, id: str) -> object:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    return None if ref is None or ref.kind is not Kind.ORGANIZATION else await _organization(info.context, ref)


async def subject(root: Command, info: Info) -> object:
    """What a command made or changed."""
    ref = root.subject_ref
    if ref is None and root.kind is Capability.COLLECT_CASH:
        return await stock.collected(info.context, root)
    return await _found(info.context, ref)
