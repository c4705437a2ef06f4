"""Sales as the graph tells them, against what the vendors hold."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests import expected
from tests.expected import plain
from tests.running import CLIENT, VENDORS, Gateway, Sandbox, running_gateway

MONEY = "{ amount currency }"
SALE = f"""
  id vendor vendorId kind status recordedAt occurredAt trust
  machine {{ vendorId name }} organization {{ name }} person {{ vendorId name }}
  total {MONEY} tax {MONEY} discount {MONEY}
  payments {{ method amount {MONEY} cardBrand reference }}
  lines {{
    product {{ name }} productName position quantity unitPrice {MONEY} total {MONEY} tax {MONEY} taxRate dispensed
  }}
  vendorData
"""
PAGE = """
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
  sources { account { vendor } state complete }
"""


def listing(fields: str) -> str:
    return f"""query ($first: Int, $after: String, $filter: SaleFilter) {{
      sales(first: $first, after: $after, filter: $filter) {{ nodes {{ {fields} }} {PAGE} }} }}"""


WHOLE, BRIEF = listing(SALE), listing("id vendor vendorId kind recordedAt machine { id }")
OF_MACHINE = f"""query ($id: ID!, $first: Int, $filter: SaleFilter) {{ machine(id: $id) {{
  sales(first: $first, filter: $filter) {{ nodes {{ id recordedAt }} {PAGE} }} }} }}"""
OF_MACHINES = """query ($vendors: [Vendor!]) { machines(first: 1000, filter: {vendors: $vendors}) {
  nodes { id vendorId sales(first: 7) { nodes { id } } } } }"""
OF_ORGANIZATIONS = """{ organizations(first: 100) { nodes {
  name children(first: 100) { nodes { name } } sales(first: 1000) { nodes { id } totalCount } } } }"""


def walk(
    gateway: Gateway, query: str = BRIEF, first: int = 1000, since: str | None = None, **narrowing: Any
) -> list[dict[str, Any]]:
    filtered = {"from": since, **narrowing}
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = gateway.ask(query, {"first": first, "after": after, "filter": filtered})["sales"]
        seen += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        after = page["pageInfo"]["endCursor"]


@pytest.fixture(scope="module")
def sales(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plain(walk(gateway, WHOLE))
    return found


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_sale_is_as_its_vendor_has_it(vendor: str, sales: list[dict[str, Any]], shared_sandbox: Sandbox) -> None:
    not_compared = ("id", "vendor", "vendorId", "vendorData")
    told = {
        one["vendorId"]: {name: value for name, value in one.items() if name not in not_compared}
        for one in sales
        if one["vendor"] == vendor.upper()
    }
    truth = expected.SALES[vendor](shared_sandbox)
    assert told.keys() == truth.keys()
    for native, sale in truth.items():
        assert told[native] == sale


def test_they_come_newest_recorded_first_and_then_by_id_over_all_vendors(sales: list[dict[str, Any]]) -> None:
    order = [(one["recordedAt"], one["id"]) for one in sales]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order)
    assert len({one["vendor"] for one in sales[:100]}) >= 3


def test_the_vendors_own_record_is_there_less_its_secrets(sales: list[dict[str, Any]]) -> None:
    for one in sales:
        assert one["vendorData"]
        assert "cardToken" not in str(one["vendorData"])


def test_ids_lead_back_to_what_they_stand_for(gateway: Gateway, sales: list[dict[str, Any]]) -> None:
    some = [
        next(one for one in reversed(sales) if one["vendor"] == vendor) for vendor in {one["vendor"] for one in sales}
    ]
    for one in some:
        answer = gateway.ask(f"query ($id: ID!) {{ sale(id: $id) {{ {SALE} }} }}", {"id": one["id"]})
        assert plain(answer)["sale"] == one
    found = gateway.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", {"ids": [one["id"] for one in some]}
    )
    assert found["nodes"] == [{"__typename": "Sale", "id": one["id"]} for one in some]


def test_what_came_in_a_list_need_not_be_asked_for_again_by_its_id(gateway: Gateway) -> None:
    listed, _ = gateway.traced(BRIEF, {"first": 20})
    ids = [one["id"] for one in listed["sales"]["nodes"]]
    found, requests = gateway.traced("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids})
    assert [one["id"] for one in found["nodes"]] == ids
    assert requests == []


def test_a_page_says_whether_there_is_more_and_where_it_lies(gateway: Gateway, sales: list[dict[str, Any]]) -> None:
    first = gateway.ask(BRIEF, {"first": 10})["sales"]
    assert first["pageInfo"]["hasNextPage"]
    assert not first["pageInfo"]["hasPreviousPage"]
    assert first["totalCount"] is None
    assert [one["state"] for one in first["sources"]] == ["FRESH"] * 5
    assert all(one["complete"] for one in first["sources"])
    second = gateway.ask(BRIEF, {"first": 10, "after": first["pageInfo"]["endCursor"]})["sales"]
    assert second["pageInfo"]["hasPreviousPage"]
    assert [one["id"] for one in first["nodes"] + second["nodes"]] == [one["id"] for one in sales[:20]]


def test_a_list_that_fits_on_its_first_page_is_counted(gateway: Gateway, sales: list[dict[str, Any]]) -> None:
    since = sales[30]["recordedAt"].isoformat()
    page = gateway.ask(BRIEF, {"first": 100, "filter": {"from": since}})["sales"]
    assert (
        page["totalCount"] == len(page["nodes"]) == sum(one["recordedAt"] >= sales[30]["recordedAt"] for one in sales)
    )
    assert not page["pageInfo"]["hasNextPage"]
    half = {"first": len(page["nodes"]) // 2, "filter": {"from": since}}
    cursor = gateway.ask(BRIEF, half)["sales"]["pageInfo"]["endCursor"]
    rest = gateway.ask(BRIEF, {"first": 100, "filter": {"from": since}, "after": cursor})["sales"]
    assert rest["totalCount"] is None


def test_a_span_includes_its_beginning_and_not_its_end(gateway: Gateway, sales: list[dict[str, Any]]) -> None:
    newer, older = sales[20]["recordedAt"], sales[60]["recordedAt"]
    found = walk(gateway, since=older.isoformat(), to=newer.isoformat())
    assert [one["id"] for one in found] == [one["id"] for one in sales if older <= one["recordedAt"] < newer]
    assert sales[60]["id"] in {one["id"] for one in found}


def test_a_span_may_lie_anywhere(gateway: Gateway, sales: list[dict[str, Any]]) -> None:
    now = datetime.now(UTC)
    assert walk(gateway, since=(now + timedelta(days=1)).isoformat()) == []
    assert walk(gateway, since=now.isoformat(), to=(now - timedelta(days=9)).isoformat()) == []
    assert walk(gateway, to="1990-01-01T00:00:00Z") == []
    everything = walk(gateway, since="0001-01-01T00:00:00Z", to="9999-12-31T23:59:59Z")
    assert [one["id"] for one in everything] == [one["id"] for one in sales]


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-01T09:30:00", "yesterday", ""]
)
def test_a_time_that_is_none_is_refused(time: str, gateway: Gateway) -> None:
    answer = gateway.post(BRIEF, {"first": 1, "filter": {"from": time}}).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]


@pytest.mark.parametrize(
    "kinds", [["PURCHASE"], ["WITHDRAWAL"], ["EXCHANGE"], ["RETURN", "EXCHANGE"], ["PURCHASE", "RETURN"], []]
)
def test_a_filter_by_kind_lets_through_what_fits(
    gateway: Gateway, sales: list[dict[str, Any]], kinds: list[str]
) -> None:
    found = walk(gateway, first=50, kinds=kinds)
    assert [one["id"] for one in found] == [one["id"] for one in sales if one["kind"] in kinds]


def test_a_vendor_is_not_asked_for_kinds_that_it_has_not(gateway: Gateway, sandbox: Sandbox) -> None:
    page = gateway.ask(BRIEF, {"first": 5, "filter": {"kinds": ["EXCHANGE"]}})["sales"]
    states = {one["account"]["vendor"]: one["state"] for one in page["sources"]}
    assert states == {
        "SMARTVEND": "UNSUPPORTED",
        "LIVELLO": "UNSUPPORTED",
        "VENDNOVATION": "UNSUPPORTED",
        "SMARTEPI": "FRESH",
        "EATMACHINE": "UNSUPPORTED",
    }
    asked = {request for request in sandbox.requests() if "machine" not in request}
    assert asked <= {"GET /smartepi/v1/exchanges", "GET /smartepi/v1/withdrawals", "GET /smartepi/v1/returns"}


def test_all_kinds_are_no_filter_and_cost_nothing_more(gateway: Gateway, sales: list[dict[str, Any]]) -> None:
    gateway.ask(BRIEF, {"first": 10})
    kinds = ["WITHDRAWAL", "RETURN", "EXCHANGE", "PURCHASE"]
    page, requests = gateway.traced(BRIEF, {"first": 10, "filter": {"kinds": kinds}})
    assert [one["id"] for one in page["sales"]["nodes"]] == [one["id"] for one in sales[:10]]
    assert requests == []


def test_filters_by_vendor_account_and_machine(gateway: Gateway, sales: list[dict[str, Any]]) -> None:
    def ids(**narrowing: Any) -> list[str]:
        return [one["id"] for one in walk(gateway, **narrowing)]

    def those(fits: Any) -> list[str]:
        return [one["id"] for one in sales if fits(one)]

    assert ids(vendors=["LIVELLO", "SMARTEPI"]) == those(lambda one: one["vendor"] in ("LIVELLO", "SMARTEPI"))
    accounts = {one["key"]: one["id"] for one in gateway.ask("{ accounts { key id } }")["accounts"]}
    assert ids(accounts=[accounts["acme-vending"]]) == those(lambda one: one["vendor"] == "VENDNOVATION")
    assert ids(vendors=[]) == ids(accounts=[]) == ids(machines=[]) == ids(machines=["no id"]) == []
    machines = gateway.ask("{ machines(first: 1000) { nodes { id vendorId vendor } } }")["machines"]["nodes"]
    one = {
        vendor: next(it for it in machines if it["vendor"] == vendor) for vendor in ("SMARTVEND", "SMARTEPI", "LIVELLO")
    }
    natives = {it["vendorId"] for it in one.values()}
    of_three = those(lambda sale: sale["machine"] and sale["machine"]["vendorId"] in natives)
    assert ids(machines=[it["id"] for it in one.values()]) == of_three
    assert ids(machines=[one["LIVELLO"]["id"]], vendors=["SMARTEPI"]) == []
    product = gateway.ask("{ products(first: 1) { nodes { id } } }")["products"]["nodes"][0]["id"]
    page = gateway.ask(BRIEF, {"first": 5, "filter": {"machines": [product]}})["sales"]
    assert (page["nodes"], page["sources"], page["totalCount"]) == ([], [], 0)


@pytest.mark.parametrize("vendor", VENDORS[:4])
def test_a_machines_sales_are_its_own(vendor: str, gateway: Gateway, sales: list[dict[str, Any]]) -> None:
    for machine in gateway.ask(OF_MACHINES, {"vendors": [vendor.upper()]})["machines"]["nodes"]:
        own = [one["id"] for one in sales if one["machine"] and one["machine"]["vendorId"] == machine["vendorId"]]
        assert [one["id"] for one in machine["sales"]["nodes"]] == own[:7]
    whole = gateway.ask(OF_MACHINE, {"id": machine["id"], "first": 1000})["machine"]["sales"]
    assert [one["id"] for one in whole["nodes"]] == own
    assert whole["totalCount"] == len(own)


def test_an_organizations_sales_are_those_of_its_machines_and_of_all_below_it(
    gateway: Gateway, sales: list[dict[str, Any]]
) -> None:
    nodes = {one["name"]: one for one in gateway.ask(OF_ORGANIZATIONS)["organizations"]["nodes"]}
    below = {name: [child["name"] for child in one["children"]["nodes"]] for name, one in nodes.items()}

    def all_below(name: str) -> set[str]:
        return {name}.union(*(all_below(child) for child in below[name]))

    for name, one in nodes.items():
        own = [sale["id"] for sale in sales if sale["organization"]["name"] in all_below(name)]
        assert [sale["id"] for sale in one["sales"]["nodes"]] == own[:1000]
    assert nodes["Acme South"]["sales"]["totalCount"] is not None


def test_a_kind_of_sale_that_is_read_by_itself_is_known_by_its_webhook_too(sandbox: Sandbox, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/shared.db"
    with running_gateway(sandbox, tmp_path, store=store) as gateway:
        (made,) = sandbox.sell("smartepi")
        body, headers = sandbox.vendors["smartepi"].webhook(made)
        assert CLIENT.post(f"{gateway.base}/webhooks/acme-safety", content=body, headers=headers).status_code == 200
    query = "{ sales(first: 1, filter: {kinds: [WITHDRAWAL]}) { nodes { vendorId trust } } }"
    with running_gateway(sandbox, tmp_path, store=store) as cold:
        assert cold.ask(query)["sales"]["nodes"] == [{"vendorId": made["id"], "trust": "SIGNED"}]
