"""Orders of people and structure: what is made, changed and deleted at an account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from domain.capabilities import Capability
from domain.orders import Order
from domain.people import PersonAddress, PersonStatus, UnitKind

LINKS = frozenset({"organization", "sector", "cost_center", "second_cost_center", "job_role", "group"})


def field_of(name: str) -> str:
    """How the graph calls a member of PersonDetails."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others)) + ("Id" if name in LINKS else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetails:
    """What is to be kept of a person, things by the vendor's ids; None says nothing, and clears nothing."""

    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    identification: str | None = None
    mobile: str | None = None
    note: str | None = None
    avatar_url: str | None = None
    language: str | None = None
    address: PersonAddress | None = None
    membercards: Sequence[str] | None = None
    status: PersonStatus | None = None
    organization: str | None = None
    sector: str | None = None
    cost_center: str | None = None
    second_cost_center: str | None = None
    job_role: str | None = None
    group: str | None = None

    @property
    def given(self) -> Mapping[str, object]:
        """What it says, by name."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in named if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePerson(Order):
    kind: Capability = Capability.CREATE_PERSON
    details: PersonDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePerson(Order):
    kind: Capability = Capability.UPDATE_PERSON
    person: str
    details: PersonDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePerson(Order):
    kind: Capability = Capability.DELETE_PERSON
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUnit(Order):
    kind: Capability = Capability.CREATE_UNIT
    unit_kind: UnitKind
    name: str
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUnit(Order):
    kind: Capability = Capability.UPDATE_UNIT
    unit_kind: UnitKind
    unit: str
    name: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUnit(Order):
    kind: Capability = Capability.DELETE_UNIT
    unit_kind: UnitKind
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedRule:
    """So many of a product, by its native id, in so many days."""

    product: str
    quantity: int
    period_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup(Order):
    kind: Capability = Capability.CREATE_GROUP
    name: str
    rules: Sequence[OrderedRule] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateGroup(Order):
    """`rules`: all of them from then on; None leaves them."""

    kind: Capability = Capability.UPDATE_GROUP
    group: str
    name: str | None = None
    rules: Sequence[OrderedRule] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteGroup(Order):
    kind: Capability = Capability.DELETE_GROUP
    group: str


PEOPLE_ORDERS: Mapping[Capability, type[Order]] = {
    Capability.CREATE_PERSON: CreatePerson,
    Capability.UPDATE_PERSON: UpdatePerson,
    Capability.DELETE_PERSON: DeletePerson,
    Capability.CREATE_UNIT: CreateUnit,
    Capability.UPDATE_UNIT: UpdateUnit,
    Capability.DELETE_UNIT: DeleteUnit,
    Capability.CREATE_GROUP: CreateGroup,
    Capability.UPDATE_GROUP: UpdateGroup,
    Capability.DELETE_GROUP: DeleteGroup,
}
PERSONAL = frozenset({Capability.CREATE_PERSON, Capability.UPDATE_PERSON, Capability.DELETE_PERSON})
UNIQUE = frozenset(  # none of them is undone by another of its kind
    {
        Capability.CREATE_PERSON,
        Capability.DELETE_PERSON,
        Capability.CREATE_UNIT,
        Capability.DELETE_UNIT,
        Capability.CREATE_GROUP,
        Capability.DELETE_GROUP,
    }
)
