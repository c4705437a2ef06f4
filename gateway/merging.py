"""Whether fields under one name can be merged, in one pass: GraphQL's own rule compares each with each.

The specification's section on Field Selection Merging, by the algorithm of Simon Adameit: among fields that may meet,
being alike is an equivalence, so that each is compared with the first one alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    print_ast,
)

from domain.errors import QueryTooComplex

MOST = 20_000  # fields that are looked at, where fragments meet in ever new company


@dataclass(frozen=True, slots=True)
class Found:
    """A field where it stands. `definition` is None where there is no such field: another rule tells that."""

    node: FieldNode
    parent: GraphQLNamedType | None
    definition: GraphQLField | None

    @property
    def name(self) -> str:
        return (self.node.alias or self.node.name).value

    @property
    def kind(self) -> GraphQLOutputType | None:
        return None if self.definition is None else self.definition.type


Set = tuple[GraphQLNamedType | None, SelectionSetNode]


class MergeableFields(ValidationRule):
    """Takes the place of OverlappingFieldsCanBeMergedRule. One fault of an operation is told."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        root = self.context.schema.get_root_type(node.operation)
        try:
            _Walk(self.context, _shapes, _together).over([(root, node.selection_set)])
            _Walk(self.context, _calls, _by_parent).over([(root, node.selection_set)])
        except GraphQLError as error:
            self.report_error(error)


class _Walk:
    """From a selection set downwards. `groups(fields)`: which of those of one name may meet; `told(fields)`: what each
    of a group has to have in common with the others."""

    def __init__(self, context: ValidationContext, told: Any, groups: Any) -> None:
        self._context = context
        self._told = told
        self._groups = groups
        self._seen: set[frozenset[int]] = set()
        self._left = MOST

    def over(self, sets: list[Set]) -> None:
        pending = [sets]
        while pending:
            for same in _by_name(self._fields(pending.pop())):
                for group in self._groups(same):
                    self._compare(group)
                    below = [
                        (get_named_type(one.kind), one.node.selection_set) for one in group if one.node.selection_set
                    ]
                    key = frozenset(id(selections) for _, selections in below)
                    if below and key not in self._seen:
                        self._seen.add(key)
                        pending.append(below)

    def _compare(self, group: Sequence[Found]) -> None:
        first, *others = group
        told = self._told(first) if others else None
        for other in others:
            if self._told(other) != told:
                message = f"Fields '{first.name}' conflict: use different aliases on them if both are meant."
                raise GraphQLError(message, [first.node, other.node])

    def _fields(self, sets: Iterable[Set]) -> Iterator[Found]:
        """Those of selection sets that are merged, through their fragments."""
        pending, spread = list(sets), set[str]()
        while pending:
            parent, selections = pending.pop()
            for one in selections.selections:
                self._left -= 1
                if self._left < 0:
                    raise GraphQLError("", original_error=QueryTooComplex("its fragments meet in too many ways"))
                if isinstance(one, FieldNode):
                    yield Found(one, parent, self._definition(parent, one))
                elif isinstance(one, InlineFragmentNode):
                    pending.append((self._condition(one.type_condition, parent), one.selection_set))
                elif isinstance(one, FragmentSpreadNode) and one.name.value not in spread:
                    spread.add(one.name.value)
                    fragment = self._context.get_fragment(one.name.value)
                    if fragment is not None:
                        pending.append((self._condition(fragment.type_condition, None), fragment.selection_set))

    def _condition(self, condition: Any, parent: GraphQLNamedType | None) -> GraphQLNamedType | None:
        return parent if condition is None else self._context.schema.get_type(condition.name.value)

    def _definition(self, parent: GraphQLNamedType | None, node: FieldNode) -> GraphQLField | None:
        return self._context.schema.get_field(parent, node.name.value) if is_composite_type(parent) else None


def _by_name(fields: Iterable[Found]) -> Iterable[list[Found]]:
    found: dict[str, list[Found]] = {}
    for one in fields:
        if one.definition is not None:
            found.setdefault(one.name, []).append(one)
    return found.values()


def _together(same: list[Found]) -> Iterable[list[Found]]:
    return [same]


def _by_parent(same: list[Found]) -> Iterable[list[Found]]:
    """Of two object types only one can be there; a field of an interface meets those of each."""
    concrete: dict[str, list[Found]] = {}
    abstract = []
    for one in same:
        if isinstance(one.parent, GraphQLObjectType):
            concrete.setdefault(one.parent.name, []).append(one)
        else:
            abstract.append(one)
    return [group + abstract for group in concrete.values()] or [abstract]


def _shapes(one: Found) -> object:
    """The lists and the null that an answer may hold, and of what."""
    wrappers, kind = [], one.kind
    while is_list_type(kind) or is_non_null_type(kind):
        wrappers.append(type(kind).__name__)
        kind = kind.of_type
    return wrappers, kind if is_leaf_type(kind) else None


def _calls(one: Found) -> object:
    return one.node.name.value, sorted((it.name.value, print_ast(it.value)) for it in one.node.arguments or ())
