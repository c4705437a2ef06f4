"""Documents: which subscriptions are the same but for where they begin, and what is kept of what was sent."""

import asyncio
from typing import Any

import pytest
from graphql import OperationType

from domain.errors import BadInput
from gateway.documents import LONGEST_KEPT, Document, Documents
from gateway.limits import LimitSettings
from schema.root import build

DOCUMENTS = Documents(build()._schema, LimitSettings(), suggestions=False)
DEEP = "sale { machine { sales(first: 1, after: $after) { nodes { id } } } }"
AFTER = "subscription S($after: String, $filter: SaleFilter)"
FRAGMENT = "fragment F on Subscription { sales(after: $after) { cursor } }"
BOTH_WAYS = f"{AFTER} {{ sales(after: $after, filter: $filter) {{ cursor {DEEP} }} }}"


def read(query: str) -> Document:
    return asyncio.run(DOCUMENTS.read(query))


def follows(query: str, variables: Any = None) -> object:
    document = read(query)
    assert document.errors == []
    return document.follows(None, variables)


SAME: dict[str, tuple[tuple[str, Any], tuple[str, Any]]] = {
    "a cursor": (
        (f"{AFTER} {{ sales(after: $after, filter: $filter) {{ cursor }} }}", {"after": "a", "filter": {}}),
        (f"{AFTER} {{ sales(after: $after, filter: $filter) {{ cursor }} }}", {"filter": {}, "after": "b"}),
    ),
    "a cursor in a fragment": (
        (f"subscription S($after: String) {{ ...F }} {FRAGMENT}", {"after": "a"}),
        (f"subscription S($after: String) {{ ...F }} {FRAGMENT}", None),
    ),
    "a cursor in the document": (
        ('subscription { s: sales(after: "a", filter: {}) { cursor } }', None),
        ('subscription { s: sales(after: "b", filter: {}) { cursor } }', {}),
    ),
    "how it is written": (
        ("subscription { sales { cursor } }", None),
        ("subscription {\n  sales { cursor, }\n}", {"nothing": 1}),
    ),
}
OTHER: dict[str, tuple[tuple[str, Any], tuple[str, Any]]] = {
    "a filter": (
        (f"{AFTER} {{ sales(after: $after, filter: $filter) {{ cursor }} }}", {"filter": {"kinds": []}}),
        (f"{AFTER} {{ sales(after: $after, filter: $filter) {{ cursor }} }}", {"filter": None}),
    ),
    "a page further down": ((BOTH_WAYS, {"after": "a"}), (BOTH_WAYS, {"after": "b"})),
    "a page further down, in the document": (
        (f"subscription {{ sales {{ {DEEP} }} }}".replace("$after", '"a"'), None),
        (f"subscription {{ sales {{ {DEEP} }} }}".replace("$after", '"b"'), None),
    ),
    "an alias": (("subscription { sales { cursor } }", None), ("subscription { s: sales { cursor } }", None)),
    "what is followed": (("subscription { sales { cursor } }", None), ("subscription { events { cursor } }", None)),
}


@pytest.mark.parametrize("what", SAME)
def test_subscriptions_are_the_same_but_for(what: str) -> None:
    one, other = SAME[what]
    assert follows(*one) == follows(*other)


@pytest.mark.parametrize("what", OTHER)
def test_subscriptions_are_others_by(what: str) -> None:
    one, other = OTHER[what]
    assert follows(*one) != follows(*other)


def test_variables_are_json() -> None:
    with pytest.raises(BadInput):
        follows(f"{AFTER} {{ sales(after: $after, filter: $filter) {{ cursor }} }}", {"filter": {"kinds": [2**70]}})


def test_a_document_is_read_once() -> None:
    assert read("{ viewer { name } }") is read("{ viewer { name } }")
    assert read("{ nothing }") is read("{ nothing }")


def test_long_documents_are_not_kept() -> None:
    long = "{ viewer { name } }" + " " * LONGEST_KEPT
    assert read(long) is not read(long)


def test_which_operation_is_meant_is_told_by_its_name() -> None:
    document = read("query Q { viewer { name } } subscription S { sales { cursor } }")
    assert document.operation("Q") is OperationType.QUERY
    assert document.operation("S") is OperationType.SUBSCRIPTION
    assert document.operation(None) is document.operation("T") is read("{").operation(None) is None
