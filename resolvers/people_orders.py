"""Orders of people and structure, from what callers ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from domain import people_asked as asked
from domain.errors import BadInput
from domain.orders import Order
from domain.people import PersonAddress, UnitKind
from domain.people_orders import (
    LINKS,
    CreateGroup,
    CreatePerson,
    CreateUnit,
    DeleteGroup,
    DeletePerson,
    DeleteUnit,
    OrderedRule,
    PersonDetails,
    UpdateGroup,
    UpdatePerson,
    UpdateUnit,
    field_of,
)
from domain.refs import Kind, Ref
from resolvers.ways import LONGEST_TEXT, Asking, Way, of, short

MOST = 1000  # rules, and cards
LARGEST = 1_000_000  # of a product, and days
KINDS = {"organization": Kind.ORGANIZATION, "group": Kind.GROUP}  # the other links are units


async def _create_person(asking: Asking, given: asked.CreatePersonInput) -> Order:
    return CreatePerson(details=_details(asking, given.details))


async def _update_person(asking: Asking, given: asked.UpdatePersonInput) -> Order:
    return UpdatePerson(person=_native(given.person_id), details=_details(asking, given.details))


async def _delete_person(_: Asking, given: asked.DeletePersonInput) -> Order:
    return DeletePerson(person=_native(given.person_id))


def _details(asking: Asking, given: asked.PersonDetailsInput) -> PersonDetails:
    """Ids become the vendor's, and texts are of a fair length."""
    values: dict[str, Any] = {}
    for name in PersonDetails.__dataclass_fields__:
        told, place = getattr(given, f"{name}_id" if name in LINKS else name), ("details", field_of(name))
        if told is None:
            continue
        if name in LINKS:
            told = _link(asking, told, KINDS.get(name, Kind.UNIT), place)
        elif name == "address":
            told = PersonAddress(**_address(told, place))
        elif name == "membercards":
            told = [_text(card, (*place, str(at))) for at, card in enumerate(_few(told, place))]
        elif isinstance(told, str):
            told = _text(told, place)
        values[name] = told
    return PersonDetails(**values)


def _address(given: asked.PersonAddressInput, place: Sequence[str]) -> dict[str, str | None]:
    return {name: None if value is None else _text(value, (*place, name)) for name, value in asdict(given).items()}


def _few(given: Sequence[Any], place: Sequence[str]) -> Sequence[Any]:
    if len(given) > MOST:
        raise BadInput(f"at most {MOST} are expected", "input", *place)
    return given


def _text(given: str, place: Sequence[str]) -> str:
    if not given.strip() or len(given) > LONGEST_TEXT:
        raise BadInput(f"a text of 1 to {LONGEST_TEXT} characters is expected", "input", *place)
    return given


def _link(asking: Asking, id_: str, kind: Kind, place: Sequence[str]) -> str:
    ref = Ref.parse(id_)
    if ref is None or ref[:2] != (kind, asking.source.key):
        raise BadInput(f"there is no such {kind.name.lower()} in this account", "input", *place)
    return ref.native


def _native(id_: str) -> str:
    ref = Ref.parse(id_)
    assert ref is not None, "its account was found by it"
    return ref.native


async def _create_unit(_: Asking, given: asked.CreateUnitInput) -> Order:
    return CreateUnit(unit_kind=given.kind, name=short(given.name, "name"), code=_code(given.code))


async def _update_unit(_: Asking, given: asked.UpdateUnitInput) -> Order:
    kind, native = _unit(given.unit_id)
    name = None if given.name is None else short(given.name, "name")
    return UpdateUnit(unit_kind=kind, unit=native, name=name, code=_code(given.code))


async def _delete_unit(_: Asking, given: asked.DeleteUnitInput) -> Order:
    kind, native = _unit(given.unit_id)
    return DeleteUnit(unit_kind=kind, unit=native)


def _code(given: str | None) -> str | None:
    return None if given is None else short(given, "code")


def _unit(id_: str) -> tuple[UnitKind, str]:
    """A unit's native id begins with its kind, up to the first slash."""
    word, _, native = _native(id_).partition("/")
    return UnitKind(word), native


def _unit_ref(given: asked.UpdateUnitInput | asked.DeleteUnitInput) -> Ref | None:
    ref = of(Kind.UNIT, "unit_id")(given)
    known = {kind.value for kind in UnitKind}
    return None if ref is None or ref.native.partition("/")[0] not in known else ref


async def _create_group(asking: Asking, given: asked.CreateGroupInput) -> Order:
    return CreateGroup(name=short(given.name, "name"), rules=_rules(asking, given.rules or ()))


async def _update_group(asking: Asking, given: asked.UpdateGroupInput) -> Order:
    name = None if given.name is None else short(given.name, "name")
    rules = None if given.rules is None else _rules(asking, given.rules)
    return UpdateGroup(group=_native(given.group_id), name=name, rules=rules)


async def _delete_group(_: Asking, given: asked.DeleteGroupInput) -> Order:
    return DeleteGroup(group=_native(given.group_id))


def _rules(asking: Asking, given: Sequence[asked.EntitlementRuleInput]) -> list[OrderedRule]:
    return [_rule(asking, rule, ("rules", str(at))) for at, rule in enumerate(_few(given, ("rules",)))]


def _rule(asking: Asking, rule: asked.EntitlementRuleInput, place: Sequence[str]) -> OrderedRule:
    for name, value in (("quantity", rule.quantity), ("periodDays", rule.period_days)):
        if not 1 <= value <= LARGEST:
            raise BadInput(f"from 1 to {LARGEST} is expected", "input", *place, name)
    product = _link(asking, rule.product_id, Kind.PRODUCT, (*place, "productId"))
    return OrderedRule(product=product, quantity=rule.quantity, period_days=rule.period_days)


ACCOUNT = of(Kind.ACCOUNT, "account_id")
WAYS: Mapping[type[Any], Way] = {
    asked.CreatePersonInput: Way("account", ACCOUNT, _create_person),
    asked.UpdatePersonInput: Way("person", of(Kind.PERSON, "person_id"), _update_person),
    asked.DeletePersonInput: Way("person", of(Kind.PERSON, "person_id"), _delete_person),
    asked.CreateUnitInput: Way("account", ACCOUNT, _create_unit),
    asked.UpdateUnitInput: Way("unit", _unit_ref, _update_unit),
    asked.DeleteUnitInput: Way("unit", _unit_ref, _delete_unit),
    asked.CreateGroupInput: Way("account", ACCOUNT, _create_group),
    asked.UpdateGroupInput: Way("group", of(Kind.GROUP, "group_id"), _update_group),
    asked.DeleteGroupInput: Way("group", of(Kind.GROUP, "group_id"), _delete_group),
}
