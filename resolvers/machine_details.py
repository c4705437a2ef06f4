"""Edges to what some vendors tell of one machine at a time, and an event's text in the caller's language."""

from collections.abc import Callable
from typing import TypeVar

from connectors.reading import Translates
from domain.details import Language, MachineCash, MachineConfig, MachineSession
from domain.model import Machine, MachineEvent
from resolvers.context import Info
from resolvers.details import Detail, Details

T = TypeVar("T")


async def _detail(root: Machine, info: Info, which: Callable[[Details], Detail[T] | None]) -> T | None:
    source = info.context.graph.sources[root.ref.account]
    detail = which(source.details)
    return None if detail is None else await detail.get(root.ref.native, info.context.patience(source.seconds))


async def session(root: Machine, info: Info) -> MachineSession | None:
    return await _detail(root, info, lambda details: details.session)


async def cash(root: Machine, info: Info) -> MachineCash | None:
    return await _detail(root, info, lambda details: details.cash)


async def config(root: Machine, info: Info) -> MachineConfig | None:
    return await _detail(root, info, lambda details: details.config)


async def message(root: MachineEvent, info: Info, language: Language | None = None) -> str:
    """In the language in which it was read where there is no other text."""
    translator = info.context.graph.sources[root.ref.account].connector
    if language is None or not isinstance(translator, Translates):
        return root.message
    return await translator.translated(root, language) or root.message
