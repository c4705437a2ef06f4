"""What a query will ask for next, so that lists that depend on nothing are fetched at once and not hop by hop."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import strawberry
from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    IntValueNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

Included = Callable[[SelectionNode], bool]


class Selection:
    """One level of a selection, by the fields' own names; what `@skip` and `@include` leave out is not in it.

    Each level visits each fragment once, so that no document makes it slow."""

    def __init__(
        self,
        sets: Iterable[SelectionSetNode],
        fragments: Mapping[str, FragmentDefinitionNode],
        included: Included,
        variables: Mapping[str, Any],
    ) -> None:
        self._fragments = fragments
        self._included = included
        self._variables = variables
        self._below: dict[str, list[SelectionSetNode]] = {}
        self._fields: dict[str, list[FieldNode]] = {}
        self._levels: dict[str, Selection] = {}
        pending = list(sets)
        seen: set[str] = set()
        while pending:
            for node in pending.pop().selections:
                if not included(node):
                    continue
                if isinstance(node, FieldNode):
                    self._fields.setdefault(node.name.value, []).append(node)
                    found = self._below.setdefault(node.name.value, [])
                    if node.selection_set is not None:
                        found.append(node.selection_set)
                elif isinstance(node, InlineFragmentNode):
                    pending.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                    seen.add(node.name.value)
                    if node.name.value in fragments:
                        pending.append(fragments[node.name.value].selection_set)

    @classmethod
    def of(cls, field: "strawberry.Info[Any, Any]") -> "Selection":
        """What is selected below the field that is being resolved: read once, however many things have the field."""
        info: GraphQLResolveInfo[Any] = field._raw_info  # noqa: SLF001  Strawberry has no other way to the document
        known: dict[tuple[int, ...], Selection] = field.context.selections
        nodes = tuple(map(id, info.field_nodes))  # the document outlives the request
        if nodes not in known:
            known[nodes] = cls._of(info, field.variable_values)
        return known[nodes]

    @classmethod
    def _of(cls, info: "GraphQLResolveInfo[Any]", variables: Mapping[str, Any]) -> "Selection":
        def included(node: SelectionNode) -> bool:
            told = {one.name.value: _condition(one, variables) for one in node.directives or ()}
            return not told.get("skip", False) and told.get("include", True)

        sets = (node.selection_set for node in info.field_nodes if node.selection_set)
        return cls(sets, info.fragments, included, variables)

    def __contains__(self, name: str) -> bool:
        return name in self._below

    def firsts(self, name: str) -> Iterable[int | None]:
        """`first` of each field of that name that is given nothing else; None where it is not given either."""
        for node in self._fields.get(name, ()):
            given = {argument.name.value: argument.value for argument in node.arguments or ()}
            value = given.pop("first", None)
            if not given:
                yield self._number(value)

    def _number(self, value: ValueNode | None) -> int | None:
        if isinstance(value, VariableNode):
            told = self._variables.get(value.name.value)
            return told if isinstance(told, int) else None
        return int(value.value) if isinstance(value, IntValueNode) else None

    def at(self, name: str) -> "Selection":
        return self._level(name, lambda: self.sets(name))

    def nodes(self) -> "Selection":
        """Below a connection: what is selected of the things themselves."""
        return self._level("nodes, edges.node", lambda: (*self.sets("nodes"), *self.at("edges").sets("node")))

    def _level(self, name: str, sets: Callable[[], Iterable[SelectionSetNode]]) -> "Selection":
        found = self._levels.get(name)
        if found is None:
            found = self._levels[name] = Selection(sets(), self._fragments, self._included, self._variables)
        return found

    def sets(self, name: str) -> Iterable[SelectionSetNode]:
        return self._below.get(name, ())


def _condition(directive: DirectiveNode, variables: Mapping[str, Any]) -> bool:
    """What `if` comes to; the document is valid, so that it is there and is a truth value."""
    value = next((argument.value for argument in directive.arguments or ()), None)
    return bool(variables.get(value.name.value) if isinstance(value, VariableNode) else getattr(value, "value", False))
