"""Answers joined of pieces: what has not changed is not made again, and nothing that has is told as it was."""

import asyncio
import gc
import json
import weakref
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import strawberry
from graphql import execute, parse
from strawberry.scalars import JSON

from compiled import Compiler, Keeper, Memory, Operation, Pieces
from gateway.answers import encoded, in_bytes
from resolvers.standing import Mark

HUGE = 2**70  # more than JSON's usual writers take


@dataclass(frozen=True)
class Bike:
    name: str
    maker: str = "Ada"
    wheels: Sequence[str] = ()
    more: dict[str, str] = field(default_factory=dict)  # so that it has no hash


@dataclass(frozen=True)
class Ride:
    bike: str
    number: int


@dataclass
class Shop:
    """What bikes lead to, and marks that fall when it becomes something else. `called`: the resolvers, by name."""

    bikes: list[Bike]
    rides: dict[str, list[Ride]] = field(default_factory=dict)
    broken: str = ""
    unknown: str = ""
    called: Counter[str] = field(default_factory=Counter)
    marks: defaultdict[str, Mark] = field(default_factory=lambda: defaultdict(Mark))

    def fall(self, name: str) -> None:
        self.marks.pop(name, Mark()).fall()

    def ride(self, bike: str) -> None:
        rides = self.rides.setdefault(bike, [])
        rides.append(Ride(bike, len(rides)))
        self.fall(bike)


def shop_of(info: strawberry.Info) -> Shop:
    shop = info.context
    assert isinstance(shop, Shop)
    return shop


async def rides(root: strawberry.Parent[Bike], info: strawberry.Info, most: int = 9) -> Any:
    shop = shop_of(info)
    shop.called[f"rides of {root.name}"] += 1
    await asyncio.sleep(0)
    if root.name == shop.broken:
        raise ValueError("a flat tyre")
    return shop.rides.get(root.name, [])[:most]


def rides_read(root: Any, info: strawberry.Info, **_: int) -> list[Mark] | None:
    return None if root.name == shop_of(info).unknown else [shop_of(info).marks[root.name]]


def maker(root: strawberry.Parent[Bike], info: strawberry.Info) -> str:
    shop_of(info).called[f"maker {root.maker}"] += 1
    return root.maker


def maker_read(root: Any, info: strawberry.Info) -> list[Mark]:
    return [shop_of(info).marks[root.maker]]


def weather(_root: strawberry.Parent[Ride], info: strawberry.Info) -> Any:
    shop_of(info).called["weather"] += 1
    return HUGE


def weather_read(_root: Any, info: strawberry.Info) -> list[Mark]:
    return [shop_of(info).marks["weather"]]


def untold(_root: strawberry.Parent[Bike]) -> str:
    return "untold"


def edge(resolver: Callable[..., Any], **metadata: Any) -> Any:
    return strawberry.field(resolver=resolver, metadata={f"compiled.{name}": value for name, value in metadata.items()})


@strawberry.type(name="Ride")
class GraphRide:
    number: int
    weather: JSON = edge(weather, reads=weather_read)


@strawberry.interface
class Named:
    name: str


@strawberry.type(name="Bike")
class GraphBike(Named):
    wheels: list[str]
    rides: list[GraphRide] | None = edge(rides, reads=rides_read)
    maker: str = edge(maker, reads=maker_read, by="maker")
    untold: str = edge(untold)

    @classmethod
    def is_type_of(cls, value: object, _: Any) -> bool:
        return isinstance(value, Bike)


def parked(_root: strawberry.Parent[object], info: strawberry.Info) -> Any:
    return shop_of(info).bikes


@strawberry.type(name="Query")
class Query:
    bikes: list[GraphBike] = edge(parked)
    named: list[Named] = edge(parked)


SCHEMA = strawberry.Schema(query=Query, types=[GraphBike])
RIDES = "{ bikes { name rides { number } } }"


class Eager(Keeper):
    """Keeps what is asked for for the first time."""

    def is_asked_again(self, _: Hashable, /) -> bool:
        return True


