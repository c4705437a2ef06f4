"""People and structure in the graph: who may know whom, what is asked of vendors, and what of it is kept."""

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from domain.refs import Kind, Ref
from tests.running import (
    ADMIN,
    OPERATOR,
    STRANGER,
    VIEWER,
    Gateway,
    Sandbox,
    running_gateway,
    running_sandbox,
)
from tests.scripted import CANARY

SAFETY, KIOSKS, COFFEE = (Ref(Kind.ACCOUNT, f"acme-{name}", "").text for name in ("safety", "kiosks", "coffee"))
WAIT_SECONDS = 30.0
PERSON = """id vendor vendorId name firstName lastName email identification mobile note avatarUrl language
  address { city } membercards status roles vendorData unavailable { field reason }"""
PRIVATE = frozenset(
    {
        "name",
        "firstName",
        "lastName",
        "email",
        "identification",
        "mobile",
        "note",
        "avatarUrl",
        "language",
        "address",
        "membercards",
        "vendorData",
    }
)
EVERYONE = (
    f"query ($filter: PersonFilter) {{ people(first: 1000, filter: $filter) {{ totalCount nodes {{ {PERSON} }} }} }}"
)
PAYLOAD = """command { id kind status error errorCode result subject { __typename id
  ... on PersonRecord { person: name } ... on OrganizationUnit { unit: name code }
  ... on EntitlementGroup { group: name rules { quantity periodDays product { vendorId } } } } }
  errors { code message field reason } planned { method path body }"""
Row = dict[str, Any]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/vendgraph.db"


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Two tenants, and keys of all roles for one of them."""
    folder = tmp_path_factory.mktemp("people")
    with (
        running_sandbox(scale=0.05, days=3, seed=11) as other,
        running_gateway(shared_sandbox, folder, others=[other], store=store) as gateway,
    ):
        yield gateway


def give(
    gateway: Gateway, mutation: str, *, by: str = ADMIN, key: str | None = None, dry: bool = False, **given: Any
) -> Row:
    """The payload."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!, $dry: Boolean) {{ {mutation}(input: $input, dryRun: $dry) {{ {PAYLOAD} }} }}"
    variables = {"input": given | {"idempotencyKey": key or uuid4().hex}, "dry": dry}
    found: Row = gateway.ask(query, variables, key=by)[mutation]
    assert (found["command"] is None) == bool(found["errors"])
    return found


def command(gateway: Gateway, mutation: str, **given: Any) -> Row:
    payload = give(gateway, mutation, **given)
    assert payload["errors"] == []
    found: Row = payload["command"]
    return found


def refusal(gateway: Gateway, mutation: str, **given: Any) -> Row:
    (error,) = give(gateway, mutation, **given)["errors"]
    found: Row = error
    return found


def a_person(**more: Any) -> Row:
    number = uuid4().hex[:12]
    return {"name": f"Zoe {number}", "identification": number, **more}


def a_customer(**more: Any) -> Row:
    return {
        "firstName": "Zoe",
        "lastName": f"Z{uuid4().hex[:8]}",
        "email": f"{uuid4().hex[:8]}@customers.example",
        "status": "ACTIVE",
        "language": "de",
        "organizationId": Ref(Kind.ORGANIZATION, "acme-kiosks", "2").text,
        **more,
    }


def people(gateway: Gateway, key: str = ADMIN, **filter_: Any) -> list[Row]:
    found: list[Row] = gateway.ask(EVERYONE, {"filter": filter_}, key=key)["people"]["nodes"]
    return found


def reasons(person: Row) -> dict[str, str]:
    return {one["field"]: one["reason"] for one in person["unavailable"]}


def natives(found: list[Row]) -> set[str]:
    return {person["vendorId"] for person in found}


