"""What can be asked of machines."""

from typing import Any

import strawberry

from domain import asked
from domain.asked import Asked
from domain.capabilities import Capability, UnavailableReason
from domain.errors import ErrorCode
from domain.stock import AdjustStockInput
from resolvers import asking
from schema.commands import Command
from schema.edge import attribute as told
from schema.edge import edge
from schema.scalars import JSON


@strawberry.type(description="Why a command was not taken on. Nothing was sent.")
class UserError:
    code: ErrorCode = told("What is wrong.")
    message: str = told("For a person to read.")
    field: list[str] | None = told("The path to what is wrong in the arguments; null where it is no argument's fault.")
    reason: UnavailableReason | None = told(
        "Of what cannot be done, why: as the machine's `capabilities` tell it. Null for anything else."
    )


@strawberry.type(description="A request that would be sent to the vendor, less secrets.")
class PlannedRequest:
    method: str = told("The HTTP method.")
    path: str = told("The path, below the account's address.")
    body: JSON | None = told("The body; null where there is none.")


@strawberry.type(description="A command, or the errors for which there is none: `command` is null exactly then.")
class CommandPayload:
    command: Command | None = told("The command as it is by now; it may go on, so follow it by its id.")
    errors: list[UserError] = told("Why there is no command.")
    planned: list[PlannedRequest] | None = told(
        "With `dryRun`: what would be sent; null without it. The command that comes with it is kept nowhere, and "
        "its id "
        "finds nothing."
    )
    init_key: str | None = told(
        "Of `createMachine`, null else: what has to be typed into the machine's screen, to link it. It is a "
        "secret that is told "
        "once: to who waits for the command, or to the next who asks with its idempotencyKey within ten minutes."
    )


def asks(kind: Capability, given: type[Asked], description: str) -> Any:
    """A mutation that sends a command."""
    return edge(
        asking.asks(kind, given),
        description=description,
        input="What is asked, of which machine.",
        acknowledge_unknown=(
            "The id of the same command that is UNKNOWN, to send it once more all the same. Left out otherwise."
        ),
        dry_run="Sends nothing, and tells what would be sent; not where it is left out.",
    )


def in_account(kind: Capability, given: type[Asked], description: str) -> Any:
    """As `asks`, for what is no machine's."""
    return edge(
        asking.asks(kind, given),
        description=description,
        input="What is asked.",
        acknowledge_unknown=(
            "The id of the same command that is UNKNOWN, to send it once more all the same. Left out otherwise."
        ),
        dry_run="Sends nothing, and tells what would be sent; not where it is left out.",
    )


@strawberry.type(description="Commands. Each is recorded before it is sent, and sent at most once.")
class Mutation:
    dispense_product: CommandPayload = asks(
        Capability.DISPENSE_PRODUCT, asked.DispenseProductInput, "Hands out a product. For operators."
    )
    send_deposit: CommandPayload = asks(
        Capability.SEND_DEPOSIT, asked.SendDepositInput, "Sends credit to a machine. For operators."
    )
    send_remote_payment: CommandPayload = asks(
        Capability.SEND_REMOTE_PAYMENT,
        asked.SendRemotePaymentInput,
        "Tells a machine of a payment made elsewhere. For operators.",
    )
    open_door: CommandPayload = asks(
        Capability.OPEN_DOOR, asked.MachineCommandInput, "Unlocks a door for a customer. For operators."
    )
    scan_inventory: CommandPayload = asks(
        Capability.SCAN_INVENTORY, asked.MachineCommandInput, "Has a machine count what is in it. For operators."
    )
    measure_temperature: CommandPayload = asks(
        Capability.MEASURE_TEMPERATURE,
        asked.MachineCommandInput,
        "Has a machine measure how warm it is. For operators.",
    )
    read_door: CommandPayload = asks(
        Capability.READ_DOOR, asked.MachineCommandInput, "Has a machine look at its door. For operators."
    )
    reboot: CommandPayload = asks(Capability.REBOOT, asked.MachineCommandInput, "Restarts a machine. For operators.")
    restart_app: CommandPayload = asks(
        Capability.RESTART_APP, asked.MachineCommandInput, "Restarts a machine's software. For operators."
    )
    collect_cash: CommandPayload = asks(
        Capability.COLLECT_CASH,
        asked.MachineCommandInput,
        "Records that a machine's cash was collected, which SmartVend calls encashment. For operators.",
    )
    set_price: CommandPayload = asks(
        Capability.SET_PRICE, asked.SetPriceInput, "Sets what a product costs in a slot. For admins."
    )
    update_planogram: CommandPayload = asks(
        Capability.UPDATE_PLANOGRAM, asked.UpdatePlanogramInput, "Sets what a machine is to hold. For admins."
    )
    update_config: CommandPayload = asks(
        Capability.UPDATE_CONFIG, asked.UpdateConfigInput, "Changes settings of a machine. For admins."
    )
    adjust_stock: CommandPayload = asks(
        Capability.ADJUST_STOCK, AdjustStockInput, "Corrects what is counted in a slot. For operators."
    )
    resolve_command: CommandPayload = edge(
        asking.resolve,
        description="Settles a command that is UNKNOWN, by a person who found out. For whoever may send it.",
        input="Which command, what became of it, and how they know.",
    )
