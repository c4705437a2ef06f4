"""People: every account's, merged by name for those who may see names, and by id for all others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from domain.capabilities import UnavailableField, UnavailableReason
from domain.commands import Command
from domain.errors import ErrorCode, Forbidden, VendorError
from domain.model import Organization
from domain.paging import Connection
from domain.people import EntitlementGroup, OrganizationUnit, PersonFilter, PersonRecord
from domain.people_orders import PERSONAL, field_of
from domain.refs import Kind, Ref
from domain.sales import Sale
from resolvers.context import Context, Info
from resolvers.cursors import EVERYWHERE, Position
from resolvers.lists import binding, page_size, refs, taking_part
from resolvers.merge import Order, Part, failed, told, unsupported, whole_page
from resolvers.organizations import owner
from resolvers.privacy import impersonal, permitted
from resolvers.sources import Source
from resolvers.structure import find_one

PRIVATE = (
    "name",
    "first_name",
    "last_name",
    "email",
    "identification",
    "mobile",
    "note",
    "avatar_url",
    "language",
    "address",
    "membercards",
    "vendor_data",
)
SEARCHED = ("name", "email", "identification")
NOT_PERMITTED = [UnavailableField(field=field_of(name), reason=UnavailableReason.NOT_PERMITTED) for name in PRIVATE]


def _position(person: PersonRecord) -> Position:
    return Position(person.name or "", person.id)


def _nameless(person: PersonRecord) -> Position:
    """A cursor can be read, so that it must not hold a name."""
    return Position("", person.id)


async def connection(
    root: object,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    filter: PersonFilter | None = None,  # noqa: A002  the graph's name for it
) -> Connection[PersonRecord]:
    context, narrowed = info.context, filter or PersonFilter()
    if narrowed.search and not permitted(context):
        raise Forbidden("who may not see names cannot search for them")
    size = page_size(first)
    bound = binding(context, "people", None, [asdict(narrowed), permitted(context)])
    cursor = context.graph.signer.read(after, bound)
    sources = taking_part(context, vendors=narrowed.vendors, accounts=narrowed.accounts)
    parts = await asyncio.gather(*(_part(context, source, narrowed) for source in sources))
    order = Order(_position if permitted(context) else _nameless, newest_first=False)
    return whole_page(parts, size, cursor, order, lambda at: context.graph.signer.write(at, bound))


async def _part(context: Context, source: Source, narrowed: PersonFilter) -> Part[PersonRecord]:
    if source.people is None:
        return Part(source.key, unsupported(source.ref))
    try:
        cached = await context.loaders.lists.get(source.people)
    except VendorError as error:
        return Part(source.key, failed(source.ref, error), untold=(EVERYWHERE,))
    wanted = _wanted(narrowed)
    status = told(source.ref, cached.as_of, cached.error, complete=cached.value.complete)
    return Part(source.key, status, [person for person in cached.value.items if wanted(person)])


def _wanted(narrowed: PersonFilter) -> Callable[[PersonRecord], bool]:
    """Narrowed here, for vendors take one such filter at a time, or none."""
    units, groups = refs(narrowed.units, Kind.UNIT), refs(narrowed.groups, Kind.GROUP)
    search = (narrowed.search or "").casefold()

    def wanted(person: PersonRecord) -> bool:
        return (
            (units is None or not units.isdisjoint(person.belongs_to))
            and (groups is None or not groups.isdisjoint(person.belongs_to))
            and (narrowed.statuses is None or person.status in narrowed.statuses)
            and (narrowed.roles is None or any(role in narrowed.roles for role in person.roles))
            and any(search in (getattr(person, name) or "").casefold() for name in SEARCHED)
        )

    return wanted


async def find(context: Context, ref: Ref) -> PersonRecord | None:
    found: PersonRecord | None = await find_one(context, ref, lambda source: source.people, "person")
    return found


async def one(root: object, info: Info, id: str) -> PersonRecord | None:  # noqa: A002  the graph's name for it
    ref = Ref.parse(id)
    return None if ref is None or ref.kind is not Kind.PERSON else await find(info.context, ref)


def unavailable(root: PersonRecord, info: Info) -> Sequence[UnavailableField]:
    if permitted(info.context):
        return root.unavailable
    withheld = {one.field for one in NOT_PERMITTED}
    return [*NOT_PERMITTED, *(one for one in root.unavailable if one.field not in withheld)]


def account(root: PersonRecord, info: Info) -> Source:
    return info.context.graph.sources[root.ref.account]


def organization(root: PersonRecord, info: Info) -> Organization | Awaitable[Organization]:
    return owner(info.context, root.ref.account, root.organization_ref)


def unit(name: str) -> Callable[..., Any]:
    def read(root: PersonRecord, info: Info) -> OrganizationUnit | Awaitable[OrganizationUnit | None] | None:
        return info.context.loaders.units.get(getattr(root, f"{name}_ref"))

    read.__name__ = name
    return read


def group(root: PersonRecord, info: Info) -> EntitlementGroup | Awaitable[EntitlementGroup | None] | None:
    return info.context.loaders.groups.get(root.group_ref)


def of_sale(root: Sale, info: Info) -> PersonRecord | Awaitable[PersonRecord | None] | None:
    """Who is named by the sale, in the vendor's list: sales outlive people."""
    native = None if root.person is None or not permitted(info.context) else root.person.vendor_id
    return None if native is None else info.context.loaders.people.get(Ref(Kind.PERSON, root.ref.account, native))


async def result(root: Command, info: Info) -> Any:
    """A command keeps nothing of a person: what stands against it is read again, for those who may see it."""
    if root.kind not in PERSONAL:
        return root.result if permitted(info.context) else impersonal(root.result)
    if not permitted(info.context):
        return None
    if root.error_code is not ErrorCode.CONFLICT or root.subject_ref is None:
        return root.result
    source: Any = info.context.source(root.subject_ref.account)
    person: PersonRecord | None = None if source is None else await source.connector.person(root.subject_ref.native)
    return None if person is None else person.vendor_data
