"""Queries and mutations, executed and answered; below Strawberry, which would read and validate each document anew."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
import strawberry
from graphql import ExecutionResult, GraphQLError, OperationType, execute
from strawberry.execution import optimized_is_awaitable

from compiled import Compiler, Keeper, Kept, Memory, Operation, Pieces
from connectors.http import UpstreamRequest, trace
from domain.errors import BadInput
from domain.model import Role
from gateway import errors
from gateway.admission import Admission, Asked, Charge
from gateway.answers import STRETCH, in_bytes, objects_in, written
from gateway.tracing import Tracing
from resolvers.cache import Tally, tally
from resolvers.context import Context, Viewer
from schema.costs import KEPT_OBJECTS
from schema.root import REPLACED

SUBSCRIBED = "subscriptions go over a WebSocket (graphql-transport-ws), or with Accept: text/event-stream"
UNNAMED = "`operationName` must say which of the operations is meant"

PIECES = 16 * 1024 * 1024  # bytes of pieces that are kept
Answer = dict[str, Any]
Key = tuple[int, bytes, Role, frozenset[str]]


class NotByGet(BadInput):
    pass


@dataclass(frozen=True, slots=True)
class Executed:
    """`cost`: what it might have cost; `charged`: what it did; both None of what was not executed. `requests`: those to
    vendors that it took; `hits`: what came from the cache; `kept`: whether the answer is, for who asks next."""

    answer: Answer
    cost: int | None = None
    charged: int | None = None
    requests: Sequence[UpstreamRequest] = ()
    hits: int = 0
    kept: bool = False


class Execution:
    """`kept`: the answers that are kept; `pieces`: what single things came to in them. `compiled` counts the queries
    that their compiled operations answered, `left` those that graphql-core had to."""

    def __init__(self, schema: strawberry.Schema, admission: Admission, tracing: Tracing, *, suggestions: bool) -> None:
        self._schema = schema._schema  # noqa: SLF001  operations are executed below Strawberry, which would share nothing
        self._compiler = Compiler(schema, REPLACED)
        self._admission = admission
        self._tracing = tracing
        self._suggestions = suggestions
        self.kept = Keeper()
        self.pieces = Keeper(PIECES)
        self.compiled = 0
        self.left = 0

    async def of(self, asked: Asked, context: Context, request_id: str, *, changes: bool = True) -> Executed:
        """`changes`: whether it may be a mutation. Raises NotByGet, QueryTooComplex and RateLimited."""
        if asked.changes and not changes:
            raise NotByGet("mutations are not allowed when using GET")
        if asked.follows:
            return Executed(errors.refusal(BadInput(SUBSCRIBED)))
        if asked.document.errors:
            return Executed({"errors": self._formatted(asked.document.errors, request_id)})
        if asked.kind is None:
            wrong = UNNAMED if asked.name is None else f'there is no operation "{asked.name:.60}"'
            return Executed(errors.refusal(BadInput(wrong)))
        charge = self._admission.charge(asked, context.viewer)
        return await self.charged(asked, context, request_id, charge)

    def compiles(self, asked: Asked) -> bool:
        """Whether it is a good query, of those that the compiler takes, and asks nothing of the schema itself."""
        document = asked.document
        if asked.kind is not OperationType.QUERY or document.errors or document.introspection:
            return False
        return document.compiled(self._compiler, asked.name) is not None

    async def charged(self, asked: Asked, context: Context, request_id: str, charge: Charge) -> Executed:
        """An operation that is good, and is paid for."""
        with self._tracing.operation(asked, request_id) as tell:
            await context.graph.journal.caught_up()  # a query after a delivery sees it
            operation = asked.document.compiled(self._compiler, asked.name)
            key = None if operation is None else _key(operation, asked, context.viewer)
            kept = None if key is None else self.kept.find(key)
            if kept is not None:
                answer, charged = {"data": orjson.Fragment(kept.encoded)}, charge.settle_kept(kept.objects)
                return Executed(answer, charge.cost, charged, (), len(kept.readings), kept=True)
            executed = await self._anew(asked, context, operation, key, request_id, charge)
            tell(executed.answer.get("errors", ()))
            return executed

    def at_once(self, asked: Asked, viewer: Viewer) -> Kept | None:
        """A query's answer that is kept, paid for; None where it is not. Raises RateLimited."""
        operation = asked.document.compiled(self._compiler, asked.name)
        key = None if operation is None else _key(operation, asked, viewer)
        kept = None if key is None else self.kept.find(key)
        if kept is None:
            return None
        self._admission.charge(asked, viewer).settle_kept(kept.objects)
        return kept

    async def _anew(
        self,
        asked: Asked,
        context: Context,
        operation: Operation | None,
        key: Key | None,
        request_id: str,
        charge: Charge,
    ) -> Executed:
        """`key`: under which the answer is kept, where it can be."""
        requests, counted = list[UpstreamRequest](), Tally()
        trace.set(requests)  # what is awaited here has this context; the flights that it starts take it with them
        tally.set(counted)
        again, viewer = key is not None and self.kept.is_asked_again(key), context.viewer
        pieces = Pieces(self.pieces, (viewer.role, viewer.organizations), in_bytes)
        memory = Memory(pieces)
        result = await self._executed(asked, context, operation, memory)
        answer = self._answer(result, request_id)
        objects = pieces.made + await objects_in(result.data)
        whole = result.data is not None and not result.errors
        readings = memory.readings if again and whole else None
        if readings is not None or objects > STRETCH:
            text = await written(result.data, objects)
            answer["data"] = orjson.Fragment(text)
            if readings is not None and key is not None:
                self.kept.keep(key, Kept(text, objects + pieces.found, readings, asked=len(key[1])))
        made = objects + pieces.found // KEPT_OBJECTS
        charged = charge.settle(made, len(requests)) if "data" in answer else charge.cancel()
        hits = counted.hits + pieces.readings
        return Executed(answer, charge.cost, charged, requests, hits, kept=readings is not None)

    async def _executed(
        self, asked: Asked, context: Context, operation: Operation | None, memory: Memory
    ) -> ExecutionResult:
        assert asked.document.node is not None
        if operation is not None:
            try:
                data = await operation.execute(context, asked.variables, memory=memory)
            except Exception:  # noqa: BLE001  whatever it is, graphql-core tells what is wrong, of what was loaded already
                self.left += 1
                memory.leave()
            else:
                self.compiled += 1
                return ExecutionResult(data, None)
        result = execute(
            self._schema,
            asked.document.node,
            context_value=context,
            variable_values=asked.variables,
            operation_name=asked.name,
            is_awaitable=cast(Any, optimized_is_awaitable),
            hide_suggestions=not self._suggestions,
            middleware=memory.middleware(),
        )
        return await result if isinstance(result, Awaitable) else result

    def _answer(self, result: ExecutionResult, request_id: str) -> Answer:
        answer: Answer = {}
        if result.errors:
            answer["errors"] = self._formatted(result.errors, request_id)
        if result.data is not None or not _before_execution(result.errors):
            answer["data"] = result.data
        return answer

    def _formatted(self, found: Sequence[GraphQLError], request_id: str) -> list[Answer]:
        return errors.formatted(found, request_id, suggestions=self._suggestions)


def _key(operation: Operation, asked: Asked, viewer: Viewer) -> Key | None:
    """All that an answer depends on, besides what it was made of. None for variables that are no JSON.

    The operation by its number alone: an answer may be kept for longer than the operation is."""
    try:
        variables = orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS) if asked.variables else b""
    except TypeError:
        return None
    return operation.number, variables, viewer.role, viewer.organizations


def _before_execution(found: Sequence[GraphQLError] | None) -> bool:
    """Whether the request failed as a whole, before any field was resolved: then there is no `data` at all."""
    return bool(found) and all(error.path is None for error in found or ())
