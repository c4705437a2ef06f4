"""Operations as streams of results, for the transports that carry streams."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from domain.errors import VendgraphError
from gateway import errors
from gateway.admission import Admission, Asked
from gateway.answers import encoded
from gateway.auth import REFRESHED
from gateway.channels import Frame
from gateway.requests import Operation
from gateway.subscriptions import Subscriptions
from gateway.tracing import Tracing
from gateway.wires import Wire
from resolvers.context import Context, Graph, Viewer

Answer = dict[str, Any]
Execute = Callable[[Asked, Context, str, bool], Coroutine[Any, Any, Answer]]


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
    """`execute(asked, context, request_id, traced)` answers what is no subscription. What changes something is done
    to its end, though its client be gone."""

    def __init__(
        self, graph: Graph, admission: Admission, subscriptions: Subscriptions, execute: Execute, tracing: Tracing
    ) -> None:
        self._graph = graph
        self._admission = admission
        self._subscriptions = subscriptions
        self._execute = execute
        self._tracing = tracing
        self._changing: set[asyncio.Task[Answer]] = set()

    async def open(
        self,
        asked: Asked,
        viewer: Viewer,
        request_id: str,
        resumed: str | None = None,
        address: str | None = None,
        traced: bool = False,
        wire: Wire | None = None,
    ) -> AsyncGenerator[Frame, None] | list[Answer]:
        """The results of an operation, one or many; or the errors for which it was not executed. `traced`: whether
        the one tells what it cost. `wire`: on which messages go without coming by here, where they can."""
        try:
            if asked.follows and asked.document.errors:
                return self._subscriptions.refused(asked, request_id)
            if asked.follows:
                return await self._follow(asked, viewer, request_id, resumed, wire)
            context = Context(self._graph, viewer, address=address, request_id=request_id)
            answer = await self._answer(asked, context, request_id, traced)
        except VendgraphError as error:
            return list(errors.refusal(error)["errors"])
        return _single(encoded(answer)) if "data" in answer else list(answer["errors"])

    async def _follow(
        self, asked: Asked, viewer: Viewer, request_id: str, resumed: str | None, wire: Wire | None
    ) -> AsyncGenerator[Frame, None] | list[Answer]:
        """Raises VendgraphError."""
        charge, opened = self._admission.charge(asked, viewer), None
        try:
            with self._tracing.operation(asked, request_id) as tell:
                opened = await self._subscriptions.open(asked, viewer, request_id, resumed, charge, wire)
                tell(opened if isinstance(opened, list) else ())
                return opened
        finally:
            if opened is None or isinstance(opened, list):
                charge.cancel()

    async def ask(
        self, operation: Operation, viewer: Viewer, request_id: str, address: str | None, wire: Wire | None
    ) -> AsyncGenerator[Frame, None] | list[Answer]:
        """As `open`, for an operation as it was sent."""
        try:
            asked = await self._admission.find(operation, viewer)
        except VendgraphError as error:
            return list(errors.refusal(error)["errors"])
        return await self.open(asked, viewer, request_id, address=address, wire=wire)

    async def _answer(self, asked: Asked, context: Context, request_id: str, traced: bool) -> Answer:
        work = self._execute(asked, context, request_id, traced)
        if not asked.changes:
            return await work
        task = asyncio.create_task(work)
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Waits for what is being changed."""
        await asyncio.gather(*self._changing, return_exceptions=True)


async def _single(payload: bytes) -> AsyncGenerator[Frame, None]:
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
