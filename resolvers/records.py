"""What sales and events have in common: newest first over all accounts, by `recorded_at` and then by id."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from domain.errors import VendorError
from domain.model import Machine, Organization, Vendor
from domain.paging import Connection, SourceStatus
from domain.refs import Kind
from domain.times import END, EPOCH, Span
from resolvers.context import Context
from resolvers.cursors import BEGINNING, Cursor, Gap
from resolvers.lists import binding, of_organization, page_size, refs, taking_part
from resolvers.loaders import Records, Request
from resolvers.machines import members
from resolvers.merge import Part, failed, page, told, unsupported
from resolvers.organizations import owner
from resolvers.sources import Source
from resolvers.stretches import NEWEST_FIRST, NOBODY, Machines, Recorded, Wanted
from resolvers.timeline import Found, Timeline

R = TypeVar("R", bound=Recorded)
T = TypeVar("T")

PAUSE = 1.0  # seconds before a source is asked again that does not say when


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed(Generic[R]):
    """A list of the graph, narrowed by a filter. `name` and `keeps` stand in its cursors.

    `timeline`: an account's own list of this, None where it has none of what the filter lets through."""

    name: str
    parent: Organization | Machine | None
    vendors: Sequence[Vendor] | None
    accounts: Sequence[str] | None
    machines: Sequence[str] | None
    since: datetime | None
    until: datetime | None
    keeps: Hashable
    records: Callable[[Context], Records[R]]
    timeline: Callable[[Source], Timeline[R] | None]

    @property
    def span(self) -> Span:
        return Span(self.since or EPOCH, self.until or END)

    def binding(self, context: Context) -> bytes:
        vendors = None if self.vendors is None else [vendor.value for vendor in self.vendors]
        narrowed = (vendors, self.accounts, self.machines, self.since, self.until, self.keeps)
        return binding(context, self.name, self.parent.id if self.parent else None, narrowed)


async def connection(context: Context, narrowed: Narrowed[R], first: int | None, after: str | None) -> Connection[R]:
    size = page_size(first)
    bound = _Bound(context, narrowed)
    cursor = BEGINNING if after is None else context.graph.signer.read(after, bound())
    sources = sources_of(context, narrowed)
    parts = await _all(_part(context, narrowed, source, cursor, size) for source in sources)
    if cursor != BEGINNING:
        parts = await _insisted(context, narrowed, parts, cursor, size)
    return page(
        parts,
        size,
        cursor,
        NEWEST_FIRST,
        lambda at: context.graph.signer.write(at, bound()),
        _total(parts, size, cursor),
    )


class _Bound:
    """What the cursors of a list are bound to, once it is asked for: most lists are short, and asked for no cursor."""

    __slots__ = ("_context", "_known", "_narrowed")

    def __init__(self, context: Context, narrowed: Narrowed[Any]) -> None:
        self._context = context
        self._narrowed = narrowed
        self._known: bytes | None = None

    def __call__(self) -> bytes:
        if self._known is None:
            self._known = self._narrowed.binding(self._context)
        return self._known


async def _all(waiting: Iterable[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """A list of one machine has one account to wait for, and there may be hundreds of such lists."""
    coroutines = list(waiting)
    return [await coroutines[0]] if len(coroutines) == 1 else await asyncio.gather(*coroutines)


async def _insisted(
    context: Context, narrowed: Narrowed[R], parts: Sequence[Part[R]], cursor: Cursor, size: int
) -> Sequence[Part[R]]:
    """Where a later page would be empty for failures alone, they are asked again as long as a source may be waited for.

    Whoever walks a list would else take the others' end for the end of all."""
    while not any(part.items for part in parts) and any(part.untold for part in parts):
        untold = [context.graph.sources[part.account] for part in parts if part.untold]
        waits = [part.status.error.retry_after_seconds for part in parts if part.status.error is not None]
        pause = min(wait or PAUSE for wait in waits)
        if pause >= context.left(min(source.seconds for source in untold)):
            break
        await asyncio.sleep(pause)
        again = await _all(_part(context, narrowed, source, cursor, size) for source in untold)
        healed = {part.account: part for part in again}
        parts = [healed.get(part.account, part) for part in parts]
    return parts


def sources_of(context: Context, narrowed: Narrowed[R]) -> list[Source]:
    parent = narrowed.parent
    if isinstance(parent, Machine):
        among: Sequence[Source] | None = [context.graph.sources[parent.ref.account]]
    else:
        among = None if parent is None else of_organization(context, parent)
    found = taking_part(context, vendors=narrowed.vendors, accounts=narrowed.accounts, among=among)
    machines = refs(narrowed.machines, Kind.MACHINE)
    if machines is None:
        return found
    named = {machine.account for machine in machines}
    return [source for source in found if source.key in named]


async def _part(context: Context, narrowed: Narrowed[R], source: Source, cursor: Cursor, size: int) -> Part[R]:
    timeline = narrowed.timeline(source)
    if timeline is None:
        return Part(source.key, unsupported(source.ref))
    gaps = cursor.unread(source.key)
    try:
        machines = await _machines(context, source, narrowed)
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), untold=gaps)
    wanted = (Wanted(narrowed.span, gap, size + 1) for gap in gaps)
    requests = (Request(source, timeline, machines, one) for one in wanted)
    found = await _all(_found(narrowed.records(context), request) for request in requests)
    return _joined(source, gaps, found)


