"""What a fridge's tags tell: its stock, and what was taken out of it. The vendor itself counts nothing."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from connectors.base import Account
from connectors.reporting import Links
from domain.facts import Fact, Observation, recorded
from domain.model import Product, Slot, Trust, Vendor
from domain.money import Money
from domain.refs import Kind
from domain.sales import DispenseOutcome, Sale, SaleKind, SaleLine, SaleStatus

UNKNOWN = "unknown"  # the position of tags of no known product
UNKNOWN_NAME = "Unknown product"


def taken(
    account: Account, observed: Observation, before: frozenset[str] | None, links: Links, now: datetime
) -> Fact | None:
    """A tag that was gone once may have been misread, or put back by the next customer: the sale says DERIVED.

    Without an earlier scan nothing is known to be gone, and what leaves outside a customer's opening is no sale."""
    scan = observed.scan
    if scan is None or scan.opening is None or before is None:
        return None
    gone = before - scan.tags
    return recorded(scan.opening, _sale(account, observed, scan.opening, gone, links, now)) if gone else None


def _sale(
    account: Account, observed: Observation, opening: str, gone: frozenset[str], links: Links, now: datetime
) -> Sale:
    lines = tuple(_line(account, product, count, links) for product, count in counted(gone, links))
    return Sale(
        ref=account.to(Kind.SALE, opening),
        kind=SaleKind.PURCHASE,
        status=SaleStatus.COMPLETED,
        machine_ref=account.to(Kind.MACHINE, observed.machine),
        vendor=Vendor.EATMACHINE,
        vendor_id=opening,
        recorded_at=now,
        occurred_at=observed.at,
        total=_total(lines),
        tax=None,
        discount=None,
        payments=(),
        lines=lines,
        person=None,
        trust=Trust.DERIVED,
        vendor_data=None,
    )


def counted(tags: frozenset[str], links: Links) -> Iterable[tuple[str | None, int]]:
    """Products and how many tags are of each, by name; what is of none comes last."""
    counts = Counter(links.products.get(tag) for tag in tags)
    known = sorted((product for product in counts if product is not None), key=lambda one: (name_of(one, links), one))
    yield from ((product, counts[product]) for product in known)
    if counts[None]:
        yield None, counts[None]


def name_of(product: str | None, links: Links) -> str:
    return UNKNOWN_NAME if product is None else links.names.get(product) or product


def _price(account: Account, product: str | None, links: Links) -> Money | None:
    """From the configured list, by id or by name."""
    if product is None or account.currency is None:
        return None
    amount = account.prices.get(product, account.prices.get(name_of(product, links)))
    return None if amount is None else Money(amount, account.currency)


def _line(account: Account, product: str | None, count: int, links: Links) -> SaleLine:
    price = _price(account, product, links)
    return SaleLine(
        product_ref=None if product is None else account.to(Kind.PRODUCT, product),
        product_name=name_of(product, links),
        position=position_of(product),
        quantity=count,
        unit_price=price,
        total=None if price is None else Money(price.amount * count, price.currency),
        tax=None,
        tax_rate=None,
        dispensed=DispenseOutcome.DISPENSED,
    )


def position_of(product: str | None) -> str:
    return UNKNOWN if product is None else product


def _total(lines: Sequence[SaleLine]) -> Money | None:
    """None where a line has no price: the rest is not what was paid."""
    totals = [line.total for line in lines if line.total is not None]
    if len(totals) < len(lines):
        return None
    return Money(sum((total.amount for total in totals), Decimal(0)), totals[0].currency)


def stock(account: Account, machine: str, tags: frozenset[str], links: Links, at: datetime) -> list[Slot]:
    """A slot for each product, and one for tags of none, where there are any. A fridge has no shelves to the vendor."""
    return [
        Slot(
            ref=account.to(Kind.SLOT, f"{machine}/{position_of(product)}"),
            machine_ref=account.to(Kind.MACHINE, machine),
            position=position_of(product),
            row=None,
            column=None,
            product_ref=None if product is None else account.to(Kind.PRODUCT, product),
            price=_price(account, product, links),
            quantity=count,
            capacity=None,
            observed_at=at,
            vendor_data=None,
        )
        for product, count in counted(tags, links)
    ]


def catalogue(account: Account, links: Links) -> list[Product]:
    """The products that tags were ever linked to, by name."""
    known = sorted({*links.names, *links.products.values()}, key=lambda one: (name_of(one, links), one))
    return [
        Product(
            ref=account.to(Kind.PRODUCT, product),
            vendor=Vendor.EATMACHINE,
            organization_ref=None,
            vendor_id=product,
            name=name_of(product, links),
            description=None,
            manufacturer=None,
            category=None,
            sku=None,
            gtin=None,
            price=_price(account, product, links),
            cost=None,
            image_url=None,
            archived=False,
            vendor_data=None,
        )
        for product in known
    ]
