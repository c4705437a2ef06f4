"""Spans as a collector gets them: OTLP over HTTP, decoded from what came over the wire."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.tracing import Tracing, TracingSettings, tracing_of
from tests.following import SALES, Socket
from tests.processes import environment
from tests.running import Gateway, Sandbox, running_gateway

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
CANARY = "canary-8d21"
WAIT_SECONDS = 20.0
MACHINES = "query Fleet($id: ID!) { machines(filter: {vendors: [LIVELLO]}) { totalCount } node(id: $id) { id } }"


@dataclass(slots=True)
class Collector:
    """Takes what exporters send, as a collector would. `raw`: the bodies."""

    base: str = ""
    raw: list[bytes] = field(default_factory=list)

    def take(self, path: str, body: bytes) -> int:
        if path != "/v1/traces":
            return 404
        self.raw.append(body)
        return 200

    @property
    def services(self) -> set[str]:
        resources = (
            one.resource for raw in self.raw for one in ExportTraceServiceRequest.FromString(raw).resource_spans
        )
        return {told.value.string_value for one in resources for told in one.attributes if told.key == "service.name"}

    @property
    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(raw) for raw in list(self.raw)]
        scopes = (scope for one in requests for resource in one.resource_spans for scope in resource.scope_spans)
        return [span for scope in scopes for span in scope.spans]

    def wait_for(self, name: str, suits: Callable[[Span], bool] = lambda _: True) -> Span:
        ends = time.monotonic() + WAIT_SECONDS
        while True:
            for span in self.spans:
                if span.name == name and suits(span):
                    return span
            assert time.monotonic() < ends, (name, {span.name for span in self.spans})
            time.sleep(0.02)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(collector.take(self.path, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.base = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield collector
        server.shutdown()


@pytest.fixture(scope="module")
def traced(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Collector]]:
    with collecting() as collector, pytest.MonkeyPatch.context() as patched:
        patched.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        more = f'\n[tracing]\nenabled = true\nendpoint = "{collector.base}"\n'
        with running_gateway(shared_sandbox, tmp_path_factory.mktemp("traced"), more=more) as gateway:
            yield gateway, collector


def told(span: Span) -> dict[str, Any]:
    found = {}
    for one in span.attributes:
        kind = one.value.WhichOneof("value")
        value = getattr(one.value, kind)
        found[one.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return found


def named(request_id: str) -> Callable[[Span], bool]:
    return lambda span: bool(told(span).get("vendgraph.request_id") == request_id)


def test_an_operation_is_a_span_of_the_callers_trace_and_its_requests_are_within_it(
    traced: tuple[Gateway, Collector], shared_sandbox: Sandbox
) -> None:
    gateway, collector = traced
    shared_sandbox.forget_requests()
    headers = {"traceparent": PARENT, "tracestate": "x=1", "x-request-id": "mine-1"}
    answer = gateway.post(MACHINES, {"id": CANARY}, **headers)
    assert answer.headers["x-request-id"] == "mine-1"
    operation = collector.wait_for("query Fleet", named("mine-1"))
    assert (operation.trace_id.hex(), operation.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)
    about = told(operation)
    assert (about["graphql.operation.type"], about["graphql.operation.name"]) == ("query", "Fleet")
    assert len(about["graphql.document.hash"]) == 64
    request = collector.wait_for("livello list-kiosks")
    assert request.trace_id == operation.trace_id
    assert request.parent_span_id == operation.span_id
    assert operation.start_time_unix_nano <= request.end_time_unix_nano
    assert told(request) == {
        "vendgraph.account": "acme-kiosks",
        "vendgraph.vendor": "livello",
        "vendgraph.operation": "list-kiosks",
        "http.response.status_code": 200,
    }
    assert collector.services == {"vendgraph"}


def test_nothing_that_was_sent_or_is_secret_is_in_a_span(traced: tuple[Gateway, Collector]) -> None:
    gateway, collector = traced
    gateway.post(MACHINES, {"id": CANARY}, **{"x-request-id": "mine-2"})
    collector.wait_for("query Fleet", named("mine-2"))
    for raw in collector.raw:
        for secret in (CANARY, gateway.key, "totalCount", "Bearer", "127.0.0.1"):
            assert secret.encode() not in raw.replace(b"telemetry.sdk", b"")


def test_vendors_are_told_nothing_of_the_trace(
    traced: tuple[Gateway, Collector], shared_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, collector = traced
    seen = list[dict[str, str]]()
    app = shared_sandbox.app
    inner = app.middleware_stack

    async def watching(scope: Any, receive: Any, send: Any) -> None:
        seen.append({name.decode(): value.decode() for name, value in scope.get("headers", ())})
        await inner(scope, receive, send)

    monkeypatch.setattr(app, "middleware_stack", watching)
    query = "query Kinds { products(filter: {vendors: [VENDNOVATION]}) { totalCount } }"
    gateway.post(query, None, **{"traceparent": PARENT, "x-request-id": "mine-3"})
    collector.wait_for("query Kinds", named("mine-3"))
    assert seen
    for headers in seen:
        assert not {"traceparent", "tracestate", "baggage", "x-request-id"} & set(headers)
        assert TRACE_ID not in json.dumps(headers)


def test_an_operation_without_a_trace_begins_one_and_tells_the_codes_of_its_errors(
    traced: tuple[Gateway, Collector],
) -> None:
    gateway, collector = traced
    gateway.post('query Lost { machines(first: 1, after: "x") { totalCount } }', None, **{"x-request-id": "mine-4"})
    lost = collector.wait_for("query Lost", named("mine-4"))
    assert (lost.parent_span_id, told(lost)["vendgraph.errors"]) == (b"", ["BAD_INPUT"])
    assert lost.status.code == 2
    gateway.post("query Next { viewer { name } }", None, **{"x-request-id": "mine-5", "traceparent": "00-nonsense"})
    following = collector.wait_for("query Next", named("mine-5"))
    assert following.parent_span_id == b""
    assert following.trace_id != lost.trace_id


async def test_a_subscription_is_a_span_of_its_opening(traced: tuple[Gateway, Collector]) -> None:
    gateway, collector = traced
    async with Socket(gateway, additional_headers={"traceparent": PARENT}) as socket:
        await socket.subscribe(SALES)
        assert await socket.quiet()
        span = collector.wait_for("subscription Sales")
        assert span.trace_id.hex() == TRACE_ID


def test_what_is_left_is_sent_at_the_end(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with collecting() as collector, pytest.MonkeyPatch.context() as patched:
        patched.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
        patched.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.base)
        patched.setenv("OTEL_SERVICE_NAME", "another-name")
        with running_gateway(shared_sandbox, tmp_path, more="\n[tracing]\nenabled = true\n") as gateway:
            gateway.post("query Last { viewer { name } }")
            assert collector.spans == []
        assert "query Last" in {span.name for span in collector.spans}
        assert collector.services == {"another-name"}


def test_a_collector_that_is_away_keeps_nobody_waiting(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    more = '\n[tracing]\nenabled = true\nendpoint = "http://127.0.0.1:9"\n'
    with running_gateway(shared_sandbox, tmp_path, more=more) as gateway:
        assert gateway.ask("{ viewer { name } }")


def run(code: str) -> str:
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment(), check=True
    )
    return done.stdout.strip()


def test_nothing_of_it_is_imported_where_it_is_turned_off() -> None:
    """The client of Redis looks for another part of it by itself."""
    ours = ("gateway.otel", "opentelemetry.sdk.trace", "opentelemetry.exporter")
    code = f"import sys, gateway.cli; print([one for one in sys.modules if one.startswith({ours})])"
    assert run(code) == "[]"
    assert type(tracing_of(TracingSettings())) is Tracing


def test_without_the_extra_turning_it_on_is_refused_with_what_to_do() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from gateway.tracing import TracingError, TracingSettings, tracing_of\n"
        "try: tracing_of(TracingSettings(enabled=True))\n"
        "except TracingError as error: print(error)"
    )
    assert run(code) == "tracing needs the extra: pip install 'vendgraph[otel]'"
