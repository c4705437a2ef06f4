"""Orders as SmartEPI takes them: the members that are written, and what can be refused without asking. All pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.parsing import Raw, text
from connectors.smartepi.records import EMPLOYEES, GROUPS, UNITS, unit_of
from domain.errors import BadInput
from domain.orders import Order
from domain.people import PersonStatus, UnitKind
from domain.people_orders import (
    CreateGroup,
    CreatePerson,
    CreateUnit,
    DeleteGroup,
    DeletePerson,
    DeleteUnit,
    OrderedRule,
    UpdateGroup,
    UpdatePerson,
    UpdateUnit,
    field_of,
)

MEMBERS = {
    "name": "name",
    "email": "email",
    "identification": "identification",
    "status": "status",
    "sector": "sectorId",
    "cost_center": "costCenterId",
    "second_cost_center": "costCenter2Id",
    "job_role": "jobRoleId",
    "group": "groupId",
}
KINDS = {
    "sector": UnitKind.SECTOR,
    "cost_center": UnitKind.COST_CENTER,
    "second_cost_center": UnitKind.COST_CENTER,
    "job_role": UnitKind.JOB_ROLE,
}
NO_KEY = (
    "an identification or an e-mail is expected: without one the vendor would make another employee whenever it is "
    "repeated, and nothing would tell whether it was made"
)
Creation = CreatePerson | CreateUnit | CreateGroup
Change = UpdatePerson | UpdateUnit | UpdateGroup | DeletePerson | DeleteUnit | DeleteGroup


def resource(order: Order) -> str:
    """Of which kind of records it is, as operations name it."""
    if isinstance(order, CreatePerson | UpdatePerson | DeletePerson):
        return EMPLOYEES
    if isinstance(order, CreateUnit | UpdateUnit | DeleteUnit):
        return UNITS[order.unit_kind]
    if isinstance(order, CreateGroup | UpdateGroup | DeleteGroup):
        return GROUPS
    raise BadInput("nothing but people and structure can be ordered of SmartEPI")


def native(order: Change) -> str:
    """Of the record that is meant."""
    if isinstance(order, UpdatePerson | DeletePerson):
        return order.person
    return order.unit if isinstance(order, UpdateUnit | DeleteUnit) else order.group


def body(order: Order) -> dict[str, Any] | None:
    """None for what has none. Raises BadInput."""
    if isinstance(order, DeletePerson | DeleteUnit | DeleteGroup):
        return None
    found = _body(order)
    creates = isinstance(order, Creation)
    if creates and not found.get("name"):
        raise BadInput(
            "a name is expected", "input", *(("details",) if isinstance(order, CreatePerson) else ()), "name"
        )
    if isinstance(order, CreatePerson) and not (found.get("identification") or found.get("email")):
        raise BadInput(NO_KEY, "input", "details", "identification")
    if not found:
        raise BadInput("there is nothing that is to change", "input")
    return found


def _body(order: Order) -> dict[str, Any]:
    if isinstance(order, CreatePerson | UpdatePerson):
        return dict(_member(name, value) for name, value in order.details.given.items())
    if isinstance(order, CreateUnit | UpdateUnit):
        if order.code is not None and order.unit_kind is not UnitKind.COST_CENTER:
            raise BadInput("only a cost center has a code", "input", "code")
        return _told(name=order.name, code=order.code)
    if isinstance(order, CreateGroup | UpdateGroup):
        return _told(name=order.name, rules=None if order.rules is None else [*map(_rule, order.rules)])
    raise BadInput("nothing but people and structure can be ordered of SmartEPI")


def _told(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _member(name: str, value: Any) -> tuple[str, Any]:
    place = ("input", "details", field_of(name))
    if name not in MEMBERS:
        raise BadInput("SmartEPI keeps nothing of the kind", *place)
    if name in KINDS:
        value = _unit(KINDS[name], value, place)
    if isinstance(value, PersonStatus):
        if value is PersonStatus.UNKNOWN:
            raise BadInput("ACTIVE or INACTIVE is expected", *place)
        value = value.value
    return MEMBERS[name], value


def _unit(kind: UnitKind, given: str, place: Sequence[str]) -> str:
    found = unit_of(given)
    if found is None or found[0] is not kind:
        raise BadInput(f"the id of a {kind.value} is expected", *place)
    return found[1]


def _rule(rule: OrderedRule) -> dict[str, Any]:
    return {"productId": rule.product, "quantity": rule.quantity, "periodDays": rule.period_days}


def searches(one: str, members: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """What finds the record with these members: a search by the beginning of a text, and the member that is unique.

    Nobody can be searched by e-mail, so that they are by their name."""
    if one != EMPLOYEES:
        return {"name": members["name"]}, "name"
    key = "identification" if members.get("identification") else "email"
    return ({key: members[key]} if key == "identification" else {"name": members["name"]}), key


def has(row: Raw, key: str, value: str) -> bool:
    """The vendor's comparison does not tell capitals from small letters."""
    return (text(row.get(key)) or "").casefold() == value.casefold()
