"""What lists of records have in common however they are narrowed: the resolver of the list, and of a single one."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from domain.model import Machine, Organization, Vendor
from domain.paging import Connection
from domain.refs import Ref
from resolvers import prefetch
from resolvers.context import Context, Info
from resolvers.loaders import Records
from resolvers.log import Log
from resolvers.lookahead import Selection
from resolvers.records import Narrowed
from resolvers.records import connection as page_of
from resolvers.sources import Source
from resolvers.stretches import Recorded
from resolvers.timeline import Timeline

R = TypeVar("R", bound=Recorded)
F = TypeVar("F")

Parent = Organization | Machine | None


class Filter(Protocol):
    """What every list of records may be narrowed by."""

    @property
    def vendors(self) -> Sequence[Vendor] | None: ...
    @property
    def accounts(self) -> Sequence[str] | None: ...
    @property
    def machines(self) -> Sequence[str] | None: ...
    @property
    def from_(self) -> datetime | None: ...
    @property
    def to(self) -> datetime | None: ...


def narrowed(
    name: str,
    parent: Parent,
    by: Filter,
    *,
    records: Callable[[Context], Records[R]],
    timeline: Callable[[Source], Timeline[R] | None],
    keeps: Hashable = None,
) -> Narrowed[R]:
    return Narrowed(
        name=name,
        parent=parent,
        vendors=by.vendors,
        accounts=by.accounts,
        machines=by.machines,
        since=by.from_,
        until=by.to,
        keeps=keeps,
        records=records,
        timeline=timeline,
    )


def listing(narrow: Callable[[Parent, F], Narrowed[R]], given: type[F]) -> Callable[..., Any]:
    """Of all records, or, where its root is an organization or a machine, of those below it."""

    async def connection(
        root: object,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        filter: F | None = None,  # noqa: A002  the graph's name for it
    ) -> Connection[R]:
        parent = root if isinstance(root, Organization | Machine) else None
        found = await page_of(info.context, narrow(parent, filter or given()), first, after)
        prefetch.for_records(info.context, found.nodes, Selection.of(info).nodes())
        return found

    connection.__annotations__["filter"] = given | None
    return connection


def finding(log: Callable[[Source], Log[R] | None]) -> Callable[[Context, Ref], Awaitable[R | None]]:
    """The record behind a reference; None also for another's."""

    async def find(context: Context, ref: Ref) -> R | None:
        source = context.source(ref.account)
        kept = None if source is None else log(source)
        if source is None or kept is None:
            return None
        return await kept.find(ref.native, context.patience(source.seconds))

    return find
