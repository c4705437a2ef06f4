"""Subscriptions, opened for one caller and shared with all who subscribe to the same.

Two share where operation, variables, organizations and role are the same; where they begin makes no difference."""

import secrets
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from typing import Any

import strawberry
import structlog
from graphql import ExecutionResult, GraphQLError
from graphql.execution import Executor, create_source_event_stream, execute_subscription_event

from compiled import Compiler, Memory, Operation
from domain.live import Message
from gateway import errors
from gateway.admission import Asked, Charge, Toll
from gateway.answers import encoded
from gateway.channels import Channel, Encode, Frame, Tell, read, takes_nothing
from gateway.wires import Wire
from resolvers.context import Context, Graph, Viewer
from resolvers.live import Live

log = structlog.get_logger()

Answer = dict[str, Any]


class Subscriptions:
    """`executed` counts messages that were executed, `told` those that were handed to subscribers."""

    def __init__(self, schema: strawberry.Schema, graph: Graph, *, suggestions: bool) -> None:
        self._suggestions = suggestions
        self._schema = schema._schema  # noqa: SLF001  events are executed below Strawberry, to be shared
        self._compiler = Compiler(schema)
        self._graph = graph
        self._channels: dict[object, Channel] = {}
        self._singles = 0
        self.executed = 0
        self.told = 0

    @property
    def subscribers(self) -> int:
        return self._singles + sum(channel.subscribers for channel in self._channels.values())

    async def open(
        self,
        asked: Asked,
        viewer: Viewer,
        request_id: str,
        resumed: str | None,
        charge: Charge,
        wire: Wire | None = None,
    ) -> AsyncGenerator[Frame, None] | list[Answer]:
        """Of a document that is good: the frames, without end; or the errors for which there are none.

        `resumed`: a cursor that goes before the `after` that was asked for. `charge`: for the opening; each message is
        worth as much. `wire`: what goes there at once is none of the frames. Raises VendgraphError; so do the frames,
        where the key has not enough left for the next one."""
        key = (*asked.document.follows(asked.name, asked.variables), viewer.organizations, viewer.role)
        context = Context(self._graph, viewer, resumed=resumed)
        executor = self._executor(asked, context)
        if isinstance(executor, list):
            return self._formatted(executor, request_id)
        live = create_source_event_stream(executor)
        live = await live if isinstance(live, Awaitable) else live
        if isinstance(live, ExecutionResult):
            return self._formatted(live.errors or (), request_id)
        assert isinstance(live, Live)
        encode, toll = self._encoder(asked, viewer), Toll(charge)
        return self._frames(key, live, encode, toll, wire) if live.shared else self._alone(live, encode, toll)

    def refused(self, asked: Asked, request_id: str) -> list[Answer]:
        """What is wrong with a document."""
        return self._formatted(asked.document.errors, request_id)

    async def _frames(
        self, key: object, live: Live[Message], encode: Encode, toll: Toll, wire: Wire | None
    ) -> AsyncGenerator[Frame, None]:
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(live, encode, self._graph.journal.tail.head)
        channel.subscribers += 1
        try:
            tell = takes_nothing if wire is None else self._at_once(toll, wire)
            async with aclosing(channel.frames(live, tell)) as frames:
                async for frame in frames:
                    toll.pay(frame.paid)
                    self.told += 1
                    yield frame
        finally:
            channel.subscribers -= 1
            if channel.subscribers == 0:
                del self._channels[key]
                channel.close()

    def _at_once(self, toll: Toll, wire: Wire) -> Tell:
        """What it does not take, such as where the key has not enough left, comes as one of the frames."""

        def tell(frame: Frame) -> bool:
            if not wire.is_free():
                return False
            try:
                toll.pay(frame.paid)
                wire.write(frame)
            except Exception:  # noqa: BLE001  whatever it is, it comes up again there, and is nobody else's
                return False
            self.told += 1
            return True

        return tell

    async def _alone(self, live: Live[Message], encode: Encode, toll: Toll) -> AsyncGenerator[Frame, None]:
        """What is nobody else's, to its end. Raises Broken and RateLimited."""
        seq, ended = live.start, False
        self._singles += 1
        try:
            while not ended:
                batch = await read(live, seq)
                seq, ended = batch.until, batch.ended
                for message in batch.messages:
                    toll.pay(set())
                    payload = encode(message)
                    self.told += 1
                    yield Frame(payload if isinstance(payload, bytes) else await payload)
        finally:
            self._singles -= 1

    def _executor(
        self, asked: Asked, context: Context, root: Message | None = None, memory: Memory | None = None
    ) -> Executor[Any] | list[GraphQLError]:
        assert asked.document.node is not None
        return Executor.build(
            self._schema,
            asked.document.node,
            root_value=root,
            context_value=context,
            raw_variable_values=asked.variables,
            operation_name=asked.name,
            hide_suggestions=not self._suggestions,
            middleware=memory.middleware() if memory is not None and memory.told else None,
        )

    def _encoder(self, asked: Asked, viewer: Viewer) -> Encode:
        request_id = secrets.token_hex(8)  # of all who share it
        operation = asked.document.compiled(self._compiler, asked.name)

        def encode(message: Message) -> bytes | Awaitable[bytes]:
            self.executed += 1
            context, memory = Context(self._graph, viewer), Memory()
            made = None if operation is None else _begun(operation, asked, context, message, memory)
            if isinstance(made, list):
                return self._encoded(ExecutionResult(made[0]), request_id)
            return by_core(message, context, memory) if made is None else later(made, message, context, memory)

        async def later(made: Awaitable[list[Any]], message: Message, context: Context, memory: Memory) -> bytes:
            try:
                data = (await made)[0]
            except Exception:  # noqa: BLE001  whatever it is, graphql-core tells what is wrong
                told = by_core(message, context, memory)
                return told if isinstance(told, bytes) else await told
            return self._encoded(ExecutionResult(data), request_id)

        def by_core(message: Message, context: Context, memory: Memory) -> bytes | Awaitable[bytes]:
            executor = self._executor(asked, context, message, memory)
            assert not isinstance(executor, list)  # it was built once before, of the same
            result = execute_subscription_event(executor)
            return waited(result) if isinstance(result, Awaitable) else self._encoded(result, request_id)

        async def waited(result: Awaitable[ExecutionResult]) -> bytes:
            return self._encoded(await result, request_id)

        return encode

    def _encoded(self, result: ExecutionResult, request_id: str) -> bytes:
        answer: Answer = {"data": result.data}
        if result.errors:
            answer["errors"] = self._formatted(result.errors, request_id)
        try:
            return encoded(answer)
        except Exception:
            log.exception("a message cannot be told", request_id=request_id)
            return encoded({"data": None, "errors": [errors.masked(request_id)]})

    def _formatted(self, found: Sequence[GraphQLError], request_id: str) -> list[Answer]:
        return errors.formatted(found, request_id, suggestions=self._suggestions)


def _begun(
    operation: Operation, asked: Asked, context: Context, message: Message, memory: Memory
) -> list[Any] | Awaitable[list[Any]] | None:
    """None for what graphql-core has to execute."""
    try:
        return operation.begin(context, asked.variables, message, memory)
    except Exception:  # noqa: BLE001  whatever it is, graphql-core tells what is wrong
        return None
