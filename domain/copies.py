"""Copies of values with some members changed, for where thousands are made at once."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any


def copier(kind: type, *changed: str) -> Callable[..., Any]:
    """`copy(one, *values)`: a value of this dataclass as `one` is, but for the members that are named. As
    `dataclasses.replace`, with the call written out once for the class: less than half of its time."""
    names = [member.name for member in fields(kind)]
    if not set(changed) <= set(names):
        raise TypeError(f"{kind.__name__} has not all of {', '.join(changed)}")
    given = ", ".join(f"{name}={name if name in changed else f'one.{name}'}" for name in names)
    source = f"lambda one, {', '.join(changed)}: kind({given})"
    made: Callable[..., Any] = eval(source, {"kind": kind})  # noqa: S307  the names are our own dataclasses'
    return made
