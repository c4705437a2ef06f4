"""The short road: a request that was read before, of a caller who is known.

From the socket it is one look at the headers, one look-up by the body, or by the query string of a document that has a
name, the caller's key, the answer, and one write. Where an answer is kept nothing is waited for; else it is made anew,
by the same functions as on the long road. One that comes again byte for byte, as clients send them that ask every few
seconds, is not even read: `gateway/repeating.py`. Whatever is unusual about a request, or not known yet, takes the long
road through all layers; so does whatever would be refused, before anything is charged. What is answered here is what
the long road would answer, to the header: `tests/test_road.py` and `tests/test_road_anew.py` compare them."""

from collections.abc import Mapping
from dataclasses import dataclass

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from compiled import Kept, Seen
from domain.errors import RateLimited
from gateway import etags
from gateway.accept import answer_type, events, is_browser
from gateway.admission import Asked, Charge
from gateway.answers import encoded
from gateway.browsers import GRAPH, told_always
from gateway.graphql import Endpoint
from gateway.replies import Caller, unexpected
from gateway.request_ids import ASKED, HEADER, bound, new_id, note, noted, tell_if_refused
from gateway.requests import reads_as_json
from resolvers.context import Viewer

KEPT = 1_024  # requests that were read
LONGEST = 16_384  # bytes of the body of one, or of its query string
WHOLE = "vendgraph.whole"  # in the scope: a whole request, as it came
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


Raw = list[tuple[bytes, bytes]]  # headers


def _raw(told: Mapping[str, str]) -> Raw:
    return [(name.encode(), value.encode()) for name, value in told.items()]


ID = HEADER.encode()
ALWAYS = {  # by whether it is secure, and may be kept by who asks
    (secure, tagged): _raw({**told_always("https" if secure else "http"), **(etags.HEADERS if tagged else {})})
    for secure in (False, True)
    for tagged in (False, True)
}


Whole = tuple[str | None, bytes]  # who sent a request, and its bytes, head and body


@dataclass(frozen=True, slots=True)
class Answer:
    """`lasts`: whether it is kept, for whoever sends the same bytes."""

    status: int
    headers: Raw
    body: bytes
    lasts: bool = True


