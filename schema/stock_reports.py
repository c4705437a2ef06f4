"""Reports over stock as the graph shows them."""

from datetime import datetime
from decimal import Decimal

import strawberry

from domain.model import Vendor
from resolvers import stock_report
from schema import basics, types
from schema.edge import attribute as told
from schema.edge import edge
from schema.reports import ReportPeriod


@strawberry.type(description="What units are worth in one currency, by the vendors' catalogues of now.")
class StockWorth:
    currency: str = told("The currency, by ISO 4217.")
    cost: basics.Money | None = told("What they cost; null where no cost is known in this currency.")
    costed_units: int = told("Of how many units the cost is known.")
    price: basics.Money | None = told("What they sell for; null where no price is known in this currency.")
    priced_units: int = told("Of how many units the price is known.")


@strawberry.type(description="Movements of one kind, summed up.")
class StockFigure:
    movements: int = told("How many movements there were.")
    units: int = told(
        "How many units those moved that say so: what came in by restocks, what left by takes and removals; of the"
        " others by how many the stock changed, negative where it fell."
    )
    uncounted: int = told("How many of the movements do not say of how many units they are: `units` is without them.")
    worth: list[StockWorth] = told("What the units are worth, by currency; nothing of those without either.")


@strawberry.type(description="Sums of movements of stock. What is not told apart is null.")
class StockRow:
    period: ReportPeriod | None = told("When; null without a granularity.")
    vendor: Vendor | None = told("Whose machines.")
    machine_id: strawberry.ID | None = told("Which machine, be it gone or not; null also for what names none.")
    machine: types.Machine | None = edge(stock_report.machine, description="The machine; null where it is gone.")
    product_id: strawberry.ID | None = told("Which product, be it gone or not; null also for what names none.")
    product: types.Product | None = edge(stock_report.product, description="The product; null where it is gone.")
    restocked: StockFigure = told("What was filled in.")
    taken: StockFigure = told("What customers took.")
    removed: StockFigure = told("What was taken out and not sold, such as what is too old.")
    adjusted: StockFigure = told("Counts that were set right.")
    unexplained: StockFigure = told("Movements of a kind that is not known here.")
    spoilage_rate: Decimal | None = told(
        "Units removed to units restocked, to six decimals, of vendors that tell of removals; null where nothing was"
        " restocked there, or a movement does not say of how many units it is."
    )


@strawberry.type(description="Sums of movements of stock over all vendors, by `recordedAt`.")
class StockReport:
    since: datetime = strawberry.field(name="from", description="Where it begins, inclusive.")
    until: datetime = strawberry.field(name="to", description="Where it ends, exclusive.")
    timezone: str = told("The IANA time zone on whose clocks it counts.")
    rows: list[StockRow] = edge(
        stock_report.report_rows,
        description="By period and group, in order of time and then from the most restocked units on; those without a"
        " movement are left out. At most 10000: more is refused as QUERY_TOO_COMPLEX.",
    )
    total: StockRow = edge(stock_report.total, description="All of it.")
    sources: list[types.SourceStatus] = told("How each account contributed.")
    complete: bool = told("Whether nothing is missing from it: all sources are complete.")
