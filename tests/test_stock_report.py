"""Reports over stock: what the vendors' own records of movements add up to, and what a fridge's tags show."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests import expected_stock
from tests.filled import FROM, SPRING, TO
from tests.running import ADMIN, STRANGER, VIEWER, Elapsed, Gateway, Sandbox, running_gateway, running_sandbox
from tests.test_fridge_movements import deliver, scan
from tests.test_sales_report import NAMES

KINDS = {
    "RESTOCK": "restocked",
    "TAKE": "taken",
    "REMOVAL": "removed",
    "ADJUSTMENT": "adjusted",
    "UNKNOWN": "unexplained",
}
FIGURE = "{ movements units uncounted worth { currency cost { amount } costedUnits price { amount } pricedUnits } }"
FIGURES = " ".join(f"{name} {FIGURE}" for name in KINDS.values())
ROW = f"period {{ name from to }} vendor machineId productId {FIGURES} spoilageRate"
REPORT = f"""query ($from: DateTime!, $to: DateTime!, $granularity: Granularity, $groupBy: [StockGroup!],
    $timezone: String, $filter: StockReportFilter) {{
  stockReport(from: $from, to: $to, granularity: $granularity, groupBy: $groupBy, timezone: $timezone, filter: $filter)
  {{ from to timezone rows {{ {ROW} machine {{ vendorId }} product {{ name }} }} total {{ {ROW} }} complete
     sources {{ account {{ key vendor }} state complete error {{ code }} }} }} }}"""
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Chatham")
Row = dict[str, Any]
Sums = dict[Any, dict[str, tuple[int, int, int]]]  # by kind: movements, units, uncounted


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(start=SPRING, now=Elapsed()) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def truth(shared_sandbox: Sandbox) -> Sequence[Row]:
    return [
        {"vendor": vendor.upper(), "kind": kind, **row}
        for vendor, of in expected_stock.MOVEMENTS.items()
        for (_, _, kind), row in of(shared_sandbox).items()
        if FROM <= row["recordedAt"] < TO
    ]


def ask(gateway: Gateway, *, key: str = ADMIN, since: datetime = FROM, until: datetime = TO, **variables: Any) -> Row:
    given = {"from": since.isoformat(), "to": until.isoformat(), **variables}
    found: Row = gateway.ask(REPORT, given, key=key)["stockReport"]
    return found


def summed(movements: Sequence[Row], key: Callable[[Row], Any]) -> Sums:
    found: Sums = defaultdict(lambda: dict.fromkeys(KINDS, (0, 0, 0)))
    for one in movements:
        count, units, uncounted = found[key(one)][one["kind"]]
        moved = -1 if one["kind"] in ("TAKE", "REMOVAL") else 1
        more = 0 if one["delta"] is None else moved * one["delta"]
        found[key(one)][one["kind"]] = count + 1, units + more, uncounted + (one["delta"] is None)
    return dict(found)


def told(rows: Sequence[Row], key: Callable[[Row], Any]) -> Sums:
    found = {
        key(row): {
            kind: (row[name]["movements"], row[name]["units"], row[name]["uncounted"]) for kind, name in KINDS.items()
        }
        for row in rows
    }
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("granularity", NAMES)
@pytest.mark.parametrize("zone", ZONES)
def test_sums_are_the_vendors_truth_on_any_clock(
    gateway: Gateway, truth: Sequence[Row], zone: str, granularity: str
) -> None:
    report = ask(gateway, granularity=granularity, timezone=zone)
    local = ZoneInfo(zone)
    assert report["complete"]
    assert (report["timezone"], len({row["period"]["from"] for row in report["rows"]})) == (zone, len(report["rows"]))
    true = summed(truth, lambda one: NAMES[granularity](one["recordedAt"].astimezone(local)))
    assert told(report["rows"], lambda row: row["period"]["name"]) == true


def test_each_vendor_machine_and_product_has_its_own(gateway: Gateway, truth: Sequence[Row]) -> None:
    vendors = ask(gateway, groupBy=["VENDOR"])["rows"]
    assert told(vendors, lambda row: row["vendor"]) == summed(truth, lambda one: one["vendor"])
    machines = [row for row in ask(gateway, groupBy=["MACHINE"])["rows"] if row["machine"]]
    known = [one for one in truth if one["machine"]]
    assert told(machines, lambda row: (row["vendor"], row["machine"]["vendorId"])) == summed(
        known, lambda one: (one["vendor"], one["machine"]["vendorId"])
    )
    products = ask(gateway, groupBy=["PRODUCT"])["rows"]
    assert told(products, lambda row: (row["vendor"], row["product"]["name"])) == summed(
        truth, lambda one: (one["vendor"], one["product"]["name"])
    )


def test_all_of_it_is_the_sum_of_any_rows(gateway: Gateway, truth: Sequence[Row]) -> None:
    report = ask(gateway, groupBy=["MACHINE", "PRODUCT", "VENDOR"], granularity="WEEK")
    whole = summed(truth, lambda _: None)
    assert told([report["total"]], lambda _: None) == whole
    for kind, name in KINDS.items():
        counts = [(row[name]["movements"], row[name]["units"], row[name]["uncounted"]) for row in report["rows"]]
        assert tuple(map(sum, zip(*counts, strict=True))) == whole[None][kind]


def test_what_it_is_worth_is_by_the_catalogues(gateway: Gateway, truth: Sequence[Row]) -> None:
    asked = "{ products(first: 1000) { nodes { name vendor cost { amount currency } price { amount currency } } } }"
    products = {(one["vendor"], one["name"]): one for one in gateway.ask(asked)["products"]["nodes"]}
    for vendor, kind in (("LIVELLO", "RESTOCK"), ("LIVELLO", "REMOVAL"), ("VENDNOVATION", "TAKE")):
        sums: dict[str, Decimal] = defaultdict(Decimal)
        units: dict[str, int] = defaultdict(int)
        for one in truth:
            price = products[vendor, one["product"]["name"]]["price"] if one["vendor"] == vendor else None
            if one["kind"] == kind and price:
                sums[price["currency"]] += abs(one["delta"]) * Decimal(price["amount"])
                units[price["currency"]] += abs(one["delta"])
        figure = ask(gateway, filter={"vendors": [vendor]})["total"][KINDS[kind]]
        worth = {one["currency"]: one for one in figure["worth"] if one["price"]}
        assert {currency: Decimal(one["price"]["amount"]) for currency, one in worth.items()} == sums
        assert {currency: one["pricedUnits"] for currency, one in worth.items()} == units


def test_spoilage_is_told_where_removals_are(gateway: Gateway, truth: Sequence[Row]) -> None:
    rows = {row["vendor"]: row for row in ask(gateway, groupBy=["VENDOR"])["rows"]}
    livello = summed([one for one in truth if one["vendor"] == "LIVELLO"], lambda _: None)[None]
    rate = Decimal(livello["REMOVAL"][1]) / livello["RESTOCK"][1]
    assert Decimal(rows["LIVELLO"]["spoilageRate"]) == round(rate, 6)
    assert rows["VENDNOVATION"]["restocked"]["units"] > 0
    assert rows["VENDNOVATION"]["spoilageRate"] is None
    assert ask(gateway)["total"]["spoilageRate"] == rows["LIVELLO"]["spoilageRate"]


def test_filters_and_rights_narrow(gateway: Gateway, truth: Sequence[Row]) -> None:
    (chosen,) = gateway.ask("{ machines(first: 1, filter: {vendors: [LIVELLO]}) { nodes { id vendorId } } }")[
        "machines"
    ]["nodes"]
    own = [one for one in truth if one["machine"] and one["machine"]["vendorId"] == chosen["vendorId"]]
    found = ask(gateway, filter={"machines": [chosen["id"]]}, key=VIEWER)
    assert told(found["rows"], lambda _: None) == summed(own, lambda _: None)
    assert [one["account"]["vendor"] for one in found["sources"]] == ["LIVELLO"]
    nothing = ask(gateway, filter={"vendors": []})
    assert (nothing["rows"], nothing["total"]["restocked"]["movements"], nothing["complete"]) == ([], 0, True)
    assert ask(gateway, key=STRANGER)["sources"] == []


def test_a_time_that_ends_before_it_begins_is_refused(gateway: Gateway) -> None:
    given = {"from": TO.isoformat(), "to": FROM.isoformat()}
    answer = gateway.post(REPORT, given).json()
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"


def test_a_vendor_that_fails_leaves_the_others_and_says_so(
    sandbox: Sandbox, tmp_path: Path, truth: Sequence[Row]
) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.break_("livello", "status", status=503)
        report = ask(gateway, groupBy=["VENDOR"])
    states = {one["account"]["vendor"]: (one["state"], one["complete"]) for one in report["sources"]}
    assert not report["complete"]
    assert states["LIVELLO"] == ("FAILED", False)
    assert states["VENDNOVATION"] == ("FRESH", True)
    others = [one for one in truth if one["vendor"] == "VENDNOVATION"]
    assert told(report["rows"], lambda row: row["vendor"]) == summed(others, lambda one: one["vendor"])


def test_a_fridge_is_counted_by_its_tags(tmp_path: Path) -> None:
    with running_sandbox(scale=0.1, days=2) as sandbox, running_gateway(sandbox, tmp_path) as gateway:
        fridge = str(sandbox.truth("eatmachine")["machines"][0]["uuid"])
        for minute, tags, opening in ((0, "abcdef", None), (1, "ab", "one"), (2, "a", None), (3, "aghi", None)):
            deliver(gateway, fridge, scan(fridge, minute, *tags, opening=opening))
        now = datetime.now(UTC)
        hour = timedelta(hours=1)
        (row,) = ask(gateway, since=now - hour, until=now + hour, filter={"vendors": ["EATMACHINE"]})["rows"]
    counts = {kind: row[name]["units"] for kind, name in KINDS.items()}
    assert counts == {"RESTOCK": 3, "TAKE": 4, "REMOVAL": 1, "ADJUSTMENT": 0, "UNKNOWN": 0}
    assert Decimal(row["spoilageRate"]) == Decimal("0.333333")
