"""Reports over sales: to the cent what the vendors' truth adds up to, from their lists and from the journal alike."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from journal import log
from journal.store import open_store
from tests import expected
from tests.filled import CLOCK, FROM, SPRING, TO, cover, filled_gateway
from tests.running import (
    ADMIN,
    STRANGER,
    VENDORS,
    VIEWER,
    Gateway,
    Sandbox,
    running_gateway,
    running_sandbox,
)

ROW = """period { name from to } vendor machineId productId paymentMethod currency sales items
  total { amount } tax { amount } discount { amount } cost { amount } costedItems"""
REPORT = f"""query ($from: DateTime!, $to: DateTime!, $granularity: Granularity, $groupBy: [SalesGroup!],
    $timezone: String, $filter: SalesReportFilter) {{
  salesReport(from: $from, to: $to, granularity: $granularity, groupBy: $groupBy, timezone: $timezone, filter: $filter)
  {{ rows {{ {ROW} }} complete sources {{ account {{ key vendor }} state complete error {{ code }} }} }} }}"""
HIGHLIGHTS = """query ($from: DateTime!, $to: DateTime!, $timezone: String, $filter: SalesReportFilter) {
  salesReport(from: $from, to: $to, timezone: $timezone, filter: $filter) {
    totals { currency sales total { amount } }
    topMachines(first: 3) { currency machine { vendorId } total { amount } }
    topProducts(first: 3) { currency product { vendorId } sales total { amount } }
    paymentMix { currency paymentMethod total { amount } }
    peakHour { currency hour sales total { amount } } } }"""
ZONES = ("UTC", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "Australia/Lord_Howe")
NAMES: Mapping[str, Callable[[datetime], str]] = {
    "HOUR": lambda at: f"{at:%Y-%m-%dT%H}:00{f'{at:%z}'[:3]}:{f'{at:%z}'[3:]}",
    "DAY": lambda at: at.date().isoformat(),
    "WEEK": lambda at: f"{at:%G-W%V}",
    "MONTH": lambda at: f"{at:%Y-%m}",
}
Row = dict[str, Any]
Figures = dict[Any, tuple[int, int, Decimal]]  # sales, items, total


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(start=SPRING, now=CLOCK) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def filled(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with filled_gateway(shared_sandbox, tmp_path_factory.mktemp("filled")) as gateway:
        yield gateway


@pytest.fixture(params=["lists", "journal"])
def either(request: pytest.FixtureRequest, gateway: Gateway, filled: Gateway) -> Gateway:
    return gateway if request.param == "lists" else filled


@pytest.fixture(scope="module")
def truth(shared_sandbox: Sandbox) -> Sequence[Row]:
    """The sales that count, each with its vendor and what was taken."""
    sold = ((vendor, sale) for vendor in VENDORS for sale in expected.SALES[vendor](shared_sandbox).values())
    counted = [
        {"vendor": vendor.upper(), **sale} for vendor, sale in sold if sale["status"] in ("COMPLETED", "PARTIAL")
    ]
    return [{**sale, "taken": taken(sale), "items": items(sale)} for sale in counted]


def taken(sale: Row) -> tuple[Decimal, str] | None:
    if sale["total"] is None:
        return None
    amount, currency = sale["total"]
    failed = (line for line in sale["lines"] if line["dispensed"] == "FAILED")
    return amount - sum(line["total"][0] + line["tax"][0] for line in failed), currency


def items(sale: Row) -> int:
    return sum(line["quantity"] for line in sale["lines"] if line["dispensed"] != "FAILED")


def figures(sales: Sequence[Row], key: Callable[[Row], Any]) -> Figures:
    found: Figures = {}
    for sale in sales:
        currency = sale["taken"][1] if sale["taken"] else None
        count, things, total = found.get((key(sale), currency), (0, 0, Decimal(0)))
        amount = sale["taken"][0] if sale["taken"] else Decimal(0)
        found[key(sale), currency] = count + 1, things + sale["items"], total + amount
    return found


def told(rows: Sequence[Row], key: Callable[[Row], Any]) -> Figures:
    found = {(key(row), row["currency"]): (row["sales"], row["items"], amount(row)) for row in rows}
    assert len(found) == len(rows)
    return found


def amount(row: Row, name: str = "total") -> Decimal:
    return Decimal(row[name]["amount"]) if row[name] else Decimal(0)


def ask(gateway: Gateway, query: str = REPORT, *, key: str = ADMIN, since: datetime = FROM, **variables: Any) -> Row:
    given = {"from": since.isoformat(), "to": TO.isoformat(), **variables}
    found: Row = gateway.ask(query, given, key=key)["salesReport"]
    return found


@pytest.mark.parametrize("granularity", NAMES)
@pytest.mark.parametrize("zone", ZONES)
def test_sums_are_the_vendors_truth_on_any_clock(
    either: Gateway, truth: Sequence[Row], zone: str, granularity: str
) -> None:
    report = ask(either, granularity=granularity, timezone=zone)
    assert report["complete"]
    local = ZoneInfo(zone)
    true = figures(truth, lambda sale: NAMES[granularity](sale["recordedAt"].astimezone(local)))
    assert told(report["rows"], lambda row: row["period"]["name"]) == true
    begins = [row["period"]["from"] for row in report["rows"]]
    assert begins == sorted(begins)


def test_groups_are_told_apart_and_add_up_to_the_whole(either: Gateway, truth: Sequence[Row]) -> None:
    vendors = ask(either, groupBy=["VENDOR"])["rows"]
    assert told(vendors, lambda row: row["vendor"]) == figures(truth, lambda sale: sale["vendor"])
    whole = {row["currency"]: amount(row) for row in ask(either)["rows"]}
    for groups in (["MACHINE"], ["PRODUCT"], ["PAYMENT_METHOD"], ["MACHINE", "PRODUCT", "PAYMENT_METHOD", "VENDOR"]):
        sums: dict[str | None, Decimal] = defaultdict(Decimal)
        for row in ask(either, groupBy=groups)["rows"]:
            sums[row["currency"]] += amount(row)
        assert sums == whole


def test_each_machine_and_each_product_has_its_own(either: Gateway, truth: Sequence[Row]) -> None:
    machines = either.ask("{ machines(first: 1000) { nodes { id vendorId vendor } } }")["machines"]["nodes"]
    names = {one["id"]: (one["vendor"], one["vendorId"]) for one in machines}
    rows = ask(either, groupBy=["MACHINE"])["rows"]
    true = figures(truth, lambda sale: (sale["vendor"], sale["machine"]["vendorId"]) if sale["machine"] else None)
    assert told([row for row in rows if row["machineId"] in names], lambda row: names[row["machineId"]]) == {
        key: value for key, value in true.items() if key[0] is not None
    }
    products = either.ask("{ products(first: 1000) { nodes { id name vendor } } }")["products"]["nodes"]
    named = {one["id"]: (one["vendor"], one["name"]) for one in products}
    counts: Counter[Any] = Counter()
    for sale in truth:
        for line in sale["lines"]:
            if line["product"] and line["dispensed"] != "FAILED":
                counts[sale["vendor"], line["product"]["name"]] += line["quantity"]
    found: Counter[Any] = Counter()
    for row in ask(either, groupBy=["PRODUCT"])["rows"]:
        if row["productId"]:
            found[named[row["productId"]]] += row["items"]
    assert found == counts


def test_ways_of_paying_have_what_was_paid_with_each(either: Gateway, truth: Sequence[Row]) -> None:
    paid: dict[Any, Decimal] = defaultdict(Decimal)
    for sale in truth:
        if sale["taken"]:
            nothing = {"method": None, "amount": (Decimal(0), "EUR")}
            (largest, *others) = sorted(sale["payments"], key=lambda one: -one["amount"][0]) or [nothing]
            for other in others:
                paid[other["method"], other["amount"][1]] += other["amount"][0]
            rest = sale["taken"][0] - sum(other["amount"][0] for other in others)
            paid[largest["method"], sale["taken"][1]] += rest
    rows = ask(either, HIGHLIGHTS)["paymentMix"]
    assert {(row["paymentMethod"], row["currency"]): amount(row) for row in rows if row["currency"]} == paid


def test_taxes_and_discounts_are_those_that_vendors_tell(either: Gateway, truth: Sequence[Row]) -> None:
    rows = {row["vendor"]: row for row in ask(either, groupBy=["VENDOR"])["rows"]}
    vend = [sale for sale in truth if sale["vendor"] == "VENDNOVATION"]
    given = (line for sale in vend for line in sale["lines"] if line["dispensed"] != "FAILED")
    assert amount(rows["VENDNOVATION"], "tax") == sum(line["tax"][0] for line in given)
    assert rows["VENDNOVATION"]["discount"] is None
    assert amount(rows["LIVELLO"], "discount") == sum(
        sale["discount"][0] for sale in truth if sale["vendor"] == "LIVELLO"
    )
    assert rows["LIVELLO"]["tax"] is None
    assert rows["SMARTEPI"]["total"] is None


def test_costs_are_those_of_the_catalogue(either: Gateway, truth: Sequence[Row]) -> None:
    products = either.ask("{ products(first: 1000) { nodes { name vendor cost { amount } } } }")["products"]["nodes"]
    costs = {
        one["name"]: Decimal(one["cost"]["amount"]) for one in products if one["vendor"] == "LIVELLO" and one["cost"]
    }
    assert costs
    lines = [line for sale in truth if sale["vendor"] == "LIVELLO" for line in sale["lines"] if line["product"]]
    known = [line for line in lines if line["product"]["name"] in costs]
    (row,) = ask(either, filter={"vendors": ["LIVELLO"]})["rows"]
    assert amount(row, "cost") == sum(costs[line["product"]["name"]] * line["quantity"] for line in known)
    assert row["costedItems"] == sum(line["quantity"] for line in known)


def test_what_stands_out_stands_out(either: Gateway, truth: Sequence[Row]) -> None:
    found = ask(either, HIGHLIGHTS, timezone="Asia/Kolkata", filter={"vendors": ["LIVELLO"]})
    sales = [sale for sale in truth if sale["vendor"] == "LIVELLO"]
    hours = figures(sales, lambda sale: sale["recordedAt"].astimezone(ZoneInfo("Asia/Kolkata")).hour)
    (hour, currency), (count, _, total) = max(hours.items(), key=lambda one: one[1][2])
    assert found["peakHour"] == [{"currency": currency, "hour": hour, "sales": count, "total": {"amount": str(total)}}]
    machines = figures(sales, lambda sale: sale["machine"]["vendorId"])
    highest = sorted(((total, key[0]) for key, (_, _, total) in machines.items()), reverse=True)[:3]
    assert [(amount(row), row["machine"]["vendorId"]) for row in found["topMachines"]] == highest
    totals = [amount(row) for row in found["topProducts"]]
    assert len(totals) == 3
    assert totals == sorted(totals, reverse=True)


def test_filters_narrow(either: Gateway, truth: Sequence[Row]) -> None:
    kinds = ask(either, filter={"kinds": ["WITHDRAWAL"]}, groupBy=["VENDOR"])
    of_kind = [sale for sale in truth if sale["kind"] == "WITHDRAWAL"]
    assert told(kinds["rows"], lambda row: row["vendor"]) == figures(of_kind, lambda sale: sale["vendor"])
    assert [one["account"]["vendor"] for one in kinds["sources"] if one["state"] != "UNSUPPORTED"] == ["SMARTEPI"]
    machine = either.ask("{ machines(first: 1, filter: {vendors: [LIVELLO]}) { nodes { id vendorId } } }")
    (chosen,) = machine["machines"]["nodes"]
    one = ask(either, filter={"machines": [chosen["id"]]}, groupBy=["MACHINE"])
    of_machine = [sale for sale in truth if sale["machine"] and sale["machine"]["vendorId"] == chosen["vendorId"]]
    assert told(one["rows"], lambda _: None) == figures(of_machine, lambda _: None)
    assert ask(either, filter={"accounts": []})["rows"] == []


def test_what_the_journal_has_is_not_asked_of_vendors(filled: Gateway) -> None:
    data, requests = filled.traced(
        REPORT.replace("cost { amount } costedItems", ""), {"from": FROM.isoformat(), "to": TO.isoformat()}
    )
    assert data["salesReport"]["complete"]
    assert requests == []


def test_where_the_journal_ends_the_lists_go_on(shared_sandbox: Sandbox, tmp_path: Path, truth: Sequence[Row]) -> None:
    with filled_gateway(shared_sandbox, tmp_path) as gateway:
        engine = open_store(f"sqlite:///{tmp_path}/vendgraph.db")
        middle = SPRING - timedelta(days=20)
        cover(engine, middle, middle + timedelta(days=9, hours=5))
        report = ask(gateway, granularity="DAY", timezone="Europe/Lisbon")
        engine.dispose()
    assert report["complete"]
    day = NAMES["DAY"]
    true = figures(truth, lambda sale: day(sale["recordedAt"].astimezone(ZoneInfo("Europe/Lisbon"))))
    assert told(report["rows"], lambda row: row["period"]["name"]) == true


def test_what_was_pruned_is_asked_of_vendors_again(
    shared_sandbox: Sandbox, tmp_path: Path, truth: Sequence[Row]
) -> None:
    with filled_gateway(shared_sandbox, tmp_path) as gateway:
        engine = open_store(f"sqlite:///{tmp_path}/vendgraph.db")
        assert log.prune(engine, datetime.now(UTC) + timedelta(hours=1)) > 0
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM sale_lines").scalar() == 0
        report = ask(gateway, groupBy=["VENDOR"])
        engine.dispose()
    assert told(report["rows"], lambda row: row["vendor"]) == figures(truth, lambda sale: sale["vendor"])


def test_a_vendor_that_fails_leaves_the_others_and_says_so(
    sandbox: Sandbox, tmp_path: Path, truth: Sequence[Row]
) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.break_("livello", "status", status=503)
        report = ask(gateway, groupBy=["VENDOR"])
    states = {one["account"]["vendor"]: (one["state"], one["complete"]) for one in report["sources"]}
    assert not report["complete"]
    assert states.pop("LIVELLO") == ("FAILED", False)
    assert all(complete for _, complete in states.values())
    others = [sale for sale in truth if sale["vendor"] != "LIVELLO"]
    assert told(report["rows"], lambda row: row["vendor"]) == figures(others, lambda sale: sale["vendor"])


def test_a_vendor_that_fails_still_has_what_the_journal_has(
    filled: Gateway, sandbox: Sandbox, truth: Sequence[Row]
) -> None:
    for vendor in VENDORS:
        sandbox.break_(vendor, "status", status=503)
    report = ask(filled, groupBy=["VENDOR"])
    assert report["complete"]
    assert told(report["rows"], lambda row: row["vendor"]) == figures(truth, lambda sale: sale["vendor"])


def test_a_viewer_may_read_it_and_a_stranger_sees_nothing(filled: Gateway) -> None:
    whole = ask(filled, groupBy=["MACHINE"])
    assert ask(filled, groupBy=["MACHINE"], key=VIEWER) == whole
    foreign = ask(filled, groupBy=["MACHINE"], key=STRANGER)
    assert foreign == {"rows": [], "complete": True, "sources": []}
    account = filled.ask("{ accounts { id } }")["accounts"][0]["id"]
    machine = next(row["machineId"] for row in whole["rows"] if row["machineId"])
    for narrowing in ({"accounts": [account]}, {"machines": [machine]}):
        assert ask(filled, key=STRANGER, filter=narrowing) == foreign


@pytest.mark.parametrize(
    ("changed", "code", "word"),
    [
        ({"timezone": "Europe/Atlantis"}, "BAD_INPUT", "IANA"),
        ({"timezone": "../../etc/passwd"}, "BAD_INPUT", "IANA"),
        ({"to": FROM.isoformat()}, "BAD_INPUT", "before"),
        ({"from": "1969-01-01T00:00:00Z"}, "BAD_INPUT", "1970"),
        ({"from": (TO - timedelta(days=733)).isoformat()}, "BAD_INPUT", "732"),
    ],
)
def test_what_cannot_be_meant_is_refused(gateway: Gateway, changed: Row, code: str, word: str) -> None:
    given = {"from": FROM.isoformat(), "to": TO.isoformat(), **changed}
    (error,) = gateway.post(REPORT, given).json()["errors"]
    assert error["extensions"]["code"] == code
    assert word in error["message"]


def test_a_report_of_too_many_rows_is_refused(filled: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolvers.figures.MOST_ROWS", 100)
    given = {"from": FROM.isoformat(), "to": TO.isoformat(), "granularity": "HOUR", "groupBy": ["MACHINE"]}
    (error,) = filled.post(REPORT, given).json()["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
