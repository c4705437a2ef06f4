"""Compiled operations of a small schema that has all that a schema may have: they answer as graphql-core does."""

import asyncio
import enum
import gc
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
import strawberry
from graphql import GraphQLError, execute, parse, validate
from graphql.execution import Executor, execute_subscription_event
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.scalars import JSON

from compiled import BY, READS, Compiler, Memory, Operation, Unusual


@strawberry.enum
class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


@strawberry.enum
class Renamed(enum.Enum):
    FIRST = strawberry.enum_value("f", name="EINS")


@dataclass(slots=True)
class Wheel:
    """What is shown as the type of the same name, as all of these."""

    size: Any = 20
    bolts: Any = ((1, 2), (3,))


@dataclass(slots=True)
class Bike:
    id: Any = "b"
    name: Any = "Bike"
    colour: Any = Colour.RED
    renamed: Any = Renamed.FIRST
    weight: Any = 12.5
    price: Any = Decimal("9.90")
    made: Any = date(2026, 3, 1)
    sold: Any = False
    extra: Any = None
    wheel: Any = field(default_factory=Wheel)
    wheels: Any = field(default_factory=lambda: [Wheel(), Wheel(28)])
    mixed: Any = field(default_factory=lambda: [Wheel(), None])


@dataclass(slots=True)
class Boat:
    id: Any = "s"
    name: Any = "Boat"
    length: Any = 7


class Refusing(BasePermission):
    message = "not yours"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        return source is not None and "allowed" in {**info.context, **kwargs}


class Loud(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        return str(next_(source, info, **kwargs)).upper()


@strawberry.interface
class Vehicle:
    id: strawberry.ID
    name: str


@strawberry.input
class Choice:
    colour: Colour | None = None
    sizes: list[int] = strawberry.field(default_factory=lambda: [1])


def of_bike(_root: strawberry.Parent[Bike], info: strawberry.Info) -> Any:
    return info.context.get("rider")


async def neighbours(_root: strawberry.Parent[Bike], first: int = 2) -> Any:
    await asyncio.sleep(0)
    return [Bike(id=f"n{place}") for place in range(first)]


def chosen(_root: strawberry.Parent[Bike], choice: Choice | None = None) -> str:
    return "nothing" if choice is None else f"{choice.colour} of {choice.sizes}"


def refused(_root: strawberry.Parent[Bike]) -> str:
    raise ValueError("never mind")


def loud(word: str) -> str:
    return word


def edge(resolver: Callable[..., Any], **how: Any) -> Any:
    """A field of its declared type, whatever the resolver says that it returns."""
    resolver.__annotations__.pop("return", None)
    return strawberry.field(resolver=resolver, **how)


@strawberry.type(name="Wheel")
class GraphWheel:
    size: int
    bolts: list[list[int]]


@strawberry.type(name="Bike")
class GraphBike(Vehicle):
    colour: Colour
    renamed: Renamed
    weight: float
    price: Decimal
    made: date
    sold: bool
    extra: JSON | None
    wheel: GraphWheel | None
    wheels: list[GraphWheel]
    mixed: list[GraphWheel | None] | None
    rider: str | None = edge(of_bike)
    neighbours: list[Annotated["GraphBike", strawberry.lazy(__name__)]] = edge(neighbours)
    chosen: str = edge(chosen)
    refused: str | None = edge(refused)
    loud: str = strawberry.field(resolver=loud, extensions=[Loud()])
    hidden: str | None = strawberry.field(resolver=lambda: "seen", permission_classes=[Refusing])

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, Bike)


@strawberry.type(name="Boat")
class GraphBoat(Vehicle):
    length: int

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, Boat)


def bikes(info: strawberry.Info) -> Any:
    return info.context["bikes"]


async def vehicles(info: strawberry.Info) -> Any:
    return info.context["vehicles"]


def either() -> Any:
    return Boat()


