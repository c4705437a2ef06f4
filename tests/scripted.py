"""Vendors for tests of what stands below the connectors: a scripted application, and a scripted socket."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.base import Account, Secret
from connectors.guard import Guard, Limits, Rate
from connectors.http import Operation, VendorHTTP, table
from domain.model import Vendor

BASE = "https://vendor.test/v1"
CANARY = "canary-4f9d"  # stands in credentials, and must never stand anywhere else
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

OPERATIONS = table(
    Operation(name="list", method="GET", path="/list", documented=True),
    Operation(name="get", method="GET", path="/things/{id}/parts", documented=True),
    Operation(name="read-by-post", method="POST", path="/read", documented=True),
    Operation(name="act", method="POST", path="/act", documented=True, reads=False),
    Operation(name="login", method="POST", path="/login", documented=True),
)

Script = Response | Callable[[Request], Awaitable[Response]]


class Scripted:
    """Gives the answers of `script` in turn, then `usual`; keeps the requests and their bodies."""

    def __init__(self) -> None:
        self.script: list[Script] = []
        self.usual: Script = JSONResponse({"good": True})
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []
        self.arrived = asyncio.Event()
        self.client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(
                app=Starlette(routes=[Route("/{path:path}", self._answer, methods=METHODS)])
            ),
            trust_env=False,
        )

    async def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.bodies.append(await request.body())
        self.arrived.set()
        answer = self.script.pop(0) if self.script else self.usual
        return answer if isinstance(answer, Response) else await answer(request)

    @property
    def paths(self) -> list[str]:
        return [request.url.path.removeprefix("/v1") for request in self.requests]


class Clock:
    """Monotonic seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


def account(**changed: Any) -> Account:
    known: dict[str, Any] = {
        "key": "acme-kiosks",
        "organization": "acme",
        "vendor": Vendor.LIVELLO,
        "name": "Kiosks",
        "base_url": BASE,
        "currency": None,
        "timezone": None,
        "credentials": {"api_key": Secret(CANARY)},
    }
    return Account(**(known | changed))


def guarded(
    *,
    timeout: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
    rates: Sequence[Rate] = (),
    concurrency: int = 64,
) -> Guard:
    """Without jitter."""
    return Guard(
        account="acme-kiosks",
        vendor="livello",
        limits=Limits(timeout_seconds=timeout),
        rates=rates,
        concurrency=concurrency,
        clock=clock,
        random=lambda: 0.0,
    )


def over(client: httpx2.AsyncClient, guard: Guard, **options: Any) -> VendorHTTP:
    defaults: dict[str, Any] = {
        "account": account(),
        "base_url": BASE,
        "operations": OPERATIONS,
        "explain": lambda data: data.get("message") if isinstance(data, dict) else None,
        "headers": {"x-api-key": CANARY},
    }
    return VendorHTTP(client=client, guard=guard, **(defaults | options))


def wire(status: str = "200 OK", body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> bytes:
    """An answer as bytes."""
    fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


Turn = Callable[[asyncio.StreamWriter], Awaitable[None]]


def says(content: bytes) -> Turn:
    async def turn(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return turn


def hangs_up(content: bytes = b"") -> Turn:
    async def turn(writer: asyncio.StreamWriter) -> None:
        await says(content)(writer)
        writer.close()

    return turn


@asynccontextmanager
async def socket(*turns: Turn) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server's address and the heads of its requests. Each request gets the next of `turns`, the last for ever."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                await turns[min(len(heads), len(turns)) - 1](writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
