"""An export as text: a JSON object a line, or a table by RFC 4180. Fields are called as in the graph."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Protocol

from domain.exports import ExportFormat, ExportProgress
from domain.money import Money
from domain.paging import SourceStatus
from domain.sales import Payment, Sale, SaleLine
from gateway.answers import encoded
from resolvers.export_merge import Placed
from resolvers.export_names import Names
from schema.scalars import write_decimal, write_time

FORMULA = re.compile("[=+\\-@\t\r\n＝＋－＠]")  # noqa: RUF001  what spreadsheets take for a formula's beginning
EACH = (  # in every row of a sale
    *("id", "vendor", "account", "vendorId", "kind", "status", "recordedAt", "occurredAt", "trust"),
    *("machineId", "machineName", "organizationId", "organizationName"),
)
OF_SALE = ("total", "tax", "discount", "currency", "paymentMethods", "personVendorId", "personName")  # in its first
OF_LINES = (
    *("line", "productId", "productName", "position", "quantity", "dispensed"),
    *("unitPrice", "lineTotal", "lineTax", "taxRate", "lineCurrency"),
)
COLUMNS = (*EACH, *OF_SALE, *OF_LINES, "incomplete")
Row = Sequence[str]


class Writer(Protocol):
    """`rows`: sales as text, and how many lines they are. A sale's id is in its place."""

    media: str

    def __init__(self, names: Names, *, personal: bool) -> None: ...

    def begin(self) -> bytes: ...

    def rows(self, sales: Sequence[Placed]) -> tuple[bytes, int]: ...

    def end(self, progress: ExportProgress) -> bytes: ...


class Ndjson(Writer):
    """`personal`: whether its reader may know who it was. The last line tells how each account has contributed."""

    media = "application/x-ndjson"

    def __init__(self, names: Names, *, personal: bool) -> None:
        self._names = names
        self._personal = personal

    def begin(self) -> bytes:
        return b""

    def rows(self, sales: Sequence[Placed]) -> tuple[bytes, int]:
        return b"".join(_json(self._sale(place.id, sale)) for place, sale in sales), len(sales)

    def end(self, progress: ExportProgress) -> bytes:
        sources = [_source(source) for source in progress.sources]
        complete = all(source.complete for source in progress.sources)
        told = {"id": progress.id, "sales": progress.sales, "complete": complete, "sources": sources}
        return _json({"export": told})

    def _sale(self, id_: str, sale: Sale) -> dict[str, Any]:
        machine, organization = self._names.machine(sale.machine_ref), self._names.organization(sale)
        person = sale.person if self._personal else None
        return {
            "id": id_,
            "kind": sale.kind.value,
            "status": sale.status.value,
            "vendor": sale.vendor.name,
            "vendorId": sale.vendor_id,
            "recordedAt": write_time(sale.recorded_at),
            "occurredAt": write_time(sale.occurred_at),
            "machine": None
            if sale.machine_ref is None
            else {"id": sale.machine_ref.text, "name": None if machine is None else machine.name},
            "organization": {"id": organization.id, "name": organization.name},
            "total": _money(sale.total),
            "tax": _money(sale.tax),
            "discount": _money(sale.discount),
            "payments": [_payment(payment) for payment in sale.payments],
            "lines": [_line(line) for line in sale.lines],
            "person": None if person is None else {"vendorId": person.vendor_id, "name": person.name},
            "trust": sale.trust.value,
        }


def _json(value: dict[str, Any]) -> bytes:
    return encoded(value) + b"\n"


def _money(money: Money | None) -> dict[str, str] | None:
    return None if money is None else {"amount": write_decimal(money.amount), "currency": money.currency}


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "method": payment.method.value,
        "amount": _money(payment.amount),
        "cardBrand": payment.card_brand,
        "reference": payment.reference,
    }


def _line(line: SaleLine) -> dict[str, Any]:
    return {
        "product": None if line.product_ref is None else {"id": line.product_ref.text},
        "productName": line.product_name,
        "position": line.position,
        "quantity": line.quantity,
        "unitPrice": _money(line.unit_price),
        "total": _money(line.total),
        "tax": _money(line.tax),
        "taxRate": None if line.tax_rate is None else write_decimal(line.tax_rate),
        "dispensed": line.dispensed.value,
    }


