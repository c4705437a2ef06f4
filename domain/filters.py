"""What a caller narrows a list by. None does not narrow; an empty list lets nothing through. Ids are opaque texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.commands import CommandStatus
from domain.model import Connectivity, EventState, Severity, Vendor
from domain.sales import SaleKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFilter:
    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    organizations: Sequence[str] | None = None
    connectivity: Connectivity | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    search: str | None = None
    archived: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleFilter:
    """By `recorded_at`: `from_` inclusive, `to` exclusive."""

    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    machines: Sequence[str] | None = None
    kinds: Sequence[SaleKind] | None = None
    from_: datetime | None = None
    to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """By `recorded_at`: `from_` inclusive, `to` exclusive. `min_severity` lets worse ones through too."""

    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    machines: Sequence[str] | None = None
    min_severity: Severity | None = None
    state: EventState | None = None
    from_: datetime | None = None
    to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFilter:
    machines: Sequence[str] | None = None
    statuses: Sequence[CommandStatus] | None = None
