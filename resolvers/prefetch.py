"""Starts what is selected below things together, and no level later than it can be.

Only what the things themselves point to is started, for the accounts that they are of: what a vendor is asked for
is needed then. What an id is enough for is asked for with the machine that is named by it; and with a list of machines,
for those that were on it the last time: fleets change seldom, and the list is read all the same."""

from collections.abc import Iterable, Sequence

from domain.model import Machine
from domain.refs import Kind, Ref
from domain.times import END, EPOCH, Span
from resolvers.context import Context
from resolvers.cursors import EVERYWHERE
from resolvers.lists import LARGEST, USUAL
from resolvers.loaders import Request
from resolvers.lookahead import Selection
from resolvers.sources import Source
from resolvers.stretches import Recorded, Wanted

POINTED_TO = ("slots", "sales", "organization", "group", "location")  # what a vendor is asked for, below a machine
EVER = Span(EPOCH, END)


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
    _sales(context, source, [ref], machine)
    _goods(context, source, machine)


def for_expected(context: Context, machines: Sequence[Machine], machine: Selection) -> None:
    """As `for_machines`, of such as were on a page the last time. Their sales, too: they would be asked for one step
    after their machines."""
    for_machines(context, machines, machine)
    groups: dict[str, list[Ref]] = {}
    for one in machines:
        groups.setdefault(one.ref.account, []).append(one.ref)
    for account, refs in groups.items():
        _sales(context, context.graph.sources[account], refs, machine)


def _sales(context: Context, source: Source, machines: Sequence[Ref], machine: Selection) -> None:
    """The newest of each, where they are not narrowed: asked for as `records` will, so that it finds them begun."""
    timeline = source.sales_of(None)
    if timeline is None:
        return
    for first in machine.firsts("sales"):
        count = USUAL if first is None else first
        if 0 <= count <= LARGEST:
            wanted = Wanted(EVER, EVERYWHERE, count + 1)
            for ref in machines:
                context.loaders.sales.begin(Request(source, timeline, frozenset({ref.native}), wanted))


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
