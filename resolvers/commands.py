"""Commands as the ledger has them: one, a list, and their edges."""

import asyncio
from dataclasses import asdict
from functools import partial

from domain.commands import Command
from domain.filters import CommandFilter
from domain.model import Machine
from domain.paging import Connection
from domain.refs import Kind, Ref
from domain.sales import Sale
from journal import commands
from resolvers import sales
from resolvers.context import Context, Info
from resolvers.cursors import Position
from resolvers.lists import binding, page_of_store, refs


async def machine(root: Command, info: Info) -> Machine | None:
    return await info.context.loaders.machines.find(root.machine_ref)


async def evidence(root: Command, info: Info) -> Sale | None:
    return None if root.evidence_ref is None else await sales.find(info.context, root.evidence_ref)


async def find(context: Context, ref: Ref) -> Command | None:
    """None also for another's."""
    if context.source(ref.account) is None:
        return None
    kept = await asyncio.to_thread(commands.find, context.graph.journal.engine, ref.native)
    return kept.command if kept is not None and kept.command.ref == ref else None


async def one(root: object, info: Info, id: str) -> Command | None:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    return None if ref is None or ref.kind is not Kind.COMMAND else await find(info.context, ref)


async def connection(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: CommandFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Command]:
    return await _page(info.context, None, first, after, filter or CommandFilter())


async def of_machine(
    root: Machine,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: CommandFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[Command]:
    return await _page(info.context, root.ref, first, after, filter or CommandFilter())


async def _page(
    context: Context, parent: Ref | None, first: int | None, after: str | None, narrowed: CommandFilter
) -> Connection[Command]:
    bound = binding(context, "commands", None if parent is None else parent.text, asdict(narrowed))
    named = refs(narrowed.machines, Kind.MACHINE)
    if parent is not None:
        named = frozenset({parent}) if named is None else named & {parent}
    read = partial(commands.page, context.graph.journal.engine, context.viewer.organizations, named, narrowed.statuses)
    return await page_of_store(context, read, lambda command: Position(*commands.place(command)), first, after, bound)
