"""The graph's types. They only declare: attributes are read off domain values, edges are followed by resolvers."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain import model
from domain import sales as sold
from domain.capabilities import Capability
from domain.model import AccountStatus, Connectivity, DoorState, EventState, MachineKind, Role, Severity, Trust, Vendor
from domain.paging import SourceState
from domain.sales import DispenseOutcome, PaymentMethod, SaleKind, SaleStatus
from resolvers import (
    access,
    accounts,
    catalogue_details,
    commands,
    drifts,
    events,
    machine_details,
    machines,
    organizations,
    parts,
    people,
    privacy,
    products,
    readings,
    sales,
    slots,
    statuses,
    stock,
    temperatures,
)
from resolvers.sources import Source
from schema.access import SignIn
from schema.analytics import AccountAnalytics
from schema.backoffice import AccountBackoffice, EventBackoffice, MachineBackoffice, SaleBackoffice
from schema.basics import (
    CURSOR,
    EDGES,
    KEPT_BACK,
    NODES,
    PERSONAL,
    SILENT,
    SOURCES,
    THING_DATA,
    TOTAL,
    VENDOR_DATA,
    VENDOR_ID,
    CapabilityStatus,
    Location,
    MachineGroup,
    Money,
    Node,
    PageInfo,
    RateLimit,
    SourceError,
    Temperature,
    UnavailableField,
    WebhookHealth,
)
from schema.catalogue import (
    Ingredient,
    ProductCapacity,
    ProductCertificate,
    ProductDiet,
    ProductLine,
    ProductNutrition,
    ProductPackaging,
    ProductSize,
    TaxRate,
)
from schema.drift import Drift
from schema.edge import attribute as told
from schema.edge import edge, paged
from schema.scalars import JSON

if TYPE_CHECKING:
    from schema.commands import CommandConnection
    from schema.details import MachineCash, MachineConfig, MachineSession
    from schema.people import PersonRecord
    from schema.stock import CashCollectionConnection, StockMovementConnection
    from schema.temperatures import TemperatureSeries


@strawberry.type(description="One set of credentials at one vendor, from the configuration.")
class VendorAccount(Node, AccountBackoffice, AccountAnalytics):
    key: str = told("Its key in the configuration.")
    vendor: Vendor = told("At which vendor.")
    organization: "Organization" = edge(accounts.organization, description="The tenant that it belongs to.")
    status: AccountStatus = told("How it fares.")
    last_success_at: datetime | None = told("When the vendor last answered well; null where it has not yet.")
    last_error: str | None = told("What went wrong last; null where nothing has. Never holds a secret.")
    rate_limit: RateLimit | None = told("The tightest budget; null where the vendor sets none.")
    webhook: WebhookHealth | None = edge(
        accounts.webhook, description="What has come in by its webhooks; null where the vendor sends none."
    )
    capabilities: list[Capability] = told("What this vendor can do at all.")
    drift: list[Drift] = edge(
        drifts.seen,
        description="How its vendor's answers differ from what they are taken to be; what was met last comes first.",
    )
    sign_in: SignIn = edge(access.sign_in, description="Whether the vendor takes its credentials: it is asked.")

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, Source)


@strawberry.type(description="Who is asking, and what they may see.")
class Viewer:
    name: str = told("The name of the key.")
    role: Role = told("What it may do.")
    organizations: list["Organization"] = edge(
        accounts.viewer_organizations, description="The tenants that it may see."
    )


@strawberry.type(description="How one account contributed to this very page.")
class SourceStatus:
    account: VendorAccount = edge(statuses.account, description="Which account.", reads=readings.account_of_status)
    state: SourceState = told("What it gave.")
    complete: bool = told("Whether nothing of this account is missing from the page.")
    as_of: datetime | None = told("When the vendor told it; null where it gave nothing.")
    error: SourceError | None = told("Why it gave nothing, or only what it told before; null where nothing went wrong.")


@strawberry.type(description="An organization and its place in a list.")
class OrganizationEdge:
    cursor: str = told(CURSOR)
    node: "Organization" = told("The organization.")


@strawberry.type(description="A page of organizations: tenants first, then by name.")
class OrganizationConnection:
    edges: list[OrganizationEdge] = told(EDGES)
    nodes: list["Organization"] = told(NODES)
    page_info: PageInfo = told("Where this page lies.")
    sources: list[SourceStatus] = told(SOURCES)


@strawberry.type(description="A machine and its place in a list.")
class MachineEdge:
    cursor: str = told(CURSOR)
    node: "Machine" = told("The machine.")


@strawberry.type(description="A page of machines, by name and then id.")
class MachineConnection:
    edges: list[MachineEdge] = told(EDGES)
    nodes: list["Machine"] = told(NODES)
    page_info: PageInfo = told("Where this page lies.")
    total_count: int | None = told(TOTAL)
    sources: list[SourceStatus] = told(SOURCES)


@strawberry.type(description="A product and its place in a list.")
class ProductEdge:
    cursor: str = told(CURSOR)
    node: "Product" = told("The product.")


@strawberry.type(description="A page of products, by name and then id.")
class ProductConnection:
    edges: list[ProductEdge] = told(EDGES)
    nodes: list["Product"] = told(NODES)
    page_info: PageInfo = told("Where this page lies.")
    total_count: int | None = told(TOTAL)
    sources: list[SourceStatus] = told(SOURCES)


@strawberry.type(description="A sale and its place in a list.")
class SaleEdge:
    cursor: str = told(CURSOR)
    node: "Sale" = told("The sale.")


@strawberry.type(description="A page of sales, newest recorded first, and then by id.")
class SaleConnection:
    edges: list[SaleEdge] = told(EDGES)
    nodes: list["Sale"] = told(NODES)
    page_info: PageInfo = told("Where this page lies.")
    total_count: int | None = told(TOTAL)
    sources: list[SourceStatus] = told(SOURCES)


@strawberry.type(description="An event and its place in a list.")
class MachineEventEdge:
    cursor: str = told(CURSOR)
    node: "MachineEvent" = told("The event.")


@strawberry.type(description="A page of events, newest recorded first, and then by id.")
class MachineEventConnection:
    edges: list[MachineEventEdge] = told(EDGES)
    nodes: list["MachineEvent"] = told(NODES)
    page_info: PageInfo = told("Where this page lies.")
    sources: list[SourceStatus] = told(SOURCES)


@strawberry.type(description="A tenant of this gateway, or below it an organization of a vendor's.")
class Organization(Node):
    name: str = told("What it is called.")
    parent: "Organization | None" = edge(
        organizations.parent, description="The organization above it; null for a tenant."
    )
    children: OrganizationConnection = paged(organizations.children, "The organizations right below it.")
    accounts: list[VendorAccount] = edge(
        organizations.accounts, description="The accounts that can hold something of it."
    )
    machines: MachineConnection = paged(
        machines.of_tenant_or_vendor, "Its machines and those of all below it, by name.", readings.machines
    )
    products: ProductConnection = paged(
        products.of_tenant_or_vendor, "Its products and those of all below it, by name.", readings.products
    )
    sales: SaleConnection = paged(sales.below, "The sales of its machines, newest first.")
    events: MachineEventConnection = paged(events.below, "The events of its machines, newest first.")
    stock_movements: Annotated["StockMovementConnection", strawberry.lazy("schema.stock")] = paged(
        stock.movements, "How the stock of its machines changed, newest first."
    )
    cash_collections: Annotated["CashCollectionConnection", strawberry.lazy("schema.stock")] = paged(
        stock.collections, "When the cash of its machines was collected, newest first."
    )
    tax_rates: list[TaxRate] | None = edge(
        catalogue_details.tax_rates,
        description="The rates of value added tax that hold for it; null where the vendor has none.",
    )
    product_lines: list[ProductLine] | None = edge(
        catalogue_details.product_lines,
        description="Its products as they are sold; null where the vendor has no such list.",
    )

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, model.Organization)


@strawberry.type(description=f"A vending machine, kiosk, fridge or dispenser. {SILENT}")
class Machine(Node, MachineBackoffice):
    vendor: Vendor = told("The vendor whose machine it is.")
    account: VendorAccount = edge(
        machines.account, description="The account that it was read through.", reads=readings.account_of
    )
    organization: Organization = edge(
        machines.organization,
        description="The vendor's organization that it belongs to, or the tenant.",
        reads=readings.organization_of,
    )
    vendor_id: str = told(VENDOR_ID)
    serial_number: str | None = told("As the vendor keeps it.")
    name: str = told("What the operator calls it.")
    model: str | None = told("The maker's model.")
    kind: MachineKind = told("What sort of machine it is.")
    group: MachineGroup | None = edge(
        parts.group, description="The fleet, site or group that it is in.", reads=readings.place_of
    )
    location: Location | None = edge(parts.location, description="Where it stands.", reads=readings.place_of)
    connectivity: Connectivity = told("Whether the vendor reaches it.")
    last_seen_at: datetime | None = told("When the vendor last heard of it.")
    door: DoorState = told("The state of its door.")
    temperature: Temperature | None = told("How warm it is inside, as it was last measured.")
    slots: list["Slot"] | None = edge(
        parts.slots,
        description="What it holds. Null where the vendor has no slots; null with an error where it did not answer.",
        reads=readings.slots,
    )
    sales: SaleConnection = paged(sales.below, "Its sales, newest first.", readings.sales_of)
    events: MachineEventConnection = paged(events.below, "Its events, newest first.")
    commands: Annotated["CommandConnection", strawberry.lazy("schema.commands")] = paged(
        commands.of_machine, "What was asked of it, newest first."
    )
    stock_movements: Annotated["StockMovementConnection", strawberry.lazy("schema.stock")] = paged(
        stock.movements, "How its stock changed, newest first."
    )
    cash_collections: Annotated["CashCollectionConnection", strawberry.lazy("schema.stock")] = paged(
        stock.collections, "When its cash was collected, newest first."
    )
    temperatures: Annotated["TemperatureSeries", strawberry.lazy("schema.temperatures")] = edge(
        temperatures.series,
        description="What temperatures it measured over time.",
        from_="Measured at this time or later.",
        to="Measured before this time: 732 days after `from` at most.",
        granularity="How long its periods are; hours where it is left out.",
        timezone="An IANA time zone, such as Europe/Lisbon, on whose clocks they are; UTC where it is left out.",
    )
    session: Annotated["MachineSession", strawberry.lazy("schema.details")] | None = edge(
        machine_details.session,
        description="Who is being served, or was last. Null where the vendor has no such thing, or nobody was lately.",
    )
    cash: Annotated["MachineCash", strawberry.lazy("schema.details")] | None = edge(
        machine_details.cash,
        description="What was paid in since its cash was collected. Null where the vendor does not tell.",
    )
    config: Annotated["MachineConfig", strawberry.lazy("schema.details")] | None = edge(
        machine_details.config, description="Its settings. Null where the vendor has none to read."
    )
    capabilities: list[CapabilityStatus] = edge(
        machines.capabilities,
        description="Every capability: whether this machine has it now, and if not, why.",
    )
    unavailable: list[UnavailableField] = edge(
        parts.unavailable,
        description="Which of the fields above have no value for a reason, and the reason.",
    )
    observed_at: datetime = told("When the vendor last told us the state above.")
    vendor_data: JSON | None = edge(privacy.of_thing, description=THING_DATA, reads=readings.nothing)
    ingredients: list[Ingredient] | None = edge(
        catalogue_details.ingredients, description="What it makes its products of; null where the vendor does not say."
    )

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, model.Machine)


@strawberry.type(description=f"A place in a machine that holds one product. {SILENT}")
class Slot(Node):
    machine: Machine = edge(
        slots.machine, description="The machine that it is in.", reads=readings.machine_of, by="machine_ref"
    )
    position: str = told('As printed on the machine, such as "A11" or "12".')
    row: int | None = told("Its row, counted as the vendor counts.")
    column: int | None = told("Its column, counted as the vendor counts.")
    product: "Product | None" = edge(
        slots.product,
        description="What it holds; null where it holds nothing.",
        reads=readings.product_of,
        by="product_ref",
    )
    price: Money | None = told("What one costs here.")
    quantity: int | None = told("How many are in it; null where the vendor does not count.")
    capacity: int | None = told("How many fit in.")
    observed_at: datetime = told("When the vendor told us.")
    vendor_data: JSON | None = edge(privacy.of_thing, description=THING_DATA, reads=readings.nothing)

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, model.Slot)


@strawberry.type(description=f"Something that is sold or handed out. {SILENT}")
class Product(Node):
    vendor: Vendor = told("Whose catalogue it is in.")
    account: VendorAccount = edge(
        products.account, description="The account that it was read through.", reads=readings.account_of
    )
    organization: Organization = edge(
        products.organization,
        description="The vendor's organization that it belongs to, or the tenant.",
        reads=readings.organization_of,
    )
    vendor_id: str = told(VENDOR_ID)
    name: str = told("What it is called.")
    description: str | None = told("What it is.")
    manufacturer: str | None = told("Who makes it.")
    category: str | None = told("As the vendor sorts it.")
    sku: str | None = told("The operator's own article number.")
    gtin: str | None = told("The number of its bar code, an EAN or UPC.")
    price: Money | None = told("The catalogue's price for one; a slot may have its own.")
    cost: Money | None = told("What one costs the operator.")
    image_url: str | None = told("The address of a picture at the vendor.")
    archived: bool = told("Whether it is no longer in use.")
    vendor_data: JSON | None = edge(privacy.of_thing, description=THING_DATA, reads=readings.nothing)
    tax_rate: Decimal | None = told("The rate of tax that is in its price, in per cent, such as 19.")
    packaging: ProductPackaging | None = told("How it is packed.")
    capacities: list[ProductCapacity] | None = told("How many fit where.")
    nutrition: ProductNutrition | None = told("What is in it.")
    diet: ProductDiet | None = told("Who can eat it.")
    sizes: list[ProductSize] | None = told("The sizes that it comes in.")
    certificates: list[ProductCertificate] | None = told("Its certificates.")

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, model.Product)


@strawberry.type(description=f"An employee or account holder. {SILENT}")
class Person:
    vendor_id: str | None = told(VENDOR_ID)
    name: str | None = told("Their name.")


@strawberry.type(description=f"One way in which a sale was paid. {SILENT}")
class Payment:
    method: PaymentMethod = told("How it was paid.")
    amount: Money | None = told("How much of it; null where the vendor does not say.")
    card_brand: str | None = told("The brand of the card.")
    reference: str | None = edge(
        privacy.private("reference"),
        description=f"The payment's number at whoever settled it. {PERSONAL}",
        reads=readings.nothing,
    )


@strawberry.type(description=f"One product of a sale. {SILENT}")
class SaleLine:
    product: Product | None = edge(
        sales.product,
        description="The product, where it is told and is still in the catalogue.",
        reads=readings.product_of,
        by="product_ref",
    )
    product_name: str = told("What it was called when it was sold.")
    position: str | None = told("The slot that it came from, as printed on the machine.")
    quantity: int = told("How many; negative for what came back in an exchange.")
    unit_price: Money | None = told("What one cost.")
    total: Money | None = told("What all of the line cost, with tax.")
    tax: Money | None = told("The tax in `total`.")
    tax_rate: Decimal | None = told("The rate of tax in per cent, such as 19.")
    dispensed: DispenseOutcome = told("Whether it was handed out.")


@strawberry.type(description=f"A purchase, or a thing handed out, given back or exchanged. {SILENT}")
class Sale(Node, SaleBackoffice):
    kind: SaleKind = told("What changed hands, and why.")
    status: SaleStatus = told("How it ended.")
    machine: Machine | None = edge(
        sales.machine,
        description="Where; null where the machine is gone.",
        reads=readings.machine_of,
        by="machine_ref",
    )
    organization: Organization = edge(sales.organization, description="The machine's organization, or the tenant.")
    vendor: Vendor = told("Whose record it is.")
    vendor_id: str = told(VENDOR_ID)
    recorded_at: datetime = told("When the vendor's server recorded it: lists are ordered and filtered by it.")
    occurred_at: datetime = told("When it happened at the machine, or `recordedAt` where only that is known.")
    total: Money | None = told("With tax; null for things that are not sold.")
    tax: Money | None = told("The tax in `total`.")
    discount: Money | None = told("What was taken off the sale as a whole.")
    payments: list[Payment] = told("How it was paid.")
    lines: list[SaleLine] = told("What it was made of.")
    person: Person | None = edge(
        privacy.private("person"),
        description=f"The employee or account holder, where the vendor names one. {PERSONAL}",
        reads=readings.nothing,
    )
    trust: Trust = told("How we know of it.")
    vendor_data: JSON | None = edge(
        privacy.private("vendor_data"), description=f"{VENDOR_DATA} {PERSONAL}", reads=readings.nothing
    )
    person_record: Annotated["PersonRecord", strawberry.lazy("schema.people")] | None = edge(
        people.of_sale,
        description=f"What the vendor keeps of that person now; null also where they are gone. {PERSONAL}",
    )
    unavailable: list[UnavailableField] = edge(
        privacy.kept_back("metadata", "person", "payments.reference", "vendorData", "personRecord"),
        description=KEPT_BACK,
        reads=readings.nothing,
    )

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, sold.Sale)


@strawberry.type(description=f"An alert, a fault, a notice. {SILENT}")
class MachineEvent(Node, EventBackoffice):
    machine: Machine | None = edge(
        events.machine, description="Where; null where the machine is gone.", by="machine_ref"
    )
    organization: Organization = edge(events.organization, description="The machine's organization, or the tenant.")
    vendor: Vendor = told("Whose record it is.")
    vendor_id: str = told(VENDOR_ID)
    code: str = told("The vendor's code or type.")
    message: str = edge(
        machine_details.message,
        description="For a person to read.",
        language="In which language, where the vendor has a text in it; as it was reported where it is left out.",
    )
    severity: Severity = told("How much it matters.")
    state: EventState = told("Whether it still stands.")
    source: str | None = told("What raised it, in the vendor's word.")
    recorded_at: datetime = told("When the vendor's server recorded it: lists are ordered and filtered by it.")
    occurred_at: datetime = told("When it happened at the machine, or `recordedAt` where only that is known.")
    trust: Trust = told("How we know of it.")
    vendor_data: JSON | None = edge(
        privacy.private("vendor_data"), description=f"{VENDOR_DATA} {PERSONAL}", reads=readings.nothing
    )
    video_url: str | None = edge(
        privacy.private("video_url"),
        description="Where a film of it can be seen, mostly for a day only; null also where there is none. For "
        "operators and admins: it shows people.",
    )
    badge: str | None = edge(
        privacy.private("badge"),
        description="What the badge says that was held to the machine; null also where there was none. For operators "
        "and admins: it is somebody's.",
    )
    unavailable: list[UnavailableField] = edge(events.unavailable, description=KEPT_BACK)

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, model.MachineEvent)
