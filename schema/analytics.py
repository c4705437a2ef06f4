"""What a vendor itself sums up, for whoever wants its own word beside `salesReport` and `stockReport`."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers import analytics
from resolvers.privacy import of_thing
from schema.basics import SILENT, THING_DATA, Money
from schema.edge import attribute as told
from schema.edge import edge
from schema.scalars import JSON

if TYPE_CHECKING:
    from schema.types import Machine, Product

MACHINE = "Which machine; null where it is not told apart, or that is gone."
PRODUCT = "Which product; null where the vendor does not say, or it is no longer in the catalogue."
NET, COST, PROFIT = (
    "What was taken, less tax.",
    "What the goods cost the operator.",
    "What is left of `net` after `cost`.",
)


@strawberry.type(description=f"What was sold in a period. {SILENT}")
class SalesFigure:
    since: datetime = told("When the period begins.")
    machine: Annotated["Machine", strawberry.lazy("schema.types")] | None = edge(analytics.machine, description=MACHINE)
    product_line: str | None = told("The `vendorId` of the product line; null where it is not told apart.")
    total: Money | None = told("What was taken, with tax.")
    net: Money | None = told(NET)
    tax: Money | None = told("The tax in it.")
    cost: Money | None = told(COST)
    profit: Money | None = told(PROFIT)


@strawberry.type(description=f"One of the machines that sell most. {SILENT}")
class RankedMachine:
    rank: int | None = told("Its place, from 1.")
    machine: Annotated["Machine", strawberry.lazy("schema.types")] | None = edge(analytics.machine, description=MACHINE)
    name: str | None = told("What it is called.")
    net: Money | None = told(NET)
    cost: Money | None = told(COST)
    profit: Money | None = told(PROFIT)


@strawberry.type(description=f"One of the products that are sold most. {SILENT}")
class RankedProduct:
    rank: int | None = told("Its place, from 1.")
    name: str | None = told("What it is called.")
    manufacturer: str | None = told("Who makes it.")
    image_url: str | None = told("The address of a picture at the vendor.")
    sold: int | None = told("How many there were.")
    net: Money | None = told(NET)
    cost: Money | None = told(COST)
    profit: Money | None = told(PROFIT)


@strawberry.type(description=f"Sales at a glance. {SILENT}")
class SalesKpis:
    sales: int | None = told("How many sales there were.")
    average: Money | None = told("What was spent at once, on average.")
    products_sold: int | None = told("How many things were sold.")
    net: Money | None = told("What came in, less tax.")
    total: Money | None = told("What came in, with tax.")


@strawberry.type(description=f"The hour of the day with the most sales. {SILENT}")
class PeakHour:
    since: str | None = told("When it begins, in UTC, such as 14:00.")
    until: str | None = told("When it ends, in UTC.")
    sales: int | None = told("How many there were.")


@strawberry.type(description=f"What a day brought. {SILENT}")
class DailyProfit:
    day: date = told("Which day, in UTC.")
    net: Money | None = told(NET)
    cost: Money | None = told(COST)
    profit: Money | None = told(PROFIT)


@strawberry.type(description="How many sales were paid in one way.")
class PaymentTypeCount:
    type: str = told("In which way, in the vendor's word, such as visa.")
    sales: int = told("How many there were.")


@strawberry.type(description=f"A product that something holds most, or least, of. {SILENT}")
class RankedCatalogueProduct:
    product: Annotated["Product", strawberry.lazy("schema.types")] | None = edge(analytics.product, description=PRODUCT)
    name: str | None = told("What it is called.")
    image_url: str | None = told("The address of a picture at the vendor.")
    count: int | None = told("How many there were.")


@strawberry.type(description=f"Products that stand out. {SILENT}")
class ProductLifecycle:
    most_sold: RankedCatalogueProduct | None = told("Sold most.")
    least_sold: RankedCatalogueProduct | None = told("Sold least.")
    most_restocked: RankedCatalogueProduct | None = told("Restocked most.")
    most_removed: RankedCatalogueProduct | None = told("Taken out most, unsold.")


@strawberry.type(
    description=f"What was restocked and taken out. What it is worth is by the catalogue's prices. {SILENT}"
)
class RestockFigures:
    restocked: int | None = told("How many were put in.")
    removed: int | None = told("How many were taken out, unsold.")
    spoilage_rate: Decimal | None = told("Which share of them spoils, on average: 0.05 is five of a hundred.")
    restocked_cost: Money | None = told("What those that were put in cost.")
    restocked_price: Money | None = told("What those that were put in can be sold for.")
    removed_cost: Money | None = told("What those that were taken out had cost.")


@strawberry.type(description=f"Something that runs out, as the vendor reports it. {SILENT}")
class LowStockRow:
    machine: Annotated["Machine", strawberry.lazy("schema.types")] | None = edge(analytics.machine, description=MACHINE)
    product: Annotated["Product", strawberry.lazy("schema.types")] | None = edge(analytics.product, description=PRODUCT)
    name: str | None = told("What it is called.")
    position: str | None = told("In which slot, as printed on the machine.")
    quantity: int | None = told("How many are left.")
    vendor_data: JSON | None = edge(of_thing, description=THING_DATA)


@strawberry.type(description=f"How a product fared. {SILENT}")
class ProductStatistics:
    product: Annotated["Product", strawberry.lazy("schema.types")] | None = edge(analytics.product, description=PRODUCT)
    name: str | None = told("What it is called.")
    sold: int | None = told("How many were sold.")
    restocked: int | None = told("How many were put in.")
    removed: int | None = told("How many were taken out, unsold.")
    total: Money | None = told("What it was sold for, with tax.")
    cost: Money | None = told("What that had cost.")
    vendor_data: JSON | None = edge(of_thing, description=THING_DATA)


@strawberry.type(
    description="What a vendor itself sums up of a span, in days of UTC. Each field is a request to the vendor. Money "
    "is null where sums are over several currencies, for the vendor does not tell them apart."
)
class VendorAnalytics:
    sales: list[SalesFigure] = edge(
        analytics.sales,
        description="What was sold, by period.",
        granularity="How long the periods are.",
        group_by="What each period is told apart by; nothing where it is left out.",
    )
    top_machines: list[RankedMachine] = edge(
        analytics.top_machines, description="The ten machines of the account that sell most, whichever are asked for."
    )
    top_products: list[RankedProduct] = edge(
        analytics.top_products, description="The twenty products that are sold most."
    )
    kpis: SalesKpis = edge(analytics.kpis, description="Sales at a glance.")
    peak_hour: PeakHour = edge(analytics.peak_hour, description="The hour of the day with the most sales.")
    daily_profit: list[DailyProfit] = edge(analytics.daily_profit, description="What each day brought.")
    payment_types: list[PaymentTypeCount] = edge(analytics.payment_types, description="In which ways sales were paid.")
    lifecycle: ProductLifecycle = edge(analytics.lifecycle, description="Products that stand out.")
    restocks: RestockFigures = edge(analytics.restocks, description="What was restocked and taken out.")
    low_stock: list[LowStockRow] = edge(
        analytics.low_stock,
        description="What runs out, as it is now.",
        threshold="There are as many as this, or fewer; 0 where it is left out.",
        manufacturers="Only products of these makers; of all where it is left out.",
    )
    statistics: list[ProductStatistics] = edge(
        analytics.statistics,
        description="How each product fared.",
        order_by="What there is most of comes first; what was sold where it is left out.",
        idle="Whether products of which nothing moved are there as well; not where it is left out.",
    )


@strawberry.type
class AccountAnalytics:
    """Fields of an account."""

    analytics: VendorAnalytics | None = edge(
        analytics.analytics,
        description="What the vendor itself sums up; null where it sums up nothing.",
        from_="From this time on.",
        to="Up to this time, exclusive: at most 732 days after `from`.",
        machines="Only of these machines, at most 100; of all where it is left out.",
    )
