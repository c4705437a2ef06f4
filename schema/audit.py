"""The audit log as admins read it."""

from datetime import datetime

import strawberry

from resolvers import audit
from schema import basics, types
from schema.edge import attribute as told
from schema.edge import edge
from schema.scalars import JSON


@strawberry.type(description="Who asked for what, and what came of it.")
class AuditRecord:
    seq: int = told("Its place in the log of the whole gateway, from 1 on.")
    at: datetime = told("When it was done.")
    organization: types.Organization | None = edge(
        audit.organization, description="Whose machines it was about; null for what was nobody's alone."
    )
    actor: str = told("The name of the key, or `vendgraph` for what the gateway did by itself.")
    address: str | None = told("The address that the request came from; null for what the gateway did by itself.")
    request_id: str | None = told("The request's id, as it is in the log; null for what the gateway did by itself.")
    action: str = told("What was done.")
    command: strawberry.ID | None = told("The command's id; null where it was about none.")
    machine: strawberry.ID | None = told("The machine's id; null where it was about none.")
    details: JSON = told("What there is more to know of it, without secrets.")
    outcome: str = told("The status of the command, or the code of the error for which it was refused.")
    hash: str = told("Of this record and the one before: `vendgraph audit verify` checks that none was changed.")


@strawberry.type(description="A record and its place in the log.")
class AuditEdge:
    cursor: str = told(basics.CURSOR)
    node: AuditRecord = told("The record.")


@strawberry.type(description="A page of the audit log, newest first.")
class AuditConnection:
    edges: list[AuditEdge] = told(basics.EDGES)
    nodes: list[AuditRecord] = told(basics.NODES)
    page_info: basics.PageInfo = told("Where this page lies.")