@strawberry.type
class Query:
    bikes: list[GraphBike | None] | None = edge(bikes)
    vehicles: list[Vehicle] = edge(vehicles)
    either: Annotated[GraphBike | GraphBoat, strawberry.union("Either")] | None = edge(either)
    word: str = strawberry.field(resolver=lambda: "hello")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def sold(self) -> AsyncGenerator[GraphBike, None]:
        yield Bike()  # type: ignore[misc]  # shown as the type of the same name


SCHEMA = strawberry.Schema(query=Query, subscription=Subscription, types=[GraphBike, GraphBoat])
CORE = SCHEMA._schema
Context = dict[str, Any]


def context(**more: Any) -> Context:
    return {"bikes": [Bike(), None, Bike(id=7)], "vehicles": [Boat(), Bike(), Boat(id="t")], **more}


async def by_core(text: str, given: Context, variables: Mapping[str, Any] | None = None) -> Any:
    result = execute(CORE, parse(text), context_value=given, variable_values=dict(variables or {}))
    return await result if hasattr(result, "__await__") else result


def operation(text: str, name: str | None = None) -> Operation:
    document = parse(text)
    assert validate(CORE, document) == []
    found = Compiler(SCHEMA).operation(document, name)
    assert found is not None
    return found


ALL = "id name colour renamed weight price made sold extra wheel { size bolts } wheels { size } mixed { size }"


@pytest.mark.parametrize(
    "text",
    [
        "{ word }",
        "{ __typename word again: word }",
        f"{{ bikes {{ __typename {ALL} }} }}",
        "{ bikes { rider neighbours(first: 3) { id rider neighbours { id } } } }",
        "{ bikes { chosen none: chosen(choice: null) one: chosen(choice: {colour: GREEN, sizes: [2, 3]}) } }",
        "{ vehicles { __typename id name ... on Bike { colour wheel { size } } ... on Boat { length } } }",
        "{ either { __typename ... on Bike { id } ... on Boat { id length } ... on Vehicle { name } } }",
        "{ bikes { ...a ...b wheel { bolts } } } fragment a on Bike { wheel { size } } fragment b on Vehicle { name }",
        '{ bikes { loud(word: "a") quiet: loud(word: "b") } }',
        "{ bikes { hidden } }",
        "{ bikes { id @skip(if: true) name @include(if: true) ... @include(if: false) { colour } } }",
        "{ bikes { wheel @include(if: false) { size } wheel { bolts } } }",
    ],
)
async def test_the_answer_is_that_of_graphql_core(text: str) -> None:
    given = context(rider="Ada", allowed=True)
    expected = await by_core(text, given)
    assert expected.errors is None
    answer = await operation(text).execute(given)
    assert answer == expected.data
    assert str(answer) == str(expected.data)  # in the same order


@pytest.mark.parametrize("variables", [{}, {"colour": "RED"}, {"colour": None}, {"first": 1}, {"sizes": [4]}])
async def test_variables_and_their_defaults(variables: dict[str, Any]) -> None:
    text = """query ($colour: Colour = GREEN, $first: Int, $sizes: [Int!] = [9]) {
      bikes { chosen(choice: {colour: $colour, sizes: $sizes}) neighbours(first: $first) { id } } }"""
    if "first" not in variables:
        text = text.replace(", $first: Int", "").replace("(first: $first)", "")
    if variables.get("first", 0) is not None:
        text = text.replace("$first: Int,", "$first: Int!,")
    expected = await by_core(text, context(), variables)
    assert expected.errors is None
    assert await operation(text).execute(context(), variables) == expected.data


@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize("no", [True, False])
async def test_conditions_are_compiled_away_for_each_of_their_values(yes: bool, no: bool) -> None:
    text = """query ($yes: Boolean!, $no: Boolean!) { bikes { id @include(if: $yes) ...a @skip(if: $no) __typename } }
      fragment a on Bike { name colour @skip(if: $yes) }"""
    found = operation(text)
    for _ in range(2):
        expected = await by_core(text, context(), {"yes": yes, "no": no})
        assert await found.execute(context(), {"yes": yes, "no": no}) == expected.data
    other = await by_core(text, context(), {"yes": not yes, "no": no})
    assert await found.execute(context(), {"yes": not yes, "no": no}) == other.data


