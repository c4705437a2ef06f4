"""People, and how organizations divide them."""

from datetime import datetime
from typing import Any

import strawberry

from domain import people
from domain.model import Vendor
from domain.people import PersonRole, PersonStatus, UnitKind
from resolvers import people as edges
from resolvers import structure
from resolvers.privacy import of_thing, private
from schema import basics, types
from schema.edge import attribute as told
from schema.edge import edge
from schema.scalars import JSON


@strawberry.type(description=f"Where a person lives or works. {basics.SILENT}")
class PersonAddress:
    address: str | None = told("Street and number.")
    city: str | None = told("The city.")
    postal_code: str | None = told("The postal code.")
    country: str | None = told("The country, as the vendor keeps it.")


@strawberry.type(
    description=f"A part of an organization that people belong to: a sector, a cost center, a job role. {basics.SILENT}"
)
class OrganizationUnit(basics.Node):
    vendor: Vendor = told("Whose record it is.")
    account: types.VendorAccount = edge(structure.account, description="The account that told of it.")
    kind: UnitKind = told("What it is.")
    vendor_id: str = told(basics.VENDOR_ID)
    name: str = told("What it is called.")
    code: str | None = told("A cost center's code.")
    vendor_data: JSON | None = edge(of_thing, description=basics.THING_DATA)

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, people.OrganizationUnit)


@strawberry.type(description=f"How much of a product those of a group may take. {basics.SILENT}")
class EntitlementRule:
    product: types.Product | None = edge(
        structure.product, description="Of which product; null where it is no longer in the catalogue."
    )
    quantity: int | None = told("How many in each period.")
    period_days: int | None = told("How long a period is, in days.")


@strawberry.type(description=f"People who may take the same. {basics.SILENT}")
class EntitlementGroup(basics.Node):
    vendor: Vendor = told("Whose record it is.")
    account: types.VendorAccount = edge(structure.account, description="The account that told of it.")
    vendor_id: str = told(basics.VENDOR_ID)
    name: str = told("What it is called.")
    rules: list[EntitlementRule] = told("What they may take.")
    vendor_data: JSON | None = edge(of_thing, description=basics.THING_DATA)

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, people.EntitlementGroup)


@strawberry.type(
    description="What a vendor keeps of a person: an employee, a customer, or who works for the operator. What is "
    f"personal is for operators and admins alone, and `unavailable` says so to others. {basics.SILENT}"
)
class PersonRecord(basics.Node):
    vendor: Vendor = told("Whose record it is.")
    account: types.VendorAccount = edge(edges.account, description="The account that told of them.")
    organization: types.Organization = edge(
        edges.organization, description="The first organization that the vendor has them in, else the tenant."
    )
    vendor_id: str = told(basics.VENDOR_ID)
    name: str | None = edge(private("name"), description=f"Their whole name. {basics.PERSONAL}")
    first_name: str | None = edge(private("first_name"), description=f"Their first name. {basics.PERSONAL}")
    last_name: str | None = edge(private("last_name"), description=f"Their last name. {basics.PERSONAL}")
    email: str | None = edge(private("email"), description=f"Their e-mail address. {basics.PERSONAL}")
    identification: str | None = edge(
        private("identification"), description=f"The number by which the operator knows them. {basics.PERSONAL}"
    )
    mobile: str | None = edge(private("mobile"), description=f"Their mobile number. {basics.PERSONAL}")
    note: str | None = edge(private("note"), description=f"What the operator noted. {basics.PERSONAL}")
    avatar_url: str | None = edge(private("avatar_url"), description=f"Their picture. {basics.PERSONAL}")
    language: str | None = edge(private("language"), description=f"Two letters, such as de. {basics.PERSONAL}")
    address: PersonAddress | None = edge(private("address"), description=f"Their address. {basics.PERSONAL}")
    membercards: list[str] | None = edge(private("membercards"), description=f"Ids of their cards. {basics.PERSONAL}")
    status: PersonStatus = told("Whether they are in use.")
    roles: list[PersonRole] = told("What they are to the operator.")
    sector: OrganizationUnit | None = edge(edges.unit("sector"), description="Their sector.")
    cost_center: OrganizationUnit | None = edge(edges.unit("cost_center"), description="Their cost center.")
    second_cost_center: OrganizationUnit | None = edge(
        edges.unit("second_cost_center"), description="Their other cost center."
    )
    job_role: OrganizationUnit | None = edge(edges.unit("job_role"), description="Their job role.")
    group: EntitlementGroup | None = edge(edges.group, description="The group that says what they may take.")
    created_at: datetime | None = told("When the vendor first knew them.")
    updated_at: datetime | None = told("When the vendor last changed them.")
    unavailable: list[basics.UnavailableField] = edge(
        edges.unavailable, description="Which of the fields above are null for a reason, and the reason."
    )
    vendor_data: JSON | None = edge(private("vendor_data"), description=f"{basics.VENDOR_DATA} {basics.PERSONAL}")

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, people.PersonRecord)


@strawberry.type(description="A person and their place in a list.")
class PersonRecordEdge:
    cursor: str = told(basics.CURSOR)
    node: PersonRecord = told("The person.")


@strawberry.type(description="A page of people: by name for those who may see names, by id for others.")
class PersonRecordConnection:
    edges: list[PersonRecordEdge] = told(basics.EDGES)
    nodes: list[PersonRecord] = told(basics.NODES)
    page_info: basics.PageInfo = told("Where this page lies.")
    total_count: int | None = told(basics.TOTAL)
    sources: list[types.SourceStatus] = told(basics.SOURCES)


@strawberry.type(description="A unit and its place in a list.")
class OrganizationUnitEdge:
    cursor: str = told(basics.CURSOR)
    node: OrganizationUnit = told("The unit.")


@strawberry.type(description="A page of units, by name and then id.")
class OrganizationUnitConnection:
    edges: list[OrganizationUnitEdge] = told(basics.EDGES)
    nodes: list[OrganizationUnit] = told(basics.NODES)
    page_info: basics.PageInfo = told("Where this page lies.")
    total_count: int | None = told(basics.TOTAL)
    sources: list[types.SourceStatus] = told(basics.SOURCES)


@strawberry.type(description="A group and its place in a list.")
class EntitlementGroupEdge:
    cursor: str = told(basics.CURSOR)
    node: EntitlementGroup = told("The group.")


@strawberry.type(description="A page of groups, by name and then id.")
class EntitlementGroupConnection:
    edges: list[EntitlementGroupEdge] = told(basics.EDGES)
    nodes: list[EntitlementGroup] = told(basics.NODES)
    page_info: basics.PageInfo = told("Where this page lies.")
    total_count: int | None = told(basics.TOTAL)
    sources: list[types.SourceStatus] = told(basics.SOURCES)
