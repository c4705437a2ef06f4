"""The graph's SDL: what is printed is what is kept in the repository, and every word of it is described."""

from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, build_schema

from schema.root import build

KEPT = Path(__file__).parent.parent / "schema.graphql"


def test_the_repository_keeps_the_printed_schema() -> None:
    assert KEPT.read_text(encoding="utf-8") == build().as_str() + "\n"


def everything() -> list[tuple[str, str | None]]:
    """Every type, field, argument and enum value, with its description."""
    found: list[tuple[str, str | None]] = []
    for name, kind in build_schema(build().as_str()).type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Boolean", "ID", "Float"}:
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
    return found


@pytest.mark.parametrize(("name", "description"), everything(), ids=[name for name, _ in everything()])
def test_it_says_what_it_means(name: str, description: str | None) -> None:
    assert description, name
