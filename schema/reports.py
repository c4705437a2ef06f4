"""Reports as the graph shows them."""

from datetime import datetime

import strawberry

from domain.model import Vendor
from domain.sales import PaymentMethod
from resolvers import sales_report
from schema import basics, types
from schema.edge import attribute as told
from schema.edge import edge

COUNTED = (
    "What counts: completed sales, and of partial ones the lines that were handed out; not what failed, was refunded or"
    " is not final. At VendNovation a sale fails where nothing was vended, and is refunded where the payment was made"
    " void or failed."
)
FIRST = "How many of each currency, at most 1000; 10 where it is left out."


@strawberry.type(description="An hour, day, week or month on the clocks of a report's time zone.")
class ReportPeriod:
    since: datetime = strawberry.field(name="from", description="When it begins; a report may begin later.")
    until: datetime = strawberry.field(name="to", description="When the next begins; a report may end earlier.")
    name: str = told("Such as 2026-03-29T14:00+02:00, 2026-03-29, 2026-W13 or 2026-03. Weeks are ISO 8601's.")


@strawberry.type(description="Sums of sales, of one currency. What is not told apart is null.")
class SalesRow:
    period: ReportPeriod | None = told("When; null without a granularity.")
    hour: int | None = told("The hour of the day, 0 to 23, on the clocks of the time zone; only in `peakHour`.")
    vendor: Vendor | None = told("Whose machines.")
    machine_id: strawberry.ID | None = told("Which machine, be it gone or not; null also for sales that name none.")
    machine: types.Machine | None = edge(sales_report.machine, description="The machine; null where it is gone.")
    product_id: strawberry.ID | None = told(
        "Which product, be it gone or not; null also for what no product accounts for, such as discounts."
    )
    product: types.Product | None = edge(sales_report.product, description="The product; null where it is gone.")
    payment_method: PaymentMethod | None = told(
        "How it was paid. Of a sale paid in several ways each has its amount, and the largest has the sale."
    )
    currency: str | None = told("ISO 4217; null for what has no price: then only the counts tell.")
    sales: int = told("How many sales; grouped by product, how many with that product.")
    items: int = told("How many things, by the lines' quantities: what came back in an exchange counts against it.")
    total: basics.Money | None = told("What was taken, with taxes and less discounts.")
    tax: basics.Money | None = told("The taxes in it, as far as vendors tell them; null where none does.")
    discount: basics.Money | None = told("Discounts on whole sales, as far as vendors tell them; null where none does.")
    cost: basics.Money | None = told("What `costedItems` of the items cost, by the vendors' catalogues of now.")
    costed_items: int = told("Of how many items the cost is known, in this currency.")


@strawberry.type(
    description=f"Sums of sales over all vendors, exact, and never over currencies, by `recordedAt`. {COUNTED}"
)
class SalesReport:
    since: datetime = strawberry.field(name="from", description="Where it begins, inclusive.")
    until: datetime = strawberry.field(name="to", description="Where it ends, exclusive.")
    timezone: str = told("The IANA time zone on whose clocks it counts.")
    rows: list[SalesRow] = edge(
        sales_report.report_rows,
        description="By period and group, in order of time and then from the highest total on; those without a sale"
        " are left out. At most 10000: more is refused as QUERY_TOO_COMPLEX.",
    )
    totals: list[SalesRow] = edge(sales_report.totals, description="All of it: a row for each currency.")
    top_machines: list[SalesRow] = edge(
        sales_report.top_machines, description="The machines with the highest totals.", first=FIRST
    )
    top_products: list[SalesRow] = edge(
        sales_report.top_products, description="The products with the highest totals.", first=FIRST
    )
    payment_mix: list[SalesRow] = edge(sales_report.payment_mix, description="A row for each way of paying.")
    peak_hour: list[SalesRow] = edge(
        sales_report.peak_hour, description="The hour of the day with the highest total, of each currency."
    )
    sources: list[types.SourceStatus] = told("How each account contributed.")
    complete: bool = told("Whether nothing is missing from it: all sources are complete.")
