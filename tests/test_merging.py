"""Whether fields can be merged, against the rule that GraphQL comes with, which compares each with each."""

from typing import Any

import pytest
from graphql import OverlappingFieldsCanBeMergedRule, build_schema, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.merging import MergeableFields

SCHEMA = build_schema(
    """
    interface Thing { name: String other(x: Int): Thing list: [Thing] }
    type Dog implements Thing { name: String other(x: Int): Thing list: [Thing] age: Int! barks: [String] dog: Dog }
    type Cat implements Thing { name: String other(x: Int): Thing list: [Thing] age: Int barks: String cat: Cat }
    type Query { thing(x: Int): Thing dog: Dog cat: Cat }
    """
)
NAMES: dict[str, dict[str, str | None]] = {
    "Query": {"thing": "Thing", "dog": "Dog", "cat": "Cat"},
    "Thing": {"name": None, "other": "Thing", "list": "Thing"},
    "Dog": {"name": None, "other": "Thing", "list": "Thing", "age": None, "barks": None, "dog": "Dog"},
    "Cat": {"name": None, "other": "Thing", "list": "Thing", "age": None, "barks": None, "cat": "Cat"},
}
KINDS = {"Query": ["Query"], "Thing": ["Thing", "Dog", "Cat"], "Dog": ["Dog", "Thing"], "Cat": ["Cat", "Thing"]}
ARGUMENTS = {"thing": ["", "(x: 1)"], "other": ["", "(x: 1)", "(x: 2)"]}


@st.composite
def selections(draw: st.DrawFn, kind: str, depth: int = 0) -> str:
    found = [draw(selection(kind, depth)) for _ in range(draw(st.integers(1, 3)))]
    return "{ " + " ".join(found) + " }"


@st.composite
def selection(draw: st.DrawFn, kind: str, depth: int) -> str:
    choice = draw(st.sampled_from(["field", "field", "field", "inline", "spread"])) if depth < 3 else "leaf"
    if choice == "inline":
        inner = draw(st.sampled_from(KINDS[kind]))
        return f"... on {inner} {draw(selections(inner, depth + 1))}"
    if choice == "spread" and kind != "Query":
        return f"...{draw(st.sampled_from(KINDS[kind]))}"
    if choice == "leaf" and kind != "Query":
        return f"{draw(alias())}name"
    name = draw(st.sampled_from(sorted(NAMES[kind])))
    below = NAMES[kind][name]
    arguments = draw(st.sampled_from(ARGUMENTS.get(name, [""])))
    return f"{draw(alias())}{name}{arguments} " + ("" if below is None else draw(selections(below, depth + 1)))


@st.composite
def alias(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["", "", "a: ", "b: "]))


@st.composite
def documents(draw: st.DrawFn) -> str:
    """With a fragment on each kind, none of which comes back to itself."""
    fragments = [f"fragment {kind} on {kind} {draw(selections(kind, 3))}" for kind in ("Thing", "Dog", "Cat")]
    return "\n".join([draw(selections("Query")), *fragments])


def conflicts(rule: Any, document: str) -> bool:
    return bool(validate(SCHEMA, parse(document), [rule]))


@settings(max_examples=60)
@given(documents())
def test_it_says_what_graphql_says(document: str) -> None:
    assert conflicts(MergeableFields, document) == conflicts(OverlappingFieldsCanBeMergedRule, document)


GOOD = (
    "{ dog { name name } }",
    "{ thing { ... on Dog { a: name } ... on Cat { a: name } } }",
    "{ thing { ... on Dog { other(x: 1) { name } } ... on Cat { other(x: 2) { name } } } }",
    "{ dog { ...f } thing { ...g } } fragment f on Dog { name } fragment g on Thing { name }",
)
BAD = (
    "{ dog { a: name a: age } }",
    "{ thing { name } thing(x: 1) { name } }",
    "{ thing { ... on Dog { age } ... on Cat { age } } }",
    "{ thing { ... on Dog { barks } ... on Cat { barks } } }",
    "{ thing { ... on Dog { a: other { a: name } } ... on Cat { a: other { a: list { name } } } } }",
    "{ dog { ...f } dog { name } } fragment f on Dog { name: age }",
)


@pytest.mark.parametrize("document", GOOD)
def test_what_can_be_merged_is(document: str) -> None:
    assert validate(SCHEMA, parse(document), [MergeableFields]) == []


@pytest.mark.parametrize("document", BAD)
def test_what_cannot_be_is_told_with_both_places(document: str) -> None:
    (error,) = validate(SCHEMA, parse(document), [MergeableFields])
    assert "conflict" in error.message
    assert len(error.locations or ()) == 2
