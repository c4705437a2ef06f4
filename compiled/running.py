"""What generated functions call: waiting for what has to be waited for, and putting lists together again.

Where nothing has to be waited for nothing is: each of these gives a list at once, or else a coroutine that ends in
one."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from graphql import FieldNode, MiddlewareManager

from compiled.keeping import Reading
from compiled.pace import Pace

if TYPE_CHECKING:
    from compiled.pieces import Pieces

Column = list[Any]
Soon = Column | Coroutine[Any, Any, Column]
Level = Callable[[Column, Any], Soon]  # of objects, or values, and the run


class Unusual(Exception):
    """graphql-core has to answer: for a value that it answers with an error, or that is not foreseen here."""


def absent() -> Any:
    raise Unusual("a null that may be none")


@dataclass(frozen=True, slots=True)
class Raised:
    error: BaseException


class Memory:
    """What the resolvers of one execution gave, so that graphql-core need not call them again: as its middleware.

    `told`: for each edge the node that asks for it, the objects and what was given for each; objects are known by their
    identity, for what was given is kept here. `readings`: what all of it stands on; None where that is not known.
    `pieces`: those that the answer may be joined of.

    graphql-core would complete all that is there in one go; lists are given to it so that others have their turn."""

    def __init__(self, pieces: "Pieces | None" = None) -> None:
        self.told: list[tuple[FieldNode, Column, Column]] = []
        self.readings: set[Reading] | None = None
        self.pieces = pieces
        self.pace = Pace()

    def leave(self) -> None:
        """graphql-core answers instead."""
        self.readings = None
        if self.pieces is not None:
            self.pieces.drop()

    def stands_on(self, readings: Iterable[Reading] | None) -> None:
        """Besides all else that it does; None where that cannot be told."""
        if readings is None:
            self.readings = None
        elif self.readings is not None:
            self.readings.update(readings)

    def middleware(self) -> MiddlewareManager:
        given = {
            (id(one), id(node)): value
            for node, objects, values in self.told
            for one, value in zip(objects, values, strict=True)
        }

        def remember(resolve: Callable[..., Any], source: Any, info: Any, **arguments: Any) -> Any:
            found = given.get((id(source), id(info.field_nodes[0])), _UNKNOWN)
            if isinstance(found, Raised):
                raise found.error
            return self._unhurried(resolve(source, info, **arguments) if found is _UNKNOWN else found)

        return MiddlewareManager(remember)

    def _unhurried(self, value: Any) -> Any:
        if type(value) not in _LISTS or not (len(value) > LONG or (value and self.pace.over)):
            return value
        return value if any(WAITS[type(one)] for one in value) else self._in_turns(value)

    async def _in_turns(self, values: Sequence[Any]) -> AsyncIterator[Any]:
        for value in values:
            if self.pace.over:
                await self.pace.turn()
            yield value


_UNKNOWN = object()


class _Kinds(dict[type, bool]):
    """Of which classes the values are that have to be waited for."""

    def __missing__(self, kind: type) -> bool:
        if len(self) > 4096:
            self.clear()
        found = self[kind] = issubclass(kind, Awaitable) or kind is _Generator
        return found


_Generator = type(_ for _ in ())
WAITS = _Kinds()


def called(call: Callable[..., Any], objects: Column, given: dict[str, Any]) -> Column:
    """What a resolver gives for each of a level's objects. What it raises is raised when all have been called, so that
    each that was begun comes to its end."""
    values: Column = []
    add = values.append
    try:
        if given:
            for one in objects:
                add(call(one, **given))
        else:
            for one in objects:
                add(call(one))
    except BaseException:
        abandoned(values)
        raise
    return values


def abandoned(values: Column) -> None:
    """Coroutines that nobody will wait for are closed: Python would complain of them."""
    for value in values:
        if inspect.iscoroutine(value):
            value.close()


def resolved(number: int, objects: Column, complete: Level, run: Any) -> Soon:
    """What a resolver's values come to, when all that are promises are kept. The run remembers them."""
    run.read(number, objects)
    return _followed(number, objects, complete, run)


def _followed(number: int, objects: Column, complete: Level, run: Any) -> Soon:
    waits = WAITS
    values = called(*run.call(number, objects))
    run.memory.told.append((run.node(number), objects, values))
    waiting = [place for place, value in enumerate(values) if waits[type(value)]]
    return _resolved(values, waiting, complete, run) if waiting else complete(values, run)


def shared(number: int, objects: Column, keys: Column, complete: Level, run: Any) -> Soon:
    """As `resolved`, where the value depends on an object's key alone: those that have one in common share all that the
    value comes to. `keys`: can be hashed."""
    places: dict[Any, int] = {}
    first: Column = []
    column: list[int] = []
    for one, key in zip(objects, keys, strict=True):
        place = places.get(key)
        if place is None:
            place = places[key] = len(first)
            first.append(one)
        column.append(place)
    if len(first) == len(objects):
        return resolved(number, objects, complete, run)
    run.read(number, objects if run.reads_each(number) else first)
    return then(_followed(number, first, complete, run), _spread, column)