def _source(source: SourceStatus) -> dict[str, Any]:
    error = source.error
    return {
        "account": {"key": source.account_ref.account},
        "state": source.state.value,
        "complete": source.complete,
        "asOf": None if source.as_of is None else write_time(source.as_of),
        "error": None
        if error is None
        else {"code": error.code.value, "message": error.message, "retryAfterSeconds": error.retry_after_seconds},
    }


class Csv(Writer):
    """A row for each line of a sale; what is the sale's alone stands in the first of them, so that columns add up.

    Where an account is incomplete, a last row says so: in `incomplete`, which is empty in all others."""

    media = "text/csv; charset=utf-8; header=present"

    def __init__(self, names: Names, *, personal: bool) -> None:
        self._names = names
        self._personal = personal

    def begin(self) -> bytes:
        return _table([COLUMNS])

    def rows(self, sales: Sequence[Placed]) -> tuple[bytes, int]:
        found = [row for place, sale in sales for row in self._rows(place.id, sale)]
        return _table(found), len(found)

    def end(self, progress: ExportProgress) -> bytes:
        return _table([_missing(source) for source in progress.sources if not source.complete])

    def _rows(self, id_: str, sale: Sale) -> Iterator[Row]:
        each, once = self._each(id_, sale), self._once(sale)
        yield [*each, *once, *(_line_cells(1, sale.lines[0]) if sale.lines else _blank(OF_LINES)), ""]
        for number, line in enumerate(sale.lines[1:], 2):
            yield [*each, *_blank(OF_SALE), *_line_cells(number, line), ""]

    def _each(self, id_: str, sale: Sale) -> Row:
        machine, organization = self._names.machine(sale.machine_ref), self._names.organization(sale)
        return [
            id_,
            sale.vendor.name,
            sale.ref.account,
            _plain(sale.vendor_id),
            sale.kind.value,
            sale.status.value,
            write_time(sale.recorded_at),
            write_time(sale.occurred_at),
            sale.trust.value,
            "" if sale.machine_ref is None else sale.machine_ref.text,
            "" if machine is None else _plain(machine.name),
            organization.id,
            _plain(organization.name),
        ]

    def _once(self, sale: Sale) -> Row:
        person = sale.person if self._personal else None
        return [
            _amount(sale.total),
            _amount(sale.tax),
            _amount(sale.discount),
            _currency(sale.total, sale.tax, sale.discount),
            " ".join(dict.fromkeys(payment.method.value for payment in sale.payments)),
            "" if person is None else _plain(person.vendor_id or ""),
            "" if person is None else _plain(person.name or ""),
        ]


def _line_cells(number: int, line: SaleLine) -> Row:
    return [
        str(number),
        "" if line.product_ref is None else line.product_ref.text,
        _plain(line.product_name),
        _plain(line.position or ""),
        str(line.quantity),
        line.dispensed.value,
        _amount(line.unit_price),
        _amount(line.total),
        _amount(line.tax),
        "" if line.tax_rate is None else write_decimal(line.tax_rate),
        _currency(line.total, line.unit_price, line.tax),
    ]


def _missing(source: SourceStatus) -> Row:
    error = source.error
    why = f"{source.state.value}: some sales of this account are missing"
    told = why if error is None else f"{why}: {error.code.value}: {error.message}"
    return [source.account_ref.account if name == "account" else "" for name in COLUMNS[:-1]] + [told]


def _plain(text: str) -> str:
    """A vendor's text, which no spreadsheet takes for a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def _amount(money: Money | None) -> str:
    return "" if money is None else write_decimal(money.amount)


def _currency(*amounts: Money | None) -> str:
    return next((money.currency for money in amounts if money is not None), "")


def _blank(columns: Sequence[str]) -> Row:
    return [""] * len(columns)


def _table(rows: Sequence[Row]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", errors="replace")


WRITERS: Mapping[ExportFormat, type[Writer]] = {ExportFormat.NDJSON: Ndjson, ExportFormat.CSV: Csv}