UNUSUAL: dict[str, tuple[str, Context]] = {
    "a null that may be none": ("{ bikes { name } }", {"bikes": [Bike(name=None)]}),
    "an object that may not be null": ("{ vehicles { name } }", {"vehicles": [Boat(), None]}),
    "a list that may not be null": ("{ bikes { wheels { size } } }", {"bikes": [Bike(wheels=None)]}),
    "what is no list": ("{ bikes { wheels { size } } }", {"bikes": [Bike(wheels=Wheel())]}),
    "an object of another type": ("{ bikes { id } }", {"bikes": [Boat()]}),
    "an object of no type": ("{ vehicles { id } }", {"vehicles": [Wheel()]}),
    "too large an integer": ("{ bikes { wheel { size } } }", {"bikes": [Bike(wheel=Wheel(2**31))]}),
    "an infinite number": ("{ bikes { weight } }", {"bikes": [Bike(weight=float("inf"))]}),
    "what is no number": ("{ bikes { weight } }", {"bikes": [Bike(weight=float("nan"))]}),
    "a word that the enum has not": ("{ bikes { colour } }", {"bikes": [Bike(colour="blue")]}),
    "a list for a text": ("{ bikes { name } }", {"bikes": [Bike(name=[1])]}),
}


@pytest.mark.parametrize("case", UNUSUAL)
async def test_what_is_an_error_is_left_to_graphql_core(case: str) -> None:
    text, more = UNUSUAL[case]
    expected = await by_core(text, context(**more))
    assert expected.errors
    with pytest.raises((Unusual, GraphQLError, LookupError)):
        await operation(text).execute(context(**more))


USUAL_AFTER_ALL: dict[str, tuple[str, Context]] = {
    "a number for a text": ("{ bikes { id name } }", {"bikes": [Bike(id=7, name=1.5)]}),
    "a truth value for a number": (
        "{ bikes { weight wheel { size } } }",
        {"bikes": [Bike(weight=1, wheel=Wheel(True))]},
    ),
    "a number for a truth value": ("{ bikes { sold } }", {"bikes": [Bike(sold=1)]}),
    "the name of an enum's value": ("{ bikes { renamed } }", {}),
    "a tuple for a list": ("{ bikes { wheels { bolts } } }", {"bikes": (Bike(wheels=(Wheel(bolts=((), (1,))),)),)}),
    "an empty list": ("{ bikes { wheels { size } neighbours(first: 0) { id } } vehicles { id } }", {"vehicles": []}),
    "no list": ("{ bikes { id } }", {"bikes": None}),
    "any JSON": ("{ bikes { extra } }", {"bikes": [Bike(extra={"a": [1, None]}), Bike(extra=0)]}),
}


@pytest.mark.parametrize("case", USUAL_AFTER_ALL)
async def test_values_of_other_kinds_are_shown_as_graphql_core_does(case: str) -> None:
    text, more = USUAL_AFTER_ALL[case]
    expected = await by_core(text, context(**more))
    assert expected.errors is None
    assert await operation(text).execute(context(**more)) == expected.data


@pytest.mark.parametrize("text", ["{ bikes { refused rider } }", "{ bikes { rider neighbours { refused } } }"])
async def test_what_a_resolver_raises_is_raised_when_all_others_have_ended(text: str) -> None:
    ended: list[str] = []

    async def slowly() -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append("rider")
        return "Ada"

    class Riders(Context):
        def get(self, *_: Any) -> Any:
            return slowly()

    with pytest.raises(ValueError, match="never mind"):
        await operation(text).execute(Riders(bikes=[Bike(), Bike()]))
    assert ended == ["rider", "rider"]


async def test_what_was_begun_before_a_resolver_raised_is_closed() -> None:
    """A coroutine that was never awaited would be an error here."""

    class Riders(Context):
        def get(self, *_: Any) -> Any:
            if self.pop("first", None):
                return asyncio.sleep(0)
            raise ValueError("never mind")

    with pytest.raises(ValueError, match="never mind"):
        await operation("{ bikes { rider } }").execute(Riders(bikes=[Bike(), Bike()], first=True))
    gc.collect()


