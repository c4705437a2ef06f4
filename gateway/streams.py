"""Operations as streams of results, for the transports that carry streams."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from graphql import OperationType

from domain.errors import VendgraphError
from gateway import errors
from gateway.answers import encoded
from gateway.auth import REFRESHED
from gateway.channels import Frame
from gateway.documents import Documents
from gateway.requests import Operation
from gateway.subscriptions import Subscriptions
from resolvers.context import Context, Graph, Viewer

Answer = dict[str, Any]
Execute = Callable[[Operation, Context, str], Coroutine[Any, Any, Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """In seconds: how long a socket waits for `connection_init`; how often it is asked whether a socket's key is still
    good; how often a stream of events shows that it is alive, with the same question; and how old the answer may be."""

    init: float = 3.0
    recheck: float = 30.0
    alive: float = 15.0
    keys: float = REFRESHED


USUAL = Pace()


class Streams:
    """`execute(operation, context, request_id)` answers what is no subscription. What changes something is done to its
    end, though its client be gone."""

    def __init__(self, graph: Graph, documents: Documents, subscriptions: Subscriptions, execute: Execute) -> None:
        self._graph = graph
        self._documents = documents
        self._subscriptions = subscriptions
        self._execute = execute
        self._changing: set[asyncio.Task[Answer]] = set()

    async def open(
        self,
        operation: Operation,
        viewer: Viewer,
        request_id: str,
        resumed: str | None = None,
        address: str | None = None,
    ) -> AsyncGenerator[Frame, None] | list[Answer]:
        """The results of an operation, one or many; or the errors for which it was not executed."""
        try:
            if self.follows(operation):
                return await self._subscriptions.open(operation, viewer, request_id, resumed)
            answer = await self._answer(operation, viewer, request_id, address)
        except VendgraphError as error:
            return list(errors.refusal(error)["errors"])
        return _single(encoded(answer).decode()) if "data" in answer else list(answer["errors"])

    async def _answer(self, operation: Operation, viewer: Viewer, request_id: str, address: str | None) -> Answer:
        context = Context(self._graph, viewer, address=address, request_id=request_id)
        work = self._execute(operation, context, request_id)
        if not self.changes(operation):
            return await work
        task = asyncio.create_task(work)
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Waits for what is being changed."""
        await asyncio.gather(*self._changing, return_exceptions=True)

    def follows(self, operation: Operation) -> bool:
        """Whether it is a subscription."""
        return self._kind(operation) is OperationType.SUBSCRIPTION

    def changes(self, operation: Operation) -> bool:
        """Whether it is a mutation."""
        return self._kind(operation) is OperationType.MUTATION

    def _kind(self, operation: Operation) -> OperationType | None:
        """None for what cannot be read, or has no such operation."""
        return self._documents.get(operation.query).operation(operation.name)


async def _single(payload: str) -> AsyncGenerator[Frame, None]:
    yield Frame(payload)


async def until_first(*work: Coroutine[Any, Any, None]) -> None:
    """Does all of it until one has ended, and ends the others. Raises what that one raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def within(event: asyncio.Event, seconds: float) -> bool:
    """Whether it is set by then."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
