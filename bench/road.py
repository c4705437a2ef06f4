"""What each step on the road of a request costs, in this process and over real ASGI messages: microseconds of CPU.

Each row calls what a request calls: the application as a whole, or one step of the short road by itself. The rows go by
turns, so that a machine that drifts drifts for all of them."""

import argparse
import asyncio
import gc
import logging
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import orjson
import structlog
from graphql import execute
from starlette.applications import Starlette
from starlette.types import Message, Scope

from bench import pages
from bench.pages import table
from bench.processes import VIEWER, config_text
from bench.queries import SLOTS
from compiled import Keeper
from gateway import executing, road
from gateway.admission import Asked
from gateway.app import create_app
from gateway.auth import text_of
from gateway.graphql import Endpoint
from gateway.jsons import loads
from gateway.repeating import written
from gateway.requests import operation_of
from gateway.settings import load
from resolvers.context import Context
from sandbox.app import create_app as create_sandbox
from sandbox.server import start
from sandbox.world import World

BEGIN, END = "<!-- the last run of the road -->", "<!-- the end of the last run of the road -->"
KEY = "vg_bench_road"
ADDRESS = "127.0.0.1"
FOREVER = 3600.0
ONE = "{ machines(first: 1, filter: { vendors: [LIVELLO] }) { nodes { id } } }"
QUERY = f"query One($id: ID!) {{ machine(id: $id) {{ name connectivity {SLOTS} }} }}"
NAMED = {"persistedQuery": {"version": 1, "sha256Hash": sha256(QUERY.encode()).hexdigest()}}
WARMED = 4  # times: loaded, kept, noted, and one more
ROUNDS = 15
SECONDS = 0.01  # of a row in a round, or so
LONG = ((b"traceparent", b"00-11111111111111111111111111111111-2222222222222222-01"),)  # as tracing proxies send it

Row = Callable[[], Awaitable[object]]
SHORT_POST, SHORT_GET = "POST, the short road", "GET by name, the short road"
UNREAD = "POST, the same bytes again, not read"
LONG_POST, LONG_GET = "POST, the long road, the answer kept", "GET by name, the long road, the answer kept"
REST = "Starlette's own layer before it, calls, the request itself"
ANEW_POST, ANEW_GET = "POST, the short road, the answer made anew", "GET by name, the short road, the answer made anew"
LONG_ANEW_POST = "POST, the long road, the answer made anew"
LONG_ANEW_GET = "GET by name, the long road, the answer made anew"
COMPILED, CORE = "the compiled operation alone", "graphql-core alone, the same resolvers"


