"""What a query costs the vendors: cold the least that their APIs allow, warm nothing, and for many what for one."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from pathlib import Path

import pytest

from tests.running import CLIENT, VENDORS, Elapsed, Gateway, Sandbox, running_gateway, running_sandbox

FLEET = """{ machines(first: 1000) { nodes {
  id name vendor connectivity temperature { celsius } organization { name } group { name } location { city }
  slots { position quantity price { amount } product { name } machine { name } } } } }"""
SALES = """{ sales(first: 20) { nodes {
  id vendor machine { name organization { name } location { city } } organization { name }
  lines { product { name } } } } }"""
NESTED = "{ machines(first: 1000) { nodes { id vendor sales(first: 2) { nodes { id } } } } }"
ELAPSED = Elapsed()
BATCH = 100  # the largest page of Livello, VendNovation and SmartEPI
SITES = 50  # the largest page of VendNovation's sites


FOREVER = "machines = 3600\nslots = 3600\nproducts = 3600\nstate = 3600\nsales = 3600"


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.15, days=60, now=ELAPSED) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """Livello hands out ten tokens a minute, and many a gateway begins here."""
    ELAPSED.seconds += 61
    return sandbox


@pytest.fixture
def cold(sandbox: Sandbox, tmp_path: Path) -> Iterator[Gateway]:
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.forget_requests()
        yield gateway


def pages(rows: int, size: int) -> int:
    """Until the end of a list is known by a page that is not full."""
    return rows // size + 1


def counted(sandbox: Sandbox, vendor: str) -> dict[str, int]:
    """How often each operation was asked for; those with an id in their path count together."""
    names = (
        request.split(" ")[1].removeprefix(f"/{vendor}/").split("/", 1)[-1] for request in sandbox.requests(vendor)
    )
    return Counter("inventory" if name.endswith("/inventory") else name for name in names)


def test_a_cold_fleet_costs_each_vendor_the_least_that_it_allows(cold: Gateway, sandbox: Sandbox) -> None:
    cold.ask(FLEET)
    truth = {vendor: sandbox.truth(vendor) for vendor in VENDORS}
    assert counted(sandbox, "smartvend") == {
        "get-list-of-controllers": 1,
        "get-controller-matrix": len(truth["smartvend"]["machines"]),
        "get-list-of-products": 1,
    }
    assert counted(sandbox, "livello") == {
        "v1/auth/token": 1,
        "v1/kiosks": ceil(len(truth["livello"]["machines"]) / BATCH),
        "inventory": len(truth["livello"]["machines"]),
        "v1/products": ceil(len(truth["livello"]["products"]) / BATCH),
        "v1/organizations": ceil(len(truth["livello"]["organizations"]) / BATCH),
    }
    own = truth["vendnovation"]
    assert counted(sandbox, "vendnovation") == {
        "authenticate/": 1,
        "machines": pages(len(own["machines"]), BATCH),
        "sites": pages(len(own["sites"]), SITES),
        "organizations": pages(len(own["organizations"]), BATCH),
        "selections": pages(len(own["slots"]), BATCH),
        "products": pages(len(own["products"]), BATCH),
    }
    sales = Counter(
        next(kind for kind in ("withdrawal", "return", "exchange") if f"{kind}Status" in row)
        for row in truth["smartepi"]["sales"]
    )
    assert counted(sandbox, "smartepi") == {
        "withdrawals": ceil(sales["withdrawal"] / BATCH),
        "returns": ceil(sales["return"] / BATCH),
        "exchanges": ceil(sales["exchange"] / BATCH),
    }
    assert counted(sandbox, "eatmachine") == {}


def test_warm_it_costs_nothing(gateway: Gateway, sandbox: Sandbox) -> None:
    for query in (FLEET, SALES, NESTED):
        gateway.ask(query)
        sandbox.forget_requests()
        _, requests = gateway.traced(query)
        assert (requests, sandbox.requests()) == ([], [])


@pytest.mark.parametrize("query", [FLEET, SALES, NESTED], ids=["fleet", "sales", "nested"])
def test_forty_at_once_cost_what_one_costs(query: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """However long the forty take: nothing grows old meanwhile."""
    with running_gateway(sandbox, tmp_path, cache=FOREVER) as one:
        answer = one.ask(query)
    alone = Counter(sandbox.requests())
    sandbox.forget_requests()
    with running_gateway(sandbox, tmp_path, cache=FOREVER) as gateway, ThreadPoolExecutor(40) as callers:
        answers = list(callers.map(gateway.ask, [query] * 40))
    assert [one for one in answers if one != answer] == []
    together = Counter(sandbox.requests())
    assert together.keys() == alone.keys()
    windows = query is not FLEET  # of a list that promises no order: a moment later it may take one more, or one less
    assert not {name: (together[name], alone[name]) for name in alone if abs(together[name] - alone[name]) > windows}


def test_forty_at_once_cost_what_one_costs_even_where_nothing_is_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each list is asked for once in a request, whatever the times of the cache."""
    forgetful = "machines = 0\nslots = 0\nproducts = 0\nsales = 0\nstate = 0"
    with running_gateway(sandbox, tmp_path) as gateway:
        gateway.ask(FLEET)
    kept = Counter(sandbox.requests())
    sandbox.forget_requests()
    with running_gateway(sandbox, tmp_path, cache=forgetful) as gateway:
        gateway.ask(FLEET)
    assert Counter(sandbox.requests()) == kept


