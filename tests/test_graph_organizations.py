"""Organizations as the graph tells them: the tenant, and below it the vendors' own."""

from typing import Any

import pytest

from tests.running import ADMIN, STRANGER, VENDORS, Gateway, Sandbox

FIELDS = "id name parent { id name } accounts { key }"
LIST = f"""query ($first: Int, $after: String) {{ organizations(first: $first, after: $after) {{
  nodes {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} sources {{ account {{ vendor }} state complete }} }} }}"""
CHILDREN = """query ($id: ID!, $first: Int, $after: String) { organization(id: $id) {
  children(first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } } } }"""
MACHINES = """query ($id: ID!) { organization(id: $id) {
  machines(first: 1000) { totalCount nodes { id organization { id } } } } }"""


@pytest.fixture(scope="module")
def organizations(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = gateway.ask(LIST, {"first": 100})["organizations"]["nodes"]
    return found


def test_the_tenant_comes_first_and_below_it_stand_the_vendors_own(
    organizations: list[dict[str, Any]], shared_sandbox: Sandbox
) -> None:
    rows = {row["id"]: row for row in shared_sandbox.truth("livello")["organizations"]}
    parents: dict[str, str | None] = {"Acme Vending": None}
    for row in rows.values():
        parents[row["name"]] = rows[row["parentOrg"]]["name"] if row["parentOrg"] in rows else "Acme Vending"
    for row in shared_sandbox.truth("vendnovation")["organizations"]:
        parents[row["name"]] = "Acme Vending"
    assert {one["name"]: one["parent"] and one["parent"]["name"] for one in organizations} == parents
    assert organizations[0]["name"] == "Acme Vending"
    below = [(one["name"], one["id"]) for one in organizations[1:]]
    assert below == sorted(below)


def test_each_knows_the_accounts_that_can_hold_something_of_it(organizations: list[dict[str, Any]]) -> None:
    accounts = {one["name"]: [account["key"] for account in one["accounts"]] for one in organizations}
    assert len(accounts["Acme Vending"]) == len(VENDORS)
    assert accounts["Campus"] == ["acme-kiosks"]
    assert accounts["Lakeside Vending"] == ["acme-vending"]


def test_children_are_those_right_below(gateway: Gateway, organizations: list[dict[str, Any]]) -> None:
    for one in organizations:
        seen: list[str] = []
        after = None
        while True:
            page = gateway.ask(CHILDREN, {"id": one["id"], "first": 2, "after": after})["organization"]["children"]
            seen += [child["name"] for child in page["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        own = [other["name"] for other in organizations if other["parent"] and other["parent"]["id"] == one["id"]]
        assert seen == own


def test_pages_of_any_size_are_the_same_list(gateway: Gateway, organizations: list[dict[str, Any]]) -> None:
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = gateway.ask(LIST, {"first": 3, "after": after})["organizations"]
        seen += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == organizations
    states = {one["account"]["vendor"]: one["state"] for one in page["sources"]}
    assert states == {
        "SMARTVEND": "UNSUPPORTED",
        "LIVELLO": "FRESH",
        "VENDNOVATION": "FRESH",
        "SMARTEPI": "UNSUPPORTED",
        "EATMACHINE": "UNSUPPORTED",
    }


def test_ids_lead_back_to_what_they_stand_for(gateway: Gateway, organizations: list[dict[str, Any]]) -> None:
    for one in organizations:
        assert gateway.ask(f"query ($id: ID!) {{ organization(id: $id) {{ {FIELDS} }} }}", {"id": one["id"]}) == {
            "organization": one
        }
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Organization { name } } }"
    found = gateway.ask(query, {"ids": [one["id"] for one in organizations]})["nodes"]
    assert found == [{"id": one["id"], "name": one["name"]} for one in organizations]


def test_an_organizations_machines_are_those_of_all_below_it(
    gateway: Gateway, organizations: list[dict[str, Any]]
) -> None:
    of = {one["id"]: gateway.ask(MACHINES, {"id": one["id"]})["organization"]["machines"] for one in organizations}
    everyone = of[organizations[0]["id"]]["nodes"]

    def all_below(id_: str) -> set[str]:
        children = [one["id"] for one in organizations if one["parent"] and one["parent"]["id"] == id_]
        return {id_}.union(*map(all_below, children))

    for id_, listed in of.items():
        own = {one["id"] for one in everyone if one["organization"]["id"] in all_below(id_)}
        assert {one["id"] for one in listed["nodes"]} == own
        assert listed["totalCount"] == len(own)


def test_the_viewer_sees_its_own_tenants_and_no_others(gateway: Gateway) -> None:
    query = "{ viewer { name role organizations { name } } }"
    assert gateway.ask(query, key=ADMIN)["viewer"]["organizations"] == [{"name": "Acme Vending"}]
    assert gateway.ask(query, key=STRANGER)["viewer"]["organizations"] == [{"name": "Other Vending"}]
