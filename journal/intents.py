"""What the ledger keeps of a command, and what somebody asks for when it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.capabilities import Capability
from domain.commands import Command, CommandStatus, CommandTransition
from domain.model import Vendor
from domain.money import Money
from domain.orders import Order
from domain.refs import Ref
from journal import codec
from journal.audit import Actor
from journal.log import moment
from journal.quotas import Quota, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What somebody asks for. `until`: UNIX seconds to which `owner` is at it; `acknowledged` is the id of a command
    whose outcome is unknown and that is meant to be repeated."""

    command: Command
    vendor: Vendor
    organization: str
    order: Order
    amount: Money | None
    fingerprint: str
    actor: Actor
    owner: str
    until: float
    acknowledged: str | None = None
    quotas: Sequence[Quota] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A command as the ledger has it. `attempt` is the newest claim's number."""

    command: Command
    organization: str
    order: Order | None
    attempt: int
    owner: str | None
    until: float | None
    sent_at: datetime | None
    vendor_id: str | None

    @property
    def account(self) -> str:
        return self.command.ref.account


def kept(row: Any) -> Kept:
    kind = Capability(row.kind)
    return Kept(
        command=codec.read_command(row.content),
        organization=row.organization,
        order=None if row.ordered is None else codec.read_order(kind, row.ordered),
        attempt=row.attempt,
        owner=row.owner,
        until=row.until,
        sent_at=None if row.sent_at is None else datetime.fromisoformat(row.sent_at),
        vendor_id=row.vendor_id,
    )


def row(intent: Intent) -> dict[str, Any]:
    command = intent.command
    return {
        "id": command.ref.native,
        "organization": intent.organization,
        "account": command.ref.account,
        "vendor": intent.vendor.value,
        "machine": None if command.machine_ref is None else command.machine_ref.native,
        "kind": command.kind.value,
        "status": command.status.value,
        "requested_by": command.requested_by,
        "idempotency_key": command.idempotency_key,
        "fingerprint": intent.fingerprint,
        **columns(intent.amount),
        "created_at": moment(command.created_at),
        "owner": intent.owner,
        "attempt": 1,
        "until": intent.until,
        "ordered": codec.write_order(intent.order),
        "content": codec.write_command(command),
    }


def details(intent: Intent) -> dict[str, Any]:
    amount = intent.amount
    return {
        "idempotencyKey": intent.command.idempotency_key,
        "amount": None if amount is None else f"{amount.amount:f}",
        "currency": None if amount is None else amount.currency,
        "acknowledgeUnknown": intent.acknowledged,
    }


def begun(ref: Ref, kind: Capability, machine: Ref | None, requested_by: str, key: str, at: datetime) -> Command:
    """A command as it is when it is asked for."""
    return Command(
        ref=ref,
        kind=kind,
        machine_ref=machine,
        status=CommandStatus.PENDING,
        stage=None,
        requested_by=requested_by,
        idempotency_key=key,
        created_at=at,
        updated_at=at,
        completed_at=None,
        result=None,
        error=None,
        error_code=None,
        evidence_ref=None,
        subject_ref=None,
        history=(CommandTransition(status=CommandStatus.PENDING, stage=None, at=at, note=None),),
    )
