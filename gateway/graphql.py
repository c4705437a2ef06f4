"""GraphQL over HTTP: one operation a request, by POST or GET, answered as GraphQL whatever happens.

https://graphql.github.io/graphql-over-http/draft/"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from strawberry.types.graphql import OperationType

from connectors.http import UpstreamRequest, trace
from domain.errors import BadInput, Unauthenticated, VendgraphError
from gateway import errors
from gateway.auth import Authenticator
from gateway.graphiql import page as graphiql
from resolvers.cache import Tally, tally
from resolvers.context import Context, Graph

log = structlog.get_logger()

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
LARGEST_BODY = 256 * 1024
READS = frozenset({OperationType.QUERY})


@dataclass(frozen=True, slots=True)
class Operation:
    query: str
    variables: dict[str, Any] | None
    name: str | None


class Endpoint:
    def __init__(
        self, schema: strawberry.Schema, graph: Graph, authenticator: Authenticator, *, development: bool
    ) -> None:
        self._schema = schema
        self._graph = graph
        self._authenticator = authenticator
        self._development = development

    async def serve(self, request: Request) -> Response:
        if self._development and request.method == "GET" and _is_browser(request):
            return graphiql()
        media = RESPONSE if RESPONSE in request.headers.get("accept", "") else JSON
        request_id = secrets.token_hex(8)
        try:
            viewer = await self._authenticator.viewer(request.headers.get("authorization"))
            operation = await _operation(request)
        except Unauthenticated as error:
            challenge = {"www-authenticate": "Bearer"}
            return _response(errors.refusal(error), 401, media, request_id, challenge)
        except VendgraphError as error:
            return _response(errors.refusal(error), 400, media, request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id, key=viewer.name):
            traced: list[UpstreamRequest] | None = [] if request.headers.get("x-vendgraph-trace") == "1" else None
            counted = Tally()
            trace.set(traced)  # each request runs in a context of its own
            tally.set(counted)
            context = Context(self._graph, viewer)
            answer = await self._execute(operation, context, request, request_id)
        if traced is not None:
            answer["extensions"] = {"vendgraph": _told(traced, counted)}
        failed = "data" not in answer
        return _response(answer, 400 if failed and media == RESPONSE else 200, media, request_id)

    async def _execute(
        self, operation: Operation, context: Context, request: Request, request_id: str
    ) -> dict[str, Any]:
        try:
            result = await self._schema.execute(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.name,
                allowed_operation_types=READS if request.method == "GET" else None,
            )
        except VendgraphError as error:
            return errors.refusal(error)
        except Exception:
            log.exception("unexpected", request_id=request_id)
            return {"errors": [errors.masked(request_id)]}
        answer: dict[str, Any] = {}
        if result.errors:
            answer["errors"] = errors.formatted(result.errors, request_id)
        if result.data is not None or not _before_execution(result.errors):
            answer["data"] = result.data
        return answer


def _before_execution(found: Any) -> bool:
    """Whether the request failed as a whole, before any field was resolved: then there is no `data` at all."""
    return bool(found) and all(error.path is None for error in found)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _operation(request: Request) -> Operation:
    if request.method == "GET":
        return _read(_from_query(request.query_params))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise BadInput("the body must be JSON: Content-Type: application/json")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise BadInput(f"the body may hold {LARGEST_BODY} bytes, and it is longer")
    except ClientDisconnect:
        raise BadInput("the body ended early") from None
    try:
        return _read(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise BadInput("the body is not JSON") from None


def _from_query(given: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: given[name] for name in ("query", "operationName") if name in given}
    if given.get("variables"):
        try:
            found["variables"] = orjson.loads(given["variables"])
        except orjson.JSONDecodeError:
            raise BadInput("`variables` is not JSON") from None
    return found


def _read(body: Any) -> Operation:
    if not isinstance(body, dict):
        raise BadInput("a JSON object is expected, with `query` and perhaps `variables` and `operationName`")
    query, variables, name = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise BadInput("`query` must be a text that holds an operation")
    if variables is not None and not isinstance(variables, dict):
        raise BadInput("`variables` must be an object")
    if name is not None and not isinstance(name, str):
        raise BadInput("`operationName` must be a text")
    return Operation(query, variables, name)


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


def _response(
    answer: dict[str, Any],
    status: int,
    media: str,
    request_id: str,
    headers: Mapping[str, str] | None = None,
) -> Response:
    content = orjson.dumps(answer, default=str)
    return Response(
        content,
        status,
        media_type=f"{media}; charset=utf-8",
        headers={"x-request-id": request_id, **(headers or {})},
    )
