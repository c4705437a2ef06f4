"""Subscriptions: what the journal takes in, as messages, from a cursor on or from now on.

A message is a place in the journal, so that it is the same on every replica and over every transport."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from domain.commands import Command, CommandStatus
from domain.errors import BadInput, VendorError
from domain.facts import FactKind, Observation, Origin
from domain.filters import CommandFilter, EventFilter, MachineFilter, SaleFilter
from domain.live import CommandMessage, Gap, MachineEventMessage, MachineMessage, SaleMessage
from domain.model import Machine, MachineEvent, Sale
from domain.refs import Kind, Ref
from journal.log import Entry
from journal.tail import Lost
from resolvers import events, machines, sales
from resolvers.context import Context, Info
from resolvers.cursors import Cursor, Position
from resolvers.lists import binding, refs
from resolvers.records import Narrowed
from resolvers.stretches import Recorded

R = TypeVar("R", bound=Recorded)

GONE = "messages between these cursors are no longer kept: read the lists for what they told"


class Stream:
    """One subscription: what its cursors are bound to, and whose entries it may see."""

    def __init__(self, context: Context, bound: bytes) -> None:
        self._journal = context.graph.journal
        self._signer = context.graph.signer
        self._resumed = context.resumed
        self._bound = b"live " + bound
        self._accounts = frozenset(source.key for source in context.sources)

    async def start(self, after: str | None) -> int:
        """The number after which it begins. Raises BadInput for a cursor that is not of this subscription."""
        resumed = after if self._resumed is None else self._resumed
        if resumed is None:
            return await self._journal.head()
        position = self._signer.read(resumed, self._bound).position
        if position is None:
            raise BadInput("`after` is a cursor of another list")
        return int(position.key)

    async def entries(self, after: int, kind: FactKind) -> AsyncIterator[Entry | Lost]:
        async for one in self._journal.tail.follow(after):
            if isinstance(one, Lost) or (one.kind is kind and one.account in self._accounts):
                yield one

    def told(self, one: Entry | Lost) -> dict[str, Any]:
        """What a message has whatever it tells."""
        if isinstance(one, Entry):
            return {"seq": one.seq, "cursor": self._cursor(one.seq), "origin": one.origin}
        gap = Gap(from_=self._cursor(one.after), to=self._cursor(one.until), message=GONE)
        return {"seq": one.until, "cursor": gap.to, "origin": Origin.GATEWAY, "gap": gap}

    def _cursor(self, seq: int) -> str:
        return self._signer.write(Cursor(Position(str(seq), "")), self._bound)


async def sale_messages(
    root: object,
    info: Info,
    filter: SaleFilter | None = None,  # noqa: A002  the graph's name for it
    after: str | None = None,
) -> AsyncIterator[SaleMessage]:
    filtered = filter or sales.EVERYTHING
    narrowed = sales.narrow(None, filtered)
    stream = Stream(info.context, narrowed.binding(info.context))
    kinds = filtered.kinds
    keep = None if kinds is None else lambda sale: sale.kind in kinds
    return _sales(stream, await stream.start(after), _keeps(info.context, narrowed, keep))


async def _sales(stream: Stream, start: int, keeps: Callable[[Sale], bool]) -> AsyncIterator[SaleMessage]:
    async for one in stream.entries(start, FactKind.SALE):
        if isinstance(one, Lost):
            yield SaleMessage(**stream.told(one))
        elif isinstance(one.content, Sale) and keeps(one.content):
            yield SaleMessage(**stream.told(one), sale=one.content)


async def event_messages(
    root: object,
    info: Info,
    filter: EventFilter | None = None,  # noqa: A002  the graph's name for it
    after: str | None = None,
) -> AsyncIterator[MachineEventMessage]:
    filtered = filter or events.EVERYTHING
    narrowed = events.narrow(None, filtered)
    stream = Stream(info.context, narrowed.binding(info.context))
    narrowing = events.narrowing(filtered.min_severity, filtered.state)
    keep = None if narrowing is None else narrowing.keep
    return _events(stream, await stream.start(after), _keeps(info.context, narrowed, keep))


async def _events(
    stream: Stream, start: int, keeps: Callable[[MachineEvent], bool]
) -> AsyncIterator[MachineEventMessage]:
    async for one in stream.entries(start, FactKind.EVENT):
        if isinstance(one, Lost):
            yield MachineEventMessage(**stream.told(one))
        elif isinstance(one.content, MachineEvent) and keeps(one.content):
            yield MachineEventMessage(**stream.told(one), event=one.content)


async def command_messages(
    root: object,
    info: Info,
    filter: CommandFilter | None = None,  # noqa: A002  the graph's name for it
    after: str | None = None,
) -> AsyncIterator[CommandMessage]:
    filtered = filter or CommandFilter()
    stream = Stream(info.context, binding(info.context, "commands", None, asdict(filtered)))
    return _commands(stream, await stream.start(after), filtered)


async def _commands(stream: Stream, start: int, filtered: CommandFilter) -> AsyncIterator[CommandMessage]:
    named = refs(filtered.machines, Kind.MACHINE)
    async for one in stream.entries(start, FactKind.COMMAND):
        if isinstance(one, Lost):
            yield CommandMessage(**stream.told(one))
        elif isinstance(one.content, Command) and _narrows(one.content, named, filtered.statuses):
            yield CommandMessage(**stream.told(one), command=one.content)


def _narrows(command: Command, named: frozenset[Ref] | None, statuses: Sequence[CommandStatus] | None) -> bool:
    return (named is None or command.machine_ref in named) and (statuses is None or command.status in statuses)


async def machine_messages(
    root: object,
    info: Info,
    filter: MachineFilter | None = None,  # noqa: A002  the graph's name for it
    after: str | None = None,
) -> AsyncIterator[MachineMessage]:
    filtered = filter or machines.EVERYTHING
    stream = Stream(info.context, binding(info.context, "machines", None, asdict(filtered)))
    return _machines(info.context, stream, await stream.start(after), filtered)


async def _machines(
    context: Context, stream: Stream, start: int, filtered: MachineFilter
) -> AsyncIterator[MachineMessage]:
    async for one in stream.entries(start, FactKind.STATE):
        if isinstance(one, Lost):
            yield MachineMessage(**stream.told(one))
        elif isinstance(one.content, Observation) and one.changed:
            ref = Ref(Kind.MACHINE, one.account, one.content.machine)
            if await _wanted(context.anew(), ref, filtered):
                yield MachineMessage(**stream.told(one), machine_ref=ref, changed=one.changed)


async def _wanted(context: Context, ref: Ref, filtered: MachineFilter) -> bool:
    """As the list of machines narrows; where the vendor fails to tell, the message goes out rather than is lost."""
    source = context.graph.sources[ref.account]
    if filtered == machines.EVERYTHING:
        return True
    if filtered.vendors is not None and source.vendor not in filtered.vendors:
        return False
    accounts = refs(filtered.accounts, Kind.ACCOUNT)
    if accounts is not None and source.ref not in accounts:
        return False
    try:
        found = await context.loaders.machines.find(ref)
        inside = await machines.members(context, source, None, filtered.organizations)
    except VendorError:
        return True
    return found is not None and machines.fits(found, inside, filtered)


async def machine(root: MachineMessage, info: Info) -> Machine | None:
    return await info.context.loaders.machines.find(root.machine_ref)


def _keeps(context: Context, narrowed: Narrowed[R], keep: Callable[[R], bool] | None) -> Callable[[R], bool]:
    """As the lists narrow."""
    accounts = refs(narrowed.accounts, Kind.ACCOUNT)
    named = refs(narrowed.machines, Kind.MACHINE)
    span, vendors = narrowed.span, narrowed.vendors

    def keeps(item: R) -> bool:
        source = context.graph.sources[item.ref.account]
        return (
            item.recorded_at in span
            and (vendors is None or source.vendor in vendors)
            and (accounts is None or source.ref in accounts)
            and (named is None or item.machine_ref in named)
            and (keep is None or keep(item))
        )

    return keeps
