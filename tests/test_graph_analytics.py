"""What a vendor itself sums up, through the graph, against what the emulated one answers to just such a request."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from sandbox.app import create_app
from sandbox.livello import Livello
from sandbox.server import start
from sandbox.world import World
from tests.catalogue import account
from tests.expected import utc
from tests.running import STRANGER, Gateway, Sandbox, moment, running_gateway
from tests.test_report_livello import headers

__all__ = ["headers"]

KIOSKS, VENDING = account("acme-kiosks"), account("acme-vending")
UNTIL = datetime.now(UTC).replace(microsecond=0)
SINCE = UNTIL - timedelta(days=30)
QUERY = """query ($id: ID!, $from: DateTime!, $to: DateTime!, $machines: [ID!]) { node(id: $id) {
  ... on VendorAccount { analytics(from: $from, to: $to, machines: $machines) { %s } } } }"""
MONEY = "{ amount currency }"
FIGURES = f"net {MONEY} cost {MONEY} profit {MONEY}"
Found = dict[str, Any]


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("analytics")) as gateway:
        yield gateway


def post(gateway: Gateway, selection: str, **given: Any) -> Any:
    dates = {"from": SINCE.isoformat(), "to": UNTIL.isoformat()}
    return gateway.post(QUERY % selection, {"id": KIOSKS, **dates, **given}).json()


def ask(gateway: Gateway, selection: str, **given: Any) -> Any:
    answer = post(gateway, selection, **given)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]["node"]["analytics"]


def theirs(sandbox: Sandbox, headers: dict[str, str], path: str, **query: Any) -> Any:
    last = (UNTIL - timedelta(milliseconds=1)).isoformat(timespec="milliseconds")
    dates = {"startDate": SINCE.isoformat(timespec="milliseconds"), "endDate": last, "limit": "100"}
    answer = httpx2.get(
        f"{sandbox.base}/livello/api/v1/analytics/{path}",
        params={**dates, **query},
        headers={**headers, "x-timezone": "UTC"},
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def amounts(row: Found, **named: str) -> dict[str, Decimal]:
    return {theirs: Decimal(row[ours]["amount"]) for ours, theirs in named.items()}


def exact(row: Found, *names: str) -> dict[str, Decimal]:
    return {name: Decimal(str(row[name])) for name in names}


def kiosk(gateway: Gateway) -> Found:
    query = "{ machines(first: 1, filter: {vendors: [LIVELLO]}) { nodes { id vendorId } } }"
    found: Found = gateway.ask(query)["machines"]["nodes"][0]
    return found


@pytest.mark.parametrize(("granularity", "word"), [("DAY", "daily"), ("WEEK", "weekly"), ("MONTH", "monthly")])
@pytest.mark.parametrize(("by", "named"), [(None, None), ("MACHINE", "kiosk"), ("PRODUCT_LINE", "product")])
def test_sales_by_period(
    granularity: str,
    word: str,
    by: str | None,
    named: str | None,
    gateway: Gateway,
    sandbox: Sandbox,
    headers: dict[str, str],
) -> None:
    group = "" if by is None else f", groupBy: {by}"
    rows = ask(
        gateway,
        f"sales(granularity: {granularity}{group}) {{ since productLine machine {{ vendorId }} total {MONEY} "
        f"tax {MONEY} {FIGURES} }}",
    )["sales"]
    query = {"granularity": word} if named is None else {"granularity": word, "aggregateBy": named}
    told = theirs(sandbox, headers, "sales", **query)
    assert len(rows) == len(told) > 0
    for ours, one in zip(rows, told, strict=True):
        assert moment(ours["since"]) == utc(one["date"])
        assert ours["productLine"] == (str(one["productLineId"]) if by == "PRODUCT_LINE" else None)
        assert (ours["machine"] or {}).get("vendorId") == one.get("kioskSerialNumber")
        named_so = {"total": "totalSales", "net": "totalNetSales", "tax": "totalTax", "cost": "totalCost"}
        assert amounts(ours, **named_so, profit="profit") == exact(one, *named_so.values(), "profit")
        assert ours["total"]["currency"] == "EUR"


def test_of_one_machine_alone(gateway: Gateway, sandbox: Sandbox, headers: dict[str, str]) -> None:
    one = kiosk(gateway)
    selection = f"sales(granularity: MONTH) {{ total {MONEY} }} kpis {{ sales total {MONEY} }}"
    found = ask(gateway, selection, machines=[one["id"]])
    told = theirs(sandbox, headers, "sales", granularity="monthly", kioskSerialNumber=one["vendorId"])
    assert [Decimal(row["total"]["amount"]) for row in found["sales"]] == [
        Decimal(str(row["totalSales"])) for row in told
    ]
    kpis = theirs(sandbox, headers, "transactions/kpis", kioskSerialNumbers=one["vendorId"])
    assert found["kpis"]["sales"] == kpis["totalNumberOfTransactions"]


def test_rankings(gateway: Gateway, sandbox: Sandbox, headers: dict[str, str]) -> None:
    found = ask(
        gateway,
        f"topMachines {{ rank name machine {{ vendorId }} {FIGURES} }} "
        f"topProducts {{ rank name manufacturer imageUrl sold {FIGURES} }}",
    )
    named = {"net": "netSales", "cost": "netCost", "profit": "profit"}
    machines = theirs(sandbox, headers, "sales/top-kiosks")
    assert len(found["topMachines"]) == len(machines) > 1
    for ours, one in zip(found["topMachines"], machines, strict=True):
        assert (ours["rank"], ours["name"], ours["machine"]["vendorId"]) == (
            one["rank"],
            one["kioskName"],
            one["kioskSerialNumber"],
        )
        assert amounts(ours, **named) == exact(one, *named.values())
    products = theirs(sandbox, headers, "sales/top-products")
    assert [(one["rank"], one["name"], one["sold"]) for one in found["topProducts"]] == [
        (one["rank"], one["productName"], one["quantitySold"]) for one in products
    ]


def test_sales_at_a_glance(gateway: Gateway, sandbox: Sandbox, headers: dict[str, str]) -> None:
    found = ask(
        gateway,
        f"kpis {{ sales average {MONEY} productsSold net {MONEY} total {MONEY} }} "
        f"peakHour {{ since until sales }} paymentTypes {{ type sales }} dailyProfit {{ day {FIGURES} }}",
    )
    kpis = theirs(sandbox, headers, "transactions/kpis")
    assert (found["kpis"]["sales"], found["kpis"]["productsSold"]) == (
        kpis["totalNumberOfTransactions"],
        kpis["totalNumberOfProductsSold"],
    )
    named = {"average": "averagePurchaseValue", "net": "totalNetIncome", "total": "totalGrossIncome"}
    assert amounts(found["kpis"], **named) == exact(kpis, *named.values())
    peak = theirs(sandbox, headers, "transactions/peak-hour")
    assert found["peakHour"] == {"since": peak["start"], "until": peak["end"], "sales": peak["sum"]}
    paid = theirs(sandbox, headers, "transactions/payment-types")
    assert {one["type"]: one["sales"] for one in found["paymentTypes"]} == paid
    days = theirs(sandbox, headers, "transactions/daily-profit")
    assert [one["day"] for one in found["dailyProfit"]] == [one["_id"] for one in days]
    named = {"net": "total_sales", "cost": "total_cost", "profit": "profit"}
    for ours, one in zip(found["dailyProfit"], days, strict=True):
        assert amounts(ours, **named) == exact(one, *named.values())


def test_stock(gateway: Gateway, sandbox: Sandbox, headers: dict[str, str]) -> None:
    ranked = "{ name count product { vendorId } }"
    found = ask(
        gateway,
        f"lifecycle {{ mostSold {ranked} leastSold {ranked} mostRestocked {ranked} mostRemoved {ranked} }} "
        f"restocks {{ restocked removed spoilageRate restockedCost {MONEY} removedCost {MONEY} }} "
        "lowStock(threshold: 3) { machine { vendorId } product { vendorId } name position quantity } "
        f"statistics(orderBy: RESTOCKED, idle: true) {{ product {{ vendorId }} sold restocked removed total {MONEY} }}",
    )
    told = theirs(sandbox, headers, "transactions/product-lifecycle")
    for ours, name in (("mostSold", "mostSold"), ("leastSold", "leastSold"), ("mostRestocked", "mostRefilled")):
        one = told[f"{name}ProductMeta"]
        assert found["lifecycle"][ours]["count"] == one["count"]
        assert found["lifecycle"][ours]["product"]["vendorId"] == str(one["productMetaId"])
    told = theirs(sandbox, headers, "refills/statistics")
    assert found["restocks"]["restocked"] == told["totalNumberOfProductsAdded"]
    assert Decimal(found["restocks"]["spoilageRate"]) == Decimal(str(told["averageSpoilageRate"]))
    low = theirs(sandbox, headers, "inventory/low-stock", threshold="3")
    assert len(found["lowStock"]) == low["total"] > 1
    assert {(one["machine"]["vendorId"], one["position"], one["quantity"]) for one in found["lowStock"]} >= {
        (one["kioskSerialNumber"], one["planogramPosition"], one["quantity"]) for one in low["data"]
    }
    rows = theirs(sandbox, headers, "inventory/products", sortColumn="refilled", includeZeroActivity="true")
    assert [(one["product"]["vendorId"], one["restocked"], one["sold"]) for one in found["statistics"]] == [
        (str(one["productMetaId"]), one["refilled"], one["sold"]) for one in rows["data"]
    ]


def test_what_is_asked_twice_is_kept(gateway: Gateway, sandbox: Sandbox) -> None:
    first = ask(gateway, "peakHour { sales }")
    sandbox.forget_requests()
    assert ask(gateway, "peakHour { sales }") == first
    assert not any("analytics" in request for request in sandbox.requests())


def test_who_sums_up_nothing_and_who_is_a_stranger(gateway: Gateway) -> None:
    assert ask(gateway, "kpis { sales }", id=VENDING) is None
    dates = {"from": SINCE.isoformat(), "to": UNTIL.isoformat()}
    assert gateway.ask(QUERY % "kpis { sales }", {"id": KIOSKS, **dates}, key=STRANGER) == {"node": None}


@pytest.mark.parametrize(
    ("selection", "given", "code"),
    [
        ("kpis { sales }", {"to": SINCE.isoformat()}, "BAD_INPUT"),
        ("kpis { sales }", {"from": (SINCE - timedelta(days=800)).isoformat()}, "BAD_INPUT"),
        ("kpis { sales }", {"machines": []}, "BAD_INPUT"),
        ("kpis { sales }", {"machines": ["nothing"]}, "NOT_FOUND"),
        ("lowStock(threshold: -1) { quantity }", {}, "BAD_INPUT"),
        ("lowStock(manufacturers: []) { quantity }", {}, "BAD_INPUT"),
        ('lowStock(manufacturers: ["a,b"]) { quantity }', {}, "BAD_INPUT"),
    ],
)
def test_what_cannot_be_is_refused(selection: str, given: Found, code: str, gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.forget_requests()
    answer = post(gateway, selection, **given)
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert not any("analytics" in request for request in sandbox.requests())


def test_what_fails_is_null_beside_what_does_not(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.break_("livello", "status", status=500, operation="/daily-profit")
    dates = {"from": (SINCE - timedelta(days=1)).isoformat()}
    answer = post(gateway, "dailyProfit { day }", **dates)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["VENDOR_UNAVAILABLE"]
    sandbox.heal()
    assert ask(gateway, "kpis { sales }", **dates)["kpis"]["sales"]


def test_sums_over_several_currencies_are_no_money(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = World(scale=0.1, days=10, seed=7)
    app = create_app(world, vendors=[Livello(world, currencies=("EUR", "CHF"))])
    with (
        start(app) as server,
        running_gateway(Sandbox(server.base, app), tmp_path_factory.mktemp("currencies")) as gateway,
    ):
        assert ask(gateway, f"kpis {{ sales total {MONEY} }}")["kpis"]["total"] is None
        one = kiosk(gateway)
        found = ask(gateway, f"kpis {{ total {MONEY} }}", machines=[one["id"]])["kpis"]["total"]
        assert found["currency"] in ("EUR", "CHF")
