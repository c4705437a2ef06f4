"""Pieces: what single objects of an answer come to, kept as bytes, so that after one has changed the others are joined
to it as they were.

An object is known by its identity, for it is one that a cache holds, and is replaced where something about it changes.
A piece stands as long as its object is there and all stands that was read below it. What an edge of the object
itself reads is its own; what is read further down, for all objects of the level together, is held against each piece
that was made with it."""

import weakref
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from compiled.keeping import Keeper, Kept, Reading
from compiled.pace import Pace
from compiled.running import Column, Level, Soon

Write = Callable[[Any], Awaitable[tuple[bytes, int]]]
Readings = set[Reading]
Key = tuple[Hashable, bytes, Hashable]  # level, variables, scope


class Alive(weakref.ref[Any]):
    """An object, as a reading: as long as it is there, its identity is no other's. It is not kept by that, nor asked
    what it is equal to."""

    __slots__ = ()
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def stands(self) -> bool:
        return self() is not None


@dataclass(slots=True, eq=False)
class Making:
    """The objects of a level that have no piece, and what is read for them: `own` by their identity, `below` for all.
    None where something that was read cannot be told to stand."""

    own: dict[int, Readings | None] = field(default_factory=dict)
    below: Readings | None = field(default_factory=set)

    def note(self, one: object | None, found: Iterable[Reading] | None) -> None:
        """`one`: the object that it was read for, None where it was for all. `found`: None where it cannot be told."""
        if one is None:
            self.below = _with(self.below, found)
        else:
            self.own[id(one)] = _with(self.own[id(one)], found)

    def readings(self, one: object) -> Readings | None:
        own = self.own[id(one)]
        return None if own is None or self.below is None else own | self.below


def _with(readings: Readings | None, found: Iterable[Reading] | None) -> Readings | None:
    if readings is None or found is None:
        return None
    readings.update(found)
    return readings


class Pieces:
    """Those of one execution. `scope`: what they depend on besides the operation, its variables and what is read.

    `write`: an answer as JSON, and how many objects are in it; raises TypeError, ValueError or RecursionError for what
    is none. `found`: how many objects were in pieces that were there, and `made` in those that were not; `readings`:
    how many were found to stand."""

    def __init__(self, keeper: Keeper, scope: Hashable, write: Write) -> None:
        self._keeper = keeper
        self._scope = scope
        self._write = write
        self.found = 0
        self.made = 0
        self.readings = 0

    def key(self, level: Hashable, variables: Mapping[str, Any]) -> Key | None:
        """None for variables that are no JSON."""
        try:
            told = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS) if variables else b""
        except TypeError:
            return None
        return level, told, self._scope

    def are_asked_again(self, key: Key) -> bool:
        return self._keeper.is_asked_again(key)

    def find(self, key: Key, one: object) -> Kept | None:
        found = self._keeper.find((key, id(one)))
        if found is not None:
            self.found += found.objects
            self.readings += len(found.readings)
        return found

    def drop(self) -> None:
        """The answer is made in another way."""
        self.found = self.made = self.readings = 0

    async def put(self, key: Key, one: object, answer: Any, readings: Readings) -> Any:
        """What stands for the answer from now on: the piece, or itself where it cannot be one."""
        try:
            text, objects = await self._write(answer)
        except (TypeError, ValueError, RecursionError):
            return answer
        kept = Kept(text, objects, {*readings, Alive(one)}, asked=len(key[1]))
        self._keeper.keep((key, id(one)), kept)
        self.made += objects
        return orjson.Fragment(text)


def pieced(number: int, make: Level, objects: Column, run: Any) -> Soon:
    """A level whose objects come to pieces. `make`: makes the answers of those that have none."""
    pieces: Pieces | None = run.memory.pieces
    key = None if pieces is None else run.piece_key(number, pieces)
    if pieces is None or key is None or not pieces.are_asked_again(key):
        return make(objects, run)
    answers: Column = []
    lacking: list[int] = []
    for place, one in enumerate(objects):
        found = pieces.find(key, one)
        if found is None:
            lacking.append(place)
            answers.append(None)
        else:
            run.memory.stands_on(found.readings)
            answers.append(orjson.Fragment(found.encoded))
    if not lacking:
        return answers
    making = run.makings.setdefault(number, Making())
    making.own.update((id(objects[place]), set()) for place in lacking)
    return _made(make, [objects[place] for place in lacking], _Places(answers, lacking, key, pieces, making), run)


@dataclass(slots=True)
class _Places:
    """Where the answers that are to be made belong."""

    answers: Column
    lacking: list[int]
    key: Key
    pieces: Pieces
    making: Making


async def _made(make: Level, objects: Column, places: _Places, run: Any) -> Column:
    made = make(objects, run)
    column: Column = made if isinstance(made, list) else await made
    pace: Pace = run.pace
    for place, one, answer in zip(places.lacking, objects, column, strict=True):
        readings = places.making.readings(one)
        run.memory.stands_on(readings)
        if readings is not None:
            if pace.over:
                await pace.turn()
            answer = await places.pieces.put(places.key, one, answer, readings)  # noqa: PLW2901  it takes its place
        places.answers[place] = answer
    return places.answers
