"""What a shape says of each of its members, for tests that change one at a time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.eatmachine import shapes as of_eatmachine
from connectors.livello import shapes as of_livello
from connectors.shapes import AnyShape, Forms, Members, Rows, Shape, Words, bare
from connectors.smartepi import shapes as of_smartepi
from connectors.smartvend import shapes as of_smartvend
from connectors.vendnovation import shapes as of_vendnovation
from domain.drift import DriftKind

SHAPES: Mapping[str, Mapping[str, AnyShape]] = {
    "smartvend": of_smartvend.SHAPES,
    "livello": of_livello.SHAPES,
    "vendnovation": of_vendnovation.SHAPES,
    "smartepi": of_smartepi.SHAPES,
    "eatmachine": of_eatmachine.SHAPES,
}
STEP = re.compile(r"\[([0-9]+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Member:
    """`mark`: whether it is needed (`!`), may be left out (`?`), or is there and may be null."""

    path: str
    mark: str
    shape: AnyShape


def members(shape: AnyShape, path: str = "") -> Iterator[Member]:
    """All of them, however deep."""
    if isinstance(shape, Members):
        for name, inner in shape.members.items():
            own = f"{path}.{bare(name)}" if path else bare(name)
            yield Member(own, name.removeprefix(bare(name)), inner)
            yield from members(inner, own)
    elif isinstance(shape, Rows):
        yield from members(shape.each, f"{path}[]")
    elif isinstance(shape, Forms):
        yield from members(shape.of.get(dict, shape), path) if dict in shape.of else ()


@dataclass(frozen=True, slots=True)
class Change:
    """To a value, or to none at all; `kind`: what that is, None where nothing drifts. `same`: it means the same."""

    value: Any
    kind: DriftKind | None
    dropped: bool = False
    same: bool = False


def changes(member: Member, value: Any) -> Iterator[Change]:
    """`value`: what it is now."""
    shape = member.shape
    yield Change(None, None if member.mark == "?" else DriftKind.MISSING, dropped=True)
    yield Change(None, DriftKind.MISSING if member.mark == "!" else None)
    if isinstance(shape, Words):
        yield Change("quite-new", DriftKind.UNKNOWN_WORD)
    types = _types(shape)
    for odd in ((7, "odd", True), ({"odd": ["value"]}, ["odd"])):
        yield from [Change(one, DriftKind.RETYPED) for one in odd if type(one) not in types][:1]
    if str not in types and isinstance(value, int | float) and not isinstance(value, bool):
        yield Change(str(value), DriftKind.RETYPED, same=True)


def _types(shape: AnyShape) -> frozenset[type]:
    if isinstance(shape, Forms):
        return frozenset(shape.of)
    if isinstance(shape, Shape):
        return shape.types
    return frozenset({{Words: str, Rows: list, Members: dict}[type(shape)]})


def at(answer: Any, place: str) -> Any:
    """What is at one of the `places`."""
    for index, name in STEP.findall(place):
        answer = answer[int(index)] if index else answer[name]
    return answer


def places(answer: Any, path: str) -> Iterator[str]:
    """Where a path leads to: one place of each row of the list that the answer is, or has, such as `data[2].state`."""
    head, rest = _split(path)
    if head == "":
        yield ""
    elif head == "[]":
        for number, row in enumerate(answer if isinstance(answer, list) else ()):
            yield from (f"[{number}]{_dotted(place)}" for place in [*places(row, rest)][:1])
    elif isinstance(answer, dict) and head in answer:
        yield from (head + _dotted(place) for place in places(answer[head], rest))


def _dotted(place: str) -> str:
    return f".{place}" if place and not place.startswith("[") else place


def _split(path: str) -> tuple[str, str]:
    found = re.match(r"\[\]|[^.\[]*", path)
    head = found[0] if found else ""
    return head, path[len(head) :].removeprefix(".")
