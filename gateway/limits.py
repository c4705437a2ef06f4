"""What an operation may hold: counted once from end to end, fragments once each, before it is validated."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    ListValueNode,
    Node,
    OperationDefinitionNode,
)
from pydantic import Field, model_validator

from domain.errors import QueryTooComplex
from gateway.faults import fault
from gateway.fields import Section

NESTED = 100  # selections within one another, with those that are no fields: all who walk a document recurse by it
LONGEST_NUMBER = 32  # characters
LARGEST_POWER = 2  # digits of an exponent


class LimitSettings(Section):
    """`max_list`: members of a list in the arguments, literal or by variable, and of an object in a variable.

    `cost_per_second` and `cost_burst` are of each key."""

    max_characters: int = Field(default=32_768, ge=256, le=262_144)
    max_tokens: int = Field(default=4_000, ge=50, le=20_000)
    max_depth: int = Field(default=20, ge=5, le=50)
    max_fields: int = Field(default=1_000, ge=20, le=10_000)
    max_aliases: int = Field(default=200, ge=0, le=10_000)
    max_directives: int = Field(default=100, ge=0, le=1_000)
    max_fragments: int = Field(default=100, ge=0, le=200)
    max_operations: int = Field(default=20, ge=1, le=100)
    max_variables: int = Field(default=100, ge=0, le=1_000)
    max_list: int = Field(default=2_000, ge=10, le=10_000)
    max_cost: int = Field(default=500_000, ge=100, le=10_000_000)
    cost_per_second: int = Field(default=20_000, ge=1, le=100_000_000)
    cost_burst: int = Field(default=10_000_000, ge=100, le=1_000_000_000)

    @model_validator(mode="after")
    def _affordable(self) -> Self:
        if self.cost_burst < self.max_cost:
            raise fault("has to be as much as max_cost at least, or nobody could ever ask for that", "cost_burst")
        return self


@dataclass(slots=True)
class Counts:
    """Of a definition, or of what it comes to with its fragments. `spreads`: their names, and how deep each stands."""

    depth: int = 0
    nesting: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    spreads: list[tuple[str, int, int]] = field(default_factory=list)


def check(document: DocumentNode, limits: LimitSettings) -> None:
    """Raises QueryTooComplex."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    _at_most("operations", len(operations), limits.max_operations)
    _at_most("fragments", len(document.definitions) - len(operations), limits.max_fragments)
    for operation in operations:
        _at_most("variables", len(operation.variable_definitions or ()), limits.max_variables)
    own = {name: _counted(fragment, limits) for name, fragment in fragments.items()}
    whole: dict[str, Counts] = {}
    for name in own:
        _check(_whole(name, own, whole), limits)
    for operation in operations:
        _check(_with_fragments(_counted(operation, limits), own, whole), limits)


def check_variables(variables: Mapping[str, Any] | None, limits: LimitSettings) -> None:
    """Raises QueryTooComplex."""
    pending: list[Any] = [variables]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            _at_most("members of one list", len(value), limits.max_list)
            pending += value
        elif isinstance(value, dict):
            _at_most("members of one object", len(value), limits.max_list)
            pending += value.values()


def _at_most(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise QueryTooComplex(f"{count} {what} are more than the {limit} that are allowed")


def _check(counts: Counts, limits: LimitSettings) -> None:
    _at_most("levels of fields", counts.depth, limits.max_depth)
    _at_most("levels of selections", counts.nesting, NESTED)
    _at_most("fields", counts.fields, limits.max_fields)
    _at_most("aliases", counts.aliases, limits.max_aliases)
    _at_most("directives", counts.directives, limits.max_directives)


def _whole(name: str, own: Mapping[str, Counts], whole: dict[str, Counts]) -> Counts:
    """A fragment with all that it spreads. One that comes back to itself adds nothing there: validation refuses it."""
    if name not in whole:
        whole[name] = Counts()
        whole[name] = _with_fragments(own[name], own, whole)
    return whole[name]


def _with_fragments(counts: Counts, own: Mapping[str, Counts], whole: dict[str, Counts]) -> Counts:
    total = Counts(counts.depth, counts.nesting, counts.fields, counts.aliases, counts.directives)
    for name, depth, nesting in counts.spreads:
        if name in own:
            spread = _whole(name, own, whole)
            total.depth = max(total.depth, depth + spread.depth)
            total.nesting = max(total.nesting, nesting + spread.nesting)
            total.fields += spread.fields
            total.aliases += spread.aliases
            total.directives += spread.directives
    return total


def _counted(definition: OperationDefinitionNode | FragmentDefinitionNode, limits: LimitSettings) -> Counts:
    """What stands in a definition itself."""
    counts = Counts()
    pending: list[tuple[Node, int, int]] = [(definition, 0, 0)]
    while pending:
        node, depth, nesting = pending.pop()
        if isinstance(node, FieldNode):
            depth, nesting = depth + 1, nesting + 1
            counts.fields += 1
            counts.aliases += node.alias is not None
        elif isinstance(node, FragmentSpreadNode):
            counts.spreads.append((node.name.value, depth, nesting + 1))
        elif hasattr(node, "selection_set"):
            nesting += 1
        counts.directives += isinstance(node, DirectiveNode)
        counts.depth, counts.nesting = max(counts.depth, depth), max(counts.nesting, nesting)
        _check_value(node, limits)
        pending += [(child, depth, nesting) for child in _children(node)]
    return counts


def _check_value(node: Node, limits: LimitSettings) -> None:
    if isinstance(node, ListValueNode):
        _at_most("members of one list", len(node.values), limits.max_list)
    elif isinstance(node, IntValueNode | FloatValueNode):
        _, _, power = node.value.lower().partition("e")
        _at_most("characters of one number", len(node.value), LONGEST_NUMBER)
        _at_most("digits of an exponent", len(power.lstrip("+-")), LARGEST_POWER)


def _children(node: Node) -> Iterator[Node]:
    for key in node.keys:
        value: object = getattr(node, key, None)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, Iterable) and not isinstance(value, str):
            yield from value
