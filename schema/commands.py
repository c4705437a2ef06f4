"""Commands, and lists of them."""

from datetime import datetime
from typing import Any

import strawberry

from domain import commands
from domain.capabilities import Capability
from domain.commands import CommandStage, CommandStatus
from domain.errors import ErrorCode
from resolvers import catalogue_details, nodes, upkeep_orders
from resolvers import commands as edges
from schema import basics, types
from schema.edge import attribute as told
from schema.edge import edge
from schema.scalars import JSON


@strawberry.type(description="One step in the life of a command.")
class CommandTransition:
    status: CommandStatus = told("What it came to.")
    stage: CommandStage | None = told(
        "How far the opening of a door had come; null for anything else, and while it could not be opened."
    )
    at: datetime = told("When it came to that.")
    note: str | None = told("Why, for a person to read; null where there is nothing to say.")


@strawberry.type(description="Something that was asked of a machine.")
class Command(basics.Node):
    kind: Capability = told("What was asked.")
    machine: types.Machine | None = edge(edges.machine, description="Of which machine; null where it is gone.")
    status: CommandStatus = told("How far it has come.")
    stage: CommandStage | None = told(
        "How far the opening of a door has come; null for anything else, and while it cannot be opened."
    )
    requested_by: str = told("The name of the key that asked.")
    idempotency_key: str = told("The client's own, unique for each intent.")
    created_at: datetime = told("When it was recorded, before anything was sent.")
    updated_at: datetime = told("When it last changed.")
    completed_at: datetime | None = told("When it came to an end; null while it goes on.")
    result: JSON | None = edge(
        catalogue_details.result,
        description="What the vendor answered, less its secrets; of a CONFLICT what is there by now. Of people it is "
        "null for viewers, and of promo codes it is without the codes.",
    )
    error: str | None = told(
        "Why it was not done, or is not known to be, for a person to read; null where nothing went wrong."
    )
    error_code: ErrorCode | None = told("Whose fault that is; null where nothing went wrong.")
    evidence: types.Sale | None = edge(edges.evidence, description="The sale that settled it; null where none did.")
    subject: basics.Node | None = edge(
        nodes.subject, description="What it made or changed, where that is no machine; null also where it is gone."
    )
    history: list[CommandTransition] = told("Every step, oldest first.")
    fleet: basics.MachineGroup | None = edge(
        catalogue_details.fleet,
        description="Of `createFleet`: the fleet that it made; null else, and before it is made.",
    )
    site: basics.MachineGroup | None = edge(
        upkeep_orders.site, description="Of `createSite`: the site that it made; null else, and before it is made."
    )
    promo_codes: list[str] | None = edge(
        catalogue_details.promo_codes,
        description="Of `createPromoCodes`: the codes that it made; null else, and for viewers.",
    )

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, commands.Command)


@strawberry.type(description="A command and its place in a list.")
class CommandEdge:
    cursor: str = told(basics.CURSOR)
    node: Command = told("The command.")


@strawberry.type(description="A page of commands, newest first.")
class CommandConnection:
    edges: list[CommandEdge] = told(basics.EDGES)
    nodes: list[Command] = told(basics.NODES)
    page_info: basics.PageInfo = told("Where this page lies.")
