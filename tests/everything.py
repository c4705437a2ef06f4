"""Documents that ask for all that the schema has, and inputs for all its mutations, made from the schema itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from domain.refs import Kind, Ref
from schema.root import build

SCHEMA = build_schema(build().as_str())
DEEPEST = 3
FEW = 3
MANY = 60  # of a list at the root: the newest of all vendors
NODE = SCHEMA.type_map["Node"]
# What a vendor is asked for one by one: of a thing by its id, and not of each in a list.
ONE_BY_ONE = frozenset({"analytics", "customerAccounts", "metadata", "productsSold", "serviceSessions"})
BY_CODE = "promoCode"  # which has no id: who knows its account and its digits may ask for it
REPORTED = 'from: "2020-01-01T00:00:00Z", to: "2020-02-01T00:00:00Z"'
KINDS = {
    "accountId": Kind.ACCOUNT,
    "commandId": Kind.COMMAND,
    "eventId": Kind.EVENT,
    "groupId": Kind.GROUP,
    "machineId": Kind.MACHINE,
    "organizationId": Kind.ORGANIZATION,
    "personId": Kind.PERSON,
    "productId": Kind.PRODUCT,
    "slotId": Kind.SLOT,
    "unitId": Kind.UNIT,
}
VALUES: Mapping[str, Any] = {"Boolean": True, "Decimal": "1.00", "Int": 1, "String": "x", "JSON": {"x": 1}}


def fields(kind: GraphQLNamedType | None) -> Mapping[str, GraphQLField]:
    assert isinstance(kind, GraphQLObjectType)
    found: Mapping[str, GraphQLField] = kind.fields
    return found


def questions() -> dict[str, str]:
    """One for each list or value at the root."""
    roots = fields(SCHEMA.query_type).items()
    wanted = [(name, field) for name, field in roots if name not in roots_by_id() and name != BY_CODE]
    return {name: f"{{ {_asked(name, field, 0, (), ONE_BY_ONE)} }}" for name, field in wanted}


def things() -> list[str]:
    """The types of all that has an id of its own."""
    return sorted(kind.name for kind in SCHEMA.get_possible_types(_abstract(NODE)))


def roots_by_id() -> dict[str, list[str]]:
    """The types that each root leads to by their ids."""
    roots = {name: one for name, one in fields(SCHEMA.query_type).items() if {"id", "ids"} & one.args.keys()}
    kinds = {name: get_named_type(one.type) for name, one in roots.items()}
    return {name: things() if kind is NODE else [kind.name] for name, kind in kinds.items()}


def question_by_id(root: str, thing: str) -> str:
    """All of a thing; `$id` is its id, as a list where the root takes several."""
    field = fields(SCHEMA.query_type)[root]
    ((name, argument),) = field.args.items()
    whole = f"... on {thing} {{ {_selected(SCHEMA.type_map[thing], 0, (), frozenset())} }}"
    return f"query ($id: {argument.type}) {{ {root}({name}: $id) {{ __typename {whole} }} }}"


def question_by_code() -> str:
    whole = _selected(get_named_type(fields(SCHEMA.query_type)[BY_CODE].type), 0, (), frozenset())
    return f"query ($account: ID!, $code: String!) {{ {BY_CODE}(accountId: $account, code: $code) {{ {whole} }} }}"


def followed() -> dict[str, str]:
    """A subscription to each root, for all of its messages; `$id` is what a root has to be told, if anything."""
    return {name: _followed(name, field) for name, field in fields(SCHEMA.subscription_type).items()}


def _followed(name: str, field: GraphQLField) -> str:
    declared, passed = ("($id: ID!)", "(id: $id)") if "id" in field.args else ("", "")
    whole = _selected(get_named_type(field.type), 0, (), frozenset())
    return f"subscription {declared} {{ {name}{passed} {{ {whole} }} }}"


def _abstract(kind: GraphQLNamedType) -> GraphQLInterfaceType:
    assert isinstance(kind, GraphQLInterfaceType)
    return kind


def _asked(name: str, field: GraphQLField, depth: int, above: tuple[str, ...], leaving: frozenset[str]) -> str:
    arguments = [f"first: {FEW if depth else MANY}"] if "first" in field.args else []
    arguments += [REPORTED] if "from" in field.args and is_required_argument(field.args["from"]) else []
    arguments += [
        f"{one}: {next(iter(word.values))}"
        for one, argument in field.args.items()
        if isinstance(word := get_named_type(argument.type), GraphQLEnumType) and is_required_argument(argument)
    ]
    passed = f"({', '.join(arguments)})" if arguments else ""
    kind = get_named_type(field.type)
    return f"{name}{passed}" if is_leaf_type(kind) else f"{name}{passed} {{ {_selected(kind, depth, above, leaving)} }}"


def _selected(kind: GraphQLNamedType, depth: int, above: tuple[str, ...], leaving: frozenset[str]) -> str:
    """What it has itself, and below that what is not above it; of what is behind an interface only what it is."""
    if not isinstance(kind, GraphQLObjectType):
        return "__typename id"
    parts = ["__typename"]
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if name in leaving:
            continue
        wanted = depth < DEEPEST and below.name not in above and name != "edges"
        listed = below.name.endswith("Connection") and depth > 0
        if is_leaf_type(below) or (wanted and not listed):
            parts.append(_asked(name, field, depth + 1, (*above, kind.name), leaving))
    return " ".join(parts)


def told(value: Any) -> Iterator[tuple[str, str, Any]]:
    """Type, field and value of all that an answer holds."""
    if isinstance(value, list):
        for item in value:
            yield from told(item)
    if isinstance(value, dict):
        for name, item in value.items() if "__typename" in value else ():
            yield value["__typename"], name, item
        for item in value.values():
            yield from told(item)


def mutations() -> Mapping[str, GraphQLField]:
    return fields(SCHEMA.mutation_type)


def given(mutation: str, account: str) -> dict[str, Any]:
    """An input that is as it has to be, of things of an account that need not be there."""
    kind = get_named_type(mutations()[mutation].args["input"].type)
    return _object(kind, account)


def _object(kind: GraphQLNamedType, account: str) -> dict[str, Any]:
    assert isinstance(kind, GraphQLInputObjectType)
    wanted = {name: field for name, field in kind.fields.items() if is_required_input_field(field) or name in KINDS}
    return {name: _value(name, field.type, account) for name, field in wanted.items()}


def _value(name: str, kind: Any, account: str) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _value(name, kind.of_type, account)
    if isinstance(kind, GraphQLList):
        return [_value(name, kind.of_type, account)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return _object(kind, account)
    if name in KINDS:
        native = "" if KINDS[name] is Kind.ACCOUNT else "1"
        return Ref(KINDS[name], account, native).text
    return VALUES[kind.name]


def document(mutation: str) -> str:
    """Only ever of what would be sent, where it can be asked for."""
    field = mutations()[mutation]
    dry = ", dryRun: true" if "dryRun" in field.args else ""
    bulk = "bulk" in fields(get_named_type(field.type))  # which refuses each item by itself
    made = "bulk { items { command { id } errors { code } } }" if bulk else "command { id }"
    return (
        f"mutation ($input: {field.args['input'].type}) {{ {mutation}(input: $input{dry}) {{ "
        f"{made} errors {{ code message }} }} }}"
    )
