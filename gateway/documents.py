"""Documents that callers send: parsed and validated once, and told apart by what they ask for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_operation_ast,
    parse,
    print_ast,
    specified_rules,
    validate,
    visit,
)

from compiled import Compiler
from compiled import Operation as CompiledOperation
from domain.errors import BadInput, QueryTooComplex
from gateway.costs import Cost, Price
from gateway.limits import LimitSettings, check
from gateway.merging import MergeableFields

KEPT = 512
LONGEST_KEPT = 16_384  # characters: a longer one is read anew each time, so that few callers cannot fill the memory
SHORT = 1_024  # characters: a longer one is read in a thread, one at a time, so that nobody else has to wait for it
EXCEEDED = ("Document contains more than", "Document is nested too deeply")  # how the parser says so
RULES = (
    *(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule),
    MergeableFields,
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read: its nodes, or what is wrong with it.

    `costs`: of its operations, by name. `followed` and `variables`: of one that subscribes, its text without the root
    fields' `after`, and the variables that are used in that. `introspection`: what is wrong with it for who may not ask
    the schema of itself."""

    node: DocumentNode | None
    errors: list[GraphQLError]
    followed: str = ""
    variables: frozenset[str] = frozenset()
    costs: Mapping[str, Cost] = field(default_factory=dict)
    introspection: Sequence[GraphQLError] = ()
    _compiled: dict[str | None, CompiledOperation | None] = field(default_factory=dict)

    def compiled(self, compiler: Compiler, name: str | None) -> CompiledOperation | None:
        """An operation of a document that is valid, compiled once; None for what is not compiled."""
        if name not in self._compiled:
            assert self.node is not None
            self._compiled[name] = compiler.operation(self.node, name)
        return self._compiled[name]

    def operation(self, name: str | None) -> OperationType | None:
        """None for what cannot be read, or has no such operation."""
        found = None if self.node is None else get_operation_ast(self.node, name)
        return None if found is None else found.operation

    def price(self, name: str | None, variables: Mapping[str, Any] | None) -> Price:
        """Of an operation that there is, in a document that is valid."""
        only = next(iter(self.costs))
        return self.costs[only if name is None else name].of(variables)

    def follows(self, name: str | None, variables: Mapping[str, Any] | None) -> tuple[str, str | None, bytes]:
        """Equal for subscriptions that differ in nothing but where they begin. Raises BadInput."""
        told = {key: value for key, value in (variables or {}).items() if key in self.variables}
        try:
            return self.followed, name, orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            raise BadInput("`variables` must be JSON") from None


class Documents:
    """The last few hundred. `suggestions`: whether a wrong name is answered with those that there are."""

    def __init__(self, schema: GraphQLSchema, limits: LimitSettings, *, suggestions: bool) -> None:
        self._schema = schema
        self._limits = limits
        self._suggestions = suggestions
        self._known: LRUCache[str, Document] = LRUCache(KEPT)
        self._reading = asyncio.Lock()

    def __contains__(self, query: str) -> bool:
        return query in self._known

    async def read(self, query: str) -> Document:
        known = self._known.get(query)
        if known is None:
            known = await self._apart(query) if len(query) > SHORT else self._read(query)
            if len(query) <= LONGEST_KEPT:
                self._known[query] = known
        return known

    async def _apart(self, query: str) -> Document:
        async with self._reading:
            known = self._known.get(query)  # by now
            return await asyncio.to_thread(self._read, query) if known is None else known

    def _read(self, query: str) -> Document:
        try:
            node = self._parsed(query)
            check(node, self._limits)
            errors = validate(self._schema, node, RULES, hide_suggestions=not self._suggestions)
        except GraphQLError as error:
            return Document(None, [error])
        except QueryTooComplex as error:
            return Document(None, [GraphQLError(error.message, original_error=error)])  # with its code
        if errors:
            return Document(node, errors)
        introspection = validate(self._schema, node, [NoSchemaIntrospectionCustomRule])
        document = Document(node, [], introspection=introspection, costs=self._costs(node))
        operations = [one.operation for one in node.definitions if isinstance(one, OperationDefinitionNode)]
        return self._followed(node, document) if OperationType.SUBSCRIPTION in operations else document

    def _parsed(self, query: str) -> DocumentNode:
        """Raises GraphQLError and QueryTooComplex."""
        if len(query) > self._limits.max_characters:
            most = self._limits.max_characters
            raise QueryTooComplex(f"a document of {len(query)} characters is longer than the {most} that are allowed")
        try:
            return parse(query, max_lexical_tokens=self._limits.max_tokens, allow_empty_selection_sets=False)
        except GraphQLError as error:
            if any(words in error.message for words in EXCEEDED):
                raise QueryTooComplex(error.message.removeprefix("Syntax Error: ")) from None
            raise

    def _costs(self, node: DocumentNode) -> Mapping[str, Cost]:
        fragments = {one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)}
        operations = [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]
        return {"" if one.name is None else one.name.value: Cost(self._schema, one, fragments) for one in operations}

    def _followed(self, node: DocumentNode, document: Document) -> Document:
        types, used = TypeInfo(self._schema), _Used()
        without = visit(node, TypeInfoVisitor(types, _WithoutBeginning(types, self._schema.subscription_type)))
        visit(without, used)
        return replace(document, followed=print_ast(without), variables=frozenset(used.names))


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
