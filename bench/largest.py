"""The largest requests that are legal, each as it was never asked before: what is known already is no work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import httpx2
import orjson
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_introspection_query, get_named_type

from bench.processes import Gateway
from gateway.limits import LimitSettings
from gateway.requests import LARGEST_BODY

LIMITS = LimitSettings()
MOST = 1_000  # of a page
DEEP = 12  # levels of fields
BULK = 500  # items of one
HOURS = 24 * 400


@dataclass(frozen=True, slots=True)
class Large:
    """`ask(client, gateway, number)`: sends the request of that number, which none before it was, to its end.

    It raises where what comes is not what such a request is answered with."""

    name: str
    ask: Callable[[httpx2.Client, Gateway, int], None]


def asked(client: httpx2.Client, gateway: Gateway, query: str, variables: Mapping[str, Any] | None = None) -> None:
    body = orjson.dumps({"query": query, "variables": variables or {}})
    assert len(body) <= LARGEST_BODY
    headers = {**gateway.headers, "content-type": "application/json"}
    answer = client.post(f"{gateway.base}/graphql", content=body, headers=headers)
    if not answer.content.startswith(b'{"data"'):
        raise RuntimeError(answer.text[:300])


def querying(name: str, text: Callable[[int], str], variables: Callable[[int], Any] | None = None) -> Large:
    def ask(client: httpx2.Client, gateway: Gateway, number: int) -> None:
        asked(client, gateway, text(number), None if variables is None else variables(number))

    return Large(name, ask)


def fields(number: int) -> str:
    """As many fields as there may be, and as many of them by another name."""
    many = LIMITS.max_fields - LIMITS.max_aliases - 10
    named = " ".join(f"a{at}: name" for at in range(LIMITS.max_aliases))
    return f"query Q{number} {{ machines(first: {MOST}) {{ nodes {{ {named} {'id ' * many} }} }} }}"


def tokens(number: int) -> str:
    """As many tokens as there may be, in arguments of as many fields as that makes."""
    one = 'sales(first: 1, filter: { from: "2020-01-01T00:00:00Z", vendors: [LIVELLO, SMARTVEND] }) { totalCount }'
    one = one.replace("{ totalCount }", "{ nodes { id } }")
    each = 27  # tokens
    return f"query Q{number} {{ " + " ".join(f"a{at}: {one}" for at in range((LIMITS.max_tokens - 40) // each)) + " }"


def fragments(number: int) -> str:
    """As many fragments as there may be, each of which spreads the next, met by as many operations."""
    most = 48  # of which each is two levels of selections
    held = "id " * (LIMITS.max_fields // most - 1)
    told = "".join(
        f"fragment F{at} on Machine {{ {held} {f'...F{at + 1}' if at < most - 1 else 'id'} }}\n" for at in range(most)
    )
    operations = "".join(
        f"query Q{number}x{at} {{ machines(first: {MOST}) {{ nodes {{ ...F0 }} }} }}\n"
        for at in range(LIMITS.max_operations)
    )
    return operations + told


def first_of(text: Callable[[int], str]) -> Callable[[httpx2.Client, Gateway, int], None]:
    def ask(client: httpx2.Client, gateway: Gateway, number: int) -> None:
        body = orjson.dumps({"query": text(number), "operationName": f"Q{number}x0"})
        headers = {**gateway.headers, "content-type": "application/json"}
        answer = client.post(f"{gateway.base}/graphql", content=body, headers=headers)
        if not answer.content.startswith(b'{"data"'):
            raise RuntimeError(answer.text[:300])

    return ask


def deep(number: int) -> str:
    """Machines of sales of machines: each level is all of those above it."""
    below = "id name"
    for _ in range((DEEP - 2) // 3):
        below = f"id name sales(first: 4) {{ nodes {{ id recordedAt machine {{ {below} }} }} }}"
    return f"query Q{number} {{ machines(first: {MOST}) {{ nodes {{ {below} }} }} }}"


def selected(schema: GraphQLSchema, name: str, left_out: Sequence[str] = ()) -> str:
    """All of a type that needs no argument and asks no vendor, with what objects in it hold by themselves."""
    return _selected(schema.type_map[name], 3, frozenset(left_out))


def _selected(kind: Any, levels: int, left_out: frozenset[str]) -> str:
    told = []
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if name in left_out or field.args:
            continue
        if not isinstance(inner, GraphQLObjectType | GraphQLInterfaceType):
            told.append(name if not hasattr(inner, "types") else "")
        elif levels > 1 and (below := _selected(inner, levels - 1, left_out)):
            told.append(f"{name} {{ {below} }}")
    return " ".join(told)


ASKED_OF_VENDORS = (
    *("connectivityNow", "terminal", "session", "cash", "config", "ingredients", "vendorData", "account"),
    *("organization", "machine", "personRecord", "productLines", "taxRates", "children", "parent"),
)


def whole(schema: GraphQLSchema, field: str, kind: str) -> Callable[[int], str]:
    below = selected(schema, kind, ASKED_OF_VENDORS)
    return lambda number: f"query Q{number} {{ {field}(first: {MOST}) {{ nodes {{ {below} }} }} }}"


def many(schema: GraphQLSchema, field: str, kind: str, times: int) -> Callable[[int], str]:
    """The same list under as many names as what it may cost lets."""
    below = selected(schema, kind, ASKED_OF_VENDORS)
    one = f"{field}(first: {MOST}) {{ nodes {{ {below} }} }}"
    return lambda number: f"query Q{number} {{ " + " ".join(f"a{at}: {one}" for at in range(times)) + " }"


def failing(schema: GraphQLSchema, machine: str) -> Callable[[httpx2.Client, Gateway, int], None]:
    """One error, so that graphql-core has to execute all of it."""
    text, wrong = (
        many(schema, "sales", "Sale", 12),
        f'{{ machine(id: "{machine}") {{ sales(after: "nowhere") {{ nodes {{ id }} }} }} ',
    )

    def ask(client: httpx2.Client, gateway: Gateway, number: int) -> None:
        body = orjson.dumps({"query": text(number).replace("{", wrong, 1)})
        headers = {**gateway.headers, "content-type": "application/json"}
        answer = client.post(f"{gateway.base}/graphql", content=body, headers=headers)
        if b'"errors"' not in answer.content[-2_000:] + answer.content[:2_000] or len(answer.content) < LARGEST_BODY:
            raise RuntimeError(answer.text[:300])

    return ask


def variables(_: int) -> str:
    return "query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }"


def _ids(number: int) -> Mapping[str, Any]:
    """All that a body may hold, in as many ids as may be asked for."""
    length = (LARGEST_BODY - 1_000) // MOST - 3
    return {"ids": [f"{number}x{at}".ljust(length, "x") for at in range(MOST)]}


def _nested(number: int) -> Mapping[str, Any]:
    """A tree of as many lists as a body may hold, which no operation asks for."""
    return {"ids": [], "more": [[[]] * 42] * (LIMITS.max_list - 1) + [[number]]}


def bulk(slots: Sequence[str]) -> Large:
    """As many orders as a bulk may have, of which none is sent."""

    def ask(client: httpx2.Client, gateway: Gateway, number: int) -> None:
        prices = [{"slotId": slot, "amount": f"{1 + number}.{at % 90 + 10}"} for at, slot in enumerate(slots[:BULK])]
        text = """mutation($input: SetPricesInput!) { setPrices(input: $input, dryRun: true) {
            errors { code } bulk { id } } }"""
        asked(client, gateway, text, {"input": {"prices": prices, "idempotencyKey": f"stalls-{number}"}})

    return Large(f"a bulk of {BULK} prices, as a dry run", ask)


def persisted(schema: GraphQLSchema) -> Large:
    """A GET of a document by its name, whose answer has to be made."""
    text = whole(schema, "machines", "Machine")

    def ask(client: httpx2.Client, gateway: Gateway, number: int) -> None:
        query = text(number)
        extensions = orjson.dumps({"persistedQuery": {"version": 1, "sha256Hash": sha256(query.encode()).hexdigest()}})
        given = {"query": query, "extensions": extensions.decode()}
        for told in (given, {"extensions": given["extensions"]}):
            answer = client.get(f"{gateway.base}/graphql", params=told, headers=gateway.headers)
            if not answer.content.startswith(b'{"data"'):
                raise RuntimeError(answer.text[:300])

    return Large("a GET by the name of a document", ask)


def export(client: httpx2.Client, gateway: Gateway, _: int) -> None:
    answer = client.get(f"{gateway.base}/exports/sales.csv", headers=gateway.headers)
    if not answer.is_success or len(answer.content) < 10_000:
        raise RuntimeError(answer.text[:300])


def all_of(schema: GraphQLSchema, machine: str, slots: Sequence[str]) -> Sequence[Large]:
    introspection = get_introspection_query()
    return (
        querying("1,000 fields, 200 of them by aliases", fields),
        querying("4,000 tokens of arguments", tokens),
        Large("48 fragments within one another, in 20 operations", first_of(fragments)),
        querying(f"machines and sales within one another, {DEEP} levels", deep),
        querying("256 KiB of variables: 1,000 ids", variables, _ids),
        querying("256 KiB of variables: nested lists", variables, _nested),
        querying("1,000 machines, all of each", whole(schema, "machines", "Machine")),
        querying("1,000 sales, all of each", whole(schema, "sales", "Sale")),
        querying("1,000 events, all of each", whole(schema, "events", "MachineEvent")),
        querying("1,000 sales under 12 names, all of each", many(schema, "sales", "Sale", 12)),
        Large("the same, and one field that fails beside them", failing(schema, machine)),
        querying("220 machines under 5 names, all of each", many(schema, "machines", "Machine", 5)),
        persisted(schema),
        bulk(slots),
        Large("an export of all sales", export),
        querying("the schema of itself", lambda number: f"# {number}\n{introspection}"),
    )
