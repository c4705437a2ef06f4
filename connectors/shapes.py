"""What a vendor's answers are taken to look like, as far as they are read, and how one differs from that. Pure.

A shape is of one value; `Members` and `Rows` are made of others. What is not in a shape is not looked at: vendors add
members all the time. A shape tells of differences and never refuses anything: whether a record can be used without a
member, its parser knows."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.drift import DriftKind

WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,31}")  # what may be repeated of a value: no name, no address, no number
DIGITS = 4  # in a row in a word: more may be somebody's number
NUMERIC = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\s*")
ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
ABSENT = object()

Found = Callable[[str, DriftKind, str, str], None]  # path, kind, what was expected and what was seen
Check = Callable[[Any, Found], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """A value of one of `types`; a text is checked by `fits`, where there is one. Null is judged by who holds it."""

    expected: str
    types: frozenset[type]
    fits: Callable[[str], object] | None = None

    @property
    def plain(self) -> frozenset[type]:
        """Types of values that need no further look."""
        return self.types if self.fits is None else self.types - {str}

    def at(self, path: str) -> Check:
        types, fits, expected = self.types, self.fits, self.expected

        def check(value: Any, found: Found) -> None:
            if type(value) not in types:
                found(path, DriftKind.RETYPED, expected, NAMES[type(value)])
            elif fits is not None and type(value) is str and value and not fits(value):
                found(path, DriftKind.RETYPED, expected, "a text of another form")

        return check


def _is_numeric(value: str) -> bool:
    """Most are nothing but digits, and that is quickly seen."""
    return value.isdecimal() or NUMERIC.fullmatch(value) is not None


TEXT = Shape("a text", frozenset({str}))
NUMBER = Shape("a number", frozenset({int, float}))
FLAG = Shape("true or false", frozenset({bool}))
ID = Shape("a text or a number", frozenset({str, int}))
AMOUNT = Shape("a number, or a text that is one", frozenset({int, float, str}), _is_numeric)
DIGITED = Shape("a text that is a number", frozenset({str}), _is_numeric)
TIME = Shape("a time in ISO 8601", frozenset({str}), ISO.fullmatch)
OBJECT = Shape("an object", frozenset({dict}))
LIST = Shape("a list", frozenset({list}))


@dataclass(frozen=True, slots=True)
class Words:
    """One of a table's words, by what a parser makes of it before it looks there. Numbers may be words, too."""

    known: Iterable[str]
    as_read: Callable[[str], str] = str
    plain: frozenset[type] = frozenset()

    def at(self, path: str) -> Check:
        known, as_read = frozenset(self.known), self.as_read

        def check(value: Any, found: Found) -> None:
            if type(value) is not str:
                found(path, DriftKind.RETYPED, "a word", NAMES[type(value)])
            elif value not in known and as_read(value) not in known:
                found(path, DriftKind.UNKNOWN_WORD, "a word that is known", repeatable(value))

        return check


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of values of one shape; null in its place is a value as any other."""

    each: "AnyShape"
    plain: frozenset[type] = frozenset()

    def at(self, path: str) -> Check:
        each, plain = self.each.at(f"{path}[]"), self.each.plain

        def check(value: Any, found: Found) -> None:
            if type(value) is not list:
                found(path, DriftKind.RETYPED, "a list", NAMES[type(value)])
                return
            for item in value:
                if type(item) not in plain:
                    each(item, found)

        return check


class Members:
    """An object. A name ending in `!` is of a member that has a value, in `?` of one that may be left out; any other
    member is there, and may be null."""

    plain: frozenset[type] = frozenset()

    def __init__(self, members: Mapping[str, "AnyShape"]) -> None:
        self.members = members

    def __or__(self, more: Mapping[str, "AnyShape"]) -> "Members":
        return Members({**self.members, **more})

    def at(self, path: str) -> Check:
        begin = f"{path}." if path else ""
        rows = [
            (bare(name), _passed(name, shape), shape.at(begin + bare(name)), _lacking(name, shape, begin + bare(name)))
            for name, shape in self.members.items()
        ]

        def check(value: Any, found: Found) -> None:
            if type(value) is not dict:
                found(path, DriftKind.RETYPED, "an object", NAMES[type(value)])
                return
            for name, passed, inner, lacking in rows:
                item = value.get(name, ABSENT)
                if type(item) in passed:
                    continue
                if item is None or item is ABSENT:
                    lacking(item, found)
                else:
                    inner(item, found)

        return check


@dataclass(frozen=True, slots=True)
class Forms:
    """A value that comes in several forms, by their JSON types."""

    of: Mapping[type, "AnyShape"]
    plain: frozenset[type] = frozenset()

    def at(self, path: str) -> Check:
        checks = {form: shape.at(path) for form, shape in self.of.items()}
        expected = " or ".join(NAMES[form] for form in self.of)

        def check(value: Any, found: Found) -> None:
            inner = checks.get(type(value))
            if inner is None:
                found(path, DriftKind.RETYPED, expected, NAMES[type(value)])
            else:
                inner(value, found)

        return check


AnyShape = Shape | Words | Rows | Members | Forms


def bare(name: str) -> str:
    return name.rstrip("!?")


def _passed(name: str, shape: AnyShape) -> frozenset[type]:
    """The types that need no further look, for most values are of one of them."""
    passed = shape.plain if name.endswith("!") else shape.plain | {type(None)}
    return passed | {object} if name.endswith("?") else passed


def _lacking(name: str, shape: AnyShape, path: str) -> Check:
    expected = shape.expected if isinstance(shape, Shape) else "a value"

    def lacking(value: Any, found: Found) -> None:
        if value is ABSENT or name.endswith("!"):
            found(path, DriftKind.MISSING, expected, "nothing" if value is ABSENT else "null")

    return lacking


def repeatable(value: str) -> str:
    """A word as it came, where it can be nothing but a word."""
    word = value.strip()
    numbered = re.search(rf"[0-9]{{{DIGITS + 1}}}", word)
    return word if WORD.fullmatch(word) and not numbered else "a text that is no word"
