"""Edges to what some vendors keep beside machines and sales, each asked for by itself and kept for a while."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.backoffice import (
    CountsProducts,
    ReadsCustomerAccounts,
    ReadsEventTypes,
    ReadsSaleMetadata,
    ReadsServiceSessions,
)
from domain.backoffice import (
    CustomerAccount,
    EventType,
    ProductCount,
    SaleMetadata,
    ServiceSession,
    ServiceSessionEvent,
)
from domain.errors import BadInput, Forbidden
from domain.model import Connectivity, Machine, MachineEvent, Product
from domain.sales import Sale
from domain.terminals import ContactPerson, MachineOwner, MachineTerminal
from domain.times import Span
from resolvers.context import Context, Info
from resolvers.privacy import permitted
from resolvers.sources import Source

LONGEST_SESSIONS = timedelta(days=31)
LONGEST_COUNT = timedelta(days=366)


async def event_types(root: Source, info: Info) -> Sequence[EventType] | None:
    return await _event_types(info.context, root)


async def event_type(root: MachineEvent, info: Info) -> EventType | None:
    found = await _event_types(info.context, info.context.graph.sources[root.ref.account])
    return next((one for one in found or () if one.code == root.code), None)


async def _event_types(context: Context, source: Source) -> Sequence[EventType] | None:
    found: Sequence[EventType] | None = await _kept(context, source, ReadsEventTypes, "event_types")
    return found


async def customer_accounts(root: Source, info: Info) -> Sequence[CustomerAccount] | None:
    found: Sequence[CustomerAccount] | None = await _kept(
        info.context, root, ReadsCustomerAccounts, "customer_accounts"
    )
    return found


async def products_sold(root: Source, info: Info, from_: datetime, to: datetime) -> Sequence[ProductCount] | None:
    span = _span(from_, to, LONGEST_COUNT)
    found: Sequence[ProductCount] | None = await _kept(info.context, root, CountsProducts, "products_sold", span)
    return found


def product(root: ProductCount, info: Info) -> Product | Awaitable[Product | None] | None:
    return info.context.loaders.products.get(root.product_ref)


async def sessions(root: Source, info: Info, from_: datetime, to: datetime) -> Sequence[ServiceSession] | None:
    return await _sessions(info.context, root, from_, to)


async def sessions_of(root: Machine, info: Info, from_: datetime, to: datetime) -> Sequence[ServiceSession] | None:
    """Out of those of all machines, which are read once for however many machines ask."""
    found = await _sessions(info.context, info.context.graph.sources[root.ref.account], from_, to)
    return None if found is None else [one for one in found if one.machine_ref == root.ref]


async def _sessions(context: Context, source: Source, from_: datetime, to: datetime) -> Sequence[ServiceSession] | None:
    if isinstance(source.connector, ReadsServiceSessions) and not permitted(context):
        raise Forbidden("who worked at a machine may be seen with a key of role OPERATOR")
    span = _span(from_, to, LONGEST_SESSIONS)
    found: Sequence[ServiceSession] | None = await _kept(
        context, source, ReadsServiceSessions, "service_sessions", span
    )
    return found


def session_machine(root: ServiceSession, info: Info) -> Machine | Awaitable[Machine | None] | None:
    return info.context.loaders.machines.get(root.machine_ref)


async def session_events(root: ServiceSession, info: Info) -> Sequence[ServiceSessionEvent]:
    source = info.context.graph.sources[root.account_ref.account]
    found: Sequence[ServiceSessionEvent] = await _kept(
        info.context, source, ReadsServiceSessions, "service_session_events", root.native
    )
    return found


async def connectivity(root: Machine, info: Info) -> Connectivity | None:
    source = info.context.graph.sources[root.ref.account]
    detail = source.details.connectivity
    return None if detail is None else await detail.get(root.ref.native, info.context.patience(source.seconds))


async def terminal(root: Machine, info: Info) -> MachineTerminal | None:
    source = info.context.graph.sources[root.ref.account]
    detail = source.details.terminal
    return None if detail is None else await detail.get(root.ref.native, info.context.patience(source.seconds))


def contact(root: MachineOwner, info: Info) -> ContactPerson | None:
    return root.contact if permitted(info.context) else None


def metadata(root: Sale, info: Info) -> Awaitable[SaleMetadata] | None:
    """What tags hold may tell of people, so that not everybody may see it."""
    source = info.context.graph.sources[root.ref.account]
    if not permitted(info.context) or not isinstance(source.connector, ReadsSaleMetadata):
        return None
    return info.context.loaders.metadata.get(root.ref)


def _span(from_: datetime, to: datetime, longest: timedelta) -> Span:
    if not from_ < to:
        raise BadInput("it ends before it begins", "to")
    if to - from_ > longest:
        raise BadInput(f"{longest.days} days at the most are expected", "to")
    return Span(from_, to)


async def _kept(context: Context, source: Source, role: type, name: str, *asked: object) -> Any:
    """None where the vendor has nothing of the kind. Raises VendorError."""
    if not isinstance(source.connector, role):
        return None
    load: Callable[[], Awaitable[Any]] = partial(getattr(source.connector, name), *asked)
    return (await source.detail((name, repr(asked)), load, context.patience(source.seconds))).value
