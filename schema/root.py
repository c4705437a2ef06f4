"""The root of the graph, and the schema made of it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import strawberry
from graphql import DocumentNode, GraphQLError, OperationDefinitionNode
from strawberry.extensions import DisableIntrospection, ParserCache, SchemaExtension, ValidationCache
from strawberry.schema.config import StrawberryConfig

import resolvers.accounts
import resolvers.audit
import resolvers.commands
import resolvers.details
import resolvers.events
import resolvers.machines
import resolvers.nodes
import resolvers.organizations
import resolvers.products
import resolvers.sales
from schema import catalogue, live, mutations, types
from schema.audit import AuditConnection
from schema.catalogue_mutations import CatalogueMutation
from schema.commands import Command, CommandConnection
from schema.edge import edge, paged
from schema.enums import describe_values
from schema.scalars import SCALARS

KEPT_DOCUMENTS = 512


@strawberry.type(description="Everything that can be read.")
class Query:
    node: types.Node | None = edge(
        resolvers.nodes.node,
        description="Whatever an id stands for; null where it stands for nothing of yours.",
        id="Its id.",
    )
    nodes: list[types.Node | None] = edge(
        resolvers.nodes.nodes,
        description="Whatever several ids stand for, in their order.",
        ids="At most 1000 ids.",
    )
    viewer: types.Viewer = edge(resolvers.accounts.viewer, description="Who is asking, and what they may do.")
    organizations: types.OrganizationConnection = paged(
        resolvers.organizations.connection, "The organizations that the viewer may see, tenants first."
    )
    organization: types.Organization | None = edge(
        resolvers.nodes.organization, description="One organization.", id="Its id."
    )
    machines: types.MachineConnection = paged(resolvers.machines.connection, "All machines, by name and then id.")
    machine: types.Machine | None = edge(resolvers.machines.one, description="One machine.", id="Its id.")
    products: types.ProductConnection = paged(resolvers.products.connection, "All products, by name and then id.")
    product: types.Product | None = edge(resolvers.products.one, description="One product.", id="Its id.")
    sales: types.SaleConnection = paged(
        resolvers.sales.connection, "All sales over all vendors, newest recorded first."
    )
    sale: types.Sale | None = edge(resolvers.sales.one, description="One sale.", id="Its id.")
    events: types.MachineEventConnection = paged(
        resolvers.events.connection, "All events over all vendors, newest recorded first."
    )
    commands: CommandConnection = paged(resolvers.commands.connection, "All commands, newest first.")
    command: Command | None = edge(resolvers.commands.one, description="One command.", id="Its id.")
    audit_log: AuditConnection = paged(
        resolvers.audit.connection, "Who asked for what, and what came of it, newest first. For admins."
    )
    accounts: list[types.VendorAccount] = edge(
        resolvers.accounts.connection, description="The accounts that the viewer may see."
    )
    promo_code: catalogue.PromoCode | None = edge(
        resolvers.details.promo_code,
        description="A promo code; null where there is none. For operators and admins.",
        account_id="In which account.",
        code="Five digits.",
    )


@strawberry.type(description="Commands. Each is recorded before it is sent, and sent at most once.")
class Mutation(mutations.Mutation, CatalogueMutation):
    """Of all parts."""


def build(*, introspection: bool = True) -> strawberry.Schema:
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
            date,
        ],
        extensions=[
            lambda: ParserCache(maxsize=KEPT_DOCUMENTS),
            lambda: ValidationCache(maxsize=KEPT_DOCUMENTS),
            OneOperation,
            *([] if introspection else [DisableIntrospection]),
        ],
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=not introspection),
    )
    describe_values(schema._schema)  # noqa: SLF001  Strawberry gives enum values no descriptions itself
    return schema


class QuietSchema(strawberry.Schema):
    """Leaves the logging of errors to who serves it, who knows which of them are news."""

    def process_errors(self, *_: Any) -> None:
        return


class OneOperation(SchemaExtension):
    """A document of several operations is executed only by name; Strawberry alone would take the first."""

    def on_parse(self) -> Iterator[None]:
        yield
        document = self.execution_context.graphql_document
        if document is not None and self.execution_context._provided_operation_name is None:  # noqa: SLF001
            _refuse_several(document)


def _refuse_several(document: DocumentNode) -> None:
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) > 1:
        raise GraphQLError("`operationName` must say which of the operations is meant", operations)
