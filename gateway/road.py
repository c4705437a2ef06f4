"""The short road: a request that was answered before, of a caller who is known, whose answer is kept.

From the socket it is one look at the headers, one look-up by the body, or by the query string of a document that has a
name, the caller's key, and one write. Whatever is
unusual about a request, or not known yet, takes the long road through all layers; so does whatever would be refused.
What is answered here is what the long road would answer, to the header: `tests/test_road.py` compares them."""

from collections.abc import Mapping

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compiled import Kept
from domain.errors import RateLimited
from gateway import etags
from gateway.accept import answer_type, events, is_browser
from gateway.admission import Asked
from gateway.browsers import GRAPH, told_always
from gateway.graphql import Endpoint
from gateway.request_ids import ASKED, HEADER, new_id, noted
from gateway.requests import reads_as_json

KEPT = 1_024  # requests that were read
LONGEST = 16_384  # bytes of the body of one, or of its query string
GET = b"GET "  # before a query string: no body of JSON begins so
METHODS = ("GET", "POST")
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


def _raw(told: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in told.items()]


ID = HEADER.encode()
ALWAYS = {  # by whether it is secure, and asked for by GET
    (secure, by_get): _raw({**told_always("https" if secure else "http"), **(etags.HEADERS if by_get else {})})
    for secure in (False, True)
    for by_get in (False, True)
}


class ShortRoad:
    """ASGI middleware, before all others."""

    def __init__(self, app: ASGIApp, endpoint: Endpoint) -> None:
        self._app = app
        self._endpoint = endpoint
        self._asked: LRUCache[bytes, Asked] = LRUCache(KEPT)
        self._media: LRUCache[bytes, str | None] = LRUCache(ACCEPTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _usual(scope)
        media = None if headers is None else self._answers_in(headers.get(b"accept", b""))
        if headers is None or media is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST":
            first = await receive()
            asked_by, receive = _body(first), _again(first, receive)
        else:
            asked_by = GET + scope["query_string"]
        if len(asked_by) > LONGEST or not await self._answer(scope, headers, media, asked_by, send):
            await self._app(scope, receive, send)
            asked = noted(scope).get(ASKED)
            if asked is not None and 0 < len(asked_by) <= LONGEST:
                self._asked[asked_by] = asked

    async def _answer(
        self, scope: Scope, headers: Mapping[bytes, bytes], media: str, asked_by: bytes, send: Send
    ) -> bool:
        """Whether it was answered."""
        asked = self._asked.get(asked_by)
        if asked is None:
            return False
        client = scope.get("client")
        try:
            found = self._endpoint.at_once(asked, headers.get(b"authorization", b""), client[0] if client else None)
        except RateLimited:
            return False
        if found is None:
            return False
        await self._write(scope, headers, media, *found, send)
        return True

    async def _write(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        media: str,
        kept: Kept,
        told: Mapping[str, str],
        send: Send,
    ) -> None:
        status, body = 200, b'{"data":%b}' % kept.encoded
        by_get = scope["method"] == "GET"
        sent = [*ALWAYS[scope["scheme"] == "https", by_get], *_raw(told), (ID, new_id().encode())]
        if by_get:
            kept.tag = kept.tag or etags.tag_of(body)
            sent.append((b"etag", kept.tag.encode()))
            if etags.is_known(kept.tag, headers.get(b"if-none-match", b"").decode("latin-1")):
                status, body = 304, b""
        if status == 200:
            sent.append((b"content-type", b"%b; charset=utf-8" % media.encode()))
            sent.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": body})

    def _answers_in(self, accept: bytes) -> str | None:
        """None where a page or a stream of events would do."""
        if accept not in self._media:
            text = accept.decode("latin-1")
            self._media[accept] = None if events(text).taken or is_browser(text) else answer_type(text)
        return self._media[accept]


def _usual(scope: Scope) -> Mapping[bytes, bytes] | None:
    """The headers, by name; None where there is something unusual about the request, or one of them is there twice."""
    if scope["type"] != "http" or scope["path"] != GRAPH or scope["method"] not in METHODS:
        return None
    found = dict(scope["headers"])
    if len(found) != len(scope["headers"]) or not UNUSUAL.isdisjoint(found):
        return None
    if scope["method"] == "POST" and not reads_as_json(found.get(b"content-type", b"").decode("latin-1")):
        return None
    return found


def _body(message: Message) -> bytes:
    """What came at once, where that is all; else nothing."""
    whole = message["type"] == "http.request" and not message.get("more_body")
    body: bytes = message.get("body", b"") if whole else b""
    return body


def _again(first: Message, receive: Receive) -> Receive:
    """What was taken from the line already comes first."""
    pending = [first]

    async def received() -> Message:
        return pending.pop() if pending else await receive()

    return received
