"""Sales as one stream of any length: `GET /exports/sales.ndjson` and `GET /exports/sales.csv`.

What is wrong before it begins is told as the graph tells it; what a vendor fails to tell later, in the stream."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.errors import Conflict, RateLimited, Unauthenticated, VendgraphError
from domain.exports import ExportFormat, ExportState
from gateway import errors
from gateway.accept import JSON
from gateway.answers import response
from gateway.auth import Authenticator, authorization
from gateway.export_asked import Asked, read
from gateway.export_formats import WRITERS, Writer
from gateway.export_stream import ExportStream
from gateway.guessing import TooManyGuesses
from gateway.request_ids import note, request_id
from gateway.requests import address_of
from gateway.streams import Pace
from resolvers.context import Context, Graph
from resolvers.exporting import Export, new_id
from resolvers.exports import Known, Sales, prepared
from resolvers.privacy import permitted

log = structlog.get_logger()

RETRY_SECONDS = 10
STATUSES: Mapping[type[VendgraphError], int] = {
    Unauthenticated: 401,
    Conflict: 409,
    RateLimited: 429,
    TooManyGuesses: 429,
}
HEADERS: Mapping[type[VendgraphError], Mapping[str, str]] = {
    Unauthenticated: {"www-authenticate": "Bearer"},
    RateLimited: {"retry-after": str(RETRY_SECONDS)},
}


class Exports:
    def __init__(self, graph: Graph, authenticator: Authenticator, draining: asyncio.Event, pace: Pace) -> None:
        self._graph = graph
        self._authenticator = authenticator
        self._draining = draining
        self._pace = pace

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/exports/sales.ndjson", self._ndjson, methods=["GET"]),
            Route("/exports/sales.csv", self._csv, methods=["GET"]),
        ]

    async def _ndjson(self, request: Request) -> Response:
        return await self._serve(request, ExportFormat.NDJSON)

    async def _csv(self, request: Request) -> Response:
        return await self._serve(request, ExportFormat.CSV)

    async def _serve(self, request: Request, wanted: ExportFormat) -> Response:
        id_ = request_id(request.scope)
        told = {"x-request-id": id_}
        try:
            found = await self._begun(request, wanted, id_)
        except VendgraphError as error:
            note(request.scope, code=error.code.value)
            refusal = errors.refusal(error)
            headers = {**HEADERS.get(type(error), {}), **_again(refusal), **told}
            return response(refusal, STATUSES.get(type(error), 400), JSON, headers)
        except Exception:
            log.exception("unexpected", request_id=id_)
            return response({"errors": [errors.masked(id_)]}, 500, JSON, told)
        found.headers.update(told)
        return found

    async def _begun(self, request: Request, wanted: ExportFormat, request_id: str) -> Response:
        """Raises VendgraphError."""
        viewer = await self._authenticator.viewer(authorization(request.headers), address_of(request))
        asked = read(request.query_params)
        context = Context(self._graph, viewer, address=address_of(request), request_id=request_id)
        if request.method == "HEAD":
            return await self._head(context, wanted, asked)
        export = self._graph.exports.begin(viewer, asked.id)
        try:
            sales = await prepared(context, asked.filter)
            known = await sales.known()
        except BaseException:
            self._graph.exports.end(viewer, asked.id, ExportState.BROKEN)
            raise
        export.expect(known.known, known.total)
        return self._stream(request, context, asked, sales, export, WRITERS[wanted], _headers(wanted, asked.id, known))

    async def _head(self, context: Context, wanted: ExportFormat, asked: Asked) -> Response:
        """Counts, which is work too, and so has a place among the exports for as long. Raises RateLimited."""
        passing = new_id()
        self._graph.exports.begin(context.viewer, passing)
        try:
            known = await (await prepared(context, asked.filter)).known()
        finally:
            self._graph.exports.end(context.viewer, passing, ExportState.DONE)
        found = Response(headers=_headers(wanted, asked.id, known))
        del found.headers["content-length"]
        return found

    def _stream(
        self,
        request: Request,
        context: Context,
        asked: Asked,
        sales: Sales,
        export: Export,
        write: type[Writer],
        headers: Mapping[str, str],
    ) -> Response:
        viewer, exports = context.viewer, self._graph.exports

        async def good() -> bool:
            try:
                return await self._authenticator.viewer(authorization(request.headers), address_of(request)) == viewer
            except Unauthenticated:
                return False

        async def writer() -> Writer:
            return write(await sales.names(), personal=permitted(context))

        def ended(state: ExportState) -> None:
            exports.end(viewer, asked.id, state)
            log.info("exported", key=viewer.name, state=state.value, sales=export.sales)

        return ExportStream(
            sales,
            writer,
            export,
            good=good,
            draining=self._draining,
            alive=self._pace.alive,
            ended=ended,
            headers=headers,
        )


def _again(refusal: Mapping[str, Any]) -> Mapping[str, str]:
    seconds = refusal["errors"][0]["extensions"].get("retryAfterSeconds")
    return {} if seconds is None else {"retry-after": str(seconds)}


def _headers(wanted: ExportFormat, id_: str, known: Known) -> Mapping[str, str]:
    counts = {"vendgraph-sales-known": known.known, "vendgraph-sales-total": known.total}
    return {
        "content-type": WRITERS[wanted].media,
        "content-disposition": f'attachment; filename="sales.{wanted.value.lower()}"',
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "vendgraph-export-id": id_,
        **{name: str(count) for name, count in counts.items() if count is not None},
    }
