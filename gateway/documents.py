"""Documents that callers send: parsed and validated once, and told apart by what they ask for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_operation_ast,
    parse,
    print_ast,
    validate,
    visit,
)

from domain.errors import BadInput

KEPT = 512
LONGEST_KEPT = 16_384  # characters: a longer one is read anew each time, so that few callers cannot fill the memory


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read: its nodes, or what is wrong with it.

    `followed` and `variables`: of one that subscribes, its text without the root fields' `after`, and the variables
    that are used in that."""

    node: DocumentNode | None
    errors: list[GraphQLError]
    followed: str = ""
    variables: frozenset[str] = frozenset()

    def operation(self, name: str | None) -> OperationType | None:
        """None for what cannot be read, or has no such operation."""
        found = None if self.node is None else get_operation_ast(self.node, name)
        return None if found is None else found.operation

    def follows(self, name: str | None, variables: Mapping[str, Any] | None) -> tuple[str, str | None, bytes]:
        """Equal for subscriptions that differ in nothing but where they begin. Raises BadInput."""
        told = {key: value for key, value in (variables or {}).items() if key in self.variables}
        try:
            return self.followed, name, orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            raise BadInput("`variables` must be JSON") from None


class Documents:
    """The last few hundred. `suggestions`: whether a wrong name is answered with those that there are."""

    def __init__(self, schema: GraphQLSchema, *, suggestions: bool) -> None:
        self._schema = schema
        self._suggestions = suggestions
        self._known: LRUCache[str, Document] = LRUCache(KEPT)

    def get(self, query: str) -> Document:
        known = self._known.get(query)
        if known is None:
            known = self._read(query)
            if len(query) <= LONGEST_KEPT:
                self._known[query] = known
        return known

    def _read(self, query: str) -> Document:
        try:
            node = parse(query)
            errors = validate(self._schema, node, hide_suggestions=not self._suggestions)
        except GraphQLError as error:
            return Document(None, [error])
        operations = [one.operation for one in node.definitions if isinstance(one, OperationDefinitionNode)]
        if errors or OperationType.SUBSCRIPTION not in operations:
            return Document(node, errors)
        return self._followed(node)

    def _followed(self, node: DocumentNode) -> Document:
        types, used = TypeInfo(self._schema), _Used()
        without = visit(node, TypeInfoVisitor(types, _WithoutBeginning(types, self._schema.subscription_type)))
        visit(without, used)
        return Document(node, [], print_ast(without), frozenset(used.names))


class _WithoutBeginning(Visitor):
    """Takes `after` from the fields of a type, wherever in the document they stand."""

    def __init__(self, types: TypeInfo, root: GraphQLObjectType | None) -> None:
        super().__init__()
        self._types = types
        self._root = root

    def enter_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        if self._types.get_parent_type() is not self._root:
            return None
        return replace(node, arguments=tuple(one for one in node.arguments or () if one.name.value != "after"))


class _Used(Visitor):
    """Variables that are used; where one is defined is no use of it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, _key: object, parent: object, *_: object) -> None:
        if not hasattr(parent, "default_value"):
            self.names.add(node.name.value)