def test_a_page_of_machines_asks_only_those_that_are_on_it_for_more(cold: Gateway, sandbox: Sandbox) -> None:
    query = (
        "{ machines(first: 1) { nodes { vendor organization { name } location { city } slots { product { name } } } } }"
    )
    on_it = {one["vendor"] for one in cold.ask(query)["machines"]["nodes"]}
    for vendor, products in (
        ("smartvend", "get-list-of-products"),
        ("livello", "v1/products"),
        ("vendnovation", "products"),
    ):
        assert (products in counted(sandbox, vendor)) == (vendor.upper() in on_it)


def test_what_is_not_selected_is_not_asked_for(cold: Gateway, sandbox: Sandbox) -> None:
    cold.ask(
        "{ machines(first: 1000) { nodes { name group { name } unavailable { reason } capabilities { reason } } } }"
    )
    assert set(counted(sandbox, "smartvend")) == {"get-list-of-controllers"}
    assert set(counted(sandbox, "livello")) == {"v1/auth/token", "v1/kiosks"}
    assert set(counted(sandbox, "vendnovation")) == {"authenticate/", "machines", "sites"}


def test_a_vendor_without_organizations_is_not_asked_whose_a_sale_is(cold: Gateway, sandbox: Sandbox) -> None:
    data = cold.ask("{ sales(first: 60) { nodes { vendor organization { name } } } }")["sales"]["nodes"]
    assert {one["vendor"] for one in data} >= {"SMARTVEND", "SMARTEPI", "LIVELLO"}
    assert set(counted(sandbox, "smartvend")) == {"get-list-of-sales"}
    assert counted(sandbox, "smartepi") == {"withdrawals": 1, "returns": 1, "exchanges": 1}
    assert set(counted(sandbox, "livello")) == {"v1/auth/token", "v1/transactions", "v1/kiosks", "v1/organizations"}


@pytest.mark.parametrize("directive", ["@skip(if: $no)", "@include(if: $yes)"])
def test_what_a_directive_leaves_out_is_not_asked_for(directive: str, cold: Gateway, sandbox: Sandbox) -> None:
    query = f"""query ($no: Boolean = true, $yes: Boolean = false) {{ machines(first: 1000) {{ nodes {{
      name slots {{ position product {directive} {{ name }} }} location {directive} {{ city }} }} }} }}"""
    cold.ask(
        query.replace("$no: Boolean = true, ", "")
        if "include" in directive
        else query.replace(", $yes: Boolean = false", "")
    )
    assert not any("products" in name or "sites" in name or "organizations" in name for name in _all(sandbox))
    assert "selections" in _all(sandbox)


def _all(sandbox: Sandbox) -> set[str]:
    return {name for vendor in VENDORS for name in counted(sandbox, vendor)}


def test_one_vendors_machines_cost_the_others_nothing(cold: Gateway, sandbox: Sandbox) -> None:
    nodes = "nodes { name slots { product { name } } location { city } }"
    cold.ask(f"{{ machines(first: 1000, filter: {{vendors: [LIVELLO]}}) {{ {nodes} }} }}")
    assert {vendor for vendor in VENDORS if sandbox.requests(vendor)} == {"livello"}
    cold.ask("{ machines(filter: {vendors: []}) { totalCount } sales(filter: {machines: []}) { totalCount } }")
    assert {vendor for vendor in VENDORS if sandbox.requests(vendor)} == {"livello"}


def test_the_sales_of_many_machines_are_read_together(cold: Gateway, sandbox: Sandbox) -> None:
    """In a few rounds, each for all that still lack some, and not machine by machine."""
    machines = cold.ask(NESTED)["machines"]["nodes"]
    with_sales = Counter(one["vendor"] for one in machines)
    for vendor, operation in (("smartvend", "get-list-of-sales"), ("livello", "v1/transactions")):
        assert with_sales[vendor.upper()] > 7
        assert 0 < counted(sandbox, vendor)[operation] <= 7


def test_a_page_of_sales_reads_little_more_than_it_shows(cold: Gateway, sandbox: Sandbox) -> None:
    cold.ask("{ sales(first: 20) { nodes { id } } }")
    assert counted(sandbox, "livello") == {"v1/auth/token": 1, "v1/transactions": 1, "v1/organizations": 1}
    assert counted(sandbox, "smartvend")["get-list-of-sales"] <= 4
    assert counted(sandbox, "vendnovation")["transactions/"] <= 6


def test_a_prefetch_is_over_when_the_answer_is_there(cold: Gateway, sandbox: Sandbox) -> None:
    """What was asked for is in the trace: nothing goes on behind the answer's back."""
    _, requests = cold.traced(FLEET)
    assert len(requests) == len(sandbox.requests())
    CLIENT.get(f"{cold.base}/healthz")
    assert len(requests) == len(sandbox.requests())


def test_a_page_of_sales_asks_only_those_that_are_on_it_for_more(tmp_path: Path) -> None:
    with running_sandbox(scale=0.02, days=20) as sandbox, running_gateway(sandbox, tmp_path) as cold:
        sandbox.forget_requests()
        sandbox.sell("livello", 25)
        data = cold.ask(SALES)["sales"]["nodes"]
        assert {one["vendor"] for one in data} == {"LIVELLO"}
        assert "v1/kiosks" in counted(sandbox, "livello")
        assert set(counted(sandbox, "smartvend")) == {"get-list-of-sales"}
        assert set(counted(sandbox, "vendnovation")) == {"authenticate/", "transactions/"}
        assert counted(sandbox, "smartepi") == {"withdrawals": 1, "returns": 1, "exchanges": 1}
        assert counted(sandbox, "eatmachine") == {}
