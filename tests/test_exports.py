"""Exports of sales: the very list of sales, from vendors' lists, from the journal, and from both."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from journal.store import open_store
from tests.exporting import Row, ndjson
from tests.filled import CLOCK, FROM, SPRING, TO, cover, filled_gateway
from tests.running import ADMIN, Gateway, Sandbox, running_sandbox

MONEY = "{ amount currency }"
SALE = f"""id kind status vendor vendorId recordedAt occurredAt machine {{ id name }} organization {{ id name }}
  total {MONEY} tax {MONEY} discount {MONEY} payments {{ method amount {MONEY} cardBrand reference }}
  lines {{
    product {{ id }} productName position quantity unitPrice {MONEY} total {MONEY} tax {MONEY} taxRate dispensed }}
  person {{ vendorId name }} trust"""
SALES = f"""query ($after: String, $filter: SaleFilter) {{ sales(first: 1000, after: $after, filter: $filter) {{
  nodes {{ {SALE} }} pageInfo {{ hasNextPage endCursor }} }} }}"""


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(start=SPRING, now=CLOCK) as sandbox:
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
        cover(engine, SPRING - timedelta(days=20), SPRING - timedelta(days=10))
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
    assert len(sales) > 1_000
    assert [sale["id"] for sale in sales] == [sale["id"] for sale in listed]
    assert [as_listed(*pair) for pair in zip(sales, listed, strict=True)] == listed
    assert end["sales"] == len(sales)
    assert end["complete"]
