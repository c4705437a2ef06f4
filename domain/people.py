"""Who may use machines, and how an operator's organization divides them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from domain.capabilities import UnavailableField
from domain.model import Vendor
from domain.refs import Ref


class PersonStatus(Enum):
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    UNKNOWN = "UNKNOWN"


class PersonRole(Enum):
    EMPLOYEE = "EMPLOYEE"
    CONSUMER = "CONSUMER"
    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"
    SUPERADMIN = "SUPERADMIN"
    UNKNOWN = "UNKNOWN"


class UnitKind(Enum):
    """The words are part of ids that clients keep: never change one."""

    SECTOR = "SECTOR"
    COST_CENTER = "COST_CENTER"
    JOB_ROLE = "JOB_ROLE"
    ACCESS_GROUP = "ACCESS_GROUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAddress:
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """What a vendor keeps of a person. Names, `vendor_data` and all that leads to a person are personal."""

    ref: Ref
    vendor: Vendor
    organization_ref: Ref | None
    vendor_id: str
    name: str | None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    identification: str | None = None
    mobile: str | None = None
    note: str | None = None
    avatar_url: str | None = None
    language: str | None = None
    address: PersonAddress | None = None
    membercards: Sequence[str] | None = None
    status: PersonStatus
    roles: Sequence[PersonRole]
    sector_ref: Ref | None = None
    cost_center_ref: Ref | None = None
    second_cost_center_ref: Ref | None = None
    job_role_ref: Ref | None = None
    group_ref: Ref | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    unavailable: Sequence[UnavailableField]
    vendor_data: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return self.ref.text

    @property
    def belongs_to(self) -> frozenset[Ref]:
        """The units and the group that it is in."""
        units = (self.sector_ref, self.cost_center_ref, self.second_cost_center_ref, self.job_role_ref)
        return frozenset(ref for ref in (*units, self.group_ref) if ref is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationUnit:
    """A sector, a cost center, a job role or an access group; `code` is of cost centers alone."""

    ref: Ref
    vendor: Vendor
    kind: UnitKind
    vendor_id: str
    name: str
    code: str | None
    vendor_data: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementRule:
    """So many of a product in so many days; None where the vendor sets none."""

    product_ref: Ref | None
    quantity: int | None
    period_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementGroup:
    ref: Ref
    vendor: Vendor
    vendor_id: str
    name: str
    rules: Sequence[EntitlementRule]
    vendor_data: Mapping[str, Any] | None

    @property
    def id(self) -> str:
        return self.ref.text


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFilter:
    """`units` and `groups`: those who belong to one of each."""

    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    units: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    statuses: Sequence[PersonStatus] | None = None
    roles: Sequence[PersonRole] | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationUnitFilter:
    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    kinds: Sequence[UnitKind] | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementGroupFilter:
    vendors: Sequence[Vendor] | None = None
    accounts: Sequence[str] | None = None
    search: str | None = None
