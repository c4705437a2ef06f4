"""Subscriptions: what the journal takes in, as messages, from a cursor on or from now on.

A message is a place in the journal, so that it is the same on every replica and over every transport."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from domain.commands import Command
from domain.errors import BadInput, VendorError
from domain.facts import FactKind, Observation, Origin
from domain.filters import CommandFilter, EventFilter, MachineFilter, SaleFilter
from domain.live import CommandMessage, Gap, MachineEventMessage, MachineMessage, SaleMessage
from domain.model import Machine, MachineEvent
from domain.refs import Kind, Ref
from domain.sales import Sale
from journal.log import Entry
from journal.tail import Lost
from resolvers import events, machines, sales
from resolvers.context import Context, Info
from resolvers.cursors import Cursor, Position
from resolvers.lists import binding, refs
from resolvers.records import Narrowed
from resolvers.stretches import Recorded

M = TypeVar("M")
Shown = dict[str, Any]
Item = Callable[[Entry], Awaitable[Shown | None]]
R = TypeVar("R", bound=Recorded)

GONE = "messages between these cursors are no longer kept: read the lists for what they told"


@dataclass(frozen=True, slots=True)
class Batch(Generic[M]):
    """Messages in their order, and the number in the journal up to which they are all there are. `ended`: for ever."""

    messages: Sequence[M]
    until: int
    ended: bool = False


class Live(Generic[M]):
    """The messages of a subscription that begins after the number `start`.

    `read(seq)` waits for what the journal holds after a number, whichever, and tells the messages in it. `shared`:
    where it is not, the numbers are not the journal's, and the messages come to an end."""

    def __init__(self, start: int, read: Callable[[int], Awaitable[Batch[M]]], *, shared: bool = True) -> None:
        self.start = start
        self.read = read
        self.shared = shared

    async def __aiter__(self) -> AsyncIterator[M]:
        seq = self.start
        while True:
            batch = await self.read(seq)
            seq = batch.until
            for message in batch.messages:
                yield message
            if batch.ended:
                return


class Stream:
    """One subscription: what its cursors are bound to, and whose entries it may see."""

    def __init__(self, context: Context, bound: bytes) -> None:
        self._journal = context.graph.journal
        self._signer = context.graph.signer
        self._resumed = context.resumed
        self._bound = b"live " + bound
        self._accounts = frozenset(source.key for source in context.sources)

    async def live(self, after: str | None, kind: FactKind, message: Callable[..., M], item: Item) -> Live[M]:
        """`item(entry)`: what a message shows of it; None where the filter leaves it out. Raises BadInput."""
        return Live(await self._start(after), partial(self._read, kind, message, item))

    async def _start(self, after: str | None) -> int:
        """The number after which it begins. Raises BadInput for a cursor that is not of this subscription."""
        resumed = after if self._resumed is None else self._resumed
        if resumed is None:
            return await self._journal.head()
        position = self._signer.read(resumed, self._bound).position
        if position is None:
            raise BadInput("`after` is a cursor of another list")
        return int(position.key)

    async def _read(self, kind: FactKind, message: Callable[..., M], item: Item, after: int) -> Batch[M]:
        """The messages of what comes next, less what is not of this kind or of nobody's account."""
        part = await self._journal.tail.after(after)
        told: list[M] = []
        for one in part.found:
            if isinstance(one, Lost):
                told.append(message(**self._told(one)))
            elif one.kind is kind and one.account in self._accounts and (shown := await item(one)) is not None:
                told.append(message(**self._told(one), **shown))
        return Batch(told, part.until)

    def _told(self, one: Entry | Lost) -> dict[str, Any]:
        """What a message has whatever it tells."""
        if isinstance(one, Entry):
            return {"seq": one.seq, "cursor": self._cursor(one.seq), "origin": one.origin}
        gap = Gap(from_=self._cursor(one.after), to=self._cursor(one.until), message=GONE)
        return {"seq": one.until, "cursor": gap.to, "origin": Origin.GATEWAY, "gap": gap}

    def _cursor(self, seq: int) -> str:
        return self._signer.write(Cursor(Position(str(seq), "")), self._bound)


@dataclass(frozen=True, slots=True)
class _Recorded(Generic[R, M]):
    """Which of the journal's facts a subscription tells, and the field of its message that holds one."""

    kind: FactKind
    type: type[R]
    field: str
    message: Callable[..., M]


SALES = _Recorded(FactKind.SALE, Sale, "sale", SaleMessage)
EVENTS = _Recorded(FactKind.EVENT, MachineEvent, "event", MachineEventMessage)


async def _recorded(
    context: Context, narrowed: Narrowed[R], keep: Callable[[R], bool] | None, told: _Recorded[R, M], after: str | None
) -> Live[M]:
    stream = Stream(context, narrowed.binding(context))
    keeps = _keeps(context, narrowed, keep)

    async def item(entry: Entry) -> Shown | None:
        content = entry.content
        return {told.field: content} if isinstance(content, told.type) and keeps(content) else None

    return await stream.live(after, told.kind, told.message, item)


async def sale_messages(
    root: object,
    info: Info,
    filter: SaleFilter | None = None,  # noqa: A002  the graph's name for it
    after: str | None = None,
) -> Live[SaleMessage]:
    filtered = filter or sales.EVERYTHING
    kinds = filtered.kinds
    keep = None if kinds is None else lambda sale: sale.kind in kinds
    return await _recorded(info.context, sales.narrow(None, filtered), keep, SALES, after)


async def event_messages(
    root: object,
    info: Info,
    filter: EventFilter | None = None,  # noqa: A002  the graph's name for it
    after: str | None = None,
) -> Live[MachineEventMessage]:
    filtered = filter or events.EVERYTHING
    narrowing = events.narrowing(filtered.min_severity, filtered.state)
    keep = None if narrowing is None else narrowing.keep
    return await _recorded(info.context, events.narrow(None, filtered), keep, EVENTS, after)


async def command_messages(
    root: object,
    info: Info,
    filter: CommandFilter | None = None,  # noqa: A002  the graph's name for it
    after: str | None = None,
) -> Live[CommandMessage]:
    filtered = filter or CommandFilter()
    stream = Stream(info.context, binding(info.context, "commands", None, asdict(filtered)))
    named = refs(filtered.machines, Kind.MACHINE)

    async def item(entry: Entry) -> Shown | None:
        command = entry.content
        return {"command": command} if isinstance(command, Command) and _narrows(command, named, filtered) else None

    return await stream.live(after, FactKind.COMMAND, CommandMessage, item)


def _narrows(command: Command, named: frozenset[Ref] | None, filtered: CommandFilter) -> bool:
    return (named is None or command.machine_ref in named) and (
        filtered.statuses is None or command.status in filtered.statuses
    )


async def machine_messages(
    root: object,
    info: Info,
    filter: MachineFilter | None = None,  # noqa: A002  the graph's name for it
    after: str | None = None,
) -> Live[MachineMessage]:
    filtered = filter or machines.EVERYTHING
    stream = Stream(info.context, binding(info.context, "machines", None, asdict(filtered)))

    async def item(entry: Entry) -> Shown | None:
        if not isinstance(entry.content, Observation) or not entry.changed:
            return None
        ref = Ref(Kind.MACHINE, entry.account, entry.content.machine)
        wanted = await _wanted(info.context.anew(), ref, filtered)
        return {"machine_ref": ref, "changed": entry.changed} if wanted else None

    return await stream.live(after, FactKind.STATE, MachineMessage, item)


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