async def test_a_refused_field_is_refused_by_what_stands_before_its_resolver() -> None:
    expected = await by_core("{ bikes { hidden } }", context())
    assert expected.errors
    with pytest.raises(GraphQLError, match="not yours"):
        await operation("{ bikes { hidden } }").execute(context())


async def test_variables_that_do_not_fit_are_left_to_graphql_core() -> None:
    found = operation("query ($a: Int!) { bikes { neighbours(first: $a) { id } } }")
    with pytest.raises(Unusual, match="variables"):
        await found.execute(context(), {"a": "x"})
    with pytest.raises(Unusual, match="variables"):
        await found.execute(context())


@pytest.mark.parametrize("text", ["{ __schema { queryType { name } } }", '{ __type(name: "Bike") { name } }'])
async def test_introspection_is_left_to_graphql_core(text: str) -> None:
    with pytest.raises(Unusual, match="not compiled"):
        await operation(text).execute(context())


async def test_a_document_that_reaches_too_many_fields_is_not_compiled() -> None:
    """Few letters, and 2^20 fields."""
    parts = [
        f"fragment f{n} on Bike {{ a{n}: neighbours {{ ...f{n + 1} }} b{n}: neighbours {{ ...f{n + 1} }} }}"
        for n in range(20)
    ]
    text = "\n".join(["{ bikes { ...f0 } }", *parts, "fragment f20 on Bike { id }"])
    with pytest.raises(Unusual, match="not compiled"):
        await Compiler(SCHEMA).operation(parse(text)).execute(context())  # type: ignore[union-attr]


def test_mutations_and_what_is_not_there_are_not_compiled() -> None:
    compiler = Compiler(SCHEMA)
    assert compiler.operation(parse("mutation { a }")) is None
    assert compiler.operation(parse("query a { word } query b { word }")) is None
    assert compiler.operation(parse("query a { word } query b { word }"), "c") is None
    assert compiler.operation(parse("query a { word } query b { word }"), "b") is not None


@pytest.mark.parametrize("text", ["sold { id wheel { size } }", "one: sold { rider neighbours { id } __typename }"])
async def test_what_is_made_of_an_event_is_compiled(text: str) -> None:
    text, event, given = f"subscription {{ {text} }}", Bike(id="e"), context(rider="Ada")
    executor = Executor.build(CORE, parse(text), root_value=event, context_value=given)
    assert isinstance(executor, Executor)
    result = execute_subscription_event(executor)
    expected = await result if isinstance(result, Awaitable) else result
    assert expected.errors is None
    assert await operation(text).execute(given, root=event) == expected.data


class Stands:
    def stands(self) -> bool:
        return True


STANDS = Stands()


def plate(_root: strawberry.Parent[Bike], country: str = "PT") -> str:
    return country


def plates(root: Bike, country: str = "PT") -> Sequence[Stands] | None:
    return None if country == "?" or root.id == "gone" else (STANDS,)


@strawberry.type(name="Plated")
class GraphPlated:
    plate: str = edge(plate, metadata={READS: plates})
    rider: str | None = edge(of_bike)


def parked(_root: strawberry.Parent[object], info: strawberry.Info) -> Any:
    return info.context["bikes"]


@strawberry.type(name="Query")
class PlatedQuery:
    bikes: list[GraphPlated] = edge(parked, metadata={READS: lambda *_, **__: ()})


made_by: list[str] = []


def maker(root: strawberry.Parent[Bike], polite: bool = False) -> Any:
    made_by.append(root.name)
    told = None if root.name == "nobody" else f"Mr {root.name}" if polite else root.name
    return later(told) if root.name.startswith("slow") else told


