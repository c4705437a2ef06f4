"""Movements of stock, collections of cash, and slots that run out, with lists of them."""

from datetime import datetime
from typing import Any

import strawberry

from domain import stock
from domain.model import Trust, Vendor
from domain.stock import MovementKind
from resolvers import privacy
from resolvers import stock as edges
from schema import basics, types
from schema.edge import attribute as told
from schema.edge import edge
from schema.scalars import JSON

RECORDED = "When the vendor's server recorded it: lists are ordered and filtered by it."
WHOSE = "The machine's organization, or the tenant."


@strawberry.type(description=f"A change of how many of a product a machine holds, at one place in it. {basics.SILENT}")
class StockMovement(basics.Node):
    kind: MovementKind = told("What happened.")
    machine: types.Machine | None = edge(
        edges.machine, description="Where; null where the machine is gone.", by="machine_ref"
    )
    organization: types.Organization = edge(edges.organization, description=WHOSE)
    vendor: Vendor = told("Whose record it is.")
    vendor_id: str = told("The vendor's own id of the record, which may tell of several movements.")
    position: str | None = told("The place in the machine, as the record calls it.")
    product: types.Product | None = edge(
        edges.product, description="The product, where it is told and is still in the catalogue.", by="product_ref"
    )
    product_name: str | None = told("What the record calls the product.")
    delta: int | None = told("By how many it changed, negative for less; null where the vendor does not say for sure.")
    level: int | None = told("How many there were then.")
    recorded_at: datetime = told(RECORDED)
    occurred_at: datetime = told("When it happened at the machine, or `recordedAt` where only that is known.")
    person: types.Person | None = edge(
        privacy.private("person"), description=f"Who did it, where the vendor says. {basics.PERSONAL}"
    )
    trust: Trust = told("How we know of it; DERIVED from what a machine was found to hold.")
    vendor_data: JSON | None = edge(
        privacy.private("vendor_data"), description=f"{basics.VENDOR_DATA} {basics.PERSONAL}"
    )
    unavailable: list[basics.UnavailableField] = edge(
        privacy.kept_back("person", "vendorData"), description=basics.KEPT_BACK
    )

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, stock.StockMovement)


@strawberry.type(description="A movement and its place in a list.")
class StockMovementEdge:
    cursor: str = told(basics.CURSOR)
    node: StockMovement = told("The movement.")


@strawberry.type(description="A page of movements of stock, newest recorded first, and then by id.")
class StockMovementConnection:
    edges: list[StockMovementEdge] = told(basics.EDGES)
    nodes: list[StockMovement] = told(basics.NODES)
    page_info: basics.PageInfo = told("Where this page lies.")
    total_count: int | None = told(basics.TOTAL)
    sources: list[types.SourceStatus] = told(basics.SOURCES)


@strawberry.type(description=f"The cash that was taken out of a machine at once. {basics.SILENT}")
class CashCollection(basics.Node):
    machine: types.Machine | None = edge(
        edges.machine, description="Of which machine; null where it is gone.", by="machine_ref"
    )
    organization: types.Organization = edge(edges.organization, description=WHOSE)
    vendor: Vendor = told("Whose record it is.")
    vendor_id: str = told(basics.VENDOR_ID)
    recorded_at: datetime = told(RECORDED)
    total: basics.Money | None = told("How much there was in all.")
    bills: basics.Money | None = told("How much of it was in bank notes.")
    coins: basics.Money | None = told("How much of it was in coins.")
    trust: Trust = told("How we know of it.")
    vendor_data: JSON | None = edge(
        privacy.private("vendor_data"), description=f"{basics.VENDOR_DATA} {basics.PERSONAL}"
    )
    unavailable: list[basics.UnavailableField] = edge(privacy.kept_back("vendorData"), description=basics.KEPT_BACK)

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, stock.CashCollection)


@strawberry.type(description="A collection of cash and its place in a list.")
class CashCollectionEdge:
    cursor: str = told(basics.CURSOR)
    node: CashCollection = told("The collection.")


@strawberry.type(description="A page of collections of cash, newest recorded first, and then by id.")
class CashCollectionConnection:
    edges: list[CashCollectionEdge] = told(basics.EDGES)
    nodes: list[CashCollection] = told(basics.NODES)
    page_info: basics.PageInfo = told("Where this page lies.")
    total_count: int | None = told(basics.TOTAL)
    sources: list[types.SourceStatus] = told(basics.SOURCES)


@strawberry.type(description="A slot and its place in a list.")
class SlotEdge:
    cursor: str = told(basics.CURSOR)
    node: types.Slot = told("The slot.")


@strawberry.type(description="A page of slots, machine by machine.")
class SlotConnection:
    edges: list[SlotEdge] = told(basics.EDGES)
    nodes: list[types.Slot] = told(basics.NODES)
    page_info: basics.PageInfo = told("Where this page lies.")
    total_count: int | None = told(basics.TOTAL)
    sources: list[types.SourceStatus] = told(basics.SOURCES)
