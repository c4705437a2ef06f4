"""What callers ask for of people and structure, as the graph's mutations take it."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.people import PersonStatus, UnitKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAddressInput:
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetailsInput:
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    identification: str | None = None
    mobile: str | None = None
    note: str | None = None
    avatar_url: str | None = None
    language: str | None = None
    address: PersonAddressInput | None = None
    membercards: Sequence[str] | None = None
    status: PersonStatus | None = None
    organization_id: str | None = None
    sector_id: str | None = None
    cost_center_id: str | None = None
    second_cost_center_id: str | None = None
    job_role_id: str | None = None
    group_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePersonInput:
    account_id: str
    details: PersonDetailsInput
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePersonInput:
    person_id: str
    details: PersonDetailsInput
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePersonInput:
    person_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUnitInput:
    account_id: str
    kind: UnitKind
    name: str
    code: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUnitInput:
    unit_id: str
    name: str | None = None
    code: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUnitInput:
    unit_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementRuleInput:
    product_id: str
    quantity: int
    period_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroupInput:
    account_id: str
    name: str
    rules: Sequence[EntitlementRuleInput] | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateGroupInput:
    group_id: str
    name: str | None = None
    rules: Sequence[EntitlementRuleInput] | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteGroupInput:
    group_id: str
    idempotency_key: str
