"""Breaks a vendor on request, in the ways in which vendors break."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.drifting import drifted

Kind = Literal[
    "status", "delay", "hang_before", "hang_after", "junk", "html", "truncate", "trickle", "reset", "redirect",
    "empty", "deep", "huge", "drift",
]  # fmt: skip
KINDS = get_args(Kind)
HANGING_SECONDS = 120.0
KEPT_REQUESTS = 50_000
BODIES: dict[str, tuple[str, bytes]] = {
    "junk": ("application/json", b'{"items": [{"id": '),
    "html": ("text/html", b"<!doctype html><title>Sign in</title><p>Please sign in to the network."),
    "empty": ("application/json", b""),
    "deep": ("application/json", b'{"a":' * 500 + b"1" + b"}" * 500),
}


@dataclass(slots=True)
class Fault:
    """`operation` is a part of the path; `method` is empty for all; `times` how often it strikes, None until it is
    cleared. `sets` and `drops`: what drifts of an answer, see `sandbox.drifting`."""

    vendor: str
    kind: Kind
    operation: str = ""
    method: str = ""
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = HANGING_SECONDS
    times: int | None = None
    sets: dict[str, Any] = field(default_factory=dict)
    drops: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Logged:
    vendor: str
    method: str
    path: str
    status: int | None
    at: float


class Controls:
    """What is broken, how slow the vendors are, and what was asked of them."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.latency: dict[str, float] = {}
        self.requests: deque[Logged] = deque(maxlen=KEPT_REQUESTS)

    def strike(self, vendor: str, path: str, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.vendor == vendor and fault.operation in path and fault.method in ("", method):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None


class _Asked:
    """A request, logged once: before its caller can know that it is over."""

    def __init__(self, controls: Controls, vendor: str, scope: Scope) -> None:
        self.status: int | None = None
        self._log: deque[Logged] | None = controls.requests
        self._vendor = vendor
        self._scope = scope

    def log(self) -> None:
        if self._log is not None:
            asked = self._scope
            self._log.append(Logged(self._vendor, asked["method"], asked["path"], self.status, time.time()))
            self._log = None


class Breaking:
    """Around one vendor's application: logs each request, waits, and breaks what is to be broken."""

    def __init__(self, app: ASGIApp, vendor: str, controls: Controls) -> None:
        self._app = app
        self._vendor = vendor
        self._controls = controls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = _Asked(self._controls, self._vendor, scope)

        async def logged(message: Message) -> None:
            if message["type"] == "http.response.start":
                asked.status = message["status"]
            elif not message.get("more_body", False):
                asked.log()
            await send(message)

        fault = self._controls.strike(self._vendor, scope["path"], scope["method"])
        try:
            await asyncio.sleep(self._controls.latency.get(self._vendor, 0.0))
            if fault is None:
                await self._app(scope, receive, logged)
            else:
                await self._break(fault, {**scope, "asked": asked}, receive, logged)
        finally:
            asked.log()

    async def _break(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
        elif fault.kind in ("hang_before", "hang_after"):
            if fault.kind == "hang_after":
                await self._app(scope, receive, _nowhere)
            if not await _gone(receive, fault.seconds):
                await _cut(scope, receive, "close")
        elif fault.kind == "reset":
            await _cut(scope, receive, "reset")
        elif fault.kind in ("truncate", "trickle"):
            await self._spoil(fault, scope, receive, send)
        elif fault.kind == "drift":
            await self._drift(fault, scope, receive, send)
        elif fault.kind == "huge":
            await _answer(send, 200, "application/json", b'"' + b"x" * (9 * 1024 * 1024) + b'"', {})
        elif fault.kind in BODIES:
            media, body = BODIES[fault.kind]
            await _answer(send, 200, media, body, fault.headers)
        else:
            status = 302 if fault.kind == "redirect" else fault.status
            headers = {"location": "http://127.0.0.1:9/"} if fault.kind == "redirect" else fault.headers
            await _answer(send, status, "application/json", b'{"message":"broken on request"}', headers)

    async def _drift(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """The real answer, but for what was to be changed; an error stays what it is."""
        begun, body = await self._real(scope, receive)
        if begun["status"] < 300 and body:
            body = json.dumps(drifted(json.loads(body), fault.sets, fault.drops)).encode()
        headers = [(name, value) for name, value in begun["headers"] if name.lower() != b"content-length"]
        await send({**begun, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    async def _real(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, keep)
        return sent[0], b"".join(message.get("body", b"") for message in sent)

    async def _spoil(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """The real answer: half of it, or all of it a byte at a time."""
        begun, body = await self._real(scope, receive)
        await send(begun)
        if fault.kind == "truncate":
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await _cut(scope, receive, "close")
            return
        for at in range(len(body)):
            await send({"type": "http.response.body", "body": body[at : at + 1], "more_body": True})
            if await _gone(receive, fault.seconds / len(body)):
                return
        await send({"type": "http.response.body", "body": b""})


async def _nowhere(_: Message) -> None:
    return


async def _answer(send: Send, status: int, media: str, body: bytes, headers: dict[str, str]) -> None:
    told = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    told += [(b"content-type", media.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": body})


class Cut(Exception):
    """Ends a request where the server gives no way to end its connection."""


async def _cut(scope: Scope, receive: Receive, how: str) -> None:
    """`how`: close, which lets what was said arrive, or reset. See `sandbox.server.Cuttable`."""
    if how not in scope.get("state", {}):
        raise Cut(scope["path"])
    scope["asked"].log()
    scope["state"][how]()
    await _gone(receive, HANGING_SECONDS)


async def _gone(receive: Receive, seconds: float) -> bool:
    """Waits so long, or until the caller has hung up."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return False
    return True


def read_fault(given: Any, vendors: list[str]) -> Fault:
    """Raises ValueError for what is no fault."""
    if not isinstance(given, dict) or given.get("vendor") not in vendors:
        raise ValueError(f"`vendor` must be one of {', '.join(vendors)}")
    if given.get("kind") not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}")
    unknown = given.keys() - Fault.__dataclass_fields__.keys()
    if unknown:
        raise ValueError(f"there is no {', '.join(sorted(unknown))} in a fault")
    return Fault(**{key: value for key, value in given.items() if value is not None})
