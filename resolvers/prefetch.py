"""Starts what is selected below things together, and no level later than it can be.

Only what the things themselves point to is started, for the accounts that they are of: what a vendor is asked for
is needed then. Of a machine that is named by its id, what that id is enough for is asked for with the machine."""

from collections.abc import Iterable, Sequence

from domain.model import Machine
from domain.refs import Kind, Ref
from resolvers.context import Context
from resolvers.lookahead import Selection
from resolvers.sources import Source
from resolvers.stretches import Recorded


class Ahead:
    """Starts it for the machines of one account when that account has told of them, while others have not yet.

    As long as they fill no more than half of the page they are all but sure to be on it."""

    def __init__(self, context: Context, first: int, machine: Selection) -> None:
        self._context = context
        self._room = first / 2
        self._machine = machine

    def told(self, machines: Sequence[Machine]) -> None:
        self._room -= len(machines)
        if self._room >= 0:
            for_machines(self._context, machines, self._machine)


def for_machines(context: Context, machines: Iterable[Machine], machine: Selection) -> None:
    """`machine`: what is selected of each machine."""
    groups: dict[str, list[Machine]] = {}
    for one in machines:
        groups.setdefault(one.ref.account, []).append(one)
    for account, own in groups.items():
        source = context.graph.sources[account]
        _homes(context, source, own, machine)
        if source.reads_slots and "slots" in machine:
            context.loaders.slots.begin(one.ref for one in own)
        _goods(context, source, machine)


def for_one(context: Context, ref: Ref, machine: Selection) -> None:
    """Where the list that has the machine is yet to be read, and nothing that was read says that there is no such."""
    source = context.source(ref.account)
    if source is None or source.machines is None or context.loaders.lists.peek(source.machines) is not None:
        return
    kept = source.machines.kept()
    if kept is not None and ref.native not in kept.by_native:
        return
    if source.reads_slots and "slots" in machine:
        context.loaders.slots.begin([ref])
    _goods(context, source, machine)


def _homes(context: Context, source: Source, machines: Sequence[Machine], machine: Selection) -> None:
    kinds = {one.place_ref.kind for one in machines if one.place_ref is not None}
    if "group" in machine or "location" in machine:
        context.loaders.lists.begin(source.places if Kind.PLACE in kinds else None)
    located = "location" in machine and Kind.ORGANIZATION in kinds
    if located or ("organization" in machine and any(one.organization_ref is not None for one in machines)):
        context.loaders.lists.begin(source.organizations)


def _goods(context: Context, source: Source, machine: Selection) -> None:
    """What slots hold and lines sell comes from the catalogue."""
    held = source.reads_slots and "product" in machine.at("slots")
    if held or "product" in machine.at("sales").nodes().at("lines"):
        context.loaders.lists.begin(source.products)


def for_records(context: Context, records: Iterable[Recorded], record: Selection) -> None:
    """`record`: what is selected of each sale or event. What their machines point to is not known yet."""
    machine = record.at("machine")
    begin = context.loaders.lists.begin
    for account in dict.fromkeys(one.machine_ref.account for one in records if one.machine_ref is not None):
        source = context.graph.sources[account]
        if "organization" in record or "organization" in machine:
            begin(source.organizations)
        if "group" in machine or "location" in machine:
            begin(source.places)
        if "location" in machine and source.places is None:
            begin(source.organizations)
        _goods(context, source, machine)
