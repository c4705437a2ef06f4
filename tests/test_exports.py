"""Exports of sales: the very list of sales, from vendors' lists, from the journal, and from both."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from domain.errors import ErrorCode
from journal.store import open_store
from resolvers.export_parts import PATIENCE
from tests.exporting import Row, failed, get, ndjson, table
from tests.filled import CLOCK, FROM, SPRING, TO, cover, filled_gateway
from tests.running import (
    ADMIN,
    CLIENT,
    OPERATOR,
    STRANGER,
    VENDORS,
    VIEWER,
    Gateway,
    Sandbox,
    moment,
    running_gateway,
    running_sandbox,
)

MONEY = "{ amount currency }"
SALE = f"""id kind status vendor vendorId recordedAt occurredAt machine {{ id name }} organization {{ id name }}
  total {MONEY} tax {MONEY} discount {MONEY} payments {{ method amount {MONEY} cardBrand reference }}
  lines {{
    product {{ id }} productName position quantity unitPrice {MONEY} total {MONEY} tax {MONEY} taxRate dispensed }}
  person {{ vendorId name }} trust"""
MIDDLE = SPRING - timedelta(days=9), SPRING - timedelta(days=5)
SALES = f"""query ($after: String, $filter: SaleFilter) {{ sales(first: 1000, after: $after, filter: $filter) {{
  nodes {{ {SALE} }} pageInfo {{ hasNextPage endCursor }} }} }}"""


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(start=SPRING, now=CLOCK, days=14) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def filled(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with filled_gateway(shared_sandbox, tmp_path_factory.mktemp("filled")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def halved(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Its journal has some days in the middle."""
    folder = tmp_path_factory.mktemp("halved")
    with filled_gateway(shared_sandbox, folder) as gateway:
        engine = open_store(f"sqlite:///{folder}/vendgraph.db")
        cover(engine, *MIDDLE)
        engine.dispose()
        yield gateway


@pytest.fixture(params=["lists", "journal", "both"])
def either(request: pytest.FixtureRequest) -> Gateway:
    found: Gateway = request.getfixturevalue({"lists": "gateway", "journal": "filled", "both": "halved"}[request.param])
    return found


def paged(gateway: Gateway, filtered: Row, key: str = ADMIN) -> list[Row]:
    """The list of sales to its end."""
    found: list[Row] = []
    after = None
    while True:
        page = gateway.ask(SALES, {"after": after, "filter": filtered}, key=key)["sales"]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


def as_listed(exported: Row, listed: Row) -> Row:
    """An export also names machines and products that are gone: but for those it is the same."""
    lines = [
        {**line, "product": None if other["product"] is None else line["product"]}
        for line, other in zip(exported["lines"], listed["lines"], strict=True)
    ]
    gone = listed["machine"] is None
    assert not gone or exported["machine"] is None or exported["machine"]["name"] is None
    return {**exported, "lines": lines, "machine": None if gone else exported["machine"]}


def test_it_is_the_list_of_sales_in_its_order_and_shape(either: Gateway) -> None:
    sales, end = ndjson(either, {"from": FROM.isoformat(), "to": TO.isoformat()})
    listed = paged(either, {"from": FROM.isoformat(), "to": TO.isoformat()})
    assert len(sales) > 200
    assert [sale["id"] for sale in sales] == [sale["id"] for sale in listed]
    assert [as_listed(*pair) for pair in zip(sales, listed, strict=True)] == listed
    assert end["sales"] == len(sales)
    assert end["complete"]


SAME = ("id", "vendor", "vendorId", "kind", "status", "recordedAt", "occurredAt", "trust")
SPAN = {"from": FROM.isoformat(), "to": TO.isoformat()}
SALES_OF_GRAPH = "query ($filter: SaleFilter, $format: ExportFormat!) { exportSales(format: $format, filter: $filter) "


def machine_of(gateway: Gateway, vendor: str) -> str:
    sold = paged(gateway, {**SPAN, "vendors": [vendor]})
    found: str = next(sale["machine"]["id"] for sale in sold if sale["machine"])
    return found


def test_a_table_has_a_row_for_each_line_and_adds_up(filled: Gateway) -> None:
    sales, _ = ndjson(filled, SPAN)
    rows = table(filled, SPAN)
    assert [row["incomplete"] for row in rows] == [""] * len(rows)
    of_lines = [(sale, line) for sale in sales for line in sale["lines"] or [None]]
    assert len(of_lines) == len(rows) > len(sales)
    for row, (sale, line) in zip(rows, of_lines, strict=True):
        assert [row[name] for name in SAME] == [sale[name] for name in SAME]
        assert row["machineId"] == ((sale["machine"] or {}).get("id") or "")
        assert row["organizationName"] == sale["organization"]["name"]
        if line:
            assert (row["productName"], row["quantity"]) == (line["productName"], str(line["quantity"]))
            assert (row["lineTotal"], row["taxRate"]) == (amount(line["total"]), line["taxRate"] or "")
    for currency in ("EUR", "USD"):
        priced = [sale["total"]["amount"] for sale in sales if (sale["total"] or {}).get("currency") == currency]
        column = [row["total"] for row in rows if row["currency"] == currency and row["total"]]
        assert sum(map(Decimal, column)) == sum(map(Decimal, priced)) > 0


