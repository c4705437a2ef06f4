"""What every list of the graph has in common: page sizes, bindings of cursors, and which accounts take part."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

import orjson

from domain.errors import BadInput
from domain.model import Organization, Vendor
from domain.paging import Connection, Edge, PageInfo
from domain.refs import Kind, Ref
from resolvers.context import Context
from resolvers.cursors import Cursor, Position
from resolvers.sources import Source

T = TypeVar("T")

USUAL = 50
LARGEST = 1000


def page_size(first: int | None) -> int:
    if first is None:
        return USUAL
    if not 0 <= first <= LARGEST:
        raise BadInput(f"`first` must be from 0 to {LARGEST}, and {first} is not")
    return first


def binding(context: Context, name: str, parent: str | None, narrowed: Any) -> bytes:
    """What a cursor belongs to: a list, its parent, its filter, and the organizations of the caller."""
    return orjson.dumps([name, parent, narrowed, sorted(context.viewer.organizations)], default=str)


def refs(ids: Sequence[str] | None, kind: Kind) -> frozenset[Ref] | None:
    """The references behind ids. What is no id of this kind is left out: it stands for nothing."""
    if ids is None:
        return None
    return frozenset(ref for ref in map(Ref.parse, ids) if ref is not None and ref.kind is kind)


def taking_part(
    context: Context,
    *,
    vendors: Sequence[Vendor] | None,
    accounts: Sequence[str] | None,
    organizations: Sequence[str] | None = None,
    among: Iterable[Source] | None = None,
) -> list[Source]:
    """Those that can hold something of what the filters let through."""
    wanted = refs(accounts, Kind.ACCOUNT)
    tops = refs(organizations, Kind.ORGANIZATION)
    return [
        source
        for source in (context.sources if among is None else among)
        if (vendors is None or source.vendor in vendors)
        and (wanted is None or source.ref in wanted)
        and (tops is None or any(top == context.tenant_ref(source) or top.account == source.key for top in tops))
    ]


def of_organization(context: Context, organization: Organization) -> list[Source]:
    """The accounts that can hold something of an organization: all of a tenant, or the one that it came from."""
    ref = organization.ref
    if ref.account:
        source = context.source(ref.account)
        return [] if source is None else [source]
    return [source for source in context.sources if source.organization_key == ref.native]


async def page_of_store(
    context: Context,
    read: Callable[[Position | None, int], Sequence[T]],
    place: Callable[[T], Position],
    first: int | None,
    after: str | None,
    bound: bytes,
) -> Connection[T]:
    """A page of what only the store tells. `read(after, want)` gives the next ones in the order of the list, and
    `place(item)` is an item's place in it. Raises SQLAlchemyError where the store does not answer."""
    size, signer = page_size(first), context.graph.signer
    begins = signer.read(after, bound)
    found = await asyncio.to_thread(read, begins.position, size + 1)

    def write(item: T) -> str:
        return signer.write(Cursor(place(item)), bound)

    edges = [Edge(item, partial(write, item)) for item in found[:size]]
    began = None if begins.position is None else partial(signer.write, begins, bound)
    told = PageInfo(has_next_page=len(found) > size, edges=edges, began=began)
    return Connection(edges=edges, nodes=found[:size], page_info=told, sources=())
