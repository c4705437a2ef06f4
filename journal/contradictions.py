"""What has come to an end stays as it was told. That it may be otherwise is an event, for a person to see."""

from datetime import datetime, timedelta

from domain.commands import Command, Progress
from domain.facts import Fact, recorded
from domain.model import EventState, MachineEvent, Severity, Trust, Vendor
from domain.refs import Kind, Ref

CONTRADICTED = "COMMAND_CONTRADICTED"
DOUBTED = timedelta(days=7)  # how long a sale may still show that what a person told to have failed was carried out


def contradiction(command: Command, vendor: Vendor, progress: Progress, at: datetime) -> Fact:
    """One for each end that it is told to have had."""
    account, native = command.ref.account, f"{command.ref.native}-{progress.status.value.lower()}"
    why = f": {progress.note}" if progress.note else ""
    event = MachineEvent(
        ref=Ref(Kind.EVENT, account, native),
        machine_ref=command.machine_ref,
        vendor=vendor,
        vendor_id=native,
        code=CONTRADICTED,
        message=f"{command.kind.value} {command.id} was told to be {command.status.value}, "
        f"and then {progress.status.value}{why}",
        severity=Severity.WARNING,
        state=EventState.ACTIVE,
        source="vendgraph",
        recorded_at=at,
        occurred_at=at,
        trust=Trust.DERIVED,
        vendor_data=None,
    )
    return recorded(native, event)
