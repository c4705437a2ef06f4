"""How a machine meets its customers, and who answers for it. None means that the vendor does not say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPerson:
    name: str | None = None
    role: str | None = None
    email: str | None = None
    phone: str | None = None
    support_email: str | None = None
    support_phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSupport:
    email: str | None = None
    hotline: str | None = None
    availability: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOwner:
    """`contact` is a person: not everybody may see it."""

    vendor_id: str | None
    name: str | None
    currency: str | None
    support: CustomerSupport | None
    contact: ContactPerson | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineTerminal:
    """`payment_type` is the vendor's word; `preauthorized` is held on a card before the door opens."""

    language: str | None
    font: str | None
    payment_type: str | None
    preauthorized: Money | None
    minimum_age: int | None
    owner: MachineOwner | None
    observed_at: datetime
    vendor_data: Mapping[str, Any] | None
