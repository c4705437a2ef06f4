"""What operations may cost, by their weights, lengths of lists and variables; and what keys may spend."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, get_named_type

from domain.errors import RateLimited
from gateway.admission import Charge, Toll
from gateway.buckets import Bucket, Buckets
from gateway.costs import Price
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


async def price(query: str, variables: dict[str, Any] | None = None, name: str | None = None) -> Price:
    document = await DOCUMENTS.read(query)
    assert document.errors == []
    return document.price(name, variables)


async def cost(query: str, variables: dict[str, Any] | None = None, name: str | None = None) -> int:
    return (await price(query, variables, name)).most


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


PRICES = (
    'mutation($prices: [SlotPriceInput!]!) { setPrices(input: {prices: $prices, idempotencyKey: "k"}) {errors {code}}}'
)
WHOLE = "mutation($input: SetPricesInput!) { setPrices(input: $input) { errors { code } } }"
OMITTED = (
    'mutation($input: SetPricesInput = {prices: [{slotId: 1, amount: "1"}, {slotId: 2, amount: "2"}], '
    'idempotencyKey: "k"}) { setPrices(input: $input) { errors { code } } }'
)
SLOT = {"slotId": "x", "amount": "1"}
AROUND = 1 + 1 + costs.USUAL_SIZE  # the operation, the payload and its errors
BULKS: dict[str, tuple[str, dict[str, Any] | None, int]] = {
    "a list": (
        """mutation { setPrices(input: { idempotencyKey: "k", prices: [
          {slotId: 1, amount: "1"}, {slotId: 2, amount: "2"}, {slotId: 3, amount: "3"}] }) { errors { code } } }""",
        None,
        3,
    ),
    "one that is no list": (
        'mutation { setPrices(input: {prices: {slotId: 1, amount: "1"}, idempotencyKey: "k"}) { errors { code } } }',
        None,
        1,
    ),
    "a list in a variable": (PRICES, {"prices": [SLOT] * 40}, 40),
    "no list in a variable": (PRICES, {"prices": SLOT}, 1),
    "nothing in a list": (PRICES, {"prices": []}, 1),
    "a list in the variable of all": (WHOLE, {"input": {"prices": [SLOT] * 500, "idempotencyKey": "k"}}, 500),
    "a variable of all that is none": (WHOLE, {"input": None}, 1),
    "a variable's default": (OMITTED, {}, 2),
    "a variable in its default's place": (OMITTED, {"input": {"prices": [SLOT] * 9, "idempotencyKey": "k"}}, 9),
    "variables in a list": (
        """mutation($a: SlotPriceInput!, $b: SlotPriceInput!) {
          setPrices(input: {prices: [$a, $b], idempotencyKey: "k"}) { errors { code } } }""",
        {"a": SLOT, "b": SLOT},
        2,
    ),
    "planograms in a fragment": (
        """mutation($all: UpdatePlanogramsInput!) { ...f }
          fragment f on Mutation { updatePlanograms(input: $all) { errors { code } } }""",
        {"all": {"planograms": [{}] * 7}},
        7,
    ),
}


@pytest.mark.parametrize("what", BULKS)
async def test_a_bulk_costs_as_many_commands_as_it_asks_for(what: str) -> None:
    query, variables, commands = BULKS[what]
    expected = Price(AROUND + commands * costs.COMMAND, commands * costs.COMMAND)
    assert await price(query, variables) == expected
    assert await price(query, variables) == expected  # as it is remembered


@pytest.mark.parametrize("query", [PRICES, WHOLE], ids=["the list", "all"])
async def test_a_bulk_is_not_priced_by_the_list_of_another(query: str) -> None:
    told = []
    for count in (1, 500, 2, 500, 1):
        prices = [SLOT] * count
        told.append((await price(query, {"prices": prices, "input": {"prices": prices}})).least)
    assert told == [costs.COMMAND * count for count in (1, 500, 2, 500, 1)]


async def test_of_several_commands_each_counts() -> None:
    query = """mutation($a: SetPricesInput!, $b: MachineCommandInput!) {
      a: setPrices(input: $a) { errors { code } } b: openDoor(input: $b) { errors { code } } }"""
    told = await price(query, {"a": {"prices": [SLOT] * 3}, "b": {}})
    assert told.least == (3 + 1) * costs.COMMAND


def test_every_bulk_is_priced_by_its_list() -> None:
    mutations = SCHEMA.mutation_type
    assert mutations is not None
    bulks = {name for name, field in mutations.fields.items() if get_named_type(field.type).name == "BulkPayload"}
    assert set(costs.ORDERS) == bulks
    for name, member in costs.ORDERS.items():
        kind = get_named_type(mutations.fields[name].args["input"].type)
        assert isinstance(kind, GraphQLInputObjectType)
        assert member in kind.fields


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


def charged(bucket: Bucket, cost: int, least: int = 0) -> Charge:
    bucket.spend(cost)
    return Charge(cost, least, bucket)


def full() -> Bucket:
    return Bucket(LimitSettings(max_cost=1000, cost_burst=1000, cost_per_second=1), Clock())


def test_what_commands_cost_is_not_given_back() -> None:
    bucket = full()
    assert charged(bucket, 500, 400).settle(2, 0) == 1 + 2 + 400
    assert bucket.left == 1000 - 403
    assert charged(bucket, 500, 20).settle(2, 30) == 1 + 2 + 30 * costs.REQUEST


def test_an_answer_that_was_kept_costs_little_and_never_more_than_one_that_is_made() -> None:
    bucket = full()
    assert charged(bucket, 1000).settle_kept(950) == costs.KEPT + 950 // costs.KEPT_OBJECTS
    assert bucket.left == 1000 - 11
    assert charged(bucket, 1).settle_kept(1) == 1


def test_a_subscriber_pays_for_each_message_and_what_it_has_opened_with_is_for_the_first() -> None:
    bucket = full()
    toll = Toll(charged(bucket, 400))
    toll.pay(set())
    assert bucket.left == 600
    toll.pay(set())
    assert bucket.left == 200
    with pytest.raises(RateLimited) as refused:
        toll.pay(set())
    assert refused.value.retry_after == 200
    assert bucket.left == 200


def test_of_equal_subscribers_of_a_key_one_pays_for_a_message_and_the_others_for_hearing_it() -> None:
    ours, theirs = full(), full()
    tolls = [Toll(charged(bucket, 100)) for bucket in (ours, ours, ours, theirs)]
    messages: list[set[object]] = [set() for _ in range(2)]
    for message in messages:
        for toll in tolls:
            toll.pay(message)
    assert ours.left == 1000 - 3 * 100 - (100 + 1 + 1)
    assert theirs.left == 1000 - 100 - 100


async def test_a_thousand_screens_of_one_key_may_hear_of_ten_sales_a_second() -> None:
    """Each with what a dashboard shows of a sale."""
    sale = "sale { id recordedAt total { amount currency } lines { productName quantity } machine { id name } }"
    each = await cost(f"subscription {{ sales {{ cursor origin {sale} gap {{ message }} }} }}")
    assert 10 * (each + 999) <= LimitSettings().cost_per_second


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


def test_what_the_commands_of_a_bulk_cost_is_not_given_back(gateway: Gateway) -> None:
    prices = [{"slotId": f"none-{number}", "amount": "1"} for number in range(30)]
    told = gateway.post(PRICES, {"prices": prices}, **{"x-vendgraph-trace": "1"}).json()["extensions"]["vendgraph"]
    assert told["cost"] == AROUND + 30 * costs.COMMAND
    assert 30 * costs.COMMAND < told["costCharged"] <= told["cost"]


def test_what_is_not_executed_for_its_variables_is_given_back(gateway: Gateway) -> None:
    prices = [*([SLOT] * 29), {**SLOT, "amount": "much"}]
    answer = gateway.post(PRICES, {"prices": prices}, **{"x-vendgraph-trace": "1"}).json()
    assert codes(answer) == {"BAD_INPUT"}
    told = answer["extensions"]["vendgraph"]
    assert (told["cost"], told["costCharged"]) == (AROUND + 30 * costs.COMMAND, 1)


@pytest.mark.parametrize("transport", ["POST", "events", "socket"])
async def test_a_bulk_that_costs_too_much_is_refused_with_the_number(narrow: Gateway, transport: str) -> None:
    """Whatever shorter one was asked for with the same text before."""
    for count in (1, 13):
        payload = {"query": PRICES, "variables": {"prices": [SLOT] * count}}
        answer = await TRANSPORTS[transport](narrow, payload, VIEWER)
        assert codes(answer) == ({"QUERY_TOO_COMPLEX"} if count == 13 else set())
    assert str(AROUND + 13 * costs.COMMAND) in answer["errors"][0]["message"]
