"""Events: the merged list, and every edge that leads away from one."""

from collections.abc import Awaitable, Sequence

from domain.capabilities import UnavailableField, UnavailableReason
from domain.filters import EventFilter
from domain.model import EventState, Machine, MachineEvent, Organization, Severity
from domain.paging import Connection
from domain.people_orders import field_of
from domain.refs import Ref
from resolvers import prefetch, records
from resolvers.context import Context, Info
from resolvers.log import Narrowing
from resolvers.lookahead import Selection
from resolvers.privacy import permitted

EVERYTHING = EventFilter()
RANK = {severity: rank for rank, severity in enumerate((Severity.INFO, Severity.WARNING, Severity.CRITICAL))}


async def connection(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: EventFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[MachineEvent]:
    return await _connection(info, None, first, after, filter or EVERYTHING)


async def below(
    root: Organization | Machine,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: EventFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[MachineEvent]:
    return await _connection(info, root, first, after, filter or EVERYTHING)


async def _connection(
    info: Info,
    parent: Organization | Machine | None,
    first: int | None,
    after: str | None,
    filtered: EventFilter,
) -> Connection[MachineEvent]:
    narrowed = narrow(parent, filtered)
    found = await records.connection(info.context, narrowed, first, after)
    prefetch.for_records(info.context, found.nodes, Selection.of(info).nodes())
    return found


def narrow(parent: Organization | Machine | None, filtered: EventFilter) -> records.Narrowed[MachineEvent]:
    wanted = narrowing(filtered.min_severity, filtered.state)
    return records.Narrowed(
        name="events",
        parent=parent,
        vendors=filtered.vendors,
        accounts=filtered.accounts,
        machines=filtered.machines,
        since=filtered.from_,
        until=filtered.to,
        keeps=None if wanted is None else wanted.name,
        records=lambda context: context.loaders.events,
        timeline=lambda source: source.events_of(wanted),
    )


def narrowing(severity: Severity | None, state: EventState | None) -> Narrowing[MachineEvent] | None:
    if severity in (None, Severity.INFO) and state is None:
        return None
    least = RANK[severity or Severity.INFO]
    return Narrowing(
        name=f"{least} {state and state.value}",
        keep=lambda event: RANK[event.severity] >= least and (state is None or event.state is state),
    )


async def find(context: Context, ref: Ref) -> MachineEvent | None:
    source = context.source(ref.account)
    if source is None or source.events is None:
        return None
    return await source.events.find(ref.native, context.patience(source.seconds))


def machine(root: MachineEvent, info: Info) -> Machine | Awaitable[Machine | None] | None:
    return info.context.loaders.machines.get(root.machine_ref)


def organization(root: MachineEvent, info: Info) -> Organization | Awaitable[Organization]:
    return records.organization(info.context, root)


PRIVATE = ("vendor_data", "video_url", "badge")


def unavailable(root: MachineEvent, info: Info) -> Sequence[UnavailableField]:
    """What is there and is not for the caller."""
    withheld = () if permitted(info.context) else (name for name in PRIVATE if getattr(root, name) is not None)
    return [UnavailableField(field=field_of(name), reason=UnavailableReason.NOT_PERMITTED) for name in withheld]