@dataclass(slots=True)
class Answer:
    messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def body(self) -> bytes:
        return b"".join(one.get("body", b"") for one in self.messages[1:])


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, as the server tells it: each time anew, for whoever handles it writes into it."""

    body: bytes = b""
    query: bytes = b""
    more: tuple[tuple[bytes, bytes], ...] = ()

    def scope(self) -> Scope:
        told = ((b"content-type", b"application/json"),) if self.body else ()
        own = ((b"host", b"localhost"), (b"accept", b"*/*"), (b"authorization", f"Bearer {KEY}".encode()))
        return {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "method": "POST" if self.body else "GET",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "root_path": "",
            "query_string": self.query,
            "headers": [*own, *told, *self.more],
            "client": (ADDRESS, 1),
            "server": (ADDRESS, 80),
        }

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def through(self, app: Starlette) -> Answer:
        answer = Answer()
        await app(self.scope(), self.receive, answer.send)
        return answer


@dataclass(frozen=True, slots=True)
class Bench:
    """A gateway that has answered, and the requests: `naming` gives the document its name."""

    app: Starlette
    endpoint: Endpoint
    naming: Sent
    post: Sent
    get: Sent

    @property
    def road(self) -> road.Road:
        found: road.Road = self.app.state.road
        return found

    def asked(self, sent: Sent) -> Asked:
        """What is known of a request that came before."""
        found = self.road.asked(sent.body or road.GET + sent.query)
        assert found is not None
        return found


def requests_for(machine: str) -> tuple[Sent, Sent, Sent]:
    variables = {"id": machine}
    told = {"variables": orjson.dumps(variables), "extensions": orjson.dumps(NAMED)}
    return (
        Sent(orjson.dumps({"query": QUERY, "variables": variables, "extensions": NAMED})),
        Sent(orjson.dumps({"query": QUERY, "variables": variables})),
        Sent(query=urlencode(told).encode()),
    )


@asynccontextmanager
async def running(scale: float = 0.1) -> AsyncIterator[Bench]:
    """In this process, over a sandbox in another thread, whose processor time is not counted."""
    with start(create_sandbox(World(scale=scale, days=10))) as vendors, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vendgraph.toml"
        text = config_text(vendors.base, "http://127.0.0.1:8000", KEY, Path(folder), FOREVER, None, VIEWER)
        file.write_text(text, encoding="utf-8")
        app = create_app(load(file))
        endpoint = app.state.road.endpoint
        async with app.router.lifespan_context(app):
            found = orjson.loads((await Sent(orjson.dumps({"query": ONE})).through(app)).body)
            bench = Bench(app, endpoint, *requests_for(found["data"]["machines"]["nodes"][0]["id"]))
            for sent in (bench.naming, *[bench.post, bench.get] * WARMED):
                answer = await sent.through(app)
                if answer.status != 200 or b'"errors"' in answer.body:
                    raise RuntimeError(f"that is no answer: {answer.body.decode()}")
            yield bench


def wholes(bench: Bench) -> Mapping[str, Row]:
    """Requests from end to end, and what executes one of which nothing is kept."""
    app, execution = bench.app, bench.endpoint.execution
    post, get = Sent(bench.post.body, more=LONG), Sent(query=bench.get.query, more=LONG)
    asked, viewer = bench.asked(bench.post), bench.endpoint._authenticator.at_once(f"Bearer {KEY}", ADDRESS)
    assert viewer is not None
    node, operation = asked.document.node, asked.document.compiled(execution._compiler, asked.name)
    assert node is not None
    assert operation is not None

    def context() -> Context:
        return Context(bench.endpoint._graph, viewer)

    def anew(sent: Sent) -> Row:
        async def row() -> Answer:
            kept, execution.kept = execution.kept, Keeper(0)
            try:
                return await sent.through(app)
            finally:
                execution.kept = kept

        return row

    async def by_core() -> object:
        found = execute(execution._schema, node, context_value=context(), variable_values=asked.variables)
        return await found if isinstance(found, Awaitable) else found

    return {
        UNREAD: of(unread(bench)),
        SHORT_POST: lambda: bench.post.through(app),
        SHORT_GET: lambda: bench.get.through(app),
        LONG_POST: lambda: post.through(app),
        LONG_GET: lambda: get.through(app),
        ANEW_POST: anew(bench.post),
        ANEW_GET: anew(bench.get),
        LONG_ANEW_POST: anew(post),
        LONG_ANEW_GET: anew(get),
        COMPILED: lambda: operation.execute(context(), asked.variables),
        CORE: by_core,
    }


def unread(bench: Bench) -> Callable[[], bytes]:
    """All of it, but for the socket: the other rows have neither HTTP's lines read nor written."""
    whole = (ADDRESS, b"POST /graphql HTTP/1.1" + bytes(400) + bench.post.body)
    caller = bench.road.caller(bench.post.scope())
    assert caller is not None
    bench.road.learn_whole(whole, bench.asked(bench.post), caller)

    def row() -> bytes:
        answer = bench.road.answer_whole((ADDRESS, bytes(bytearray(whole[1]))))  # a new one each time, as they come
        assert answer is not None
        return written(answer, [])

    return row


def steps(bench: Bench, sent: Sent) -> Mapping[str, Row]:
    """Of the short road, in the order in which they are taken."""
    endpoint, scope = bench.endpoint, sent.scope()
    execution, admission, authenticator = endpoint.execution, endpoint._admission, endpoint._authenticator
    asked, viewer = bench.asked(sent), authenticator.at_once(f"Bearer {KEY}", ADDRESS)
    assert viewer is not None
    operation = asked.document.compiled(execution._compiler, None)
    assert operation is not None
    key = executing._key(operation, asked, viewer)
    kept = execution.kept.find(key)
    assert kept is not None
    caller = bench.road.caller(scope)
    assert caller is not None

    async def received() -> object:
        first = await sent.receive()
        return road._body(first), road._again(first, sent.receive)

    def found() -> object:
        told = asked.document.compiled(execution._compiler, asked.name)
        return told and executing._key(told, asked, viewer)

    async def written() -> Answer:
        told, answer = road._of_kept(caller, kept, admission.headers(viewer)), Answer()
        await answer.send({"type": "http.response.start", "status": told.status, "headers": told.headers})
        await answer.send({"type": "http.response.body", "body": told.body})
        return answer

    return {
        "its headers are looked at": of(lambda: bench.road.caller(scope)),
        **({"its body is received": received} if sent.body else {}),
        "what it asks for is known, by its bytes": of(lambda: bench.asked(sent)),
        "the caller is known, by the key": of(lambda: authenticator.at_once(text_of(caller.authorization), ADDRESS)),
        "there is room, and the journal is caught up": of(
            lambda: (
                endpoint.capacity.lag.shedding
                or not endpoint._graph.journal.is_caught_up
                or endpoint.capacity.operations_of.has_room(viewer.name)
            )
        ),
        "the compiled operation, and what its answer is kept by": of(found),
        "the kept answer is found, and all it was made of stands": of(lambda: execution.kept.find(key)),
        "its price is taken from the key's budget, and the rest given back": of(
            lambda: admission.charge(asked, viewer).settle(kept.objects, 0)
        ),
        "headers, and the write": written,
    }


