"""Our report of Livello's kiosks against Livello's own analytics."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.livello_gate import CREDENTIALS
from tests.filled import FROM, SPRING, TO
from tests.running import CLIENT, Elapsed, Gateway, Sandbox, running_sandbox
from tests.test_sales_report import amount, ask

HOURLY, DAILY, WEEKLY, MONTHLY = "hourly", "daily", "weekly", "monthly"
LIVELLO = {"vendors": ["LIVELLO"]}
# A name of ours as Livello tells the time: without an offset, and of a week its Monday.
DATES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    HOURLY: ("HOUR", lambda name: f"{name[:16]}:00"),
    DAILY: ("DAY", lambda name: f"{name}T00:00:00"),
    WEEKLY: ("WEEK", lambda name: datetime.fromisoformat(f"{name}-1").isoformat()),
    MONTHLY: ("MONTH", lambda name: f"{name}-01T00:00:00"),
}


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(start=SPRING, now=Elapsed()) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def headers(shared_sandbox: Sandbox) -> dict[str, str]:
    body = {**CREDENTIALS, "grant_type": "client_credentials"}
    token = CLIENT.post(f"{shared_sandbox.base}/livello/api/v1/auth/token", json=body).json()["access_token"]
    return {"authorization": f"Bearer {token}"}


def analytics(sandbox: Sandbox, headers: dict[str, str], path: str, zone: str, **query: str) -> Any:
    times = {"startDate": FROM.isoformat(), "endDate": TO.isoformat()}
    address = f"{sandbox.base}/livello/api/v1/analytics/{path}"
    answer = CLIENT.get(address, params={**times, **query}, headers={**headers, "x-timezone": zone})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("granularity", DATES)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata"])
def test_sales_and_costs_are_theirs(
    sandbox: Sandbox, headers: dict[str, str], gateway: Gateway, zone: str, granularity: str
) -> None:
    ours, dated = DATES[granularity]
    rows = ask(gateway, granularity=ours, timezone=zone, filter=LIVELLO)["rows"]
    theirs = analytics(sandbox, headers, "sales", zone, granularity=granularity)
    assert len(theirs) > 1
    assert {dated(row["period"]["name"]): (amount(row), amount(row, "cost")) for row in rows} == {
        row["date"]: (Decimal(str(row["totalSales"])), Decimal(str(row["totalCost"]))) for row in theirs
    }


def test_sums_of_kiosks_are_theirs(sandbox: Sandbox, headers: dict[str, str], gateway: Gateway) -> None:
    query = "{ machines(first: 1000, filter: { vendors: [LIVELLO] }) { nodes { id vendorId } } }"
    names = {one["id"]: one["vendorId"] for one in gateway.ask(query)["machines"]["nodes"]}
    rows = ask(gateway, groupBy=["MACHINE"], granularity="MONTH", timezone="Europe/Berlin", filter=LIVELLO)["rows"]
    theirs = analytics(sandbox, headers, "sales", "Europe/Berlin", granularity=MONTHLY, aggregateBy="kiosk")
    assert {(row["period"]["name"], names[row["machineId"]]): amount(row) for row in rows} == {
        (row["date"][:7], row["kioskSerialNumber"]): Decimal(str(row["totalSales"])) for row in theirs
    }


def test_the_whole_is_theirs(sandbox: Sandbox, headers: dict[str, str], gateway: Gateway) -> None:
    (row,) = ask(gateway, filter=LIVELLO)["rows"]
    theirs = analytics(sandbox, headers, "transactions/kpis", "UTC")
    assert row["sales"] == theirs["totalNumberOfTransactions"]
    assert row["items"] == theirs["totalNumberOfProductsSold"]
    assert amount(row) == Decimal(str(theirs["totalGrossIncome"]))


@pytest.mark.parametrize("query", [{}, {"granularity": "yearly"}, {"granularity": "daily", "aggregateBy": "person"}])
def test_the_emulated_analytics_are_strict(sandbox: Sandbox, headers: dict[str, str], query: dict[str, str]) -> None:
    address = f"{sandbox.base}/livello/api/v1/analytics/sales"
    assert CLIENT.get(address, params=query, headers=headers).status_code == 400
    assert CLIENT.get(address, params=query).status_code == 401
