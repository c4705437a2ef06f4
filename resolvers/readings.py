"""What resolvers read, so that an answer can be kept for as long as all that it was made of stands.

One function for each resolver whose value depends on nothing but its arguments, the caller's role and organizations,
and what it tells here. It is called with what the resolver is called with, just before it, and gives None where
something has to be asked for first: then there is nothing yet that could stand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from domain.filters import MachineFilter, ProductFilter, SaleFilter
from domain.model import Machine, Organization, Product, Slot
from domain.paging import SourceStatus
from domain.refs import Kind, Ref
from domain.sales import Sale, SaleLine
from resolvers import lists, records, sales
from resolvers.context import Context, Info
from resolvers.cursors import EVERYWHERE
from resolvers.sources import Source
from resolvers.standing import Reading
from resolvers.stretches import Wanted
from resolvers.whole import Whole

Readings = Iterable[Reading] | None
Pick = Callable[[Source], Whole[Any] | None]


def nothing(root: object, info: Info, **_: Any) -> Readings:
    """The value is an attribute, or the caller may not know it."""
    return ()


def _all(found: Iterable[Reading | None]) -> Readings:
    readings = list(found)
    return None if None in readings else readings  # type: ignore[return-value]


def _of_account(context: Context, ref: Ref | None, pick: Pick) -> Readings:
    """The whole list in which a reference is looked up."""
    source = None if ref is None else context.source(ref.account)
    whole = None if source is None else pick(source)
    return () if whole is None else _all([whole.reading()])


def _machines(source: Source) -> Whole[Any] | None:
    return source.machines


def _products(source: Source) -> Whole[Any] | None:
    return source.products


def _organizations(source: Source) -> Whole[Any] | None:
    return source.organizations


def _places(source: Source) -> Whole[Any] | None:
    return source.places


# ---- things ---------------------------------------------------------------------------------------------------------


def machine(root: object, info: Info, id: str) -> Readings:  # noqa: A002  the graph's name for it
    return _of_account(info.context, _parsed(id, Kind.MACHINE), _machines)


def product(root: object, info: Info, id: str) -> Readings:  # noqa: A002  the graph's name for it
    return _of_account(info.context, _parsed(id, Kind.PRODUCT), _products)


def _parsed(id_: str, kind: Kind) -> Ref | None:
    ref = Ref.parse(id_)
    return ref if ref is not None and ref.kind is kind else None


def machine_of(root: Slot | Sale, info: Info) -> Readings:
    return _of_account(info.context, root.machine_ref, _machines)


def product_of(root: Slot | SaleLine, info: Info) -> Readings:
    return _of_account(info.context, root.product_ref, _products)


def organization_of(root: Machine | Product, info: Info) -> Readings:
    return _of_account(info.context, root.organization_ref, _organizations)


def place_of(root: Machine, info: Info) -> Readings:
    """A group or a location: the machine's own, its organization's, or of the list of places."""
    ref = root.place_ref
    return _of_account(info.context, ref, _organizations if ref and ref.kind is Kind.ORGANIZATION else _places)


@dataclass(frozen=True)
class _State:
    """What can be read off an account, beside what stays."""

    source: Source
    seen: tuple[object, ...]

    @classmethod
    def of(cls, source: Source) -> "_State":
        return cls(source, (source.status, source.last_success_at, source.last_error, source.rate_limit))

    def stands(self) -> bool:
        return self.of(self.source).seen == self.seen


def account_of(root: Machine | Product, info: Info) -> Readings:
    return [_State.of(info.context.graph.sources[root.ref.account])]


def account_of_status(root: SourceStatus, info: Info) -> Readings:
    return [_State.of(info.context.graph.sources[root.account_ref.account])]


def slots(root: Machine, info: Info) -> Readings:
    source = info.context.source(root.ref.account)
    if source is None or not (source.reads_slots or source.reported.counts):
        return ()
    return _all([source.slots_reading(root.ref.native)])


# ---- lists ----------------------------------------------------------------------------------------------------------


def machines(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: MachineFilter | None = None,  # noqa: A002  the graph's name for it
) -> Readings:
    narrowed = filter or MachineFilter()
    return _whole_lists(info.context, root, narrowed.organizations, narrowed, _machines)


def products(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: ProductFilter | None = None,  # noqa: A002  the graph's name for it
) -> Readings:
    return _whole_lists(info.context, root, None, filter or ProductFilter(), _products)


def _whole_lists(
    context: Context, root: object, organizations: Any, narrowed: MachineFilter | ProductFilter, pick: Pick
) -> Readings:
    """Of all accounts that take part; and their organizations, where it is narrowed by those."""
    parent = root if isinstance(root, Organization) else None
    among = None if parent is None else lists.of_organization(context, parent)
    sources = lists.taking_part(
        context, vendors=narrowed.vendors, accounts=narrowed.accounts, organizations=organizations, among=among
    )
    by_organization = parent is not None or organizations is not None
    picks = (pick, _organizations) if by_organization else (pick,)
    wholes = [whole for source in sources for one in picks if (whole := one(source)) is not None]
    return _all(whole.reading() for whole in wholes)


def sales_of(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: SaleFilter | None = None,  # noqa: A002  the graph's name for it
) -> Readings:
    """The newest of a machine, or of all: what lies between two times, or goes on from a cursor, is asked for once."""
    parent = root if isinstance(root, Machine) else None
    narrowed = sales.narrow(parent, filter or SaleFilter())
    if after is not None or narrowed.until is not None or isinstance(root, Organization):
        return None
    context, size = info.context, lists.page_size(first)
    wanted = Wanted(narrowed.span, EVERYWHERE, size + 1)
    found = []
    for source in records.sources_of(context, narrowed):
        timeline = narrowed.timeline(source)
        if timeline is not None:
            found.append(timeline.reading(records.named(source, narrowed), wanted))
    return _all(found)