def when(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    ends = time.monotonic() + WAIT_SECONDS
    while not good(found := look()):
        assert time.monotonic() < ends, found
        time.sleep(0.05)
    return found


# ---- lists --------------------------------------------------------------------------------------------------------


def test_people_of_all_vendors_are_one_list(gateway: Gateway, sandbox: Sandbox) -> None:
    query = """{ people(first: 1000) { totalCount nodes { id vendor vendorId name sector { kind vendorId }
      costCenter { vendorId } secondCostCenter { vendorId } jobRole { kind vendorId } group { vendorId }
      organization { name } account { key } } sources { account { key } state complete } } }"""
    found = gateway.ask(query)["people"]
    employees = {row["id"]: row for row in sandbox.truth("smartepi")["employees"]}
    users = {str(row["id"]): row for row in sandbox.truth("livello")["users"]}
    names = [one["name"] for one in found["nodes"]]
    assert names == sorted(names)
    assert found["totalCount"] == len(found["nodes"]) == len(employees) + len(users)
    for one in found["nodes"]:
        if one["vendor"] == "LIVELLO":
            membership = users[one["vendorId"]]["rolesInOrganizations"][0]
            assert (one["organization"]["name"], one["sector"]) == (membership["organizationName"], None)
            continue
        row = employees[one["vendorId"]]
        assert one["organization"]["name"] == "Acme Vending"
        assert one["sector"] == {"kind": "SECTOR", "vendorId": row["sectorId"]}
        assert one["jobRole"] == {"kind": "JOB_ROLE", "vendorId": row["jobRoleId"]}
        assert one["costCenter"]["vendorId"] == row["costCenterId"]
        assert (one["secondCostCenter"] or {}).get("vendorId") == row["costCenter2Id"]
        assert one["group"]["vendorId"] == row["groupId"]
    states = {source["account"]["key"]: source["state"] for source in found["sources"]}
    telling = {"acme-safety", "acme-kiosks"}
    assert {key for key, state in states.items() if state == "FRESH"} == telling
    assert {key for key, state in states.items() if state == "UNSUPPORTED"} == states.keys() - telling


def test_units_and_groups_are_lists(gateway: Gateway, sandbox: Sandbox) -> None:
    query = """query ($kinds: [UnitKind!], $search: String) {
      organizationUnits(first: 1000, filter: { kinds: $kinds, search: $search }) {
        totalCount nodes { id kind name code vendorId vendor account { key } vendorData } }
      entitlementGroups { nodes { id name vendorId rules { quantity periodDays product { vendorId } } } } }"""
    truth = sandbox.truth("smartepi")
    found = gateway.ask(query, {"kinds": None, "search": None})
    paths = {
        "SECTOR": "sectors",
        "COST_CENTER": "cost-centers",
        "JOB_ROLE": "job-roles",
        "ACCESS_GROUP": "access-groups",
    }
    expected = {(kind, row["id"], row["name"], row.get("code")) for kind, path in paths.items() for row in truth[path]}
    units = found["organizationUnits"]
    assert {(one["kind"], one["vendorId"], one["name"], one["code"]) for one in units["nodes"]} == expected
    assert units["totalCount"] == len(expected)
    rules = {
        one["vendorId"]: [(rule["product"]["vendorId"], rule["quantity"], rule["periodDays"]) for rule in one["rules"]]
        for one in found["entitlementGroups"]["nodes"]
    }
    assert rules == {
        row["id"]: [(rule["productId"], rule["quantity"], rule["periodDays"]) for rule in row["rules"]]
        for row in truth["groups"]
    }
    narrowed = gateway.ask(query, {"kinds": ["COST_CENTER"], "search": "eng"})["organizationUnits"]["nodes"]
    assert [one["name"] for one in narrowed] == ["Engines"]


def test_people_are_narrowed_in_any_way_without_asking_the_vendor_for_it(gateway: Gateway, sandbox: Sandbox) -> None:
    rows = sandbox.truth("smartepi")["employees"]
    one = rows[0]
    unit = Ref(Kind.UNIT, "acme-safety", f"SECTOR/{one['sectorId']}").text
    role = Ref(Kind.UNIT, "acme-safety", f"JOB_ROLE/{one['jobRoleId']}").text
    group = Ref(Kind.GROUP, "acme-safety", one["groupId"]).text
    both = {row["id"] for row in rows if one["sectorId"] == row["sectorId"] or one["jobRoleId"] == row["jobRoleId"]}
    assert natives(people(gateway, units=[unit, role])) == both
    assert natives(people(gateway, units=[unit], groups=[group])) == {
        row["id"] for row in rows if (row["sectorId"], row["groupId"]) == (one["sectorId"], one["groupId"])
    }
    assert {person["status"] for person in people(gateway, statuses=["INACTIVE"])} == {"INACTIVE"}
    assert {tuple(person["roles"]) for person in people(gateway, roles=["ADMIN"])} == {("ADMIN",)}
    assert {person["vendor"] for person in people(gateway, vendors=["LIVELLO"])} == {"LIVELLO"}
    assert {person["vendor"] for person in people(gateway, accounts=[SAFETY])} == {"SMARTEPI"}
    assert natives(people(gateway, search=one["identification"])) == {one["id"]}
    assert people(gateway, units=[]) == people(gateway, accounts=["nobody's"]) == []


@pytest.mark.parametrize("key", [ADMIN, VIEWER])
def test_pages_neither_lose_nor_repeat_anybody(gateway: Gateway, key: str) -> None:
    query = (
        "query ($after: String) { people(first: 7, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"
    )
    found: list[str] = []
    after = None
    while True:
        page = gateway.ask(query, {"after": after}, key=key)["people"]
        found += [one["id"] for one in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(found) == len(set(found))
    assert set(found) == {person["id"] for person in people(gateway)}


def test_a_sale_leads_to_who_it_was(gateway: Gateway) -> None:
    query = """{ sales(first: 300, filter: { vendors: [SMARTEPI, LIVELLO] }) {
      nodes { vendor person { vendorId } personRecord { id vendorId name } } } }"""
    known = {person["id"]: person["name"] for person in people(gateway)}
    found = gateway.ask(query)["sales"]["nodes"]
    led = [one for one in found if one["personRecord"] is not None]
    assert {one["vendor"] for one in led} == {"SMARTEPI", "LIVELLO"}
    for one in led:
        assert one["personRecord"]["vendorId"] == one["person"]["vendorId"]
        assert known[one["personRecord"]["id"]] == one["personRecord"]["name"]
    there = {person["vendorId"] for person in people(gateway, vendors=["SMARTEPI"])}
    for one in found:
        if one["vendor"] == "SMARTEPI":
            assert (one["personRecord"] is not None) == (one["person"]["vendorId"] in there)
    hidden = gateway.ask(query, key=VIEWER)["sales"]["nodes"]
    assert not any(one["personRecord"] or one["person"] for one in hidden)


def test_a_vendor_that_is_down_is_seen(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    shared_sandbox.break_("smartepi", "status")
    try:
        with running_gateway(shared_sandbox, tmp_path) as gateway:
            query = "{ people(first: 1) { totalCount nodes { vendor } sources { account { key } state complete } } }"
            found = gateway.ask(query)["people"]
    finally:
        shared_sandbox.heal()
    states = {source["account"]["key"]: (source["state"], source["complete"]) for source in found["sources"]}
    assert states["acme-safety"] == ("FAILED", False)
    assert states["acme-kiosks"] == ("FRESH", True)
    assert (found["totalCount"], found["nodes"]) == (None, [{"vendor": "LIVELLO"}])


# ---- who may know -------------------------------------------------------------------------------------------------


def test_viewers_see_that_people_are_there_and_not_who(gateway: Gateway, sandbox: Sandbox) -> None:
    known = {person["id"]: person for person in people(gateway, key=OPERATOR)}
    found = people(gateway, key=VIEWER)
    assert known == {person["id"]: person for person in people(gateway)}
    assert {person["id"] for person in found} == known.keys()
    for person in found:
        assert [person[name] for name in PRIVATE] == [None] * len(PRIVATE)
        assert person["status"] == known[person["id"]]["status"]
        assert {field for field, reason in reasons(person).items() if reason == "NOT_PERMITTED"} == PRIVATE
        assert len(person["unavailable"]) == len(reasons(person))
    told = json.dumps(found)
    assert not [row["name"] for row in sandbox.truth("smartepi")["employees"] if row["name"] in told]


def test_operators_are_told_why_something_is_absent(gateway: Gateway) -> None:
    for person in people(gateway, key=OPERATOR):
        absent = {name for name in PRIVATE if person[name] is None}
        assert absent <= reasons(person).keys()
        assert "NOT_PERMITTED" not in reasons(person).values()


def test_a_viewers_cursor_holds_no_name(gateway: Gateway) -> None:
    query = "{ people(first: 50) { edges { cursor } nodes { vendorId } } }"
    names = [person["name"] for person in people(gateway)]

    def readable(key: str) -> str:
        cursors = [edge["cursor"] for edge in gateway.ask(query, key=key)["people"]["edges"]]
        return " ".join(repr(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))) for cursor in cursors)

    assert any(name in readable(ADMIN) for name in names)
    assert not any(name in readable(VIEWER) for name in names)
    cursor = gateway.ask(query, key=ADMIN)["people"]["edges"][0]["cursor"]
    answer = gateway.post(
        "query ($after: String) { people(after: $after) { nodes { id } } }", {"after": cursor}, key=VIEWER
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


def test_who_may_not_see_names_cannot_search_for_them(gateway: Gateway) -> None:
    answer = gateway.post('{ people(filter: { search: "a" }) { nodes { id } } }', key=VIEWER).json()
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert people(gateway, key=VIEWER, search="") != []


def test_one_person_is_as_private_alone(gateway: Gateway) -> None:
    person = people(gateway, vendors=["SMARTEPI"])[0]
    for query in ("person(id: $id) { %s }", "node(id: $id) { ... on PersonRecord { %s } }"):
        asked = f"query ($id: ID!) {{ found: {query % PERSON} }}"
        assert gateway.ask(asked, {"id": person["id"]}, key=OPERATOR)["found"] == person
        hidden = gateway.ask(asked, {"id": person["id"]}, key=VIEWER)["found"]
        assert (hidden["name"], hidden["vendorData"], hidden["vendorId"]) == (None, None, person["vendorId"])
        assert gateway.ask(asked, {"id": person["id"]}, key=STRANGER)["found"] is None


def test_another_tenants_units_and_groups_never_were(gateway: Gateway) -> None:
    lists = "{ organizationUnits(first: 1) { nodes { id } } entitlementGroups(first: 1) { nodes { id } } }"
    found = gateway.ask(lists)
    query = """query ($unit: ID!, $group: ID!) {
      organizationUnit(id: $unit) { id } entitlementGroup(id: $group) { id } nodes(ids: [$unit, $group]) { id } }"""
    unit, group = (found[name]["nodes"][0]["id"] for name in ("organizationUnits", "entitlementGroups"))
    asked = {"unit": unit, "group": group}
    own = {"organizationUnit": {"id": unit}, "entitlementGroup": {"id": group}, "nodes": [{"id": unit}, {"id": group}]}
    assert gateway.ask(query, asked, key=VIEWER) == own
    none = {"organizationUnit": None, "entitlementGroup": None, "nodes": [None, None]}
    assert gateway.ask(query, asked, key=STRANGER) == none


MUTATIONS: Mapping[str, Row] = {
    "createPerson": {"accountId": SAFETY, "details": {"name": "Zoe", "identification": "1-1"}},
    "updatePerson": {"personId": Ref(Kind.PERSON, "acme-safety", "emp-1").text, "details": {"name": "Zoe"}},
    "deletePerson": {"personId": Ref(Kind.PERSON, "acme-safety", "emp-1").text},
    "createUnit": {"accountId": SAFETY, "kind": "SECTOR", "name": "Attic"},
    "updateUnit": {"unitId": Ref(Kind.UNIT, "acme-safety", "SECTOR/sec-1").text, "name": "Attic"},
    "deleteUnit": {"unitId": Ref(Kind.UNIT, "acme-safety", "SECTOR/sec-1").text},
    "createGroup": {"accountId": SAFETY, "name": "Roof"},
    "updateGroup": {"groupId": Ref(Kind.GROUP, "acme-safety", "grp-1").text, "name": "Roof"},
    "deleteGroup": {"groupId": Ref(Kind.GROUP, "acme-safety", "grp-1").text},
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_only_admins_of_the_tenant_may_change_anything(gateway: Gateway, sandbox: Sandbox, mutation: str) -> None:
    codes = {
        by: refusal(gateway, mutation, by=by, **MUTATIONS[mutation])["code"] for by in (VIEWER, OPERATOR, STRANGER)
    }
    assert codes == {VIEWER: "FORBIDDEN", OPERATOR: "FORBIDDEN", STRANGER: "NOT_FOUND"}
    planned = give(gateway, mutation, dry=True, **MUTATIONS[mutation])
    assert [one["method"] for one in planned["planned"]] == [
        {"create": "POST", "update": "PUT", "delete": "DELETE"}[mutation[:6]]
    ]
    assert {asked.split()[0] for asked in sandbox.requests("smartepi")} <= {"GET"}


# ---- what is asked ------------------------------------------------------------------------------------------------


def test_an_employee_is_made_changed_and_deleted(gateway: Gateway, sandbox: Sandbox) -> None:
    unit = gateway.ask("{ organizationUnits(filter: { kinds: [SECTOR] }) { nodes { id vendorId } } }")
    sector = unit["organizationUnits"]["nodes"][0]
    details = a_person(sectorId=sector["id"], status="ACTIVE")
    made = command(gateway, "createPerson", accountId=SAFETY, details=details)
    person = made["subject"]["id"]
    assert (made["status"], made["kind"]) == ("SUCCEEDED", "CREATE_PERSON")
    assert made["subject"] == {"__typename": "PersonRecord", "id": person, "person": details["name"]}
    assert sandbox.truth("smartepi")["employees"][-1]["sectorId"] == sector["vendorId"]
    assert person in {one["id"] for one in people(gateway)}
    changed = command(gateway, "updatePerson", personId=person, details={"name": "Zoe Again"})
    assert (changed["status"], changed["subject"]["person"]) == ("SUCCEEDED", "Zoe Again")
    assert next(one["name"] for one in people(gateway) if one["id"] == person) == "Zoe Again"
    gone = command(gateway, "deletePerson", personId=person)
    assert (gone["status"], gone["subject"]) == ("SUCCEEDED", None)
    assert person not in {one["id"] for one in people(gateway)}
    again = command(gateway, "deletePerson", personId=person)
    assert (again["status"], again["errorCode"]) == ("FAILED", "NOT_FOUND")


def test_a_customer_is_made_and_changed(gateway: Gateway, sandbox: Sandbox) -> None:
    details = a_customer(membercards=["MC-7"], address={"city": "Berlin"})
    made = command(gateway, "createPerson", accountId=KIOSKS, details=details)
    row = sandbox.truth("livello")["users"][-1]
    assert (made["status"], made["result"]) == ("SUCCEEDED", {"id": str(row["id"])})
    assert (row["email"], row["membercards"], row["address"]) == (details["email"], ["MC-7"], {"city": "Berlin"})
    assert row["rolesInOrganizations"][0]["organizationId"] == 2
    changed = command(gateway, "updatePerson", personId=made["subject"]["id"], details={"lastName": "Other"})
    assert (changed["status"], changed["subject"]["person"]) == ("SUCCEEDED", "Zoe Other")
    refused = refusal(gateway, "deletePerson", personId=made["subject"]["id"])
    assert (refused["code"], refused["reason"]) == ("UNSUPPORTED", "UNSUPPORTED_BY_VENDOR")


def test_units_and_groups_are_made_changed_and_deleted(gateway: Gateway) -> None:
    name = uuid4().hex
    for kind in ("SECTOR", "COST_CENTER", "JOB_ROLE", "ACCESS_GROUP"):
        code = "77" if kind == "COST_CENTER" else None
        made = command(gateway, "createUnit", accountId=SAFETY, kind=kind, name=name, code=code)
        assert made["subject"]["unit"] == name
        assert made["subject"]["code"] == code
        unit = made["subject"]["id"]
        assert command(gateway, "updateUnit", unitId=unit, name=f"{name}!")["subject"]["unit"] == f"{name}!"
        assert command(gateway, "deleteUnit", unitId=unit)["status"] == "SUCCEEDED"
        assert gateway.ask("query ($id: ID!) { organizationUnit(id: $id) { id } }", {"id": unit}) == {
            "organizationUnit": None
        }
    product = gateway.ask("{ products(first: 1, filter: { vendors: [SMARTEPI] }) { nodes { id vendorId } } }")
    goods = product["products"]["nodes"][0]
    rule = {"productId": goods["id"], "quantity": 3, "periodDays": 30}
    made = command(gateway, "createGroup", accountId=SAFETY, name=name, rules=[rule])
    shown = {"quantity": 3, "periodDays": 30, "product": {"vendorId": goods["vendorId"]}}
    assert made["subject"]["rules"] == [shown]
    group = made["subject"]["id"]
    assert command(gateway, "updateGroup", groupId=group, rules=[])["subject"]["rules"] == []
    assert command(gateway, "deleteGroup", groupId=group)["status"] == "SUCCEEDED"


def test_the_same_key_makes_one_person(gateway: Gateway, sandbox: Sandbox) -> None:
    details, key = a_person(), uuid4().hex
    first = command(gateway, "createPerson", key=key, accountId=SAFETY, details=details)
    again = command(gateway, "createPerson", key=key, accountId=SAFETY, details=details)
    assert first["id"] == again["id"]
    assert sum(asked.startswith("POST") for asked in sandbox.requests("smartepi")) == 1
    other = refusal(gateway, "createPerson", key=key, accountId=SAFETY, details=a_person())
    assert other["code"] == "CONFLICT"


BAD: Mapping[str, tuple[str, Row, list[str]]] = {
    "no key": (
        "createPerson",
        {"accountId": SAFETY, "details": {"name": "Zoe"}},
        ["input", "details", "identification"],
    ),
    "empty": (
        "createPerson",
        {"accountId": SAFETY, "details": {"name": " ", "email": "a@b.example"}},
        ["input", "details", "name"],
    ),
    "long": (
        "createPerson",
        {"accountId": SAFETY, "details": {"name": "Z" * 256, "email": "a@b.example"}},
        ["input", "details", "name"],
    ),
    "another account's sector": (
        "updatePerson",
        {
            "personId": Ref(Kind.PERSON, "acme-safety", "emp-1").text,
            "details": {"sectorId": Ref(Kind.UNIT, "other-safety", "SECTOR/sec-1").text},
        },
        ["input", "details", "sectorId"],
    ),
    "no unit at all": (
        "updatePerson",
        {"personId": Ref(Kind.PERSON, "acme-safety", "emp-1").text, "details": {"jobRoleId": SAFETY}},
        ["input", "details", "jobRoleId"],
    ),
    "nothing": (
        "updatePerson",
        {"personId": Ref(Kind.PERSON, "acme-safety", "emp-1").text, "details": {}},
        ["input"],
    ),
    "an empty card": (
        "updatePerson",
        {"personId": Ref(Kind.PERSON, "acme-kiosks", "3").text, "details": {"membercards": ["MC-1", ""]}},
        ["input", "details", "membercards", "1"],
    ),
    "an empty city": (
        "updatePerson",
        {"personId": Ref(Kind.PERSON, "acme-kiosks", "3").text, "details": {"address": {"city": ""}}},
        ["input", "details", "address", "city"],
    ),
    "a sector's code": (
        "createUnit",
        {"accountId": SAFETY, "kind": "SECTOR", "name": "A", "code": "1"},
        ["input", "code"],
    ),
    "another account's product": (
        "createGroup",
        {
            "accountId": SAFETY,
            "name": "A",
            "rules": [{"productId": Ref(Kind.PRODUCT, "acme-kiosks", "10").text, "quantity": 1, "periodDays": 1}],
        },
        ["input", "rules", "0", "productId"],
    ),
    "none of it": (
        "createGroup",
        {
            "accountId": SAFETY,
            "name": "A",
            "rules": [{"productId": Ref(Kind.PRODUCT, "acme-safety", "prd-1").text, "quantity": 0, "periodDays": 1}],
        },
        ["input", "rules", "0", "quantity"],
    ),
    "a customer without a mail": (
        "createPerson",
        {"accountId": KIOSKS, "details": {"firstName": "Zoe"}},
        ["input", "details", "email"],
    ),
}


@pytest.mark.parametrize("why", BAD)
def test_what_can_never_be_is_refused_and_the_vendor_is_not_asked(gateway: Gateway, sandbox: Sandbox, why: str) -> None:
    mutation, given, place = BAD[why]
    error = refusal(gateway, mutation, **given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", place)
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("createPerson", {"accountId": COFFEE, "details": {"name": "Zoe"}}),
        ("createUnit", {"accountId": KIOSKS, "kind": "SECTOR", "name": "A"}),
        ("createGroup", {"accountId": KIOSKS, "name": "A"}),
    ],
)
def test_what_a_vendor_does_not_keep_is_unsupported(gateway: Gateway, mutation: str, given: Row) -> None:
    error = refusal(gateway, mutation, **given)
    assert (error["code"], error["reason"]) == ("UNSUPPORTED", "UNSUPPORTED_BY_VENDOR")


def test_ids_of_other_things_are_nobodys(gateway: Gateway) -> None:
    for mutation, name in (("deletePerson", "personId"), ("deleteUnit", "unitId"), ("deleteGroup", "groupId")):
        for id_ in (SAFETY, "x", Ref(Kind.UNIT, "acme-safety", "FLOOR/1").text):
            assert refusal(gateway, mutation, **{name: id_})["code"] == "NOT_FOUND"


def test_a_machine_that_is_offline_keeps_nobody_from_making_people(gateway: Gateway) -> None:
    query = (
        "{ machines(first: 1000, filter: { vendors: [LIVELLO] }) { nodes { capabilities { capability available } } } }"
    )
    machines = gateway.ask(query)["machines"]["nodes"]
    assert machines
    for machine in machines:
        told = {one["capability"]: one["available"] for one in machine["capabilities"]}
        assert (told["CREATE_PERSON"], told["DELETE_PERSON"]) == (True, False)


# ---- conflicts ----------------------------------------------------------------------------------------------------


def behind(sandbox: Sandbox, patch: pytest.MonkeyPatch, native: str) -> None:
    """Whatever is done to it, somebody else was faster by just one version."""
    changes = sandbox.vendors["smartepi"]._changes
    plain = changes.find

    def find(kind: Any, key: str) -> Any:
        found = plain(kind, key)
        if key == native:
            found.version += 1
            found.record["name"] = "Somebody Else's"
        return found

    patch.setattr(changes, "find", find)


def test_a_change_that_comes_too_late_fails_with_what_is_there_by_now(
    gateway: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = command(gateway, "createUnit", accountId=SAFETY, kind="SECTOR", name=uuid4().hex)
    native = made["result"]["id"]
    changed = command(gateway, "updateUnit", unitId=made["subject"]["id"], name="Mine")
    assert changed["status"] == "SUCCEEDED"
    behind(sandbox, monkeypatch, native)
    late = command(gateway, "updateUnit", unitId=made["subject"]["id"], name="Mine Again")
    assert (late["status"], late["errorCode"]) == ("FAILED", "CONFLICT")
    assert "it has changed since it was read" in late["error"]
    assert late["result"] == {"id": native, "name": "Somebody Else's"}
    assert late["subject"]["id"] == made["subject"]["id"]


def test_a_conflict_over_a_person_is_told_as_it_is_by_then_and_not_as_it_was_kept(
    gateway: Gateway, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = command(gateway, "createPerson", accountId=SAFETY, details=a_person())
    person = made["subject"]["id"]
    assert person in {one["id"] for one in people(gateway)}  # so that the list is kept
    behind(sandbox, monkeypatch, made["result"]["id"])
    late = command(gateway, "updatePerson", personId=person, details={"name": "Mine"})
    assert (late["status"], late["errorCode"]) == ("FAILED", "CONFLICT")
    assert (late["result"]["name"], late["subject"]["person"]) == ("Somebody Else's", "Somebody Else's")
    assert next(one["name"] for one in people(gateway) if one["id"] == person) == "Somebody Else's"


def test_a_conflict_over_a_person_is_told_to_to_those_who_may_know(gateway: Gateway) -> None:
    details = a_person()
    made = command(gateway, "createPerson", accountId=SAFETY, details=details)
    taken = command(gateway, "createPerson", accountId=SAFETY, details=details | {"name": "Another"})
    assert (taken["status"], taken["errorCode"]) == ("FAILED", "CONFLICT")
    assert (taken["result"]["name"], taken["result"]["id"]) == (details["name"], made["result"]["id"])
    assert taken["subject"]["id"] == made["subject"]["id"]
    query = (
        "query ($id: ID!) { command(id: $id) { status errorCode result subject { id ... on PersonRecord { name } } } }"
    )
    assert gateway.ask(query, {"id": taken["id"]}, key=OPERATOR)["command"]["result"] == taken["result"]
    hidden = gateway.ask(query, {"id": taken["id"]}, key=VIEWER)["command"]
    assert (hidden["errorCode"], hidden["result"], hidden["subject"]["name"]) == ("CONFLICT", None, None)
    assert gateway.ask(query, {"id": taken["id"]}, key=STRANGER)["command"] is None


# ---- what is not known --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("vendor", "path"), [("smartepi", "/employees"), ("livello", "/users")])
def test_a_lost_answer_is_settled_by_reading_who_was_made(
    gateway: Gateway, sandbox: Sandbox, vendor: str, path: str
) -> None:
    details = a_person() if vendor == "smartepi" else a_customer()
    sandbox.break_(vendor, "truncate", operation=path, method="POST", times=1)
    lost = command(gateway, "createPerson", accountId=SAFETY if vendor == "smartepi" else KIOSKS, details=details)
    assert (lost["status"], lost["subject"]) == ("UNKNOWN", None)
    query = (
        f"query ($id: ID!) {{ command(id: $id) {{ {PAYLOAD.split('{', 1)[1].rsplit('errors', 1)[0].strip()[:-1]} }} }}"
    )
    found = when(lambda: gateway.ask(query, {"id": lost["id"]})["command"], lambda told: told["status"] != "UNKNOWN")
    assert (found["status"], found["subject"]["__typename"]) == ("SUCCEEDED", "PersonRecord")
    name = details.get("name") or f"{details['firstName']} {details['lastName']}"
    assert found["subject"]["person"] == name
    posts = [asked for asked in sandbox.requests(vendor) if asked.startswith("POST") and asked.endswith(path)]
    assert len(posts) == 1


def test_what_is_unknown_is_not_asked_twice(gateway: Gateway, sandbox: Sandbox) -> None:
    details = a_person()
    sandbox.break_("smartepi", "status", operation="/employees", method="POST", status=500, times=1)
    lost = command(gateway, "createPerson", accountId=SAFETY, details=details)
    assert lost["status"] == "UNKNOWN"
    again = refusal(gateway, "createPerson", accountId=SAFETY, details=details)
    assert again["code"] == "CONFLICT"
    assert lost["id"] in again["message"]


# ---- what is kept -------------------------------------------------------------------------------------------------


def kept(store: str) -> str:
    """All that the store holds, as text."""
    engine = create_engine(store)
    with engine.connect() as connection:
        tables = [row[0] for row in connection.execute(text("select name from sqlite_master where type = 'table'"))]
        told = [repr(list(map(tuple, connection.execute(text(f'select * from "{name}"'))))) for name in tables]  # noqa: S608
    engine.dispose()
    return "\n".join(told)


def test_nothing_of_a_person_is_kept_when_a_command_has_ended(
    gateway: Gateway, sandbox: Sandbox, store: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not of one that was carried out, nor of those that were refused, or stand against what is there."""
    secret = f"{CANARY}-{uuid4().hex}"
    details = {"name": f"{secret}-a", "identification": f"{secret}-b", "email": f"{secret}-c@plant.example"}
    made = command(gateway, "createPerson", accountId=SAFETY, details=details)
    person = made["subject"]["id"]
    assert command(gateway, "updatePerson", personId=person, details={"name": f"{secret}-d"})["status"] == "SUCCEEDED"
    taken = command(gateway, "createPerson", accountId=SAFETY, details=details | {"email": f"{secret}-e@x.example"})
    assert taken["errorCode"] == "CONFLICT"
    give(gateway, "updatePerson", personId=person, details={"mobile": f"{secret}-f"})
    give(gateway, "updatePerson", by=VIEWER, personId=person, details={"name": f"{secret}-g"})
    sandbox.break_("smartepi", "status", operation="/employees/", method="PUT", status=422, times=1)
    failed = command(gateway, "updatePerson", personId=person, details={"name": f"{secret}-h"})
    assert failed["errorCode"] == "VENDOR_REJECTED"
    customer = a_customer(note=f"{secret}-i")
    assert command(gateway, "createPerson", accountId=KIOSKS, details=customer)["status"] == "SUCCEEDED"
    audit = gateway.ask("{ auditLog(first: 50) { nodes { action details } } }")
    told = capfd.readouterr()
    assert "command requested" in json.dumps(audit)
    assert "emp-" in kept(store)
    for told_of in (json.dumps(audit), kept(store), told.out, told.err):
        assert secret not in told_of
        assert customer["email"] not in told_of


def test_what_is_still_open_is_kept_only_as_long_as_it_is(gateway: Gateway, sandbox: Sandbox, store: str) -> None:
    secret = f"{CANARY}-{uuid4().hex}"
    sandbox.break_("smartepi", "truncate", operation="/employees", method="POST", times=1)
    lost = command(gateway, "createPerson", accountId=SAFETY, details={"name": secret, "identification": secret[-20:]})
    assert lost["status"] == "UNKNOWN"
    when(lambda: kept(store), lambda told: secret not in told)
    query = "query ($id: ID!) { command(id: $id) { status } }"
    assert gateway.ask(query, {"id": lost["id"]})["command"]["status"] == "SUCCEEDED"
