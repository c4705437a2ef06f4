"""Our report of the stock of Livello's kiosks against Livello's own analytics."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.filled import SPRING
from tests.running import CLIENT, Elapsed, Gateway, Sandbox, running_sandbox
from tests.test_report_livello import LIVELLO, analytics, headers
from tests.test_stock_report import ask

__all__ = ["headers"]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(start=SPRING, now=Elapsed()) as sandbox:
        yield sandbox


def worth(figure: Any, name: str) -> Decimal:
    (one,) = figure["worth"]
    return Decimal(one[name]["amount"])


@pytest.mark.parametrize("of_one", [False, True])
def test_the_whole_is_theirs(sandbox: Sandbox, headers: dict[str, str], gateway: Gateway, *, of_one: bool) -> None:
    asked = "{ machines(first: 1, filter: { vendors: [LIVELLO] }) { nodes { id vendorId } } }"
    (kiosk,) = gateway.ask(asked)["machines"]["nodes"]
    narrowed = {"kioskSerialNumbers": kiosk["vendorId"]} if of_one else {}
    theirs = analytics(sandbox, headers, "refills/statistics", "UTC", **narrowed)
    filtered = {**LIVELLO, "machines": [kiosk["id"]]} if of_one else LIVELLO
    total = ask(gateway, filter=filtered)["total"]
    assert total["restocked"]["units"] == theirs["totalNumberOfProductsAdded"] > 0
    assert total["removed"]["units"] == theirs["totalNumberOfProductsRemoved"] > 0
    assert worth(total["restocked"], "cost") == Decimal(str(theirs["defaultTotalCostValueOfRefills"]))
    assert worth(total["restocked"], "price") == Decimal(str(theirs["defaultTotalSalesValueOfRefills"]))
    assert worth(total["removed"], "cost") == Decimal(str(theirs["defaultTotalCostValueOfRemovedProducts"]))
    assert round(Decimal(total["spoilageRate"]), 4) == Decimal(str(theirs["averageSpoilageRate"]))


def test_what_is_refilled_and_removed_of_each_product_is_theirs(
    sandbox: Sandbox, headers: dict[str, str], gateway: Gateway
) -> None:
    asked = "{ products(first: 1000, filter: { vendors: [LIVELLO] }) { nodes { id vendorId } } }"
    names = {one["id"]: one["vendorId"] for one in gateway.ask(asked)["products"]["nodes"]}
    rows = ask(gateway, groupBy=["PRODUCT"], filter=LIVELLO)["rows"]
    theirs = analytics(sandbox, headers, "inventory/products", "UTC", limit="100", sortColumn="refilled")
    assert theirs["total"] == len(theirs["data"]) > 1
    moved = [row for row in theirs["data"] if row["refilled"] or row["removed"]]
    assert {names[row["productId"]]: (row["restocked"]["units"], row["removed"]["units"]) for row in rows} == {
        str(row["productMetaId"]): (row["refilled"], row["removed"]) for row in moved
    }


@pytest.mark.parametrize(
    "query", [{"sortColumn": "name"}, {"sortDirection": "down"}, {"includeZeroActivity": "perhaps"}]
)
def test_the_emulated_analytics_are_strict(sandbox: Sandbox, headers: dict[str, str], query: dict[str, str]) -> None:
    address = f"{sandbox.base}/livello/api/v1/analytics/inventory/products"
    assert CLIENT.get(address, params=query, headers=headers).status_code == 400
    assert CLIENT.get(address).status_code == 401