class Joined:
    """One gateway's: an operation asked again and again."""

    def __init__(self, text: str, size: int = 1_000_000) -> None:
        self.document = parse(text)
        found = Compiler(SCHEMA, {"Bike"}).operation(self.document)
        assert found is not None
        self.operation: Operation = found
        self.keeper: Keeper = Eager(size)
        self.pieces = Pieces(self.keeper, "nobody", in_bytes)

    async def ask(self, shop: Shop, scope: str = "us", **variables: Any) -> Any:
        """The answer, which is graphql-core's. `calls`: of the resolvers, by their names."""
        shop.called.clear()
        self.pieces = Pieces(self.keeper, scope, in_bytes)
        answer = await self.operation.execute(shop, variables, memory=Memory(self.pieces))
        self.calls = dict(shop.called)
        told = json.loads(encoded(answer))
        assert told == json.loads(encoded(await self.core(shop, variables)))
        return told

    async def core(self, shop: Shop, variables: dict[str, Any], memory: Memory | None = None) -> Any:
        given = None if memory is None else memory.middleware()
        found = execute(SCHEMA._schema, self.document, None, shop, variables, middleware=given)
        return (await found if isinstance(found, Awaitable) else found).data

    async def asks(self, shop: Shop, **variables: Any) -> bool:
        """Whether anything but the bikes was asked for."""
        await self.ask(shop, **variables)
        return bool(self.calls)


@pytest.fixture
def shop() -> Shop:
    return Shop([Bike("a"), Bike("b", wheels=["x"]), Bike("c", maker="Bo")], {"a": [Ride("a", 0)], "b": []})


async def test_only_what_has_changed_is_made_again(shop: Shop) -> None:
    joined = Joined(RIDES)
    await joined.ask(shop)
    assert joined.calls == {"rides of a": 1, "rides of b": 1, "rides of c": 1}
    assert (joined.pieces.found, joined.pieces.made) == (0, 4)
    await joined.ask(shop)
    assert joined.calls == {}
    assert (joined.pieces.found, joined.pieces.made) == (4, 0)
    shop.ride("b")
    assert (await joined.ask(shop))["bikes"][1] == {"name": "b", "rides": [{"number": 0}]}
    assert joined.calls == {"rides of b": 1}
    assert (joined.pieces.found, joined.pieces.made) == (3, 2)


async def test_what_is_asked_for_once_is_not_kept(shop: Shop) -> None:
    joined = Joined(RIDES)
    joined.keeper = Keeper()
    for count in (0, 3, 3):
        await joined.ask(shop)
        assert len(joined.keeper) == count
    assert joined.calls == {}


async def test_an_object_that_takes_the_place_of_another_has_no_piece_yet(shop: Shop) -> None:
    joined = Joined(RIDES)
    await joined.ask(shop)
    shop.bikes[0] = replace(shop.bikes[0])
    await joined.ask(shop)
    assert joined.calls == {"rides of a": 1}
    shop.bikes.reverse()
    await joined.ask(shop)
    assert joined.calls == {}


async def test_what_is_read_further_down_holds_for_all_that_were_made_with_it(shop: Shop) -> None:
    joined = Joined("{ bikes { rides { weather } } }")
    told = await joined.ask(shop)
    assert told["bikes"][0] == {"rides": [{"weather": HUGE}]}
    assert await joined.asks(shop) is False
    shop.fall("weather")
    assert await joined.asks(shop)
    assert joined.calls == {"rides of a": 1, "rides of b": 1, "rides of c": 1, "weather": 1}


async def test_what_is_resolved_once_for_several_is_read_for_each(shop: Shop) -> None:
    joined = Joined("{ bikes { name maker } }")
    await joined.ask(shop)
    assert joined.calls == {"maker Ada": 1, "maker Bo": 1}
    shop.fall("Ada")
    await joined.ask(shop)
    assert joined.calls == {"maker Ada": 1}
    assert (joined.pieces.found, joined.pieces.made) == (1, 2)


async def test_what_could_not_be_told_to_stand_is_no_piece(shop: Shop) -> None:
    joined = Joined(RIDES)
    shop.unknown = "b"
    await joined.ask(shop)
    await joined.ask(shop)
    assert joined.calls == {"rides of b": 1}


async def test_what_falls_while_it_is_made_is_no_piece(shop: Shop) -> None:
    joined = Joined(RIDES)
    asked = asyncio.create_task(joined.ask(shop))
    await asyncio.sleep(0)
    shop.fall("a")
    await asked
    assert await joined.asks(shop)
    assert joined.calls == {"rides of a": 1}


async def test_each_scope_has_its_own(shop: Shop) -> None:
    joined = Joined(RIDES)
    await joined.ask(shop, "us")
    assert len((await joined.ask(shop, "them"), joined.calls)[1]) == 3
    await joined.ask(shop, "us")
    assert joined.calls == {}


