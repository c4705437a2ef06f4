"""GraphQL over HTTP: one operation a request, by POST or GET, answered as GraphQL whatever happens.

https://graphql.github.io/graphql-over-http/draft/"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import strawberry
import structlog
from starlette.requests import Request
from starlette.responses import Response
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from connectors.http import UpstreamRequest, trace
from domain.errors import BadInput, ErrorCode, Unauthenticated, VendgraphError
from gateway import accept, errors, sse
from gateway.accept import JSON, answer_type, is_browser
from gateway.answers import response
from gateway.auth import Authenticator, authorization
from gateway.documents import Documents
from gateway.graphiql import page as graphiql
from gateway.requests import Operation, TooLong, WrongMedia, address_of, read
from gateway.streams import USUAL, Pace, Streams
from gateway.subscriptions import Subscriptions
from gateway.websocket import Sockets
from resolvers.cache import Tally, tally
from resolvers.context import Context, Graph, Viewer

log = structlog.get_logger()

READS = frozenset({OperationType.QUERY})
ANSWERED = frozenset({OperationType.QUERY, OperationType.MUTATION})
SUBSCRIBED = "subscriptions go over a WebSocket (graphql-transport-ws), or with Accept: text/event-stream"


class NotByGet(BadInput):
    pass


STATUSES: Mapping[type[VendgraphError], int] = {Unauthenticated: 401, NotByGet: 405, TooLong: 413, WrongMedia: 415}
HEADERS: Mapping[type[VendgraphError], Mapping[str, str]] = {
    Unauthenticated: {"www-authenticate": "Bearer"},
    NotByGet: {"allow": "POST"},
}


@dataclass(slots=True)
class Reply:
    content: dict[str, Any]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


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
    ) -> None:
        self._schema = schema
        self._graph = graph
        self._authenticator = authenticator
        self._draining = draining
        self._development = development
        self._pace = pace
        core = schema._schema  # noqa: SLF001  subscriptions are executed below Strawberry, which would share nothing
        documents = Documents(core, suggestions=development)
        self.subscriptions = Subscriptions(core, graph, documents, suggestions=development)
        self.streams = Streams(graph, documents, self.subscriptions, self._answer)
        self.sockets = Sockets(authenticator, self.streams, draining, pace)

    async def serve(self, request: Request) -> Response:
        wanted = request.headers.get("accept", "")
        if self._development and request.method == "GET" and is_browser(wanted):
            return graphiql(request)
        media, request_id = answer_type(wanted), secrets.token_hex(8)
        told = {"x-request-id": request_id}
        try:
            found = await self._respond(request, media, request_id)
            if isinstance(found, Response):
                return found
            return response(found.content, found.status, media, {**found.headers, **told})
        except Exception:
            log.exception("unexpected", request_id=request_id)
            return response({"errors": [errors.masked(request_id)]}, 500, media, told)

    async def _respond(self, request: Request, media: str, request_id: str) -> Reply | Response:
        """Who wants events is told even what is wrong as one, but for a key: that has a status of its own."""
        events = accept.events(request.headers.get("accept", ""))
        try:
            viewer = await self._authenticator.viewer(authorization(request.headers))
            operation = await read(request)
            with structlog.contextvars.bound_contextvars(request_id=request_id, key=viewer.name):
                if events.wanted or (events.taken and self.streams.follows(operation)):
                    return await self._stream(operation, viewer, request, request_id)
                context = Context(self._graph, viewer, address=address_of(request), request_id=request_id)
                content = await self._traced(operation, context, request, request_id)
        except VendgraphError as error:
            if events.wanted and not isinstance(error, Unauthenticated):
                return sse.refused(errors.refusal(error)["errors"], request_id)
            return Reply(errors.refusal(error), STATUSES.get(type(error), 400), HEADERS.get(type(error), {}))
        return Reply(content, _status(content, media))

    async def _stream(self, operation: Operation, viewer: Viewer, request: Request, request_id: str) -> Response:
        """Raises VendgraphError."""
        if request.method != "POST" and self.streams.changes(operation):
            raise NotByGet("a mutation is sent by POST")
        resumed = request.headers.get("last-event-id") or None
        opened = await self.streams.open(operation, viewer, request_id, resumed, address_of(request))
        if isinstance(opened, list):
            return sse.refused(opened, request_id)

        async def good() -> bool:
            try:
                return await self._authenticator.viewer(authorization(request.headers)) == viewer
            except Unauthenticated:
                return False

        return sse.EventStream(
            opened, good=good, draining=self._draining, alive=self._pace.alive, request_id=request_id
        )

    async def _traced(
        self, operation: Operation, context: Context, request: Request, request_id: str
    ) -> dict[str, Any]:
        """What is awaited here runs in the request's own context; the flights that it starts take it with them."""
        traced: list[UpstreamRequest] | None = [] if request.headers.get("x-vendgraph-trace") == "1" else None
        counted = Tally()
        trace.set(traced)
        tally.set(counted)
        answer = await self._execute(operation, context, request.method, request_id)
        if traced is not None:
            answer["extensions"] = {"vendgraph": _told(traced, counted)}
        return answer

    async def _answer(self, operation: Operation, context: Context, request_id: str) -> dict[str, Any]:
        return await self._execute(operation, context, "POST", request_id)

    async def _execute(self, operation: Operation, context: Context, method: str, request_id: str) -> dict[str, Any]:
        await self._graph.journal.caught_up()  # a query after a delivery sees it
        try:
            result = await self._schema.execute(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.name,
                allowed_operation_types=ANSWERED if method == "POST" else READS,
            )
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                return errors.refusal(BadInput(SUBSCRIBED))
            raise NotByGet(error.as_http_error_reason(method)) from None
        except CannotGetOperationTypeError as error:
            return errors.refusal(BadInput(error.as_http_error_reason()))
        except MissingQueryError:
            return errors.refusal(BadInput("`query` must be a text that holds an operation"))
        answer: dict[str, Any] = {}
        if result.errors:
            answer["errors"] = errors.formatted(result.errors, request_id, suggestions=self._development)
        if result.data is not None or not _before_execution(result.errors):
            answer["data"] = result.data
        return answer


def _before_execution(found: Any) -> bool:
    """Whether the request failed as a whole, before any field was resolved: then there is no `data` at all."""
    return bool(found) and all(error.path is None for error in found)


def _status(answer: Mapping[str, Any], media: str) -> int:
    """A client of plain JSON takes any other status than 200 for a failure of something that knows no GraphQL."""
    if "data" in answer:
        return 200
    if any(error["extensions"]["code"] == ErrorCode.INTERNAL.value for error in answer["errors"]):
        return 500
    return 200 if media == JSON else 400


def _told(traced: list[UpstreamRequest], counted: Tally) -> dict[str, Any]:
    return {
        "upstreamRequests": [
            {
                "account": request.account,
                "operation": request.operation,
                "status": request.status,
                "milliseconds": round(request.milliseconds, 1),
            }
            for request in traced
        ],
        "cacheHits": counted.hits,
        "cost": None,
    }
