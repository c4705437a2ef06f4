"""SmartVend's encashments as collections of cash. Money is cents; times are UNIX seconds."""

from connectors.base import Account
from connectors.parsing import Raw, cents, need, text, unix
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
