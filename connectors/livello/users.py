"""Livello's users: the operations on them, and their JSON as domain values.

What stands in lists and in `rolesInOrganizations` is lost in the documents, so that several forms are read."""

from collections.abc import Iterator
from typing import Any

from connectors.base import Account
from connectors.guard import Traffic
from connectors.http import Operation
from connectors.livello.paging import Page
from connectors.livello.parse import SECRETS
from connectors.parsing import Raw, iso, listing, need, record, text, without, word
from domain.model import Vendor, why_absent
from domain.paging import Listing
from domain.people import PersonAddress, PersonRecord, PersonRole, PersonStatus
from domain.refs import Kind, Ref

OPERATIONS = (
    Operation(name="list-users", method="GET", path="/users", documented=False),
    Operation(name="create-user", method="POST", path="/users", documented=False, traffic=Traffic.COMMAND, reads=False),
    Operation(name="get-user", method="GET", path="/users/{id}", documented=False),
    Operation(
        name="update-user", method="PATCH", path="/users/{id}", documented=False, traffic=Traffic.COMMAND, reads=False
    ),
)
STATUSES = {"ACTIVE": PersonStatus.ACTIVE, "INACTIVE": PersonStatus.INACTIVE}
ROLES = {
    "consumer": PersonRole.CONSUMER,
    "operator": PersonRole.OPERATOR,
    "admin": PersonRole.ADMIN,
    "superadmin": PersonRole.SUPERADMIN,
}
TEXTS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "mobile": "mobile",
    "note": "note",
    "avatar_url": "avatarUrl",
    "language": "lang",
}
REST = {"email": "email", "mobile": "mobile", "note": "note", "avatar_url": "avatarUrl", "language": "language"}
ADDRESS = {"address": "address", "city": "city", "postal_code": "postalCode", "country": "country"}
UNSUPPORTED = frozenset({"identification", "sector", "costCenter", "secondCostCenter", "jobRole", "group"})


def people(account: Account, found: Page) -> Listing[PersonRecord]:
    """A row that comes while pages are read pushes another onto the next one, where it is told again."""
    told = listing(account, "user", found.rows, lambda row: _person(account, row))
    once = list({one.ref: one for one in told.items}.values())
    return Listing(once, complete=told.complete and len(once) >= found.total)


def person(account: Account, raw: Any) -> PersonRecord:
    return record(account, "user", raw, lambda row: _person(account, row))


def _person(account: Account, row: Raw) -> PersonRecord:
    native = need(row.get("id"))
    first, last = text(row.get("firstName")), text(row.get("lastName"))
    cards = row.get("membercards")
    told = {
        "name": " ".join(part for part in (first, last) if part) or None,
        "firstName": first,
        "lastName": last,
        **{field: text(row.get(TEXTS[name])) for name, field in REST.items()},
    }
    membercards = tuple(card for card in map(text, cards) if card) if isinstance(cards, list) else None
    address = _address(row.get("address"))
    return PersonRecord(
        ref=account.to(Kind.PERSON, native),
        vendor=Vendor.LIVELLO,
        organization_ref=next(_organizations(account, row), None),
        vendor_id=native,
        name=told["name"],
        first_name=first,
        last_name=last,
        email=told["email"],
        mobile=told["mobile"],
        note=told["note"],
        avatar_url=told["avatarUrl"],
        language=told["language"],
        address=address,
        membercards=membercards,
        status=word(STATUSES, row.get("status"), PersonStatus.UNKNOWN),
        roles=tuple(dict.fromkeys(_roles(row))),
        created_at=iso(row.get("created")),
        updated_at=iso(row.get("updated")),
        unavailable=why_absent(
            UNSUPPORTED, **told, membercards=membercards, address=address, **dict.fromkeys(sorted(UNSUPPORTED))
        ),
        vendor_data=without(row, SECRETS),
    )


def _address(told: Any) -> PersonAddress | None:
    if not isinstance(told, dict):
        return None
    found = {name: text(told.get(key)) for name, key in ADDRESS.items()}
    return PersonAddress(**found) if any(found.values()) else None


def _memberships(row: Raw) -> Iterator[Raw]:
    told = row.get("rolesInOrganizations")
    yield from (one for one in told if isinstance(one, dict)) if isinstance(told, list) else ()


def _roles(row: Raw) -> Iterator[PersonRole]:
    words = [*(one.get("role") for one in _memberships(row)), row.get("role")]
    for told in words:
        if isinstance(told, str):
            yield ROLES.get(told.casefold(), PersonRole.UNKNOWN)


def _organizations(account: Account, row: Raw) -> Iterator[Ref]:
    for one in (*_memberships(row), row):
        inner = one.get("organization")
        told = text(one.get("organizationId")) or (text(inner.get("id")) if isinstance(inner, dict) else None)
        if told is not None:
            yield account.to(Kind.ORGANIZATION, told)
