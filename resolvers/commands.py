"""Edges of a command."""

from domain.commands import Command
from domain.model import Machine, Sale
from resolvers import sales
from resolvers.context import Info


async def machine(root: Command, info: Info) -> Machine | None:
    return await info.context.loaders.machines.find(root.machine_ref)


async def evidence(root: Command, info: Info) -> Sale | None:
    return None if root.evidence_ref is None else await sales.find(info.context, root.evidence_ref)
