"""Starts what a page will need two levels below it together with what it needs one level below.

Nothing is started before the page is known, and only for the accounts that are on it: what a vendor is asked for is
needed then."""

from collections.abc import Iterable

from domain.model import Machine
from domain.refs import Ref
from resolvers.context import Context
from resolvers.lookahead import Selection
from resolvers.sources import Source
from resolvers.stretches import Recorded


def for_machines(context: Context, machines: Iterable[Machine], machine: Selection) -> None:
    """`machine`: what is selected of each machine."""
    for source in _accounts(context, (one.ref for one in machines)):
        _goods(context, source, machine)


def for_records(context: Context, records: Iterable[Recorded], record: Selection) -> None:
    """`record`: what is selected of each sale or event."""
    machine = record.at("machine")
    for source in _accounts(context, (one.machine_ref for one in records)):
        begin = context.loaders.lists.begin
        if "organization" in record or "organization" in machine:
            begin(source.organizations)
        if "group" in machine or "location" in machine:
            begin(source.places)
        if "location" in machine and source.places is None:
            begin(source.organizations)
        _goods(context, source, machine)


def _goods(context: Context, source: Source, machine: Selection) -> None:
    """What slots hold and lines sell comes from the catalogue."""
    held = source.reads_slots and "product" in machine.at("slots")
    if held or "product" in machine.at("sales").nodes().at("lines"):
        context.loaders.lists.begin(source.products)


def _accounts(context: Context, refs: Iterable[Ref | None]) -> list[Source]:
    keys = dict.fromkeys(ref.account for ref in refs if ref is not None)
    return [context.graph.sources[key] for key in keys]
