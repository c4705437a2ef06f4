"""The short road: a request that was answered before, of a caller who is known, whose answer is kept.

From the socket it is one look at the headers, one look-up by the body, the caller's key, and one write. Whatever is
unusual about a request, or not known yet, takes the long road through all layers; so does whatever would be refused.
What is answered here is what the long road would answer, to the header: `tests/test_road.py` compares them."""

from collections.abc import Mapping, Sequence

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import RateLimited
from gateway.accept import JSON, answer_type, events
from gateway.admission import Asked
from gateway.browsers import GRAPH, told_always
from gateway.graphql import Endpoint
from gateway.request_ids import ASKED, HEADER, answered, new_id
from gateway.requests import reads_as_json

KEPT = 1_024  # bodies that were read
LONGEST = 16_384  # bytes of one
ACCEPTS = 64  # values of the header that are remembered
# What makes a request unusual: another site's page, a trace, an id or a state of the caller's own.
UNUSUAL = frozenset(
    (
        b"origin",
        b"sec-fetch-site",
        b"x-vendgraph-trace",
        b"x-request-id",
        b"last-event-id",
        b"access-control-request-method",
        b"traceparent",
        b"content-encoding",
    )
)

Headers = list[tuple[bytes, bytes]]


class ShortRoad:
    """ASGI middleware, before all others."""

    def __init__(self, app: ASGIApp, endpoint: Endpoint) -> None:
        self._app = app
        self._endpoint = endpoint
        self._asked: LRUCache[bytes, Asked] = LRUCache(KEPT)
        self._media: LRUCache[bytes, str | None] = LRUCache(ACCEPTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != GRAPH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        headers = _usual(scope["headers"])
        media = None if headers is None else self._answers_in(headers.get(b"accept", b""))
        if headers is None or media is None:
            await self._app(scope, receive, send)
            return
        first = await receive()
        body = _whole(first)
        if body is not None and await self._answer(scope, headers, media, body, send):
            return
        await self._app(scope, _again(first, receive), send)
        asked = answered(scope).get(ASKED)
        if body is not None and asked is not None:
            self._asked[body] = asked

    async def _answer(self, scope: Scope, headers: Mapping[bytes, bytes], media: str, body: bytes, send: Send) -> bool:
        """Whether it was answered."""
        asked = self._asked.get(body)
        if asked is None:
            return False
        client = scope.get("client")
        address = client[0] if client else None
        try:
            found = self._endpoint.at_once(asked, headers.get(b"authorization", b""), address)
        except RateLimited:
            return False
        if found is None:
            return False
        encoded, told = found
        answer = b'{"data":%b}' % encoded
        told_headers: Headers = [
            (b"content-type", b"%b; charset=utf-8" % media.encode()),
            (b"content-length", b"%d" % len(answer)),
            *((name.encode(), value.encode()) for name, value in told.items()),
            (HEADER.encode(), new_id().encode()),
            *told_always(scope["scheme"]),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": told_headers})
        await send({"type": "http.response.body", "body": answer})
        return True

    def _answers_in(self, accept: bytes) -> str | None:
        """None where a stream of events would do."""
        if accept not in self._media:
            text = accept.decode("latin-1")
            self._media[accept] = None if events(text).taken else answer_type(text)
        return self._media[accept]


def _usual(headers: Sequence[tuple[bytes, bytes]]) -> Mapping[bytes, bytes] | None:
    """By name; None where there is something unusual, or one of them twice."""
    found = dict(headers)
    if len(found) != len(headers) or not UNUSUAL.isdisjoint(found):
        return None
    kind = found.get(b"content-type", b"")
    return found if kind == JSON.encode() or reads_as_json(kind.decode("latin-1")) else None


def _whole(message: Message) -> bytes | None:
    """The body, where it came at once and is not long."""
    if message["type"] != "http.request" or message.get("more_body"):
        return None
    body: bytes = message.get("body", b"")
    return body if 0 < len(body) <= LONGEST else None


def _again(first: Message, receive: Receive) -> Receive:
    """What was taken from the line already comes first."""
    pending = [first]

    async def received() -> Message:
        return pending.pop() if pending else await receive()

    return received
