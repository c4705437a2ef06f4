"""What an operation may hold, and that nobody else has to wait for one that holds too much."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from domain.errors import QueryTooComplex
from gateway.documents import SHORT, Documents
from gateway.limits import LimitSettings, check, check_variables
from schema.root import build
from tests.pages import Block, blocks
from tests.refusals import TRANSPORTS, codes
from tests.running import Gateway

LIMITS = LimitSettings()
SCHEMA = build()._schema


def bomb(levels: int) -> str:
    """Each fragment has the next one twice: 2^levels fields at the end."""
    fragments = [f"fragment f{n} on Query {{ ...f{n + 1} a: node(id: 1) {{ id }} ...f{n + 1} }}" for n in range(levels)]
    return "\n".join(["{ ...f0 }", *fragments, f"fragment f{levels} on Query {{ viewer {{ name }} }}"])


def many(what: Callable[[int], str], count: int) -> str:
    return " ".join(map(what, range(count)))


TOO_MUCH: dict[str, tuple[str, str]] = {
    "2^45 fields": (bomb(45), "fields"),
    "2^20 fields": (bomb(20), "fields"),
    "fields": (f"{{ {'viewer { name } ' * 501} }}", "1002 fields"),
    "fields by fragments": (
        f"{{ {many(lambda n: f'a{n}: viewer {{ ...f }}', 100)} }} fragment f on Viewer {{ {'name ' * 20} }}",
        "2100 fields",
    ),
    "aliases": (f"{{ {many(lambda n: f'a{n}: viewer {{ name }}', 201)} }}", "201 aliases"),
    "directives": (f"{{ viewer {'@skip(if: false) ' * 101} {{ name }} }}", "101 directives"),
    "levels": ('{ organization(id: "x")' + "{ parent" * 20 + "{ id }" + "}" * 21, "22 levels of fields"),
    "levels by fragments": (
        "{ organization(id: 1) { ...f0 } }"
        + many(lambda n: f"fragment f{n} on Organization {{ parent {{ ...f{n + 1} }} }}", 30)
        + "fragment f30 on Organization { id }",
        "levels of fields",
    ),
    "levels of fragments": ("{" + "... on Query {" * 101 + "viewer { name }" + "}" * 102, "levels of selections"),
    "fragments": (
        "{ viewer { name } }" + many(lambda n: f"fragment f{n} on Query {{ viewer {{ name }} }}", 101),
        "101 fragments",
    ),
    "operations": (many(lambda n: f"query q{n} {{ viewer {{ name }} }}", 21), "21 operations"),
    "variables": (f"query({many(lambda n: f'$v{n}: Int', 101)}) {{ viewer {{ name }} }}", "101 variables"),
    "a list": (f"{{ nodes(ids: [{'1 ' * 2001}]) {{ id }} }}", "2001 members of one list"),
    "a number": (f"{{ machines(first: {'9' * 33}) {{ totalCount }} }}", "33 characters of one number"),
    "an exponent": ("{ machines(first: 1e999999999) { totalCount } }", "9 digits of an exponent"),
    "tokens": (f"{{ viewer {{ {'name ' * 4000} }} }}", "4000 tokens"),
    "levels of a value": ("{ machines(filter: " + "[" * 300 + "]" * 300 + ") { totalCount } }", "nested too deeply"),
    "characters": ("{ viewer { name } }" + "," * 32_768, "32787 characters"),
    "comments": ("{ viewer { name } }" + "#\n" * 16_384, "characters"),
}


@pytest.mark.parametrize("what", TOO_MUCH)
async def test_what_is_too_much_is_refused_with_the_number(what: str) -> None:
    query, number = TOO_MUCH[what]
    document = await Documents(SCHEMA, LIMITS, suggestions=False).read(query)
    (error,) = document.errors
    assert isinstance(error.original_error, QueryTooComplex)
    assert number in error.message


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_it_is_refused_over_all_transports_alike(gateway: Gateway, transport: str) -> None:
    for query in (bomb(45), "subscription " + "{ sales { sale { machine " * 9 + "{ id }" + "} } }" * 9):
        assert codes(await TRANSPORTS[transport](gateway, {"query": query})) == {"QUERY_TOO_COMPLEX"}
    listed = {"query": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": {"ids": ["x"] * 2001}}
    assert codes(await TRANSPORTS[transport](gateway, listed)) == {"QUERY_TOO_COMPLEX"}


def test_lists_are_counted_wherever_they_stand_in_variables() -> None:
    with pytest.raises(QueryTooComplex, match="2001 members"):
        check_variables({"a": [{"b": {"c": [None] * 2001}}]}, LIMITS)
    check_variables({"a": [{"b": {"c": [None] * 2000}}]}, LIMITS)
    check_variables(None, LIMITS)


def test_members_of_objects_are_counted_wherever_they_stand_in_variables() -> None:
    """graphql-core repeats the whole object in each error: unbounded, that would be their number squared."""
    members = {str(at): None for at in range(2001)}
    with pytest.raises(QueryTooComplex, match="2001 members of one object"):
        check_variables({"a": [{"b": members}]}, LIMITS)
    members.popitem()
    check_variables({"a": [{"b": members}]}, LIMITS)


@pytest.mark.parametrize("block", blocks("graphql"), ids=str)
async def test_what_the_pages_ask_is_allowed(block: Block) -> None:
    document = await Documents(SCHEMA, LIMITS, suggestions=False).read(block.text)
    assert document.errors == []
    assert all(cost.of({}).most <= LIMITS.max_cost for cost in document.costs.values())


async def test_tools_may_ask_for_the_schema() -> None:
    query = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
    document = await Documents(SCHEMA, LIMITS, suggestions=False).read(query)
    assert document.errors == []
    assert document.price(None, None).most <= LIMITS.max_cost


def test_what_is_as_much_as_is_allowed_is() -> None:
    check(parse(f"{{ {many(lambda n: f'a{n}: viewer {{ name }}', 200)} {'viewer { name } ' * 300} }}"), LIMITS)


def test_fragments_that_come_back_are_left_to_validation() -> None:
    check(parse("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"), LIMITS)


async def test_others_go_on_while_the_largest_document_is_read() -> None:
    """It is read apart: here the loop turns while it is."""
    fields = many(lambda n: f"a{n}: machines(first: 1, filter: {{ search: {n} }}) {{ totalCount }}", 200)
    documents = Documents(SCHEMA, LIMITS, suggestions=False)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(others())
    await asyncio.sleep(0)
    before = turns
    document = await documents.read(f"{{ {fields} }}")
    other.cancel()
    assert len(fields) > SHORT
    assert document.errors
    assert turns > before + 10


async def test_who_reads_the_same_at_once_waits_for_one_reading() -> None:
    documents = Documents(SCHEMA, LIMITS, suggestions=False)
    long = "{ viewer { name } }" + "," * SHORT
    one, other = await asyncio.gather(documents.read(long), documents.read(long))
    assert one is other


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        ({"cost_per_second": 0}, "cost_per_second"),
        ({"cost_burst": 100}, "max_cost"),
        ({"max_depth": 1000}, "max_depth"),
    ],
)
def test_limits_that_contradict_one_another_are_refused(limits: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        LimitSettings(**limits)