def amount(money: Row | None) -> str:
    return money["amount"] if money else ""


def test_lines_end_as_the_standard_has_it(filled: Gateway) -> None:
    text = get(filled, "sales.csv", {**SPAN, "vendors": "LIVELLO"}).text
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")


@pytest.mark.parametrize(("key", "named"), [(ADMIN, True), (OPERATOR, True), (VIEWER, False)])
def test_who_it_was_is_not_for_viewers(filled: Gateway, key: str, named: bool) -> None:
    given = {**SPAN, "vendors": "SMARTEPI,VENDNOVATION"}
    sales, _ = ndjson(filled, given, key=key)
    rows = table(filled, given, key=key)
    assert len(sales) > 50
    assert any(sale["person"] for sale in sales) is named
    assert any(row["personName"] or row["personVendorId"] for row in rows) is named


def test_another_organizations_key_sees_nothing(filled: Gateway) -> None:
    machine, account = machine_of(filled, "LIVELLO"), filled.ask("{ accounts { id } }")["accounts"][0]["id"]
    for given in ({}, {"machines": machine}, {"accounts": account}):
        sales, end = ndjson(filled, {**SPAN, **given}, key=STRANGER)
        assert (sales, end["sources"], end["complete"]) == ([], [], True)
        assert table(filled, {**SPAN, **given}, key=STRANGER) == []


def test_filters_narrow_as_those_of_the_list_do(halved: Gateway) -> None:
    accounts = {one["vendor"]: one["id"] for one in halved.ask("{ accounts { id vendor } }")["accounts"]}
    since, until = (at - timedelta(days=2) for at in MIDDLE)
    machines = [machine_of(halved, "LIVELLO"), machine_of(halved, "SMARTVEND")]
    filters: tuple[Row, ...] = (
        {"vendors": ["LIVELLO", "SMARTEPI"]},
        {"kinds": ["RETURN", "EXCHANGE"]},
        {"accounts": [accounts["VENDNOVATION"]]},
        {"machines": machines},
        {"machines": ["none"]},
        {"vendors": []},
        {"from": since.isoformat(), "to": until.isoformat()},
    )
    for filtered in filters:
        whole: Row = {**SPAN, **filtered}
        listed = [sale["id"] for sale in paged(halved, whole)]
        separate = {name: ",".join(one) if isinstance(one, list) else one for name, one in whole.items()}
        for given in (whole, separate) if all(whole.values()) else (separate,):
            sales, end = ndjson(halved, given)
            assert [sale["id"] for sale in sales] == listed, filtered
            assert end["complete"], filtered


@pytest.mark.parametrize("form", ["NDJSON", "CSV"])
def test_the_graph_tells_where_it_is(filled: Gateway, form: str) -> None:
    filtered = {"machines": [machine_of(filled, "LIVELLO")], "kinds": ["PURCHASE"], **SPAN}
    told = filled.ask(SALES_OF_GRAPH + "{ id path format } }", {"filter": filtered, "format": form})["exportSales"]
    path, query = told["path"].split("?")
    assert (told["format"], path) == (form, f"/exports/sales.{form.lower()}")
    answer = get(filled, path.removeprefix("/exports/"), dict(parse_qsl(query)))
    assert answer.headers["vendgraph-export-id"] == told["id"]
    assert sorted(set(re.findall(r"dB9hY21lLWtpb3Nrc[\w-]+", answer.text))) == sorted(
        sale["id"] for sale in paged(filled, filtered)
    )


