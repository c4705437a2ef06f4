"""What can be followed: messages, commands, and the root of subscriptions."""

from datetime import datetime
from typing import Any

import strawberry

from domain import commands
from domain.commands import CommandStage, CommandStatus
from domain.facts import Origin
from domain.model import Capability
from resolvers import commands as edges
from resolvers import live
from schema import types
from schema.edge import attribute as told
from schema.edge import edge, stream
from schema.scalars import JSON

CURSOR = "Its place in the record: pass it as `after` to go on from here, over any transport and on any replica."
ORIGIN = "How it reached the gateway."
GAP = "Instead of an item: messages are missing here, for the record no longer reaches back to `after`."


@strawberry.type(description="A stretch of messages that are no longer kept.")
class Gap:
    from_: str = strawberry.field(name="from", description="The cursor after which messages are missing.")
    to: str = told("The cursor up to which they are missing.")
    message: str = told("For a person to read.")


@strawberry.type(description="One step in the life of a command.")
class CommandTransition:
    status: CommandStatus = told("What it came to.")
    stage: CommandStage | None = told("How far the opening of a door had come.")
    at: datetime = told("When.")
    note: str | None = told("Why, for a person to read.")


@strawberry.type(description="Something that was asked of a machine.")
class Command(types.Node):
    kind: Capability = told("What was asked.")
    machine: types.Machine | None = edge(edges.machine, description="Of which machine; null where it is gone.")
    status: CommandStatus = told("How far it has come.")
    stage: CommandStage | None = told("How far the opening of a door has come.")
    requested_by: str = told("The name of the key that asked.")
    idempotency_key: str = told("The client's own, unique for each intent.")
    created_at: datetime = told("When it was recorded, before anything was sent.")
    updated_at: datetime = told("When it last changed.")
    completed_at: datetime | None = told("When it came to an end.")
    result: JSON | None = told("What the vendor answered, less its secrets.")
    error: str | None = told("Why it was not done, for a person to read.")
    evidence: types.Sale | None = edge(edges.evidence, description="The vendor's record that settled it.")
    history: list[CommandTransition] = told("Every step, oldest first.")

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, commands.Command)


@strawberry.type(description="A sale that was recorded. Exactly one of `sale` and `gap` is there.")
class SaleMessage:
    cursor: str = told(CURSOR)
    origin: Origin = told(ORIGIN)
    sale: types.Sale | None = told("The sale.")
    gap: Gap | None = told(GAP)


@strawberry.type(description="An event that was recorded. Exactly one of `event` and `gap` is there.")
class MachineEventMessage:
    cursor: str = told(CURSOR)
    origin: Origin = told(ORIGIN)
    event: types.MachineEvent | None = told("The event.")
    gap: Gap | None = told(GAP)


@strawberry.type(description="A command that has changed. Exactly one of `command` and `gap` is there.")
class CommandMessage:
    cursor: str = told(CURSOR)
    origin: Origin = told(ORIGIN)
    command: Command | None = told("The command as it then was.")
    gap: Gap | None = told(GAP)


@strawberry.type(description="A machine whose state has changed. Exactly one of `machine` and `gap` is there.")
class MachineMessage:
    cursor: str = told(CURSOR)
    origin: Origin = told(ORIGIN)
    machine: types.Machine | None = edge(live.machine, description="The machine as it is when this is sent.")
    changed: list[str] = told("The names of the fields that changed.")
    gap: Gap | None = told(GAP)


@strawberry.type(
    description="What happens, as it happens. With `after`, first all that was recorded since, then live, in order."
)
class Subscription:
    sales: SaleMessage = stream(live.sale_messages, "Sales as they are recorded.")
    events: MachineEventMessage = stream(live.event_messages, "Events as they are recorded.")
    commands: CommandMessage = stream(live.command_messages, "Commands, each time that one changes.")
    machines: MachineMessage = stream(
        live.machine_messages, "Machines whose connectivity, door, temperature or stock has changed."
    )
