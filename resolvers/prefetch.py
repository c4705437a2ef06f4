"""Starts what a query will need of whole lists, together with the first list it asks for. Nothing waits for it."""

import asyncio
from collections.abc import Iterable
from typing import Any

from domain.errors import VendorError
from resolvers.context import Context
from resolvers.lookahead import Selection
from resolvers.sources import Source, Whole

_flying: set["asyncio.Task[None]"] = set()


def for_machines(context: Context, sources: Iterable[Source], machine: Selection) -> None:
    """`machine`: what is selected of each machine."""
    lines = machine.at("sales").nodes().at("lines")
    catalogue = "product" in machine.at("slots") or "product" in lines
    located = "location" in machine or "group" in machine
    for source in sources:
        if "organization" in machine or (located and source.places is None):
            _start(context, source.organizations)
        if located:
            _start(context, source.places)
        if catalogue:
            _start(context, source.products)


def for_sales(context: Context, sources: Iterable[Source], sale: Selection) -> None:
    """`sale`: what is selected of each sale or event."""
    machine = sale.at("machine")
    for source in sources:
        if "machine" in sale or "organization" in sale:
            _start(context, source.machines)
        if "organization" in sale:
            _start(context, source.organizations)
        if "product" in sale.at("lines"):
            _start(context, source.products)
    if "machine" in sale:
        for_machines(context, sources, machine)


def _start(context: Context, whole: Whole[Any] | None) -> None:
    if whole is not None and whole.peek() is None:
        task = asyncio.create_task(_fetch(whole, context.patience))
        _flying.add(task)
        task.add_done_callback(_flying.discard)


async def _fetch(whole: Whole[Any], patience: float) -> None:
    try:
        await whole.get(patience)
    except VendorError:
        return  # whoever needs it asks again, and is told why not
