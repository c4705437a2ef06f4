"""Products as the graph tells them, against what the vendors hold."""

from typing import Any

import pytest

from tests import expected
from tests.expected import plain
from tests.running import VENDORS, Gateway, Sandbox

PRODUCT = """
  id vendor vendorId name description manufacturer category sku gtin imageUrl archived
  price { amount currency } cost { amount currency } organization { name } account { key } vendorData
"""
LIST = f"""query ($first: Int, $after: String, $filter: ProductFilter) {{
  products(first: $first, after: $after, filter: $filter) {{
    totalCount nodes {{ {PRODUCT} }} pageInfo {{ hasNextPage endCursor }}
    sources {{ account {{ vendor }} state }} }} }}"""


def walk(gateway: Gateway, first: int = 1000, **narrowing: Any) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = gateway.ask(LIST, {"first": first, "after": after, "filter": narrowing or None})["products"]
        seen += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(seen)
            return seen
        after = page["pageInfo"]["endCursor"]


@pytest.fixture(scope="module")
def products(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plain(walk(gateway))
    return found


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_product_is_as_its_vendor_has_it(
    vendor: str, products: list[dict[str, Any]], shared_sandbox: Sandbox
) -> None:
    not_compared = ("id", "vendor", "vendorId", "account", "vendorData")
    told = {
        one["vendorId"]: {name: value for name, value in one.items() if name not in not_compared}
        for one in products
        if one["vendor"] == vendor.upper()
    }
    assert told == expected.PRODUCTS[vendor](shared_sandbox)


def test_they_come_by_name_and_then_by_id_in_pages_of_any_size(
    gateway: Gateway, products: list[dict[str, Any]]
) -> None:
    order = [(one["name"], one["id"]) for one in products]
    assert order == sorted(order)
    assert [one["id"] for one in walk(gateway, first=7)] == [one["id"] for one in products]


def test_filters_let_through_what_fits(gateway: Gateway, products: list[dict[str, Any]]) -> None:
    def ids(**narrowing: Any) -> set[str]:
        return {one["id"] for one in walk(gateway, **narrowing)}

    def those(fits: Any) -> set[str]:
        return {one["id"] for one in products if fits(one)}

    assert ids(vendors=["SMARTEPI"]) == those(lambda one: one["vendor"] == "SMARTEPI")
    assert ids(archived=True) == those(lambda one: one["archived"])
    assert ids(archived=False) == those(lambda one: not one["archived"])
    assert ids(archived=None) == those(lambda _: True)
    assert ids(search="кофе") == those(lambda one: "кофе" in one["name"].lower())
    assert ids(search="art-00") == those(lambda one: (one["sku"] or "").startswith("ART-00"))
    assert ids(search="4006381333931") == those(lambda one: one["gtin"] == "4006381333931")
    assert ids(vendors=[]) == ids(accounts=[]) == ids(search="nothing of the kind") == set()
    accounts = {one["key"]: one["id"] for one in gateway.ask("{ accounts { key id } }")["accounts"]}
    assert ids(accounts=[accounts["acme-coffee"]]) == those(lambda one: one["vendor"] == "SMARTVEND")


def test_an_organizations_products_are_its_own_and_those_of_all_below_it(
    gateway: Gateway, products: list[dict[str, Any]]
) -> None:
    query = "{ organizations(first: 100) { nodes { name products(first: 1000) { nodes { id } totalCount } } } }"
    found = {one["name"]: one["products"] for one in gateway.ask(query)["organizations"]["nodes"]}
    below = {
        "Acme Vending": {one["organization"]["name"] for one in products},
        "Acme Retail": {"Acme Retail", "Acme North", "Acme South"},
    }
    for name, listed in found.items():
        own = {one["id"] for one in products if one["organization"]["name"] in below.get(name, {name})}
        assert {one["id"] for one in listed["nodes"]} == own
        assert listed["totalCount"] == len(own)


def test_ids_lead_back_to_what_they_stand_for(gateway: Gateway, products: list[dict[str, Any]]) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    found = gateway.ask(query, {"ids": [one["id"] for one in products]})["nodes"]
    assert found == [{"__typename": "Product", "id": one["id"]} for one in products]
    one = gateway.ask(f"query ($id: ID!) {{ product(id: $id) {{ {PRODUCT} }} }}", {"id": products[0]["id"]})
    assert plain(one)["product"] == products[0]


def test_a_vendor_without_a_catalogue_is_known_by_what_it_reported(gateway: Gateway, sandbox: Sandbox) -> None:
    sources = gateway.ask(LIST, {"first": 1})["products"]["sources"]
    assert {one["account"]["vendor"]: one["state"] for one in sources}["EATMACHINE"] == "FRESH"
    assert sandbox.requests("eatmachine") == []
