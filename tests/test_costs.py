"""What operations may cost, by their weights, lengths of lists and variables; and what keys may spend."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType

from domain.errors import RateLimited
from gateway.buckets import Bucket, Buckets
from gateway.documents import Documents
from gateway.limits import LimitSettings
from schema import costs
from schema.root import build
from tests.refusals import TRANSPORTS, codes
from tests.running import ADMIN, CLIENT, OPERATOR, VIEWER, Gateway, Sandbox, running_gateway

SCHEMA = build()._schema
DOCUMENTS = Documents(SCHEMA, LimitSettings(), suggestions=False)
PAGES = "query($first: Int = 7) { machines(first: $first) { nodes { id } } }"
HUNDRED = "sales(first: 100) { nodes { machine "
DEAREST = f"{{ {HUNDRED} {{ {HUNDRED} {{ sales {{ nodes {{ id" + " }" * 9


async def cost(query: str, variables: dict[str, Any] | None = None, name: str | None = None) -> int:
    document = await DOCUMENTS.read(query)
    assert document.errors == []
    return document.cost(name, variables)


COSTS: dict[str, tuple[str, dict[str, Any] | None, int]] = {
    "nothing but a name": ("{ __typename }", None, 1),
    "an object": ("{ viewer { name role } }", None, 2),
    "a page": ("{ machines(first: 10) { totalCount nodes { id } } }", None, 2 + 10),
    "a page by its edges": ("{ machines(first: 10) { edges { cursor node { id } } } }", None, 2 + 10 * 2),
    "a page of the usual length": ("{ machines { nodes { id } } }", None, 2 + costs.PAGE),
    "a page that is too long": ("{ machines(first: 2000000000) { nodes { id } } }", None, 2 + costs.LARGEST_PAGE),
    "a page of less than nothing": ("{ machines(first: -5) { nodes { id } } }", None, 2),
    "a page in a page": (
        "{ machines(first: 10) { nodes { sales(first: 5) { nodes { id } } } } }",
        None,
        2 + 10 * (1 + 1 + 5),
    ),
    "a request for each": ("{ machines(first: 10) { nodes { cash { observedAt } } } }", None, 2 + 10 * (1 + 10 + 1)),
    "a list": ("{ machine(id: 1) { slots { position } } }", None, 2 + costs.SIZES["Machine.slots"]),
    "a variable": (PAGES, {"first": 3}, 2 + 3),
    "a variable's default": (PAGES, {}, 2 + 7),
    "a variable that is null": (PAGES, {"first": None}, 2 + costs.PAGE),
    "a variable that is no number": (PAGES, {"first": "x"}, 2 + costs.LARGEST_PAGE),
    "as many as there are ids": ("{ nodes(ids: [1, 2, 3]) { id } }", None, 1 + 3),
    "as many as there are in a variable": ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["x"] * 40}, 41),
    "the dearest kind": (
        "{ node(id: 1) { ... on Machine { slots { position } } ... on Sale { lines { productName } } } }",
        None,
        2 + costs.SIZES["Machine.slots"],
    ),
    "a fragment again": (
        "{ a: sales(first: 2) { ...f } b: sales(first: 3) { ...f } } fragment f on SaleConnection { nodes { id } }",
        None,
        1 + (1 + 2) + (1 + 3),
    ),
    "what is left out": (
        "query($no: Boolean!) { viewer { name } sales @skip(if: true) {totalCount} accounts @include(if: $no) {key} }",
        {"no": False},
        2,
    ),
    "what is not left out": (
        "query($no: Boolean!) { viewer { name } accounts @include(if: $no) { key } }",
        {"no": True},
        2 + costs.SIZES["Query.accounts"],
    ),
    "the schema": ("{ __schema { types { fields { name } } } }", None, 1 + costs.INTROSPECTION),
    "a command": (
        'mutation { openDoor(input: {machineId: "x", idempotencyKey: "y"}) { command { id } } }',
        None,
        1 + costs.COMMAND + 2,
    ),
    "a subscription": ("subscription { sales { sale { id } } }", None, 3),
}


@pytest.mark.parametrize("what", COSTS)
async def test_it_costs(what: str) -> None:
    query, variables, expected = COSTS[what]
    assert await cost(query, variables) == expected
    assert await cost(query, variables) == expected  # as it is remembered


async def test_of_several_operations_the_named_one_counts() -> None:
    query = "query a { viewer { name } } query b { machines(first: 5) { nodes { id } } }"
    assert (await cost(query, name="a"), await cost(query, name="b")) == (2, 2 + 5)


def test_what_is_told_of_a_field_is_told_of_one_that_there_is() -> None:
    for told in (*costs.WEIGHTS, *costs.SIZES):
        kind, _, field = told.partition(".")
        parent = SCHEMA.type_map[kind]
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        assert field.startswith("__") or field in parent.fields


# ---- what a key may spend -----------------------------------------------------------------------------------------


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_what_is_spent_comes_back_by_the_second() -> None:
    clock = Clock()
    bucket = Bucket(LimitSettings(max_cost=100, cost_burst=100, cost_per_second=10), clock)
    bucket.spend(60)
    with pytest.raises(RateLimited, match="try again in 2 seconds") as refused:
        bucket.spend(60)
    assert refused.value.retry_after == 2
    clock.seconds = 2
    bucket.spend(60)
    assert bucket.left == 0
    assert bucket.headers() == {"ratelimit-policy": '"cost";q=100;w=10', "ratelimit": '"cost";r=0;t=10'}
    bucket.give_back(50)
    clock.seconds = 100
    assert bucket.left == 100


def test_each_key_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(LimitSettings(max_cost=100, cost_burst=100, cost_per_second=1), Clock())
    buckets.of("a").spend(100)
    buckets.of("b").spend(100)
    with pytest.raises(RateLimited):
        buckets.of("a").spend(1)


@pytest.fixture(scope="module")
def narrow(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Where a key has 300, and one a second more."""
    limits = "\n[limits]\nmax_cost = 250\ncost_burst = 300\ncost_per_second = 1\n"
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("narrow"), more=limits) as gateway:
        yield gateway


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_costs_too_much_is_refused_with_the_number(gateway: Gateway, transport: str) -> None:
    answer = await TRANSPORTS[transport](gateway, {"query": DEAREST})
    assert codes(answer) == {"QUERY_TOO_COMPLEX"}
    assert str(await cost(DEAREST)) in answer["errors"][0]["message"]


