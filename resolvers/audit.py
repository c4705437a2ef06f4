"""The audit log, for admins."""

from collections.abc import Sequence

from domain.errors import Forbidden
from domain.model import Organization, Role
from domain.paging import Connection
from journal import audit
from journal.audit import Record
from resolvers.context import Info
from resolvers.cursors import Position
from resolvers.lists import binding, page_of_store


async def connection(
    root: object, info: Info, first: int | None = None, after: str | None = None
) -> Connection[Record]:
    context = info.context
    if context.viewer.role is not Role.ADMIN:
        raise Forbidden(f"the audit log takes a key of role ADMIN, and this one's is {context.viewer.role.name}")
    engine, organizations = context.graph.journal.engine, sorted(context.viewer.organizations)

    def read(position: Position | None, want: int) -> Sequence[Record]:
        return audit.records(engine, organizations, None if position is None else int(position.key), want)

    bound = binding(context, "audit", None, None)
    return await page_of_store(context, read, lambda record: Position(str(record.seq), ""), first, after, bound)


def organization(root: Record, info: Info) -> Organization | None:
    return info.context.tenant(root.organization)
