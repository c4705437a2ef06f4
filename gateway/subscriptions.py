"""Subscriptions, executed and encoded once for all who subscribe to the same.

Two subscribers share their work where operation, variables, organizations and role are the same; where they begin
makes no difference. Each follows the journal at a pace of its own, and asks here for the bytes of a message."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from cachetools import LRUCache
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    get_operation_ast,
    parse,
    validate,
    visit,
)
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event

from domain.errors import BadInput
from domain.live import Message
from gateway import errors
from gateway.answers import encoded
from gateway.requests import Operation
from resolvers.context import Context, Graph, Viewer

DOCUMENTS = 512
MESSAGES = 256  # encoded ones that are kept for those who come a little later

Encode = Callable[[Message], Awaitable[str]]
Build = Callable[[Message | None], Executor[Any] | list[GraphQLError]]


@dataclass(frozen=True, slots=True)
class Frame:
    """A result as JSON, and, of a subscription's message, the cursor to go on from."""

    payload: str
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read once: its nodes, or what is wrong with it."""

    node: DocumentNode | None
    errors: list[GraphQLError]


@dataclass(slots=True, eq=False)
class _Shared:
    """What equal subscribers have in common. `users`: how many there are."""

    encoded: "LRUCache[int, asyncio.Future[str]]" = field(default_factory=lambda: LRUCache(MESSAGES))
    users: int = 0


class Documents:
    """Parsed and validated documents, the last few hundred."""

    def __init__(self, schema: GraphQLSchema, *, suggestions: bool) -> None:
        self._schema = schema
        self._suggestions = suggestions
        self._known: LRUCache[str, Document] = LRUCache(DOCUMENTS)

    def get(self, query: str) -> Document:
        known = self._known.get(query)
        if known is None:
            known = self._known[query] = self._read(query)
        return known

    def _read(self, query: str) -> Document:
        try:
            node = parse(query)
        except GraphQLError as error:
            return Document(None, [error])
        return Document(node, validate(self._schema, node, hide_suggestions=not self._suggestions))

    def kind(self, query: str, name: str | None) -> OperationType | None:
        """None for what cannot be read, or has no such operation."""
        node = self.get(query).node
        operation = None if node is None else get_operation_ast(node, name)
        return None if operation is None else operation.operation


class Subscriptions:
    def __init__(self, schema: GraphQLSchema, graph: Graph, documents: Documents, *, suggestions: bool) -> None:
        self._suggestions = suggestions
        self._schema = schema
        self._graph = graph
        self._documents = documents
        self._shared: dict[object, _Shared] = {}

    @property
    def subscribers(self) -> int:
        return sum(shared.users for shared in self._shared.values())

    async def open(
        self, operation: Operation, viewer: Viewer, request_id: str, resumed: str | None
    ) -> AsyncGenerator[Frame, None] | list[dict[str, Any]]:
        """The frames, without end; or the errors for which there are none. `resumed`: a cursor that goes before the
        `after` that was asked for.

        Raises VendgraphError."""
        document = self._documents.get(operation.query)
        if document.node is None or document.errors:
            return self._told(document.errors, request_id)

        def executor(root: Message | None) -> Executor[Any] | list[GraphQLError]:
            assert document.node is not None
            return Executor.build(
                self._schema,
                document.node,
                root_value=root,
                context_value=Context(self._graph, viewer, resumed=resumed),
                raw_variable_values=operation.variables,
                operation_name=operation.name,
            )

        first = executor(None)
        if isinstance(first, list):
            return self._told(first, request_id)
        source = create_source_event_stream(first)
        source = await source if isinstance(source, Awaitable) else source
        if isinstance(source, ExecutionResult):
            return self._told(source.errors or [GraphQLError("there is nothing to subscribe to")], request_id)
        variables = _compared(document.node, operation)
        key = (operation.query, operation.name, variables, viewer.organizations, viewer.role)
        return self._frames(key, source, executor, request_id)

    def _told(self, found: Sequence[GraphQLError], request_id: str) -> list[dict[str, Any]]:
        return errors.formatted(found, request_id, suggestions=self._suggestions)

    async def _frames(self, key: object, source: Any, executor: Build, request_id: str) -> AsyncGenerator[Frame, None]:
        async def encode(message: Message) -> str:
            built = executor(message)
            assert not isinstance(built, list)  # it was built once before, of the same
            result = execute_subscription_event(built)
            result = await result if isinstance(result, Awaitable) else result
            answer: dict[str, Any] = {"data": result.data}
            if result.errors:
                answer["errors"] = self._told(result.errors, request_id)
            return encoded(answer).decode()

        shared = self._shared.setdefault(key, _Shared())
        shared.users += 1
        try:
            async for message in source:
                payload = await (_once(shared, message, encode) if message.gap is None else encode(message))
                yield Frame(payload, message.cursor)
        finally:
            shared.users -= 1
            if shared.users == 0:
                self._shared.pop(key, None)
            await source.aclose()


async def _once(shared: _Shared, message: Message, encode: Encode) -> str:
    """Nobody who gives up takes the others' message away: the work is nobody's own."""
    flight = shared.encoded.get(message.seq)
    if flight is None:
        flight = shared.encoded[message.seq] = asyncio.ensure_future(encode(message))
    return flight.result() if flight.done() else await asyncio.shield(flight)


def _compared(document: DocumentNode, operation: Operation) -> bytes:
    """The variables, but for one that says where to begin and nothing else."""
    node = get_operation_ast(document, operation.name)
    beginning = None if node is None else _beginning(document, node)
    told = {key: value for key, value in (operation.variables or {}).items() if key != beginning}
    try:
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        raise BadInput("`variables` must be JSON") from None


def _beginning(document: DocumentNode, operation: OperationDefinitionNode) -> str | None:
    """The variable that stands for the subscription's `after`, where it stands nowhere else."""
    fields = [node for node in operation.selection_set.selections if isinstance(node, FieldNode)]
    arguments = [argument for field_ in fields for argument in field_.arguments or ()]
    passed = [argument.value for argument in arguments if argument.name.value == "after"]
    names = [value.name.value for value in passed if isinstance(value, VariableNode)]
    uses = _Uses()
    visit(document, uses)
    return next((name for name in names if uses.of.get(name) == 1), None)


class _Uses(Visitor):
    """How often each variable is used; where it is defined is no use of it."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[str, int] = {}

    def enter_variable(self, node: VariableNode, _key: object, parent: object, *_: object) -> None:
        if not hasattr(parent, "default_value"):
            self.of[node.name.value] = self.of.get(node.name.value, 0) + 1
