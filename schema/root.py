"""The root of the graph, and the schema made of it."""

from datetime import date
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

import resolvers.accounts
import resolvers.audit
import resolvers.bulks
import resolvers.catalogue_details
import resolvers.commands
import resolvers.events
import resolvers.exports
import resolvers.low_stock
import resolvers.machines
import resolvers.nodes
import resolvers.organizations
import resolvers.people
import resolvers.products
import resolvers.readings
import resolvers.sales
import resolvers.sales_report
import resolvers.stock
import resolvers.stock_report
import resolvers.structure
from schema import catalogue, live, mutations, types
from schema import people as persons
from schema.audit import AuditConnection
from schema.basics import Node
from schema.bulk import Bulk, BulkMutation
from schema.catalogue_mutations import CatalogueMutation
from schema.commands import Command, CommandConnection
from schema.edge import PAGING, edge, paged
from schema.enums import describe_values
from schema.exports import SalesExport
from schema.people_mutations import PeopleMutation
from schema.reports import SalesReport
from schema.scalars import SCALARS
from schema.stock import (
    CashCollection,
    CashCollectionConnection,
    SlotConnection,
    StockMovement,
    StockMovementConnection,
)
from schema.stock_reports import StockReport
from schema.upkeep_mutations import UpkeepMutation

NONE = "; null where the id is none of yours, or it is gone."


# Whose values caches hold, as they are: one that has become another takes its place.
REPLACED = frozenset({"Machine", "Product", "Sale", "MachineEvent", "StockMovement"})


