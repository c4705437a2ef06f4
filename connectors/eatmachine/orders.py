"""Orders as EatMachine's commands: a slug in the path and no body; the answer names the command, reports tell the rest.

https://api.eatmachine.io "Post a Command" and "Typical session". There is no way to ask what became of one."""

from collections.abc import Mapping
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.base import Account
from connectors.eatmachine.report import FAILED, LONGEST_WORD, word_of
from connectors.parsing import Raw, need, record, text
from domain.capabilities import Capability
from domain.commands import CommandStage, CommandStatus, Progress
from domain.errors import BadInput
from domain.facts import CommandWord
from domain.orders import MachineOrder, Order

SLUGS: Mapping[Capability, str] = {
    Capability.OPEN_DOOR: "open",
    Capability.SCAN_INVENTORY: "inventory",
    Capability.MEASURE_TEMPERATURE: "temperature",
    Capability.READ_DOOR: "door-status",
    Capability.REBOOT: "reboot",
    Capability.RESTART_APP: "restart-app",
}
UNDER_WAY, DONE = Progress(status=CommandStatus.ACKNOWLEDGED), Progress(status=CommandStatus.SUCCEEDED)
# By what a report is, or, of a door, what became of it.
STEPS: Mapping[Capability, Mapping[str, Progress]] = {
    Capability.OPEN_DOOR: {
        "ack": UNDER_WAY,
        "unlocked": Progress(status=CommandStatus.ACKNOWLEDGED, stage=CommandStage.UNLOCKED),
        "opened": Progress(status=CommandStatus.ACKNOWLEDGED, stage=CommandStage.OPENED),
        "closed": Progress(status=CommandStatus.ACKNOWLEDGED, stage=CommandStage.CLOSED),
        "inventory": Progress(status=CommandStatus.SUCCEEDED, stage=CommandStage.INVENTORIED),
    },
    Capability.SCAN_INVENTORY: {"ack": UNDER_WAY, "inventory": DONE},
    Capability.MEASURE_TEMPERATURE: {"ack": UNDER_WAY, "temperature": DONE},
    Capability.READ_DOOR: {"ack": UNDER_WAY, "unlocked": DONE, "opened": DONE, "closed": DONE},
    Capability.REBOOT: {"ack": UNDER_WAY, "shutdown": UNDER_WAY, "boot": DONE},
    Capability.RESTART_APP: {"ack": DONE},  # nothing else is documented that would follow
}
# By the command's status, where the step says nothing. An opening is called a success when it has only begun.
STATUSES: Mapping[Capability, Mapping[str, Progress]] = {
    kind: {} if kind is Capability.OPEN_DOOR else {"success": DONE} for kind in SLUGS
}
SILENT = frozenset({"video"})  # it comes with a command, and says nothing of it


def request(order: Order) -> VendorRequest:
    slug = SLUGS.get(order.kind)
    if slug is None or not isinstance(order, MachineOrder):
        raise BadInput(f"eatmachine has no command for {order.kind.value}")
    return VendorRequest(operation="post-command", path={"uuid": order.machine, "slug": slug})


def accepted(account: Account, answer: Any) -> Taken:
    """Raises VendorProtocolError where it does not name the command: then no report can be known to be of it."""
    return record(account, "command", answer, _accepted)


def _accepted(row: Raw) -> Taken:
    """Its author is a person, and stays out of what is shown."""
    command = row["data"]
    native = need(word_of(command["uuid"]))
    shown = {name: _short(command.get(name)) for name in ("status", "createdAt")}
    return Taken(done=False, vendor_id=native, result={"uuid": native, **shown})


def progress(kind: Capability, word: CommandWord) -> Progress | None:
    """By what happened rather than by the status, which the documents' samples do not agree on, but for a failure."""
    if kind not in SLUGS:
        return None
    if word.word == FAILED:
        return Progress(status=CommandStatus.FAILED, note=_short(word.message))
    if word.step in SILENT:
        return None
    return STEPS[kind].get(word.step) or STATUSES[kind].get(word.word or "")


def _short(value: Any) -> str | None:
    found = text(value)
    return None if found is None else found[:LONGEST_WORD]