def test_a_filter_that_no_address_holds_is_refused(filled: Gateway) -> None:
    given = {"filter": {"machines": ["x" * 100] * 100}, "format": "CSV"}
    (error,) = filled.post(SALES_OF_GRAPH + "{ id } }", given).json()["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"


def test_what_is_known_before_is_told_at_the_head_and_no_vendor_is_asked(filled: Gateway, sandbox: Sandbox) -> None:
    ndjson(filled, SPAN)  # machines are known by now
    sandbox.forget_requests()
    answer = get(filled, "sales.ndjson", SPAN)
    count = str(answer.text.count("\n") - 1)
    assert (answer.headers["vendgraph-sales-known"], answer.headers["vendgraph-sales-total"]) == (count, count)
    assert answer.headers["content-disposition"] == 'attachment; filename="sales.ndjson"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    head = get(filled, "sales.ndjson", SPAN, method="HEAD")
    assert (head.status_code, head.text, head.headers["vendgraph-sales-total"]) == (200, "", count)
    of_kind = get(filled, "sales.ndjson", {**SPAN, "kinds": "PURCHASE"})
    assert "vendgraph-sales-known" not in of_kind.headers
    assert sandbox.requests() == []


def test_a_total_is_only_told_where_it_is_known(halved: Gateway) -> None:
    answer = get(halved, "sales.ndjson", SPAN)
    assert 0 < int(answer.headers["vendgraph-sales-known"]) < answer.text.count("\n") - 1
    assert "vendgraph-sales-total" not in answer.headers


# ---- vendors that fail --------------------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor is asked again, but not for long."""
    monkeypatch.setattr("resolvers.export_parts.PAUSE", 0.05)
    monkeypatch.setitem(PATIENCE, ErrorCode.VENDOR_UNAVAILABLE, 0.2)


@pytest.mark.usefixtures("hasty")
def test_a_vendor_that_fails_leaves_the_others_whole_and_is_told_of_last(
    halved: Gateway, filled: Gateway, sandbox: Sandbox
) -> None:
    true, _ = ndjson(filled, SPAN)
    sandbox.break_("livello", "status", status=503)
    with_gaps, end = ndjson(halved, {**SPAN, "from": (FROM - timedelta(days=1)).isoformat()})
    assert others(with_gaps) == others(true)
    states = {one["account"]["key"]: one for one in end["sources"]}
    broken = states.pop("acme-kiosks")
    assert (broken["complete"], broken["error"]["code"]) == (False, "VENDOR_UNAVAILABLE")
    assert all(one["complete"] for one in states.values())
    assert not end["complete"]
    middle = [sale["id"] for sale in true if sale["vendor"] == "LIVELLO" and in_the_middle(sale)]
    assert {sale["id"] for sale in with_gaps if sale["vendor"] == "LIVELLO"} >= set(middle) != set()
    *rows, last = table(halved, {**SPAN, "from": (FROM - timedelta(days=2)).isoformat()})
    assert {row["incomplete"] for row in rows} == {""}
    assert last["account"] == "acme-kiosks"
    assert "VENDOR_UNAVAILABLE" in last["incomplete"]
    assert [last[name] for name in last if last[name]] == [last["account"], last["incomplete"]]


def others(sales: list[Row]) -> list[str]:
    return [sale["id"] for sale in sales if sale["vendor"] != "LIVELLO"]


def in_the_middle(sale: Row) -> bool:
    return MIDDLE[0] <= moment(sale["recordedAt"]) < MIDDLE[1]


def test_what_the_journal_has_needs_no_vendor(filled: Gateway, sandbox: Sandbox) -> None:
    true, _ = ndjson(filled, SPAN)
    for vendor in VENDORS:
        sandbox.break_(vendor, "status", status=503)
    sales, end = ndjson(filled, SPAN)
    assert (sales, end["complete"]) == (true, True)


def test_a_vendor_that_recovers_owes_nothing(gateway: Gateway, sandbox: Sandbox, filled: Gateway) -> None:
    true, _ = ndjson(filled, {**SPAN, "vendors": "SMARTVEND"})
    sandbox.break_("smartvend", "status", status=503, times=5)
    since = (FROM - timedelta(days=3)).isoformat()  # a stretch that is not kept yet
    sales, end = ndjson(gateway, {**SPAN, "from": since, "vendors": "SMARTVEND", "to": TO.isoformat()})
    assert [sale["id"] for sale in sales] == [sale["id"] for sale in true]
    assert end["complete"]


def test_what_was_pruned_and_is_in_no_list_is_missing(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        engine = open_store(f"sqlite:///{tmp_path}/vendgraph.db")
        with engine.begin() as connection:  # as though all that there was is gone
            connection.exec_driver_sql("UPDATE journal_head SET seq = seq + 1, pruned = seq + 1")
        engine.dispose()
        _, end = ndjson(gateway, {**SPAN, "vendors": "EATMACHINE"})
    (source,) = end["sources"]
    assert (source["state"], source["complete"]) == ("FRESH", False)


# ---- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"vendor": "LIVELLO"},
        {"vendors": "livello"},
        {"kinds": "THEFT"},
        {"from": "yesterday"},
        {"to": "2026-03-01T00:00:00"},
        {"id": "short"},
        {"id": "../../../etc/passwd"},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(gateway: Gateway, given: Row) -> None:
    for name in ("sales.csv", "sales.ndjson"):
        assert failed(get(gateway, name, given)) == (400, "BAD_INPUT")


def test_without_a_good_key_there_is_nothing(gateway: Gateway) -> None:
    answer = get(gateway, "sales.csv", key="vg_wrong")
    assert failed(answer) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert failed(CLIENT.get(f"{gateway.base}/exports/sales.csv")) == (401, "UNAUTHENTICATED")


def test_what_is_no_export_is_not_found(gateway: Gateway) -> None:
    assert failed(get(gateway, "sales.xlsx")) == (404, "NOT_FOUND")
    assert failed(get(gateway, "sales.csv", method="POST")) == (405, "BAD_INPUT")
