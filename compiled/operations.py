"""Compiles operations, keeps what was compiled, and runs it."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import strawberry
from cachetools import LRUCache
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    get_operation_ast,
    visit,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from graphql.pyutils import Path, is_awaitable
from graphql.type import GraphQLResolveInfoHelpers

from compiled.fields import Call, Prepared
from compiled.pieces import Key, Making, Pieces
from compiled.plan import NotCompiled, Planner
from compiled.running import Column, Level, Memory, Soon, Unusual
from compiled.source import Resolved, Writer

_numbers = count()  # each operation has one of its own, and each of its ways, as long as the process lives
NOWHERE: Any = None  # for what is kept between requests, and of none
KEPT = 16  # ways of one operation: each set of values of its conditions makes one


@dataclass(frozen=True, slots=True, eq=False)
class Functions:
    """What an operation was compiled to. `level`: the first of them; `resolved`: the fields that have a resolver.

    `tells`: whether each of those tells what it reads. `pieces`: of each level that may be joined of pieces, the
    variables that those depend on. `prepared`: how resolvers are called whose arguments are always the same."""

    number: int
    source: str
    level: Level
    resolved: tuple[Resolved, ...]
    tells: bool
    pieces: tuple[frozenset[str], ...]
    prepared: dict[int, Prepared] = field(default_factory=dict)


class Compiler:
    """For one schema. It is safe for operations that have been validated, and reads.

    `keeps`: types whose objects, in lists, come to pieces. Such an object can be referred to weakly, and is replaced
    rather than changed: what is read off it as an attribute is the same for as long as it is there."""

    def __init__(self, schema: strawberry.Schema, keeps: Collection[str] = ()) -> None:
        self.schema = schema
        self.keeps = frozenset(keeps)

    def operation(self, document: DocumentNode, name: str | None = None) -> "Operation | None":
        """None for what graphql-core has to execute: a mutation, fragments with variables. Of a subscription it is what
        is made of each event, which is its root.

        `document`: valid, and the same for as long as the operation is kept."""
        found = get_operation_ast(document, name)
        if found is None or found.operation is OperationType.MUTATION:
            return None
        fragments = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
        if any(one.variable_definitions for one in fragments):
            return None
        return Operation(self.schema, document, found, {one.name.value: one for one in fragments}, self.keeps)


class Operation:
    """One operation of a document. What its variables leave out is compiled away, so there may be several ways."""

    def __init__(
        self,
        schema: strawberry.Schema,
        document: DocumentNode,
        node: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        keeps: Collection[str] = (),
    ) -> None:
        conditions = _Conditions()
        visit(document, conditions)
        self.schema = schema
        self.core: GraphQLSchema = schema._schema  # noqa: SLF001  Strawberry has no public way to it
        self.node = node
        self.fragments = dict(fragments)
        self.keeps = keeps
        self.number = next(_numbers)
        self._conditions = sorted(conditions.names)
        self._ways: LRUCache[tuple[Any, ...], Functions | None] = LRUCache(KEPT)

    async def execute(
        self,
        context: Any,
        variables: Mapping[str, Any] | None = None,
        root: Any = None,
        memory: Memory | None = None,
    ) -> Any:
        """`data`, as graphql-core would answer it. Raises Unusual where it would answer with an error, or it cannot be
        told; what a resolver raises is raised as it is. Nothing has been changed then: it only reads.

        `memory`: then holds what the resolvers gave, for graphql-core, and what they read."""
        made = self.begin(context, variables, root, memory)
        return (made if isinstance(made, list) else await made)[0]

    def begin(
        self,
        context: Any,
        variables: Mapping[str, Any] | None = None,
        root: Any = None,
        memory: Memory | None = None,
    ) -> Soon:
        """As `execute`: a list of the one answer, or, where something has to be waited for, a coroutine of such."""
        given = dict(variables or {})
        values = get_variable_values(self.core, self.node.variable_definitions or (), given, max_errors=1)
        if isinstance(values, list):
            raise Unusual("variables that do not fit")
        functions = self.functions(values)
        if functions is None:
            raise Unusual("not compiled")
        memory = memory or Memory()
        memory.readings = set() if functions.tells else None
        return functions.level([root], Run(self, functions, values, given, context, root, memory))

    def functions(self, variables: VariableValues) -> Functions | None:
        """None for what cannot be compiled."""
        key = tuple(variables.coerced.get(name) for name in self._conditions)
        if key not in self._ways:
            self._ways[key] = self._compiled(variables)
        return self._ways[key]

    def _compiled(self, variables: VariableValues) -> Functions | None:
        fragments = {name: FragmentDetails(one) for name, one in self.fragments.items()}
        try:
            plan = Planner(self.schema, self.node, fragments, variables).plan()
        except (NotCompiled, GraphQLError, RecursionError):
            return None
        writer = Writer(self.keeps)
        source, names, first = writer.write(plan)
        exec(compile(source, "<compiled operation>", "exec"), names)  # noqa: S102  it is ours: names are bound or quoted
        return Functions(next(_numbers), source, names[first], tuple(writer.resolved), plan.tells, tuple(writer.pieces))


class _Conditions(Visitor):
    """The variables that decide what is selected."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        for argument in node.arguments or ():
            if node.name.value in ("skip", "include") and isinstance(argument.value, VariableNode):
                self.names.add(argument.value.name.value)


