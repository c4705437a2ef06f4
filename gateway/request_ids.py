"""An id for each request, the caller's where it is a sane one: answered, in each line of the log, in the audit log.

Of a request that is refused one line is logged: never its address or body, which may hold a secret."""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

log = structlog.get_logger()

HEADER = "x-request-id"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
NOTED = "vendgraph"  # in the scope: what is known of the request
ASKED = "asked"  # there, when the short road may answer its like: what was asked
LOGGED = ("/graphql", "/exports")  # what else there is has lines of its own, or none
ELSEWHERE = "elsewhere"
LINE = frozenset({"key", "code"})


def new_id() -> str:
    return secrets.token_hex(8)


def request_id(scope: Scope) -> str:
    """The same, however often it is asked for."""
    known = _noted(scope)
    if "request_id" not in known:
        told = Headers(scope=scope).get(HEADER, "")
        known["request_id"] = told if SANE.fullmatch(told) else new_id()
    found: str = known["request_id"]
    return found


def note(scope: Scope, **facts: Any) -> None:
    """For the line of a request that is refused: its `key`, and the `code` of why. For its like: what it `asked`."""
    _noted(scope).update(facts)


def noted(scope: Scope) -> Mapping[str, Any]:
    """What was noted of a request."""
    return _noted(scope)


def _noted(scope: Scope) -> dict[str, Any]:
    found: dict[str, Any] = scope.setdefault(NOTED, {})
    return found


@contextmanager
def bound(**facts: str) -> Iterator[None]:
    """For each line of the log. structlog's own looks through all that is bound, each time."""
    tokens = bind_contextvars(**facts)
    try:
        yield
    finally:
        reset_contextvars(**tokens)


class RequestIds:
    """ASGI middleware, before all others. Who has left before there was an answer was not refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id_ = request_id(scope)
        status, gone = 0, False

        async def heard() -> Message:
            nonlocal gone
            message = await receive()
            gone = gone or (status == 0 and message["type"] == "http.disconnect")
            return message

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = id_
            await send(message)

        with bound(request_id=id_):
            await self._app(scope, heard, named)
            if not gone:
                tell_if_refused(scope, status)


def tell_if_refused(scope: Scope, status: int) -> None:
    """What is unexpected was told when it was raised."""
    if status != 500 and (status >= 400 or "code" in _noted(scope)):
        tell_refused(scope, status)


def tell_refused(scope: Scope, status: int) -> None:
    """Deliveries that are refused are counted instead: whoever sends them sends them again."""
    path = scope["path"]
    route = next((one for one in LOGGED if path == one or path.startswith(f"{one}/")), ELSEWHERE)
    if path.startswith("/webhooks/"):
        return
    facts = {name: value for name, value in _noted(scope).items() if name in LINE}
    client = scope.get("client")
    address = client[0] if client else None
    log.info("refused", method=scope.get("method", "GET")[:16], route=route, status=status, address=address, **facts)