@pytest.mark.parametrize(
    ("changed", "again"), [({"m": 1}, True), ({"w": False}, True), ({"n": "x"}, False), ({}, False)]
)
async def test_they_depend_on_the_variables_that_are_taken_below_them(
    changed: dict[str, Any], again: bool, shop: Shop
) -> None:
    joined = Joined(
        """query($m: Int = 9, $w: Boolean = true, $n: String) {
        bikes { rides(most: $m) { number } wheels @include(if: $w) } bikes2: bikes { ...Maker } __typename }
        fragment Maker on Bike { maker @skip(if: false) }"""
    )
    shop.rides["a"].append(Ride("a", 1))
    await joined.ask(shop)
    assert await joined.asks(shop, **changed) is again


async def test_variables_that_are_no_json_make_none(shop: Shop) -> None:
    joined = Joined("query($m: Int) { bikes { rides(most: $m) { number } } }")
    await joined.ask(shop)
    pieces = Pieces(joined.keeper, "us", in_bytes)
    assert pieces.key("level", {"m": object()}) is None


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("{ bikes { name wheels } }", False),  # nothing is resolved below it
        ("{ bikes { maker untold } }", False),  # not all of it tells what it reads
        ("{ named { name ... on Bike { maker } } }", True),
        ("{ named { ... on Bike { rides { number } } } bikes { maker untold } }", True),
    ],
)
async def test_which_levels_come_to_pieces(text: str, some: bool, shop: Shop) -> None:
    joined = Joined(text)
    await joined.ask(shop)
    assert len(joined.keeper) == (3 if some else 0)


async def test_the_same_objects_twice_come_to_pieces_of_each_selection(shop: Shop) -> None:
    joined = Joined("{ bikes { rides { number } } others: bikes { maker rides { n: number } } }")
    await joined.ask(shop)
    assert len(joined.keeper) == 6
    assert await joined.asks(shop) is False


async def test_where_graphql_core_has_to_answer_the_pieces_stay_as_they_are(shop: Shop) -> None:
    joined = Joined(RIDES)
    await joined.ask(shop)
    shop.broken = "c"
    shop.fall("c")
    shop.ride("a")
    pieces = Pieces(joined.keeper, "us", in_bytes)
    memory = Memory(pieces)
    with pytest.raises(ValueError, match="a flat tyre"):
        await joined.operation.execute(shop, {}, memory=memory)
    memory.leave()
    assert (pieces.found, pieces.made, pieces.readings) == (0, 0, 0)
    shop.called.clear()
    told = await joined.core(shop, {}, memory)
    assert [bike["rides"] for bike in told["bikes"]] == [[{"number": 0}, {"number": 1}], [], None]
    assert shop.called == {"rides of b": 1}  # the others were called already
    shop.broken = ""
    await joined.ask(shop)
    assert joined.calls == {"rides of a": 1, "rides of c": 1}


async def test_all_of_an_answer_stands_on_what_its_pieces_do(shop: Shop) -> None:
    """So that the whole of it can be kept, too, where all of it tells."""
    joined = Joined(RIDES)
    for _ in range(2):
        memory = Memory(Pieces(joined.keeper, "us", in_bytes))
        await joined.operation.execute(shop, {}, memory=memory)
        assert memory.readings is None  # `bikes` does not tell
    memory = Memory()
    memory.readings = set()
    memory.stands_on([shop.marks["a"]])
    memory.stands_on([shop.marks["b"]])
    assert memory.readings == {shop.marks["a"], shop.marks["b"]}
    memory.stands_on(None)
    memory.stands_on([shop.marks["a"]])
    assert memory.readings is None


async def test_they_are_bounded_in_bytes_and_wrong_only_in_speed(shop: Shop) -> None:
    joined = Joined(RIDES, size=20_000)
    shop.bikes = [Bike(str(number)) for number in range(50)]
    for _ in range(3):
        assert await joined.asks(shop)
    assert 10_000 < joined.keeper.size <= 20_000


async def test_they_hold_on_to_nothing(shop: Shop) -> None:
    joined = Joined(RIDES)
    await joined.ask(shop)
    gone = weakref.ref(shop.bikes[0])
    shop.bikes[0] = Bike("a")
    gc.collect()
    assert gone() is None
    await joined.ask(shop)
    assert joined.calls == {"rides of a": 1}