async def later(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


@strawberry.type(name="Made")
class GraphMade:
    name: str
    maker: str | None = edge(maker, metadata={BY: "name"})


@strawberry.type(name="Query")
class MadeQuery:
    bikes: list[GraphMade] = edge(parked)


@pytest.mark.parametrize(
    "names", [("a", "b", "a", "a"), ("slow a", "b", "slow a", "nobody", "nobody"), ("a", "b"), ("nobody",), ()]
)
@pytest.mark.parametrize("text", ["{ bikes { maker name } }", "{ bikes { a: maker(polite: true) b: maker } }"])
async def test_what_depends_on_one_attribute_is_resolved_once_for_each_of_its_values(
    text: str, names: tuple[str, ...]
) -> None:
    schema = strawberry.Schema(query=MadeQuery)
    given = {"bikes": [Bike(name=name) for name in names]}
    expected = await schema.execute(text, context_value=given)
    made_by.clear()
    found = Compiler(schema).operation(parse(text))
    assert found is not None
    assert await found.execute(given) == expected.data
    assert sorted(made_by) == sorted([*{*names}] * text.count("maker"))


@pytest.mark.parametrize(
    ("text", "id_", "told"),
    [
        ("{ bikes { plate } }", "b", {STANDS}),
        ("{ bikes { __typename } }", "b", set()),
        ('{ bikes { plate(country: "FR") } }', "b", {STANDS}),
        ('{ bikes { plate(country: "?") } }', "b", None),
        ("{ bikes { plate } }", "gone", None),
        ("{ bikes { rider } }", "b", None),
        ("{ bikes { plate rider } }", "b", None),
    ],
)
async def test_what_was_read_is_told_where_all_of_it_can_be(text: str, id_: str, told: set[Stands] | None) -> None:
    found, memory = Compiler(strawberry.Schema(query=PlatedQuery)).operation(parse(text)), Memory()
    assert found is not None
    await found.execute({"bikes": [Bike(), Bike(id=id_)]}, memory=memory)
    assert memory.readings == told


async def test_an_edge_of_all_objects_of_a_level_is_followed_at_once() -> None:
    """None of them comes to an end before all have begun."""
    all_three = asyncio.Barrier(3)

    async def met() -> str:
        await all_three.wait()
        return "Ada"

    class Riders(Context):
        def get(self, *_: Any) -> Any:
            return met()

    found = await operation("{ bikes { rider } }").execute(Riders(bikes=[Bike(), Bike(), Bike()]))
    assert found == {"bikes": [{"rider": "Ada"}] * 3}


async def test_graphql_core_is_given_what_resolvers_gave_already() -> None:
    """Also what they raised: none is called twice for one answer."""
    asked: list[str] = []

    async def told() -> str:
        asked.append("rider")
        if len(asked) == 2:
            raise ValueError("never mind")
        return "Ada"

    class Riders(Context):
        def get(self, *_: Any) -> Any:
            return told()

    text, given, memory = "{ bikes { rider } }", Riders(bikes=[Bike(), Bike(), Bike()]), Memory()
    document = parse(text)
    found = Compiler(SCHEMA).operation(document)
    assert found is not None
    with pytest.raises(ValueError, match="never mind"):
        await found.execute(given, memory=memory)
    result = execute(CORE, document, context_value=given, middleware=memory.middleware())
    answer = await result if isinstance(result, Awaitable) else result
    assert answer.data == {"bikes": [{"rider": "Ada"}, {"rider": None}, {"rider": "Ada"}]}
    assert [error.path for error in answer.errors or ()] == [["bikes", 1, "rider"]]
    assert len(asked) == 3


class Request(dict[str, Any]):
    """A context that can be referred to weakly."""


@pytest.mark.parametrize("text", ["{ bikes { rider neighbours(first: 1) { name } chosen(choice: {sizes: [2]}) } }"])
async def test_what_is_kept_of_an_operation_refers_to_no_request(text: str) -> None:
    found = operation(text)
    answers = []
    for _ in range(3):
        given = Request(context())
        gone = weakref.ref(given)
        answers.append(await found.execute(given))
        del given
        gc.collect()
        assert gone() is None
    assert answers[0] == answers[1] == answers[2]