def _spread(column: list[int], made: Column) -> Column:
    return [made[place] for place in column]


async def _resolved(values: Column, waiting: list[int], complete: Level, run: Any) -> Column:
    """All promises come to an end before the first error is raised."""
    kept = await _kept([values[place] for place in waiting], run)
    for place, value in zip(waiting, kept, strict=True):
        values[place] = Raised(value) if isinstance(value, BaseException) else value
    for value in kept:
        if isinstance(value, BaseException):
            raise value
    if run.pace.over:
        await run.pace.turn()
    made = complete(values, run)
    return made if type(made) is list else await made  # type: ignore[misc]


async def _kept(promises: Sequence[Awaitable[Any]], run: Any) -> Sequence[Any]:
    """What they come to, or raise. Hundreds are begun at once, so that what they load is one batch; between more of
    them others have their turn."""
    begun = []
    for begin in range(0, len(promises), AT_ONCE):
        if begin:
            await run.pace.turn()
        begun += [asyncio.ensure_future(one) for one in promises[begin : begin + AT_ONCE]]
    return await asyncio.gather(*begun, return_exceptions=True)


AT_ONCE = 500  # promises
LONG = 50  # members of a list


async def _all(promises: Sequence[Awaitable[Any]]) -> Sequence[Any]:
    """All of them come to an end before the first error is raised: what they load is still there for graphql-core."""
    if len(promises) == 1:
        return (await promises[0],)
    kept = await asyncio.gather(*promises, return_exceptions=True)
    for one in kept:
        if isinstance(one, BaseException):
            raise one
    return kept


def filled(fill: Callable[..., Column], objects: Column, edges: Sequence[Level], run: Any) -> Soon:
    """A level: its edges are followed at the same time, and then each object is filled with what they lead to."""
    columns = [_begun(edge, objects, run) for edge in edges]
    for column in columns:
        if type(column) is not list:
            return _filled(fill, objects, columns, run)
    return fill(objects, *columns)


def _begun(edge: Level, objects: Column, run: Any) -> Soon:
    if run.pace.over:
        return _later(edge, objects, run)
    try:
        return edge(objects, run)
    except Exception as error:  # noqa: BLE001  it is raised when the other edges have come to their ends
        return _raised(error)


async def _later(edge: Level, objects: Column, run: Any) -> Column:
    await run.pace.turn()
    made = edge(objects, run)
    return made if type(made) is list else await made  # type: ignore[misc]


async def _raised(error: Exception) -> Column:
    raise error


async def _filled(fill: Callable[..., Column], objects: Column, columns: list[Soon], run: Any) -> Column:
    waiting = [place for place, column in enumerate(columns) if type(column) is not list]
    for place, kept in zip(waiting, await _all([columns[place] for place in waiting]), strict=True):  # type: ignore[misc]
        columns[place] = kept
    if run.pace.over:
        await run.pace.turn()
    return fill(objects, *columns)


def things(level: Level, values: Column, run: Any, *, nullable: bool) -> Soon:
    """Values of an object type. `level`: makes the answers of those that are there."""
    there = [value for value in values if value is not None]
    if len(there) == len(values):
        return level(there, run)
    if not nullable:
        absent()
    return then(level(there, run) if there else [], _with_nulls, values)


def _with_nulls(values: Column, made: Column) -> Column:
    answers = iter(made)
    return [None if value is None else next(answers) for value in values]


def lists(complete: Level, values: Column, run: Any, *, nullable: bool) -> Soon:
    """Values of a list type. `complete`: makes the answers of all their items, one after the other."""
    there = [value if type(value) in _LISTS else listed(value) for value in values if value is not None]
    if len(there) != len(values) and not nullable:
        absent()
    return then(complete(list(chain.from_iterable(there)), run), _in_lists, (values, there))


_LISTS = frozenset((list, tuple))


def listed(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    raise Unusual("a list of another kind")


def _in_lists(given: tuple[Column, Column], made: Column) -> Column:
    values, there = given
    answers: Column = []
    begin = 0
    for one in there:
        answers.append(made[begin : begin + len(one)])
        begin += len(one)
    return answers if len(there) == len(values) else _with_nulls(values, answers)


def then(made: Soon, make: Callable[[Any, Column], Column], given: Any) -> Soon:
    return make(given, made) if isinstance(made, list) else _then(made, make, given)


async def _then(made: Coroutine[Any, Any, Column], make: Callable[[Any, Column], Column], given: Any) -> Column:
    return make(given, await made)
