"""How sales are written: what spreadsheets must not take for formulas, what tables have to quote, exact amounts."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from domain.errors import ErrorCode
from domain.exports import ExportProgress, ExportState
from domain.facts import Origin
from domain.model import Organization
from domain.money import Money
from domain.paging import SourceError, SourceState, SourceStatus
from domain.refs import Kind, Ref
from domain.sales import DispenseOutcome, Person, Sale, SaleLine
from gateway.export_formats import COLUMNS, Csv, Ndjson
from resolvers.export_names import Names
from resolvers.stretches import position
from tests.journals import sale

TENANT = Organization(ref=Ref(Kind.ORGANIZATION, "", "acme"), name="Acme Vending", parent_ref=None)
NAMES = Names(machines={"acme": None}, organizations={"acme": None}, tenants={"acme": TENANT}, ranked=frozenset())
ERROR = SourceError(code=ErrorCode.VENDOR_UNAVAILABLE, message="=down, for now", retry_after_seconds=4)
BROKEN = SourceStatus(
    account_ref=Ref(Kind.ACCOUNT, "acme", ""), state=SourceState.FAILED, complete=False, as_of=None, error=ERROR
)


def line(name: str = "Tea", **changed: Any) -> SaleLine:
    known: dict[str, Any] = {
        "product_ref": None,
        "product_name": name,
        "position": None,
        "quantity": 1,
        "unit_price": None,
        "total": None,
        "tax": None,
        "tax_rate": None,
        "dispensed": DispenseOutcome.DISPENSED,
    }
    return SaleLine(**(known | changed))


def sold(**changed: Any) -> Sale:
    found = sale("1", **changed).content
    assert isinstance(found, Sale)
    return found


def written(*sales: Sale, personal: bool = True) -> list[dict[str, str]]:
    writer = Csv(NAMES, personal=personal)
    text, rows = writer.rows([(position(one), one) for one in sales])
    found = list(csv.DictReader(StringIO((writer.begin() + text).decode(), newline="")))
    assert len(found) == rows
    return found


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_a_vendors_text_is_never_a_formula(begins: str) -> None:
    text = f'{begins}HYPERLINK("http://evil.example","x")'
    told = sold(lines=[line(text, position=text)], person=Person(vendor_id=text, name=text))
    (row,) = written(replace(told, vendor_id=text))
    cells = [row[name] for name in ("vendorId", "productName", "position", "personVendorId", "personName")]
    assert cells == [f"'{text}"] * 5


def test_what_is_in_the_midst_of_a_text_stays() -> None:
    (row,) = written(sold(lines=[line('A "large" tea, half-price\n= 1+1')]))
    assert row["productName"] == 'A "large" tea, half-price\n= 1+1'


def test_amounts_are_exact_and_their_signs_are_theirs() -> None:
    tiny = Money(Decimal("-0.0000001"), "EUR")
    (row,) = written(
        sold(total=Money(Decimal("8.3450"), "USD"), lines=[line(quantity=-2, total=tiny, tax_rate=Decimal("5.5"))])
    )
    assert (row["total"], row["currency"]) == ("8.3450", "USD")
    assert (row["lineTotal"], row["lineCurrency"], row["quantity"]) == ("-0.0000001", "EUR", "-2")
    assert row["taxRate"] == "5.5"


def test_times_are_utc_and_what_is_not_told_is_empty() -> None:
    (row,) = written(sold(at=datetime(2026, 3, 4, 12, 0, 0, 250_000, tzinfo=UTC), machine_ref=None))
    assert row["recordedAt"] == "2026-03-04T12:00:00.250000Z"
    told = {"id", "vendor", "account", "vendorId", "kind", "status", "recordedAt", "occurredAt", "trust"}
    assert {name for name in COLUMNS if row[name]} == told | {"organizationId", "organizationName"}


def test_what_is_the_sales_alone_stands_in_its_first_row() -> None:
    first, second = written(sold(total=Money(Decimal(3), "EUR"), lines=[line("Tea"), line("Milk")]))
    assert [first[name] for name in ("line", "productName", "total", "currency")] == ["1", "Tea", "3", "EUR"]
    assert [second[name] for name in ("line", "productName", "total", "currency")] == ["2", "Milk", "", ""]
    assert first["id"] == second["id"]


def test_texts_that_are_no_texts_are_written_all_the_same() -> None:
    (row,) = written(sold(lines=[line("half \ud83d a character")]))
    assert row["productName"] == "half ? a character"
    writer = Ndjson(NAMES, personal=True)
    broken = sold(lines=[line("half \ud83d a character")])
    text, _ = writer.rows([(position(broken), broken)])
    assert json.loads(text)["lines"][0]["productName"] == "half \ud83d a character"


def test_who_it_was_is_for_those_who_may_know() -> None:
    told = sold(person=Person(vendor_id="7", name="Ada"))
    (row,) = written(told, personal=False)
    assert (row["personVendorId"], row["personName"]) == ("", "")
    text, _ = Ndjson(NAMES, personal=False).rows([(position(told), told)])
    assert json.loads(text)["person"] is None


def test_an_account_that_is_missing_is_told_of_last() -> None:
    progress = ExportProgress(
        seq=1, cursor="", origin=Origin.GATEWAY, id="x", state=ExportState.RUNNING, sources=[BROKEN]
    )
    table = Csv(NAMES, personal=True)
    (row,) = csv.DictReader(StringIO((table.begin() + table.end(progress)).decode(), newline=""))
    assert row["account"] == "acme"
    assert row["incomplete"] == "FAILED: some sales of this account are missing: VENDOR_UNAVAILABLE: =down, for now"
    end = json.loads(Ndjson(NAMES, personal=True).end(progress))["export"]
    assert (end["complete"], end["sources"][0]["error"]["code"]) == (False, "VENDOR_UNAVAILABLE")
