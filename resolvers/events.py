"""Events: the merged list, and every edge that leads away from one."""

from domain.filters import EventFilter
from domain.model import Machine, MachineEvent, Organization, Severity
from domain.paging import Connection
from domain.refs import Ref
from resolvers import prefetch, records
from resolvers.context import Context, Info
from resolvers.lookahead import Selection
from resolvers.organizations import owner

EVENTS: records.Kept[MachineEvent] = records.Kept(
    "events", lambda context: context.loaders.events, lambda source: source.events
)
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
    narrowed = narrow(filtered)
    sources = records.sources(info.context, parent, narrowed)
    prefetch.for_sales(info.context, sources, Selection.of(info).nodes())
    return await records.connection(info.context, EVENTS, parent, first, after, narrowed, sources)


def narrow(filtered: EventFilter) -> records.Narrowed[MachineEvent]:
    severity, state = filtered.min_severity, filtered.state

    def keep(event: MachineEvent) -> bool:
        severe = severity is None or RANK[event.severity] >= RANK[severity]
        return severe and (state is None or event.state is state)

    return records.Narrowed(
        vendors=filtered.vendors,
        accounts=filtered.accounts,
        machines=filtered.machines,
        since=filtered.from_,
        until=filtered.to,
        keeps=f"{severity and severity.value},{state and state.value}",
        keep=None if severity is None and state is None else keep,
    )


async def find(context: Context, ref: Ref) -> MachineEvent | None:
    source = context.source(ref.account)
    return None if source is None else await source.event(ref.native, context.patience)


async def machine(root: MachineEvent, info: Info) -> Machine | None:
    return await info.context.loaders.machines.find(root.machine_ref)


async def organization(root: MachineEvent, info: Info) -> Organization:
    context = info.context
    return await owner(context, root.ref.account, await records.owner_ref(context, root.machine_ref))
