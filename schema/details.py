"""What some vendors tell of one machine at a time."""

from datetime import datetime

import strawberry

from resolvers import privacy
from schema.basics import KEPT_BACK, PERSONAL, SILENT, VENDOR_DATA, Money, UnavailableField
from schema.edge import attribute as told
from schema.edge import edge
from schema.scalars import JSON


@strawberry.type(description=f"Somebody at a machine, from the opening to the closing of its door. {SILENT}")
class MachineSession:
    status: str | None = told("How far it has come, in the vendor's word.")
    kind: str | None = told("What it is for, in the vendor's word.")
    started_at: datetime = told("When it began.")
    updated_at: datetime | None = told("When it last changed.")
    closed_at: datetime | None = told("When it ended; null also while it goes on.")
    final: bool | None = told("Whether it is over, and changes no more.")
    with_purchase: bool | None = told("Whether something was bought.")
    reference: str | None = edge(
        privacy.private("reference"),
        description=f"The payment's number at whoever settles it, which the sale's payment repeats. {PERSONAL}",
    )
    vendor_data: JSON | None = edge(privacy.private("vendor_data"), description=f"{VENDOR_DATA} {PERSONAL}")
    unavailable: list[UnavailableField] = edge(privacy.kept_back("reference", "vendorData"), description=KEPT_BACK)


@strawberry.type(description=f"What a machine has taken in since its cash was collected. {SILENT}")
class MachineCash:
    total: Money | None = told("How much in all.")
    bills: Money | None = told("How much of it in bank notes.")
    coins: Money | None = told("How much of it in coins.")
    observed_at: datetime = told("When the vendor told us.")


@strawberry.type(description="A machine's settings, less its secrets: `updateConfig` changes them.")
class MachineConfig:
    kind: str = told("Which sort of settings these are, in the vendor's word.")
    settings: JSON = told("By key, in the vendor's words. Keys that its documents do not name are left out.")
    observed_at: datetime = told("When the vendor told us.")
