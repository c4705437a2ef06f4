"""What can be followed: messages, and the root of subscriptions."""

import strawberry

from domain.facts import Origin
from resolvers import exports as exported
from resolvers import live
from schema import types
from schema.commands import Command
from schema.edge import attribute as told
from schema.edge import edge, stream
from schema.exports import ExportProgress

CURSOR = "Its place in the record: pass it as `after` to go on from here, over any transport and on any replica."
ORIGIN = "How it reached the gateway."
GAP = "Instead of an item: messages are missing here, for the record no longer reaches back to `after`."


@strawberry.type(description="A stretch of messages that are no longer kept.")
class Gap:
    from_: str = strawberry.field(name="from", description="The cursor after which messages are missing.")
    to: str = told("The cursor up to which they are missing.")
    message: str = told("For a person to read.")


@strawberry.type(description="A sale that was recorded. Exactly one of `sale` and `gap` is there, the other is null.")
class SaleMessage:
    cursor: str = told(CURSOR)
    origin: Origin = told(ORIGIN)
    sale: types.Sale | None = told("The sale that was recorded.")
    gap: Gap | None = told(GAP)


@strawberry.type(
    description="An event that was recorded. Exactly one of `event` and `gap` is there, the other is null."
)
class MachineEventMessage:
    cursor: str = told(CURSOR)
    origin: Origin = told(ORIGIN)
    event: types.MachineEvent | None = told("The event that was recorded.")
    gap: Gap | None = told(GAP)


@strawberry.type(
    description="A command that has changed. Exactly one of `command` and `gap` is there, the other is null."
)
class CommandMessage:
    cursor: str = told(CURSOR)
    origin: Origin = told(ORIGIN)
    command: Command | None = told("The command as it then was.")
    gap: Gap | None = told(GAP)


@strawberry.type(
    description="A machine whose state has changed. Exactly one of `machine` and `gap` is there, the other is null."
)
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
    exports: ExportProgress = stream(
        exported.messages,
        "How far an export has come: at once, as it goes on, and to its end. It has no cursor.",
        id="The export's id. One of another key is like one that has not begun.",
    )
