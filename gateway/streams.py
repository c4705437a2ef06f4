"""Operations as streams of results, for the transports that carry streams."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from graphql import OperationType

from domain.errors import VendgraphError
from gateway import errors
from gateway.answers import encoded
from gateway.requests import Operation
from gateway.subscriptions import Documents, Frame, Subscriptions
from resolvers.context import Context, Graph, Viewer

__all__ = ["Frame", "Streams"]

Answer = dict[str, Any]
Execute = Callable[[Operation, Context, str], Awaitable[Answer]]


class Streams:
    """`execute(operation, context, request_id)` answers what is no subscription."""

    def __init__(self, graph: Graph, documents: Documents, subscriptions: Subscriptions, execute: Execute) -> None:
        self._graph = graph
        self._documents = documents
        self._subscriptions = subscriptions
        self._execute = execute

    async def open(
        self, operation: Operation, viewer: Viewer, request_id: str, resumed: str | None = None
    ) -> AsyncGenerator[Frame, None] | list[Answer]:
        """The results of an operation, one or many; or the errors for which it was not executed."""
        if self._documents.kind(operation.query, operation.name) is not OperationType.SUBSCRIPTION:
            answer = await self._execute(operation, Context(self._graph, viewer), request_id)
            return _single(answer) if "data" in answer else list(answer["errors"])
        try:
            return await self._subscriptions.open(operation, viewer, request_id, resumed)
        except VendgraphError as error:
            return list(errors.refusal(error)["errors"])

    def changes(self, operation: Operation) -> bool:
        """Whether it is a mutation."""
        return self._documents.kind(operation.query, operation.name) is OperationType.MUTATION


async def _single(answer: Answer) -> AsyncGenerator[Frame, None]:
    yield Frame(encoded(answer).decode())
