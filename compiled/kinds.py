"""What generated functions ask of values whose type depends on their class, once for each class."""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLAbstractType, GraphQLObjectType, default_type_resolver

from compiled.running import Column, Level, Soon, Unusual, filled


class Classes:
    """Of which classes the values of an object type are, by what its `is_type_of` says of the first of each."""

    def __init__(self, type_: GraphQLObjectType) -> None:
        self._type = type_
        self._known: set[type] = set()

    def check(self, objects: Column, run: Any) -> None:
        """Raises Unusual for an object that is not of the type."""
        for kind in set(map(type, objects)) - self._known:
            one = next(value for value in objects if type(value) is kind)
            if self._type.is_type_of is not None and self._type.is_type_of(one, run.typing) is not True:
                raise Unusual(f"no {self._type.name}")
            self._known.add(kind)


class Possible:
    """Values of an interface or a union, each made by the level of its own type, which is found once for each class."""

    def __init__(self, type_: GraphQLAbstractType) -> None:
        self._type = type_
        self._names: dict[type, str] = {}

    def made(self, levels: Mapping[str, Level], objects: Column, run: Any) -> Soon:
        """`levels`: by the types' names."""
        groups: dict[str, list[int]] = {}
        for place, one in enumerate(objects):
            groups.setdefault(self._name(one, run), []).append(place)
        edges = [_Group(levels[name], places) for name, places in groups.items()]
        return filled(_Places(list(groups.values())), objects, edges, run)

    def _name(self, value: Any, run: Any) -> str:
        found = self._names.get(type(value))
        if found is None:
            found = self._names[type(value)] = self._resolved(value, run)
        return found

    def _resolved(self, value: Any, run: Any) -> str:
        found = (self._type.resolve_type or default_type_resolver)(value, run.typing, self._type)
        if isinstance(found, str):
            return found
        raise Unusual(f"no {self._type.name}")


class _Group:
    def __init__(self, level: Level, places: list[int]) -> None:
        self._level = level
        self._places = places

    def __call__(self, objects: Column, run: Any) -> Soon:
        return self._level([objects[place] for place in self._places], run)


class _Places:
    """Puts what was made in groups in the order of the objects."""

    def __init__(self, groups: list[list[int]]) -> None:
        self._groups = groups

    def __call__(self, objects: Column, *columns: Column) -> Column:
        answers: Column = [None] * len(objects)
        for places, column in zip(self._groups, columns, strict=True):
            for place, answer in zip(places, column, strict=True):
                answers[place] = answer
        return answers