async def _found(records: Records[R], request: Request[R]) -> Found[R] | VendorError:
    known = request.timeline.peek(request.machines, request.wanted)
    if known is not None:
        return known
    try:
        return await records.get(request)
    except VendorError as error:
        return error


def _joined(source: Source, gaps: Sequence[Gap], found: Sequence[Found[R] | VendorError]) -> Part[R]:
    """What was found in each gap, as one part. The gaps are in order, and so is what is in them."""
    items: list[R] = []
    untold: list[Gap] = []
    for gap, one in zip(gaps, found, strict=True):
        if isinstance(one, VendorError):
            untold.append(gap)
        else:
            items += one.items
            untold += one.untold
    return Part(source.key, _status(source, found), items, untold)


def _status(source: Source, found: Sequence[Found[R] | VendorError]) -> SourceStatus:
    errors = [one if isinstance(one, VendorError) else one.error for one in found]
    error = next((one for one in errors if one is not None), None)
    known = [one for one in found if isinstance(one, Found)]
    if error is not None and not known:
        return failed(source.ref, error)
    complete = all(one.complete for one in known)
    return told(source.ref, min(one.as_of for one in known), error, complete=complete)


async def _machines(context: Context, source: Source, narrowed: Narrowed[R]) -> Machines:
    """The native ids of the machines that are wanted of an account; None is all of them."""
    wanted, parent = named(source, narrowed), narrowed.parent
    if not isinstance(parent, Organization) or not parent.ref.account:
        return wanted
    if source.machines is None:
        return NOBODY
    everyone, inside = await asyncio.gather(
        context.loaders.lists.get(source.machines), members(context, source, parent, None)
    )
    own = frozenset(
        machine.ref.native for machine in everyone.value.items if inside is None or machine.organization_ref in inside
    )
    return own if wanted is None else own & wanted


def named(source: Source, narrowed: Narrowed[R]) -> Machines:
    """The machines that a filter names, or the one whose list it is."""
    wanted = refs(narrowed.machines, Kind.MACHINE)
    natives = None if wanted is None else frozenset(ref.native for ref in wanted if ref.account == source.key)
    if not isinstance(narrowed.parent, Machine):
        return natives
    own = frozenset({narrowed.parent.ref.native})
    return own if natives is None else own & natives


def _total(parts: Sequence[Part[R]], size: int, cursor: Cursor) -> int | None:
    """Known only where the first page has read everything to the end."""
    whole = all(part.status.complete and len(part.items) <= size for part in parts)
    return sum(len(part.items) for part in parts) if whole and cursor == BEGINNING else None


def organization(context: Context, record: Recorded) -> Organization | Awaitable[Organization]:
    """Its machine's; the tenant where the machine is gone or not told, and where the vendor has no organizations."""
    account = record.ref.account
    has_some = context.graph.sources[account].organizations is not None
    found = context.loaders.machines.get(record.machine_ref) if has_some else None
    if isinstance(found, Awaitable):
        return _organization(context, account, found)
    return owner(context, account, found.organization_ref if found else None)


async def _organization(context: Context, account: str, promise: Awaitable[Machine | None]) -> Organization:
    try:
        found = await promise
    except VendorError:
        found = None
    organization = owner(context, account, found.organization_ref if found else None)
    return await organization if isinstance(organization, Awaitable) else organization