class Road:
    """What is known of the requests that came last."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._seen = Seen()
        self._asked: LRUCache[bytes, Asked] = LRUCache(KEPT)
        self._whole: LRUCache[Whole, tuple[Asked, Caller]] = LRUCache(KEPT)
        self._media: LRUCache[bytes, str | None] = LRUCache(ACCEPTS)

    def caller(self, scope: Scope) -> Caller | None:
        """None where there is something unusual about the request, or no JSON would do for an answer."""
        headers = _usual(scope)
        media = None if headers is None else self._answers_in(headers.get(b"accept", b""))
        if headers is None or media is None:
            return None
        client = scope.get("client")
        return Caller(
            authorization=headers.get(b"authorization", b""),
            address=client[0] if client else None,
            media=media,
            tags=headers.get(b"if-none-match", b"").decode("latin-1"),
            secure=scope["scheme"] == "https",
            by_get=scope["method"] == "GET",
        )

    def asked(self, asked_by: bytes) -> Asked | None:
        """`asked_by`: the body, or `GET` and the query string."""
        return self._asked.get(asked_by)

    def learn(self, asked_by: bytes, asked: Asked) -> None:
        """When it comes for the second time: what was read stays in memory with it."""
        if self._seen.before(asked_by) and 0 < len(asked_by) <= LONGEST:
            self._asked[asked_by] = asked

    def learn_whole(self, whole: Whole, asked: Asked, caller: Caller) -> None:
        self._whole[whole] = asked, caller

    def answer_whole(self, whole: Whole) -> Answer | None:
        """As `answer`, to a request that came before, from the same address."""
        known = self._whole.get(whole)
        answer = None if known is None else self.answer(*known)
        self.endpoint.unread += answer is not None
        return answer

    def answer(self, asked: Asked, caller: Caller) -> Answer | None:
        """One that is kept. None for whatever has to be made, or takes the long road."""
        viewer = self.endpoint.viewer(caller.authorization, caller.address)
        return None if viewer is None else self._kept(asked, viewer, caller)

    async def made(self, asked: Asked, caller: Caller, scope: Scope) -> Answer | None:
        """One that is kept, or else is made anew. None for whatever takes the long road: then nothing was begun."""
        viewer = self.endpoint.viewer(caller.authorization, caller.address)
        if viewer is None:
            return None
        kept = self._kept(asked, viewer, caller)
        if kept is not None:
            return kept
        charge = self.endpoint.paid(asked, viewer)
        return None if charge is None else await self._anew(asked, viewer, charge, caller, scope)

    def _kept(self, asked: Asked, viewer: Viewer, caller: Caller) -> Answer | None:
        try:
            found = self.endpoint.at_once(asked, viewer)
        except RateLimited:
            return None
        return None if found is None else _of_kept(caller, *found)

    async def _anew(self, asked: Asked, viewer: Viewer, charge: Charge, caller: Caller, scope: Scope) -> Answer:
        id_ = new_id()
        try:
            reply = await self.endpoint.anew(asked, viewer, charge, caller, id_)
            body = encoded(reply.content)
        except Exception as error:  # noqa: BLE001  it is logged
            reply = unexpected(error, id_)
            body = encoded(reply.content)
        if reply.code is not None:
            note(scope, key=viewer.name, code=reply.code)
            with bound(request_id=id_):
                tell_if_refused(scope, reply.status)
        tag = etags.tag_of(body) if reply.kept else ""
        told = _raw(reply.headers)
        return _answer(caller, [*told, (ID, id_.encode())], body, tag, status=reply.status, lasts=reply.lasts)

    def _answers_in(self, accept: bytes) -> str | None:
        """None where a page or a stream of events would do."""
        if accept not in self._media:
            text = accept.decode("latin-1")
            self._media[accept] = None if events(text).taken or is_browser(text) else answer_type(text)
        return self._media[accept]


class ShortRoad:
    """ASGI middleware, before all others."""

    def __init__(self, app: ASGIApp, road: Road) -> None:
        self._app = app
        self._road = road

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = self._road.caller(scope)
        if caller is None:
            await self._app(scope, receive, send)
            return
        if caller.by_get:
            asked_by = GET + scope["query_string"]
        else:
            first = await receive()
            asked_by, receive = _body(first), _again(first, receive)
        asked = self._road.asked(asked_by)
        answer = None if asked is None else await self._road.made(asked, caller, scope)
        if asked is None or answer is None:
            await self._app(scope, receive, send)
            self._learn(asked_by, scope)
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
        whole = scope.get(WHOLE)
        if whole is not None and answer.lasts:
            self._road.learn_whole(whole, asked, caller)

    def _learn(self, asked_by: bytes, scope: Scope) -> None:
        asked = noted(scope).get(ASKED)
        if asked is not None:
            self._road.learn(asked_by, asked)


def _of_kept(caller: Caller, kept: Kept, budget: Mapping[str, str]) -> Answer:
    body = b'{"data":%b}' % kept.encoded
    if caller.by_get:
        kept.tag = kept.tag or etags.tag_of(body)
    told = [*_raw(budget), (ID, new_id().encode())]
    return _answer(caller, told, body, kept.tag if caller.by_get else "")


def _answer(caller: Caller, told: Raw, body: bytes, tag: str = "", *, status: int = 200, lasts: bool = True) -> Answer:
    """`tag`: of one that its client may keep."""
    headers = [*ALWAYS[caller.secure, bool(tag)], *told]
    if tag:
        headers.append((b"etag", tag.encode()))
        if etags.is_known(tag, caller.tags):
            return Answer(304, headers, b"", lasts)
    headers.append((b"content-type", b"%b; charset=utf-8" % caller.media.encode()))
    headers.append((b"content-length", b"%d" % len(body)))
    return Answer(status, headers, body, lasts)


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