class Run:
    """One execution: what is the same for all objects of a level is had once."""

    __slots__ = (
        "_calls",
        "_context",
        "_functions",
        "_given",
        "_operation",
        "_root",
        "_typing",
        "_variables",
        "makings",
        "memory",
        "pace",
    )

    def __init__(
        self,
        operation: Operation,
        functions: Functions,
        variables: VariableValues,
        given: Mapping[str, Any],
        context: Any,
        root: Any,
        memory: Memory,
    ) -> None:
        self._operation = operation
        self._functions = functions
        self._given = given
        self._variables = variables
        self._context = context
        self._root = root
        self.memory = memory
        self.pace = memory.pace
        self.makings: dict[int, Making] = {}
        self._calls: dict[int, tuple[Call, dict[str, Any]]] = {}
        self._typing: GraphQLResolveInfo[Any] | None = None

    def call(self, number: int, objects: Column) -> tuple[Call, Column, dict[str, Any]]:
        """How the resolver of a field is called."""
        found = self._calls.get(number)
        if found is None:
            found = self._calls[number] = self._prepared(number)
        return found[0], objects, found[1]

    def read(self, number: int, objects: Column) -> None:
        """Notes what a field's resolver is about to read; or that it cannot be told."""
        resolved, making, memory = self._functions.resolved[number], self._making(number), self.memory
        if making is None and memory.readings is None:
            return
        _, _, given = self.call(number, objects)
        assert resolved.source.reads is not None
        for one in objects:
            found = resolved.source.reads(one, **given)
            if making is not None:
                making.note(one if resolved.of_pieces else None, found)
            else:
                memory.stands_on(found)
                if found is None:
                    return

    def _making(self, number: int) -> Making | None:
        """The pieces that a field is read for."""
        piece = self._functions.resolved[number].piece
        return None if piece is None else self.makings.get(piece)

    def reads_each(self, number: int) -> bool:
        """Whether what a field reads is noted for each object by itself."""
        return self._functions.resolved[number].of_pieces and self._making(number) is not None

    def piece_key(self, number: int, pieces: Pieces) -> Key | None:
        """What the pieces of a level have in common."""
        names = self._functions.pieces[number]
        own = {name: value for name, value in self._given.items() if name in names}
        return pieces.key((self._functions.number, number), own)

    def node(self, number: int) -> FieldNode:
        """The first that asks for a field: by it graphql-core knows the field, too."""
        return self._functions.resolved[number].field.details[0].node

    @property
    def typing(self) -> "GraphQLResolveInfo[Any]":
        """What is told to those who tell a value's type: it is of no field."""
        if self._typing is None:
            root = self._operation.core.query_type
            assert root is not None
            self._typing = self._info("__typename", [], root, root, Path(None, "__typename", root.name))
        return self._typing

    def _info(
        self, name: str, nodes: list[FieldNode], type_: GraphQLOutputType, parent: GraphQLObjectType, path: Path
    ) -> "GraphQLResolveInfo[Any]":
        return GraphQLResolveInfo(
            field_name=name,
            field_nodes=nodes,
            return_type=type_,
            parent_type=parent,
            path=path,
            schema=self._operation.core,
            fragments=self._operation.fragments,
            root_value=self._root,
            operation=self._operation.node,
            variable_values=self._variables,
            context=self._context,
            is_awaitable=is_awaitable,
            abort_signal=None,
            async_helpers=HELPERS,
        )

    def _prepared(self, number: int) -> Prepared:
        """As graphql-core tells a resolver where it is, but for the path, which has no places in lists. Arguments that
        no variable changes are made once."""
        resolved, known = self._functions.resolved[number], self._functions.prepared.get(number)
        field, source = resolved.field, resolved.source
        definition, nodes = field.parent.fields[field.name], [one.node for one in field.details]
        path = Path(None, field.key, field.parent.name)
        info = self._info(field.name, nodes, definition.type, field.parent, path)
        if known is not None:
            return source.renewed(info, known)
        made = source.prepared(info, get_argument_values(definition, nodes[0], self._variables))
        if resolved.steady:
            self._functions.prepared[number] = source.renewed(NOWHERE, made)
        return made


HELPERS = GraphQLResolveInfoHelpers(gather=lambda promises: asyncio.gather(*promises), track=lambda _: None)
