"""What some vendors tell of one machine at a time. None means that the vendor does not say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from domain.money import Money


class Language(Enum):
    """By ISO 639-1."""

    EN = "en"
    PT = "pt"
    ES = "es"
    DE = "de"
    FR = "fr"
    RU = "ru"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSession:
    """The last time that somebody was served. `status` and `kind` are the vendor's words; `final`: it is over."""

    status: str | None
    kind: str | None
    started_at: datetime
    updated_at: datetime | None
    closed_at: datetime | None
    final: bool | None
    with_purchase: bool | None
    reference: str | None
    vendor_data: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCash:
    """What was paid in since the last collection."""

    total: Money | None
    bills: Money | None
    coins: Money | None
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineConfig:
    """Less secrets. `kind` and the keys of `settings` are the vendor's words."""

    kind: str
    settings: Mapping[str, Any]
    observed_at: datetime