def spared(bench: Bench) -> Mapping[str, Row]:
    """What it need not do, for the bytes of a request that was read before say it."""
    body, admission = bench.post.body, bench.endpoint._admission
    operation = operation_of(loads(body))
    return {
        "its JSON is parsed, and read as an operation": of(lambda: operation_of(loads(body))),
        "the document is found by its text": lambda: admission._documents.read(admission._texts.find(operation)),
    }


def of(call: Callable[[], object]) -> Row:
    async def row() -> object:
        return call()

    return row


async def measured(rows: Mapping[str, Row]) -> Mapping[str, float]:
    """Medians over the rounds, in microseconds of this thread's CPU."""
    took: dict[str, list[float]] = {name: [] for name in rows}
    counts = {name: await _count(row) for name, row in rows.items()}
    gc.collect()
    for _ in range(ROUNDS):
        for name, row in rows.items():
            took[name].append(await _microseconds(row, counts[name]))
    return {name: statistics.median(found) for name, found in took.items()}


async def _count(row: Row) -> int:
    """How many fill a round."""
    return max(1, int(SECONDS * 1_000_000 / max(0.1, await _microseconds(row, 20))))


async def _microseconds(row: Row, count: int) -> float:
    before = time.thread_time_ns()
    for _ in range(count):
        await row()
    return (time.thread_time_ns() - before) / count / 1_000


async def tables() -> str:
    async with running() as bench:
        by_post, by_get = steps(bench, bench.post), steps(bench, bench.get)
        beside = spared(bench)
        rows = {**wholes(bench), **beside}
        rows |= {f"{SHORT_POST}: {name}": row for name, row in by_post.items()}
        rows |= {f"{SHORT_GET}: {name}": row for name, row in by_get.items()}
        took = await measured(rows)
    return f"{_wholes(took)}\n\n{_steps(took, [*by_post], [*beside])}"


def _wholes(took: Mapping[str, float]) -> str:
    kept = (UNREAD, SHORT_POST, SHORT_GET, LONG_POST, LONG_GET)
    names = (*kept, ANEW_POST, ANEW_GET, LONG_ANEW_POST, LONG_ANEW_GET, COMPILED, CORE)
    rows = [(name, f"{took[name]:.1f}", f"{took[name] / took[SHORT_POST]:.1f}") for name in names]
    return table(("one machine with slots and products", "CPU µs", "of the short road"), rows)


def _steps(took: Mapping[str, float], names: Sequence[str], spared_: Sequence[str]) -> str:
    def cells(whole: str, name: str) -> tuple[str, str]:
        step = took.get(f"{whole}: {name}")
        return ("", "") if step is None else (f"{step:.2f}", f"{100 * step / took[whole]:.0f} %")

    rows = [(name, *cells(SHORT_POST, name), *cells(SHORT_GET, name)) for name in names]
    rest = [took[whole] - sum(took.get(f"{whole}: {name}", 0.0) for name in names) for whole in (SHORT_POST, SHORT_GET)]
    shares = [f"{100 * one / took[whole]:.0f} %" for one, whole in zip(rest, (SHORT_POST, SHORT_GET), strict=True)]
    rows.append((REST, f"{rest[0]:.2f}", shares[0], f"{rest[1]:.2f}", shares[1]))
    told = table(("a step of the short road", "POST µs", "of it", "GET µs", "of it"), rows)
    beside = table(("what the short road spares", "CPU µs"), [(name, f"{took[name]:.2f}") for name in spared_])
    return f"{told}\n\n{beside}"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.road", description=__doc__)
    pages.takes_a_page(asked)
    page: Path | None = asked.parse_args().write
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    pages.show(f"{pages.run_here()}\n\n{asyncio.run(tables())}", page, BEGIN, END)


if __name__ == "__main__":
    main()
