"""What VendNovation keeps beside machines and sales: customers' accounts, codes of alerts, notes to a sale, counts.

https://docs.vendnovation-services.com/vendor/v2.1/reports/get-transaction-metadata and reports/models"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, iso, listing, need, readable, record, text, whole
from connectors.vendnovation.client import LARGEST, WIDEST, VendNovationClient
from connectors.vendnovation.dates import around
from connectors.vendnovation.parse import product_of
from domain.backoffice import (
    CustomerAccount,
    EventType,
    MetadataFile,
    MetadataTag,
    ProductCount,
    SaleLineMetadata,
    SaleMetadata,
)
from domain.errors import VendorError
from domain.refs import Kind
from domain.times import Span

YEAR = timedelta(days=364)  # a wider range loses its beginning
NOTHING = SaleMetadata(tags=(), files=(), lines=())
WORDS = ("description", "message", "name")  # by which one of a code's members is told what it means


async def customers(client: VendNovationClient) -> Sequence[CustomerAccount]:
    def read(row: Raw) -> CustomerAccount:
        native = need(row["id"])
        return CustomerAccount(vendor_id=native, name=text(row.get("name")) or native)

    return listing(client.account, "account", await client.accounts(), read).items


async def event_types(client: VendNovationClient) -> Sequence[EventType]:
    """What a row holds is not documented: a code by itself, or one with a text."""
    return [found for row in await client.alert_codes() if (found := _event_type(row)) is not None]


def _event_type(row: Any) -> EventType | None:
    told: Raw = row if isinstance(row, dict) else {"code": row}
    code = text(told.get("code"))
    if code is None:
        return None
    description = next((found for name in WORDS if (found := text(told.get(name))) is not None), None)
    return EventType(code=code, category=None, severity=None, description=description)


async def products_sold(client: VendNovationClient, span: Span) -> Sequence[ProductCount]:
    """A span is summed up of windows, for a wide one would lose its beginning."""
    sums: Counter[str | None] = Counter()
    for window in _windows(span):
        for row in await client.product_sales(window):
            product, sold = record(client.account, "count of sales", row, _count)
            sums[product] += sold
    return [
        ProductCount(product_ref=None if native is None else client.account.to(Kind.PRODUCT, native), sold=sold)
        for native, sold in sorted(sums.items(), key=lambda one: (-one[1], one[0] or ""))
    ]


def _count(row: Raw) -> tuple[str | None, int]:
    sold = whole(row["totalSalesInTimeFrame"])
    if sold is None:
        raise ValueError("a count is missing")
    return product_of(row), sold


def _windows(span: Span) -> Iterator[Span]:
    since = span.since
    while since < span.until:
        until = min(since + WIDEST, span.until)
        yield Span(since, until)
        since = until


async def metadata(client: VendNovationClient, sales: Sequence[str]) -> Mapping[str, SaleMetadata | VendorError]:
    """As many sales at a time as fit onto a page and into a year."""
    found: dict[str, SaleMetadata | VendorError] = dict.fromkeys(sales, NOTHING)
    for part, span in _parts(sales):
        try:
            told = _by_sale(client.account, await client.metadata(list(part), span))
        except VendorError as error:
            found |= dict.fromkeys(part.values(), error)
        else:
            found |= {native: told[wanted] for wanted, native in part.items() if wanted in told}
    return found


def _parts(sales: Sequence[str]) -> Iterator[tuple[Mapping[str, str], Span]]:
    """Native ids by the vendor's, and when they were recorded. What callers made up holds no time, and no sale."""
    timed = [(span, wanted, native) for native in sales for wanted, span in [around(native)] if span is not None]
    timed.sort(key=lambda one: one[0].since)
    while timed:
        first = timed[0][0].since
        size = next((at for at, one in enumerate(timed) if at == LARGEST or one[0].until - first > YEAR), len(timed))
        part, timed = timed[:size], timed[size:]
        yield {wanted: native for _, wanted, native in part}, Span(first, part[-1][0].until)


def _by_sale(account: Account, rows: Sequence[Any]) -> Mapping[str, SaleMetadata]:
    return dict(readable(account, "transaction's metadata", rows, _metadata).items)


def _metadata(row: Raw) -> tuple[str, SaleMetadata]:
    lines = tuple(_line(line) for line in row.get("lineItems") or ())
    return need(row["transactionId"]), SaleMetadata(tags=_tags(row), files=_files(row), lines=lines)


def _line(row: Raw) -> SaleLineMetadata:
    return SaleLineMetadata(
        vendor_id=need(row["lineItemId"]),
        recorded_at=iso(row.get("recordedAtUtc")),
        occurred_at=iso(row.get("occurredAtUtc")),
        tags=_tags(row),
        files=_files(row),
    )


def _tags(row: Raw) -> tuple[MetadataTag, ...]:
    return tuple(MetadataTag(key=need(tag["key"]), value=text(tag.get("value"))) for tag in row.get("tags") or ())


def _files(row: Raw) -> tuple[MetadataFile, ...]:
    return tuple(
        MetadataFile(
            vendor_id=need(file["id"]),
            type=text(file.get("type")),
            description=text(file.get("description")),
            created_at=iso(file.get("createdAtUtc")),
        )
        for file in row.get("files") or ()
    )
