"""Scalars and enums: an expression for the usual value, and a function for every other.

What graphql-core would answer for it is known by asking it; what it would refuse raises `Unusual`."""

import inspect
from collections.abc import Callable
from enum import Enum
from typing import Any, get_type_hints

from graphql import GraphQLEnumType, GraphQLScalarType, Undefined

from compiled.plan import Leaf
from compiled.running import Unusual, absent

Odd = Callable[[Any], Any]
MOST, LEAST = 2**31 - 1, -(2**31)  # of the specification's Int
USUAL = {  # {v}: a variable, {e}: the expression that it is set to, {odd}: the function for every other value
    "String": "{v} if type({v} := {e}) is str else {odd}({v})",
    "ID": "{v} if type({v} := {e}) is str else {odd}({v})",
    "Boolean": "{v} if type({v} := {e}) is bool else {odd}({v})",
    "Float": "{v} if type({v} := {e}) is float and {v} * 0 == 0 else {odd}({v})",  # neither infinite nor no number
    "Int": f"{{v}} if type({{v}} := {{e}}) is int and {LEAST} <= {{v}} <= {MOST} else {{odd}}({{v}})",
}
OTHER = "{odd}({e})"
WRITTEN = "{write}({v}) if type({v} := {e}) is {kind} else {odd}({v})"
MEMBER = "{v}._name_ if type({v} := {e}) is {enum} else {odd}({v})"


def template(leaf: Leaf) -> str:
    if isinstance(leaf.type, GraphQLEnumType):
        return OTHER if members(leaf.type) is None else MEMBER
    return USUAL.get(leaf.type.name) or (OTHER if writes(leaf.type) is None else WRITTEN)


def writes(scalar: GraphQLScalarType) -> tuple[Odd, type] | None:
    """How it is written, and what class of values that is for, where its function says that it makes a text of each."""
    write = _coercion(scalar)
    if not inspect.isfunction(write):
        return None
    hints = get_type_hints(write)
    made = hints.pop("return", None)
    (kind,) = hints.values() if len(hints) == 1 else (None,)
    return (write, kind) if made is str and isinstance(kind, type) else None


def members(enum: GraphQLEnumType) -> type[Enum] | None:
    """The class of its values, where each is called in the graph what it is called in Python."""
    found: type[Enum] | None = getattr(enum, "wrapped_cls", None)
    if found is None or len({member.value for member in found}) != len(found):
        return None
    names = {name: value.value for name, value in enum.values.items()}
    return found if names == {member.name: member.value for member in found} else None


def odd(leaf: Leaf) -> Odd:
    """Any value that the field's resolver may give, as graphql-core would answer it. Raises Unusual."""
    coerce = _coercion(leaf.type)

    def coerced(value: Any) -> Any:
        if value is None:
            return None if leaf.nullable else absent()
        if hasattr(value, "__await__"):
            raise Unusual("an awaitable attribute")
        found = coerce(value)
        if found is None or found is Undefined:
            raise Unusual("a leaf without a value")
        return found

    return coerced


def _coercion(type_: GraphQLScalarType | GraphQLEnumType) -> Callable[[Any], Any]:
    found: Callable[[Any], Any] = type_.coerce_output_value
    return found
