"""SmartEPI's people and structure: what kinds of records there are, and their JSON as domain values."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, listing, need, record, text, whole, word
from domain.model import Vendor, why_absent
from domain.paging import Listing
from domain.people import (
    EntitlementGroup,
    EntitlementRule,
    OrganizationUnit,
    PersonRecord,
    PersonRole,
    PersonStatus,
    UnitKind,
)
from domain.refs import Kind, Ref

EMPLOYEES, GROUPS = "employee", "group"  # as operations name one, and with an s several
UNITS: Mapping[UnitKind, str] = {
    UnitKind.SECTOR: "sector",
    UnitKind.COST_CENTER: "cost-center",
    UnitKind.JOB_ROLE: "job-role",
    UnitKind.ACCESS_GROUP: "access-group",
}
STATUSES = {"ACTIVE": PersonStatus.ACTIVE, "INACTIVE": PersonStatus.INACTIVE}  # no document lists the words
UNSUPPORTED = frozenset(
    {
        "firstName",
        "lastName",
        "mobile",
        "note",
        "avatarUrl",
        "language",
        "address",
        "membercards",
        "createdAt",
        "updatedAt",
    }
)


def people(account: Account, found: Sequence[Any]) -> Listing[PersonRecord]:
    return listing(account, "employee", found, lambda row: _person(account, row))


def person(account: Account, raw: Any) -> PersonRecord:
    return record(account, "employee", raw, lambda row: _person(account, row))


def _person(account: Account, row: Raw) -> PersonRecord:
    native = need(row["id"])
    name, email, identification = (text(row.get(key)) for key in ("name", "email", "identification"))
    return PersonRecord(
        ref=account.to(Kind.PERSON, native),
        vendor=Vendor.SMARTEPI,
        organization_ref=None,
        vendor_id=native,
        name=name,
        email=email,
        identification=identification,
        status=word(STATUSES, row.get("status"), PersonStatus.UNKNOWN),
        roles=(PersonRole.EMPLOYEE,),
        sector_ref=_unit(account, UnitKind.SECTOR, row.get("sectorId")),
        cost_center_ref=_unit(account, UnitKind.COST_CENTER, row.get("costCenterId")),
        second_cost_center_ref=_unit(account, UnitKind.COST_CENTER, row.get("costCenter2Id")),
        job_role_ref=_unit(account, UnitKind.JOB_ROLE, row.get("jobRoleId")),
        group_ref=_ref(account, Kind.GROUP, row.get("groupId")),
        unavailable=why_absent(
            UNSUPPORTED, name=name, email=email, identification=identification, **dict.fromkeys(sorted(UNSUPPORTED))
        ),
        vendor_data=row,
    )


def _unit(account: Account, kind: UnitKind, told: Any) -> Ref | None:
    native = text(told)
    return None if native is None else account.to(Kind.UNIT, native_unit(kind, native))


def _ref(account: Account, kind: Kind, told: Any) -> Ref | None:
    native = text(told)
    return None if native is None else account.to(kind, native)


def native_unit(kind: UnitKind, native: str) -> str:
    """Ids are unique within a list only."""
    return f"{kind.value}/{native}"


def unit_of(native: str) -> tuple[UnitKind, str] | None:
    """What `native_unit` was made of; the text comes from a caller, so that it may hold anything."""
    word_, _, own = native.partition("/")
    kind = next((kind for kind in UnitKind if kind.value == word_), None)
    return None if kind is None or not own else (kind, own)


def units(account: Account, kind: UnitKind, found: Sequence[Any]) -> Listing[OrganizationUnit]:
    return listing(account, UNITS[kind], found, lambda row: _unit_record(account, kind, row))


def unit(account: Account, kind: UnitKind, raw: Any) -> OrganizationUnit:
    return record(account, UNITS[kind], raw, lambda row: _unit_record(account, kind, row))


def _unit_record(account: Account, kind: UnitKind, row: Raw) -> OrganizationUnit:
    native = need(row["id"])
    return OrganizationUnit(
        ref=account.to(Kind.UNIT, native_unit(kind, native)),
        vendor=Vendor.SMARTEPI,
        kind=kind,
        vendor_id=native,
        name=text(row.get("name")) or native,
        code=text(row.get("code")),
        vendor_data=row,
    )


def groups(account: Account, found: Sequence[Any]) -> Listing[EntitlementGroup]:
    return listing(account, "group", found, lambda row: _group(account, row))


def group(account: Account, raw: Any) -> EntitlementGroup:
    return record(account, "group", raw, lambda row: _group(account, row))


def _group(account: Account, row: Raw) -> EntitlementGroup:
    native = need(row["id"])
    return EntitlementGroup(
        ref=account.to(Kind.GROUP, native),
        vendor=Vendor.SMARTEPI,
        vendor_id=native,
        name=text(row.get("name")) or native,
        rules=tuple(_rule(account, rule) for rule in row.get("rules") or ()),
        vendor_data=row,
    )


def _rule(account: Account, row: Raw) -> EntitlementRule:
    return EntitlementRule(
        product_ref=_ref(account, Kind.PRODUCT, row.get("productId")),
        quantity=whole(row.get("quantity")),
        period_days=whole(row.get("periodDays")),
    )