@strawberry.type(description="Everything that can be read.")
class Query:
    node: Node | None = edge(
        resolvers.nodes.node,
        description="Whatever an id stands for; null where it stands for nothing of yours.",
        id="Its id.",
    )
    nodes: list[Node | None] = edge(
        resolvers.nodes.nodes,
        description="Whatever several ids stand for, in their order; null where one stands for nothing of yours.",
        ids="At most 1000 ids.",
    )
    viewer: types.Viewer = edge(resolvers.accounts.viewer, description="Who is asking, and what they may do.")
    organizations: types.OrganizationConnection = paged(
        resolvers.organizations.connection, "The organizations that the viewer may see, tenants first."
    )
    organization: types.Organization | None = edge(
        resolvers.nodes.organization, description=f"One organization{NONE}", id="Its id."
    )
    machines: types.MachineConnection = paged(
        resolvers.machines.connection, "All machines, by name and then id.", resolvers.readings.machines
    )
    machine: types.Machine | None = edge(
        resolvers.machines.one, description=f"One machine{NONE}", reads=resolvers.readings.machine, id="Its id."
    )
    products: types.ProductConnection = paged(
        resolvers.products.connection, "All products, by name and then id.", resolvers.readings.products
    )
    product: types.Product | None = edge(
        resolvers.products.one, description=f"One product{NONE}", reads=resolvers.readings.product, id="Its id."
    )
    sales: types.SaleConnection = paged(
        resolvers.sales.connection, "All sales over all vendors, newest recorded first.", resolvers.readings.sales_of
    )
    sale: types.Sale | None = edge(resolvers.sales.one, description=f"One sale{NONE}", id="Its id.")
    sales_report: SalesReport = edge(
        resolvers.sales_report.report,
        description="Sums of the sales of all vendors.",
        from_="Recorded at this time or later.",
        to="Recorded before this time: 732 days after `from` at most.",
        granularity="How long its periods are; where it is left out the whole time is one row of each group.",
        group_by="What its rows are told apart by, besides the period and the currency; nothing where it is left out.",
        timezone="An IANA time zone, such as Europe/Lisbon, on whose clocks it counts; UTC where it is left out.",
        filter="Narrows the sales; all of them where it is left out.",
    )
    export_sales: SalesExport = edge(
        resolvers.exports.sales,
        description="Where all sales that a filter lets through can be had as one long text, newest recorded first.",
        format="What the text is.",
        filter="Narrows the sales; all of them where it is left out.",
    )
    stock_report: StockReport = edge(
        resolvers.stock_report.report,
        description="Sums of the movements of stock of all vendors.",
        from_="Recorded at this time or later.",
        to="Recorded before this time: 732 days after `from` at most.",
        granularity="How long its periods are; where it is left out the whole time is one row of each group.",
        group_by="What its rows are told apart by, besides the period; nothing where it is left out.",
        timezone="An IANA time zone, such as Europe/Lisbon, on whose clocks it counts; UTC where it is left out.",
        filter="Narrows the movements; all of them where it is left out.",
    )
    events: types.MachineEventConnection = paged(
        resolvers.events.connection, "All events over all vendors, newest recorded first."
    )
    commands: CommandConnection = paged(resolvers.commands.connection, "All commands, newest first.")
    command: Command | None = edge(resolvers.commands.one, description=f"One command{NONE}", id="Its id.")
    bulk: Bulk | None = edge(
        resolvers.bulks.one, description=f"Changes that were asked for at once{NONE}", id="Its id."
    )
    audit_log: AuditConnection = paged(
        resolvers.audit.connection, "Who asked for what, and what came of it, newest first. For admins."
    )
    stock_movements: StockMovementConnection = paged(
        resolvers.stock.movements, "How stock changed, over all vendors, newest recorded first."
    )
    cash_collections: CashCollectionConnection = paged(
        resolvers.stock.collections, "When cash was collected, over all vendors, newest recorded first."
    )
    low_stock: SlotConnection = edge(
        resolvers.low_stock.connection,
        description="The slots that run out: those that hold a product and are counted, machine by machine.",
        threshold="They hold as many as this, or fewer; 0 where it is left out.",
        filter="Only of these machines, of all where it is left out; a cursor belongs to its filter.",
        first=PAGING["first"],
        after=PAGING["after"],
    )
    accounts: list[types.VendorAccount] = edge(
        resolvers.accounts.connection, description="The accounts that the viewer may see."
    )
    people: persons.PersonRecordConnection = paged(
        resolvers.people.connection, "Whom the vendors know: employees, customers, and who works for the operator."
    )
    person: persons.PersonRecord | None = edge(resolvers.people.one, description=f"One person{NONE}", id="Their id.")
    organization_units: persons.OrganizationUnitConnection = paged(
        resolvers.structure.units, "Sectors, cost centers, job roles and access groups, by name and then id."
    )
    organization_unit: persons.OrganizationUnit | None = edge(
        resolvers.structure.unit, description=f"One unit{NONE}", id="Its id."
    )
    entitlement_groups: persons.EntitlementGroupConnection = paged(
        resolvers.structure.groups, "Groups, with what their people may take, by name and then id."
    )
    entitlement_group: persons.EntitlementGroup | None = edge(
        resolvers.structure.group, description=f"One group{NONE}", id="Its id."
    )
    promo_code: catalogue.PromoCode | None = edge(
        resolvers.catalogue_details.promo_code,
        description="A promo code; null where there is none. For operators and admins.",
        account_id="In which account.",
        code="Five digits.",
    )


@strawberry.type(description="Commands. Each is recorded before it is sent, and sent at most once.")
class Mutation(mutations.Mutation, BulkMutation, PeopleMutation, CatalogueMutation, UpkeepMutation):
    """Of all parts."""


def build() -> strawberry.Schema:
    """The schema. Errors leave it as they were raised: who serves it maps and masks them."""
    schema = QuietSchema(
        query=Query,
        mutation=Mutation,
        subscription=live.Subscription,
        types=[
            types.Organization,
            types.Machine,
            types.Slot,
            types.Product,
            types.Sale,
            types.MachineEvent,
            Command,
            Bulk,
            StockMovement,
            CashCollection,
            persons.PersonRecord,
            persons.OrganizationUnit,
            persons.EntitlementGroup,
            date,
        ],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    describe_values(schema._schema)  # noqa: SLF001  Strawberry gives enum values no descriptions itself
    return schema


class QuietSchema(strawberry.Schema):
    """Leaves the logging of errors to who serves it, who knows which of them are news."""

    def process_errors(self, *_: Any) -> None:
        return
