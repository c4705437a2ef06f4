"""SmartVend's encashments, and what has been paid in since the last. Money is cents; times are UNIX seconds."""

from datetime import datetime
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, cents, need, record, text, unix
from domain.details import MachineCash
from domain.model import Trust, Vendor
from domain.refs import Kind
from domain.stock import CashCollection


def collection(account: Account, row: Raw) -> CashCollection:
    native, created, controller = need(row["id"]), unix(row["createdAt"]), text(row.get("controllerId"))
    return CashCollection(
        ref=account.to(Kind.CASH_COLLECTION, f"{native}@{int(created.timestamp())}"),
        machine_ref=None if controller is None else account.to(Kind.MACHINE, controller),
        vendor=Vendor.SMARTVEND,
        vendor_id=native,
        recorded_at=created,
        total=cents(row.get("total"), account.currency),
        bills=cents(row.get("bill"), account.currency),
        coins=cents(row.get("coin"), account.currency),
        trust=Trust.POLLED,
        vendor_data=row,
    )


def counted(account: Account, state: Any, at: datetime) -> MachineCash:
    """`mc`, `bc` and `cc` are money, bills and coins."""
    return record(account, "state", state, lambda row: _counted(account, row["data"], at))


def _counted(account: Account, data: Raw, at: datetime) -> MachineCash:
    return MachineCash(
        total=cents(data.get("mc"), account.currency),
        bills=cents(data.get("bc"), account.currency),
        coins=cents(data.get("cc"), account.currency),
        observed_at=at,
    )
