"""Who is told by webhook: an address on a real socket that answers as it is told to, and keeps what came."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.server import start

WAITING_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Came:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """Answers with each of `statuses` in turn, and then with 200."""

    base: str = ""
    statuses: list[int] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)

    def wait_for(self, count: int) -> None:
        """Returns when so many have come."""
        ends = time.monotonic() + WAITING_SECONDS
        while len(self.came) < count:
            assert time.monotonic() < ends, f"{len(self.came)} of {count} came"
            time.sleep(0.005)

    async def receive(self, request: Request) -> Response:
        self.came.append(Came(request.url.path, dict(request.headers), await request.body()))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/{path:path}", receiver.receive, methods=["POST"])])
    with start(app) as server:
        receiver.base = server.base
        yield receiver


async def until(true: Callable[[], bool]) -> None:
    """Returns when it has become true."""
    async with asyncio.timeout(WAITING_SECONDS):
        while not true():  # noqa: ASYNC110  it becomes true in another thread
            await asyncio.sleep(0.005)
