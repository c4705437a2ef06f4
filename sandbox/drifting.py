"""Answers that are true but for a member or two: as a vendor's are when it changes its mind about them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

STEP = re.compile(r"\[([0-9]*)\]|([^.\[\]]+)")


def drifted(answer: Any, sets: Mapping[str, Any], drops: Sequence[str]) -> Any:
    """With some members set and others dropped, by their paths, such as `data[].name`, or `data[0].name` of one row.
    What a path does not lead to stays."""
    whole = {"": answer}
    for path, value in sets.items():
        for holder, key in list(_places(whole, path)):
            holder[key] = value
    for path in drops:
        for holder, key in list(_places(whole, path)):
            if isinstance(holder, dict):
                holder.pop(key, None)
    return whole[""]


def _places(whole: dict[str, Any], path: str) -> Iterator[tuple[Any, Any]]:
    """What holds each value that a path leads to, and as what."""
    held: list[tuple[Any, Any]] = [(whole, "")]
    for step in STEP.finditer(path):
        held = [inner for holder, key in held if _has(holder, key) for inner in _within(holder[key], step)]
    yield from held


def _within(value: Any, step: re.Match[str]) -> Iterator[tuple[Any, Any]]:
    index, name = step[1], step[2]
    if name is not None:
        if isinstance(value, dict):
            yield value, name
    elif isinstance(value, list):
        rows = range(len(value)) if index == "" else [int(index)]
        yield from ((value, row) for row in rows if row < len(value))


def _has(holder: Any, key: Any) -> bool:
    return isinstance(holder, list) or key in holder
