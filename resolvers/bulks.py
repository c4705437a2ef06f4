"""Bulks as the store has them."""

import asyncio
from collections.abc import Sequence

from domain.bulk import Bulk, BulkItem
from domain.refs import Kind, Ref
from journal import bulks
from journal.bulks import KeptBulk, KeptItem
from resolvers.context import Context, Info


async def read(context: Context, id_: str) -> Bulk | None:
    """None also for another's."""
    engine = context.graph.journal.engine
    bulk = await asyncio.to_thread(bulks.find, engine, id_)
    if bulk is None or bulk.organization not in context.viewer.organizations:
        return None
    items = await asyncio.to_thread(bulks.items, engine, bulk)
    running = bulk.until is not None and bulk.until >= context.graph.dispatcher.now
    return shown(bulk, [_item(item) for item in items], running=running)


def _item(item: KeptItem) -> BulkItem:
    command = None if item.kept is None or item.errors else item.kept.command
    return BulkItem(index=item.index, command=command, errors=item.errors)


def shown(bulk: KeptBulk, items: Sequence[BulkItem], *, running: bool) -> Bulk:
    return Bulk(
        ref=Ref(Kind.BULK, "", bulk.id),
        kind=bulk.kind,
        requested_by=bulk.requested_by,
        idempotency_key=bulk.idempotency_key,
        created_at=bulk.created_at,
        running=running,
        items=items,
    )


async def find(context: Context, ref: Ref) -> Bulk | None:
    return None if ref.account else await read(context, ref.native)


async def one(root: object, info: Info, id: str) -> Bulk | None:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    return None if ref is None or ref.kind is not Kind.BULK else await find(info.context, ref)
