"""GraphQL over HTTP: one operation a request, by POST or GET, answered as GraphQL whatever happens.

https://graphql.github.io/graphql-over-http/draft/"""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import strawberry
from starlette.requests import Request
from starlette.responses import Response

from compiled import Kept
from domain.errors import RateLimited, Unauthenticated, VendgraphError
from gateway import accept, errors, etags, sse
from gateway.accept import answer_type, is_browser
from gateway.admission import Admission, Asked, Charge
from gateway.answers import response
from gateway.auth import Authenticator, authorization, text_of
from gateway.capacity import Capacity, Crowded
from gateway.documents import Documents
from gateway.executing import Executed, Execution, NotByGet
from gateway.graphiql import page as graphiql
from gateway.limits import LimitSettings
from gateway.persisted import Texts
from gateway.replies import Caller, Reply, answered, refused, unexpected
from gateway.request_ids import bound, note, request_id
from gateway.requests import address_of, read
from gateway.streams import USUAL, Pace, Streams
from gateway.subscriptions import Subscriptions
from gateway.tracing import Tracing
from gateway.websocket import Sockets
from resolvers.context import Context, Graph, Viewer


class Endpoint:
    """`draining`: set when the gateway is about to stop, so that streams end. `subscriptions` counts them."""

    def __init__(
        self,
        schema: strawberry.Schema,
        graph: Graph,
        authenticator: Authenticator,
        draining: asyncio.Event,
        *,
        development: bool,
        pace: Pace = USUAL,
        limits: LimitSettings | None = None,
        texts: Texts | None = None,
        capacity: Capacity | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._graph = graph
        self._authenticator = authenticator
        self._draining = draining
        self._development = development
        self._pace = pace
        core = schema._schema  # noqa: SLF001  operations are executed below Strawberry, which would share nothing
        limits = limits or LimitSettings()
        documents = Documents(core, limits, suggestions=development)
        self._admission = Admission(documents, texts or Texts(), limits, introspection=development)
        tracing = tracing or Tracing()
        self.short = 0  # requests that took the short road
        self.unread = 0  # of those, the ones that were known as they came
        self.made = 0  # of those, the ones whose answers were not kept
        self.execution = Execution(schema, self._admission, tracing, suggestions=development)
        self.subscriptions = Subscriptions(schema, graph, suggestions=development)
        self.streams = Streams(graph, self._admission, self.subscriptions, self._answer, tracing)
        self.capacity = capacity or Capacity()
        self.sockets = Sockets(authenticator, self.streams, draining, pace, self.capacity)

    async def serve(self, request: Request) -> Response:
        wanted = request.headers.get("accept", "")
        if self._development and request.method == "GET" and is_browser(wanted):
            return graphiql(request)
        media, id_ = answer_type(wanted), request_id(request.scope)
        told = {"x-request-id": id_}
        try:
            found = await self._respond(request, media, id_)
            if isinstance(found, Response):
                return found
            if found.code is not None:
                note(request.scope, code=found.code)
            answer = response(found.content, found.status, media, {**found.headers, **told})
            return etags.revalidated(request, answer) if found.kept else answer
        except Exception as error:  # noqa: BLE001  it is logged
            masked = unexpected(error, id_)
            return response(masked.content, masked.status, media, told)

    async def _respond(self, request: Request, media: str, request_id: str) -> Reply | Response:
        """Who wants events is told even what is wrong as one, but for a key: that has a status of its own."""
        events = accept.events(request.headers.get("accept", ""))
        try:
            viewer = await self._authenticator.viewer(authorization(request.headers), address_of(request))
        except Unauthenticated as error:
            return refused(error, media)
        note(request.scope, key=viewer.name)
        with bound(request_id=request_id, key=viewer.name):
            try:
                operation = await read(request)
                asked = await self._admission.find(operation, viewer)
                if events.wanted or (events.taken and asked.follows):
                    return await self._stream(asked, viewer, request, request_id)
                context = Context(self._graph, viewer, address=address_of(request), request_id=request_id)
                content = await self._traced(asked, context, request, request_id)
                if not operation.names:
                    self._note_known(asked, request)
                reply = answered(content, media, tagged=request.method == "GET" and asked.named)
            except VendgraphError as error:
                if events.wanted and not isinstance(error, Crowded):
                    note(request.scope, code=error.code.value)
                    return sse.refused(errors.refusal(error)["errors"], request_id)
                reply = refused(error, media)
        reply.headers = {**reply.headers, **self._admission.headers(viewer)}
        return reply

    def _note_known(self, asked: Asked, request: Request) -> None:
        """For the short road, by which what is asked for by name, or by POST, comes the next time."""
        if (asked.named or request.method == "POST") and self.execution.compiles(asked):
            note(request.scope, asked=asked)

    async def _stream(self, asked: Asked, viewer: Viewer, request: Request, request_id: str) -> Response:
        """Raises VendgraphError."""
        if request.method != "POST" and asked.changes:
            raise NotByGet("a mutation is sent by POST")
        resumed = request.headers.get("last-event-id") or None
        with ExitStack() as places:
            for crowd in (self.capacity.sockets_of, self.capacity.operations_of):
                places.enter_context(crowd.place(viewer.name))
            places.enter_context(self.capacity.sockets.place())
            opened = await self.streams.open(
                asked, viewer, request_id, resumed, address_of(request), traced=_is_traced(request)
            )
            if isinstance(opened, list):
                note(request.scope, code=opened[0]["extensions"]["code"])
                return sse.refused(opened, request_id)
            held = places.pop_all()

        async def good() -> bool:
            try:
                told = authorization(request.headers)
                return await self._authenticator.viewer(told, address_of(request)) == viewer
            except Unauthenticated:
                return False

        stream = sse.EventStream(
            opened, good=good, draining=self._draining, alive=self._pace.alive, request_id=request_id, held=held
        )
        stream.headers.update(self._admission.headers(viewer))
        return stream

    def viewer(self, authorization: bytes, address: str | None) -> Viewer | None:
        """Who asks, where nobody has to be waited for to tell, and there is room for it."""
        if self.capacity.lag.shedding:
            return None
        viewer = self._authenticator.at_once(text_of(authorization), address)
        if viewer is None or not self.capacity.operations_of.has_room(viewer.name):
            return None
        return viewer

    def at_once(self, asked: Asked, viewer: Viewer) -> tuple[Kept, Mapping[str, str]] | None:
        """An answer that is kept, and the headers that tell what is left of the caller's budget; None where it has to
        be waited for. Raises RateLimited."""
        found = self.execution.at_once(asked, viewer) if self._graph.journal.is_caught_up else None
        if found is None:
            return None
        self.short += 1
        return found, self._admission.headers(viewer)

    def paid(self, asked: Asked, viewer: Viewer) -> Charge | None:
        """None, and nothing is charged, where there is not enough left."""
        try:
            return self._admission.charge(asked, viewer)
        except RateLimited:
            return None

    async def anew(self, asked: Asked, viewer: Viewer, charge: Charge, caller: Caller, request_id: str) -> Reply:
        """As `serve`, of what is known, of whom `viewer` has told, and `paid` for: nobody was waited for since."""
        self.short += 1
        self.made += 1
        context = Context(self._graph, viewer, address=caller.address, request_id=request_id)
        with bound(request_id=request_id, key=viewer.name):
            try:
                with self.capacity.operations_of.place(viewer.name):
                    executed = await self.execution.charged(asked, context, request_id, charge)
                reply = answered(executed.answer, caller.media, tagged=caller.by_get)
                reply.lasts = executed.kept
            except VendgraphError as error:
                reply = refused(error, caller.media)
        reply.headers = {**reply.headers, **self._admission.headers(viewer)}
        return reply

    async def _traced(self, asked: Asked, context: Context, request: Request, request_id: str) -> dict[str, Any]:
        with self.capacity.operations_of.place(context.viewer.name):
            executed = await self.execution.of(asked, context, request_id, changes=request.method == "POST")
        return _with_trace(executed) if _is_traced(request) else executed.answer

    async def _answer(self, asked: Asked, context: Context, request_id: str, traced: bool) -> dict[str, Any]:
        executed = await self.execution.of(asked, context, request_id)
        return _with_trace(executed) if traced else executed.answer


def _is_traced(request: Request) -> bool:
    return request.headers.get("x-vendgraph-trace") == "1"


def _with_trace(executed: Executed) -> dict[str, Any]:
    told = {
        "upstreamRequests": [
            {
                "account": request.account,
                "operation": request.operation,
                "status": request.status,
                "milliseconds": round(request.milliseconds, 1),
            }
            for request in executed.requests
        ],
        "cacheHits": executed.hits,
        "cost": executed.cost,
        "costCharged": executed.charged,
    }
    return {**executed.answer, "extensions": {"vendgraph": told}}
