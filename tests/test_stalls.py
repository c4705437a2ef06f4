"""While a large answer is made, counted and written, others have their turn; and it is the answer that it was.

How long is not measured here, but by `make bench`: a stretch of work ends at once, and rounds of the event
loop count."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import orjson
import pytest
import strawberry
from graphql import GraphQLError, execute, parse

from compiled import Compiler, Memory, pace, running
from gateway import answers
from gateway.answers import encoded, objects_in, written


@strawberry.type
class Part:
    name: str

    @strawberry.field
    def parts(self, count: int) -> list["Part"]:
        return [Part(name=f"{self.name}.{at}") for at in range(count)]

    @strawberry.field
    async def later(self) -> "Part":
        return Part(name="later")

    @strawberry.field
    def wrong(self) -> str | None:
        raise GraphQLError("as it has to be")


@strawberry.type
class Query:
    @strawberry.field
    def part(self) -> Part:
        return Part(name="whole")


SCHEMA = strawberry.Schema(Query)
WIDE = (
    "{ part { " + " ".join(f"a{at}: parts(count: 3) {{ name parts(count: 2) {{ name }} }}" for at in range(20)) + " } }"
)
LATER = "{ part { parts(count: 40) { later { name } } } }"
FAILING = "{ part { wrong parts(count: 60) { name parts(count: 2) { name } } } }"


class Rounds:
    """How many rounds of the event loop others had."""

    def __init__(self) -> None:
        self.count = 0
        self._again()

    def _again(self) -> None:
        self._handle = asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self.count += 1
        self._again()

    def end(self) -> None:
        self._handle.cancel()


async def rounds_of(make: Callable[[], Awaitable[Any]]) -> tuple[Any, int]:
    rounds = Rounds()
    made = await make()
    rounds.end()
    return made, rounds.count


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stretch of work has been long enough."""
    monkeypatch.setattr(pace, "LONGEST_SECONDS", -1.0)
    monkeypatch.setattr(running, "AT_ONCE", 10)


def by_core(text: str, memory: Memory | None = None) -> Any:
    middleware = None if memory is None else memory.middleware()
    return execute(SCHEMA._schema, parse(text), middleware=middleware)


async def compiled(text: str) -> Any:
    operation = Compiler(SCHEMA).operation(parse(text))
    assert operation is not None
    return await operation.execute({})


@pytest.mark.usefixtures("hurried")
async def test_others_have_their_turn_between_the_fields_of_an_answer() -> None:
    made, rounds = await rounds_of(lambda: compiled(WIDE))
    assert made == by_core(WIDE).data
    assert rounds > 20


async def test_what_is_short_is_made_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LONGEST_SECONDS", 1e9)
    assert (await rounds_of(lambda: compiled(WIDE)))[1] == 0


@pytest.mark.usefixtures("hurried")
async def test_others_have_their_turn_while_many_resolvers_are_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    made, rounds = await rounds_of(lambda: compiled(LATER))
    assert made == (await by_core(LATER)).data
    monkeypatch.setattr(running, "AT_ONCE", 1_000)
    assert rounds > (await rounds_of(lambda: compiled(LATER)))[1]


@pytest.mark.usefixtures("hurried")
async def test_others_have_their_turn_where_graphql_core_executes() -> None:
    """It does that where a field fails; without our lists it is one go."""

    async def core() -> Any:
        return await by_core(FAILING, Memory())

    made, rounds = await rounds_of(core)
    expected = by_core(FAILING)
    assert made.data == expected.data
    assert [one.path for one in made.errors] == [one.path for one in expected.errors] == [["part", "wrong"]]
    assert rounds > 50


ANSWERS: list[Any] = [
    {
        "a": {"nodes": [{"id": str(at), "lines": [{"n": at}, None, [{"m": [1.5, "ä\n"]}]]} for at in range(400)]},
        "b": None,
    },
    {"a": [], "b": {}, "c": {"nodes": [[], {}, [[{}]]] * 200, "price": Decimal("2.50")}, 'quote"': True},
    {"a": {"nodes": [{"big": 2**70}] * 300}},
    None,
]


def objects(data: Any) -> int:
    if isinstance(data, dict):
        return 1 + sum(map(objects, data.values()))
    return sum(map(objects, data)) if isinstance(data, list) else 0


@pytest.mark.parametrize("data", ANSWERS)
async def test_it_is_counted_and_written_in_pieces_as_it_would_be_in_one(
    data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "STRETCH", 7)
    monkeypatch.setattr(answers, "LONG", 100)
    count = await objects_in(data)
    assert count == objects(data)
    if data is not None:
        assert await written(data, 8) == encoded(data)


async def test_others_have_their_turn_while_it_is_counted_and_written(monkeypatch: pytest.MonkeyPatch) -> None:
    data = ANSWERS[0]
    assert (await rounds_of(lambda: objects_in(data)))[1] == 0
    assert (await rounds_of(lambda: written(data, objects(data))))[1] == 0
    monkeypatch.setattr(answers, "STRETCH", 100)
    monkeypatch.setattr(answers, "LONG", 1_000)
    assert (await rounds_of(lambda: objects_in(data)))[1] > 3
    text, rounds = await rounds_of(lambda: written(data, objects(data)))
    assert rounds > 3
    assert orjson.loads(text) == data
