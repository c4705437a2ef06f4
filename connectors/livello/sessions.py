"""A kiosk's current or last session."""

from typing import Any

from connectors.base import Account
from connectors.livello.parse import SECRETS
from connectors.parsing import Raw, iso, need_iso, record, text, truth, without
from domain.details import MachineSession


def session(account: Account, found: Any) -> MachineSession | None:
    """None where there was none lately."""
    return record(account, "session", found, _session) if found else None


def _session(row: Raw) -> MachineSession:
    details = row.get("details") or {}
    return MachineSession(
        status=text(row.get("status")),
        kind=text(row.get("type")),
        started_at=need_iso(row.get("createdAt")),
        updated_at=iso(row.get("updatedAt")),
        closed_at=iso(details.get("sessionClosedAt")),
        final=truth(row.get("isTerminal")),
        with_purchase=truth(details.get("endedWithPurchase")),
        reference=text(details.get("externalTransactionId")),
        vendor_data=without(row, SECRETS),
    )
