"""SmartEPI's operations in the graph."""

from uuid import uuid4

from domain.refs import Kind
from tests.coverage.reach import Found, Reach, Reaches, Things, by_id, changing, listing

VENDOR = "SMARTEPI"
ACCOUNT = Things.ref(Kind.ACCOUNT, "acme-safety")
UNITS = {
    "sectors": ("sector", "SECTOR"),
    "cost-centers": ("cost-center", "COST_CENTER"),
    "job-roles": ("job-role", "JOB_ROLE"),
    "access-groups": ("access-group", "ACCESS_GROUP"),
}


def _new() -> str:
    return f"New {uuid4().hex}"


def _person(_: Things) -> Found:
    return {"accountId": ACCOUNT, "details": {"name": _new(), "identification": uuid4().hex}}


def _group(things: Things) -> Found:
    rule = {"productId": things.first("products", vendors=[VENDOR]), "quantity": 1, "periodDays": 30}
    return {"accountId": ACCOUNT, "name": _new(), "rules": [rule]}


def _product(_: Things) -> Found:
    return {"accountId": ACCOUNT, "name": _new(), "smartepi": {"sizes": [{"name": "M"}]}}


def _described(things: Things) -> Found:
    return {"productId": things.first("products", vendors=[VENDOR]), "description": _new()}


def _unit(kind: str) -> Found:
    return {"accountId": ACCOUNT, "kind": kind, "name": _new()}


def _one_of_units(path: str, one: str, kind: str) -> Reaches:
    def made(things: Things) -> Found:
        return {"unitId": things.made("createUnit", **_unit(kind))}

    def known(things: Things) -> Found:
        return {"unitId": things.first("organizationUnits", kinds=[kind])}

    listed = f"{{ organizationUnits(first: 5, filter: {{ kinds: [{kind}] }}) {{ nodes {{ name }} }} }}"
    return {
        f"list-{path}": [Reach(coordinates=("Query.organizationUnits",), document=listed)],
        f"get-{one}": [
            by_id(
                "Query.organizationUnit",
                "$id: ID!",
                "organizationUnit(id: $id) { name }",
                lambda things: {"id": known(things)["unitId"]},
            )
        ],
        f"create-{one}": [changing("createUnit", lambda _: _unit(kind))],
        f"update-{one}": [changing("updateUnit", lambda things: known(things) | {"name": _new()})],
        f"delete-{one}": [changing("deleteUnit", made)],
    }


def _units() -> Reaches:
    found: dict[str, list[Reach]] = {}
    for path, (one, kind) in UNITS.items():
        found |= {name: list(reaches) for name, reaches in _one_of_units(path, one, kind).items()}
    return found


REACHES: Reaches = {
    "list-employees": [listing("people", VENDOR)],
    "get-employee": [
        by_id(
            "Query.person",
            "$id: ID!",
            "person(id: $id) { name }",
            lambda things: {"id": things.first("people", vendors=[VENDOR])},
        )
    ],
    "create-employee": [changing("createPerson", _person)],
    "update-employee": [
        changing(
            "updatePerson",
            lambda things: {
                "personId": things.first("people", vendors=[VENDOR]),
                "details": {"name": _new()},
            },
        )
    ],
    "delete-employee": [
        changing("deletePerson", lambda things: {"personId": things.made("createPerson", **_person(things))})
    ],
    "list-groups": [listing("entitlementGroups", VENDOR, "rules { quantity }")],
    "get-group": [
        by_id(
            "Query.entitlementGroup",
            "$id: ID!",
            "entitlementGroup(id: $id) { name }",
            lambda things: {"id": things.first("entitlementGroups", vendors=[VENDOR])},
        )
    ],
    "create-group": [changing("createGroup", _group)],
    "update-group": [
        changing(
            "updateGroup",
            lambda things: {"groupId": things.first("entitlementGroups", vendors=[VENDOR]), "name": _new()},
        )
    ],
    "delete-group": [changing("deleteGroup", lambda things: {"groupId": things.made("createGroup", **_group(things))})],
    "list-products": [listing("products", VENDOR)],
    "get-product": [changing("updateProduct", _described)],
    "create-product": [changing("createProduct", _product)],
    "update-product": [changing("updateProduct", _described)],
    "delete-product": [
        changing("deleteProduct", lambda things: {"productId": things.made("createProduct", **_product(things))})
    ],
    "list-withdrawals": [listing("sales", VENDOR)],
    "list-returns": [listing("sales", VENDOR)],
    "list-exchanges": [listing("sales", VENDOR)],
    **_units(),
}
