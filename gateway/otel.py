"""Traces by OpenTelemetry: a span for each operation and each request to a vendor, sent as OTLP over HTTP.

Never a variable, an argument, a document's text or an address. Who calls may join us to a trace of theirs by
`traceparent`; vendors are told nothing of it."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from typing import Any

from graphql import get_operation_ast
from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.base import Connector
from connectors.reaching import Reach
from connectors.upstream import UpstreamRequest
from gateway.admission import Asked
from gateway.collecting import session
from gateway.tracing import Tell, Tracing, TracingSettings

NAME = "vendgraph"
PATH = "/v1/traces"
CALLER = ("traceparent", "tracestate")
LONGEST = 64  # characters of an operation's name
CLOSING_SECONDS = 2.0
TRACE_CONTEXT = TraceContextTextMapPropagator()


class Joined:
    """ASGI middleware: what the caller's headers say of its trace holds for all that is done for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] != "lifespan" else {}
        told = {name: headers[name] for name in CALLER if name in headers}
        token = context.attach(TRACE_CONTEXT.extract(told, context=context.Context()))
        try:
            await self._app(scope, receive, send)
        finally:
            context.detach(token)


class Otel(Tracing):
    def __init__(self, settings: TracingSettings, reach: Reach) -> None:
        endpoint = None if settings.endpoint is None else settings.endpoint.removesuffix(PATH) + PATH
        sampler = None if settings.sampled is None else ParentBased(TraceIdRatioBased(settings.sampled))
        self._provider = TracerProvider(sampler=sampler, resource=_resource(settings), shutdown_on_exit=False)
        guarded = None if endpoint is None or reach is Reach.ANYWHERE else session(reach)
        self._exporter = OTLPSpanExporter(endpoint=endpoint, session=guarded)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer(NAME)

    @cached_property
    def middleware(self) -> Sequence[Middleware]:
        return (Middleware(Joined),)

    @contextmanager
    def operation(self, asked: Asked, request_id: str) -> Iterator[Tell]:
        kind = "" if asked.kind is None else asked.kind.value
        name = _name(asked)
        told = {
            "graphql.operation.type": kind,
            "graphql.operation.name": name,
            "graphql.document.hash": _hash(asked),
            "vendgraph.request_id": request_id,
        }
        with self._tracer.start_as_current_span(
            f"{kind} {name}".strip() or "operation",
            kind=SpanKind.SERVER,
            attributes=told,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield lambda errors: _fail(span, errors)
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def follow(self, connectors: Iterable[Connector]) -> None:
        for connector in connectors:
            connector.guard.listeners.append(self._listener(connector.account.vendor.value))

    def _listener(self, vendor: str) -> Callable[[UpstreamRequest], None]:
        def hear(request: UpstreamRequest) -> None:
            ended = time.time_ns()
            span = self._tracer.start_span(
                f"{vendor} {request.operation}",
                kind=SpanKind.CLIENT,
                start_time=ended - int(request.seconds * 1e9),
                attributes={
                    "vendgraph.account": request.account,
                    "vendgraph.vendor": vendor,
                    "vendgraph.operation": request.operation,
                    "http.response.status_code": request.status or 0,
                },
            )
            if request.status is None or request.status >= 400:
                span.set_status(Status(StatusCode.ERROR))
            span.end(ended)

        return hear

    async def aclose(self) -> None:
        closing = asyncio.create_task(asyncio.to_thread(self._provider.shutdown))
        _, late = await asyncio.wait([closing], timeout=CLOSING_SECONDS)
        if late:
            # A collector that is away is not waited for.
            await asyncio.to_thread(self._exporter.shutdown)
        await closing


def _resource(settings: TracingSettings) -> Resource:
    """`OTEL_SERVICE_NAME` goes before our own name, and the configuration before that."""
    told = Resource.create()
    unknown = str(told.attributes.get(SERVICE_NAME, "")).startswith("unknown_service")
    name = settings.service or (NAME if unknown else None)
    return told if name is None else told.merge(Resource({SERVICE_NAME: name}))


def _name(asked: Asked) -> str:
    node = asked.document.node
    operation = None if node is None else get_operation_ast(node, asked.name)
    return operation.name.value[:LONGEST] if operation is not None and operation.name is not None else ""


def _hash(asked: Asked) -> str:
    node = asked.document.node
    return "" if node is None or node.loc is None else sha256(node.loc.source.body.encode(errors="replace")).hexdigest()


def _fail(span: Span, errors: Sequence[Mapping[str, Any]]) -> None:
    codes = sorted({error["extensions"]["code"] for error in errors})
    if codes:
        span.set_attribute("vendgraph.errors", codes)
        span.set_status(Status(StatusCode.ERROR))
