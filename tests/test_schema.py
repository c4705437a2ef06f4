"""The graph's SDL: what is printed is what is kept in the repository, and every word of it is described."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from schema.root import build

SCHEMA = build_schema(build().as_str())
TYPES = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
ABSENT = ("null", "left out")  # the words that say what it means that something is not there
KEPT = Path(__file__).parent.parent / "schema.graphql"


def test_the_repository_keeps_the_printed_schema() -> None:
    assert KEPT.read_text(encoding="utf-8") == build().as_str() + "\n"


def everything() -> list[tuple[str, str | None]]:
    """Every type, field, argument, enum value and directive, with its description."""
    found: list[tuple[str, str | None]] = []
    for name, kind in TYPES.items():
        if name in {"String", "Int", "Boolean", "ID", "Float"}:
            continue
        found.append((name, kind.description))
        if isinstance(kind, GraphQLEnumType):
            found += [(f"{name}.{value}", it.description) for value, it in kind.values.items()]
        elif isinstance(kind, GraphQLInputObjectType):
            found += [(f"{name}.{field}", it.description) for field, it in kind.fields.items()]
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field, it in kind.fields.items():
                found.append((f"{name}.{field}", it.description))
                found += [(f"{name}.{field}({arg})", one.description) for arg, one in it.args.items()]
    for directive in SCHEMA.directives:
        found.append((f"@{directive.name}", directive.description))
        found += [(f"@{directive.name}({arg})", one.description) for arg, one in directive.args.items()]
    return found


def absences() -> list[tuple[str, str]]:
    """Whatever may be null or left out, with its description; a field's with that of its type."""
    found = []
    for name, kind in TYPES.items():
        if isinstance(kind, GraphQLInputObjectType):
            given = [(field, it) for field, it in kind.fields.items() if not is_required_input_field(it)]
            found += [(f"{name}.{field}", f"{kind.description} {it.description}") for field, it in given]
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field, it in kind.fields.items():
                if not is_non_null_type(it.type):
                    found.append((f"{name}.{field}", f"{kind.description} {it.description}"))
                optional = [(arg, one) for arg, one in it.args.items() if not is_required_argument(one)]
                found += [(f"{name}.{field}({arg})", f"{one.description}") for arg, one in optional]
    return found


@pytest.mark.parametrize(("name", "description"), everything(), ids=[name for name, _ in everything()])
def test_it_says_what_it_means(name: str, description: str | None) -> None:
    assert description, name


@pytest.mark.parametrize(("name", "description"), absences(), ids=[name for name, _ in absences()])
def test_it_says_what_it_means_that_it_is_not_there(name: str, description: str) -> None:
    assert any(word in description.lower() for word in ABSENT), f"{name}: {description}"


def test_what_counts_or_measures_says_its_unit() -> None:
    """Names tell a unit where they end with one; the description repeats it in words."""
    units = {"Seconds": "second", "Days": "day", "Celsius": "celsius", "Percentage": "per cent"}
    silent = [
        name
        for name, description in everything()
        for ending, unit in units.items()
        if name.partition("(")[0].endswith(ending) and "." in name and unit not in (description or "").lower()
    ]
    assert silent == []