async def test_a_subscription_that_costs_too_much_is_refused(gateway: Gateway) -> None:
    query = f"subscription {{ sales {{ sale {{ machine {DEAREST} }} }} }}"
    for transport in ("events", "socket"):
        assert codes(await TRANSPORTS[transport](gateway, {"query": query})) == {"QUERY_TOO_COMPLEX"}


def ask(gateway: Gateway, query: str, key: str = OPERATOR) -> Any:
    return CLIENT.post(f"{gateway.base}/graphql", json={"query": query}, headers={"authorization": f"Bearer {key}"})


def left(answer: Any) -> int:
    policy, told = answer.headers["ratelimit-policy"], answer.headers["ratelimit"]
    assert policy == '"cost";q=300;w=300'
    return int(told.split(";")[1].removeprefix("r="))


async def test_who_has_spent_too_much_waits_and_others_do_not(narrow: Gateway) -> None:
    """What is not there is given back, but not what it took to read a document."""
    assert ask(narrow, "{ viewer { name } }").status_code == 200
    for size in range(2000, 2010):
        answer = ask(narrow, f"{{ viewer {{ name }} }} {'#' * size}")
        if answer.status_code != 200:
            break
        assert left(answer) < 300
    assert answer.status_code == 429
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert int(answer.headers["retry-after"]) == error["extensions"]["retryAfterSeconds"] >= 1
    for transport in TRANSPORTS.values():
        refused = await transport(narrow, {"query": "{ machines(first: 245) { nodes { id } } }"}, OPERATOR)
        assert codes(refused) == {"RATE_LIMITED"}
    assert ask(narrow, "{ machines(first: 200) { nodes { id } } }", ADMIN).status_code == 200


def test_what_was_asked_for_and_is_not_there_is_given_back(narrow: Gateway) -> None:
    answer = ask(narrow, f"{{ nodes(ids: [{'1 ' * 100}]) {{ id }} }}", VIEWER)
    assert answer.status_code == 200
    assert left(answer) > 300 - 50
