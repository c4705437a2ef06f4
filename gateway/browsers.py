"""What browsers may do: whose pages may ask, what a page elsewhere cannot make them do, and what they are told to mind.

Nothing here lets anybody in: callers send a key with each request, and no cookie ever stands for one."""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import Forbidden
from gateway import errors
from gateway.accept import JSON
from gateway.answers import response
from gateway.request_ids import tell_refused
from gateway.settings import Server

GRAPH = "/graphql"
METHODS = "GET, POST"
TOLD = "x-request-id, retry-after, ratelimit, ratelimit-policy, etag"  # headers that a page's script may read
REMEMBERED = "7200"  # seconds for which a browser need not ask again
ELSEWHERE = frozenset({"cross-site", "same-site"})
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
FOREIGN = "pages of this origin may not ask here: server.allowed_origins names those that may"
UNASKED = "a request from another site must come from a page's script"
ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY"}
NOT_PAGES = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}
PRIVATE = {"cache-control": "no-store"}  # answers are one caller's own
SECURE = {"strict-transport-security": "max-age=31536000"}
PLAIN = {**ALWAYS, **NOT_PAGES, **PRIVATE}
SECURED = {**PLAIN, **SECURE}


class Browsers:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self._app = app
        self._allowed = frozenset(map(_normal, server.allowed_origins))
        self._own = _normal(server.public_url) if server.public_url else None
        self._development = server.development

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] == "websocket":
            await self._socket(headers, scope, receive, send)
            return
        origin = headers.get("origin")
        granted = origin is not None and scope["path"] == GRAPH and self._may(origin, headers)

        async def minded(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                _mind(told, scope)
                if granted and origin is not None:
                    _grant(told, origin)
            await send(message)

        refused = self._answer(scope, headers, origin, granted=granted) if scope["path"] == GRAPH else None
        await (self._app if refused is None else refused)(scope, receive, minded)

    async def _socket(self, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket is opened by any page, and asks nobody first."""
        origin = headers.get("origin")
        if origin is None or self._may(origin, headers):
            await self._app(scope, receive, send)
            return
        tell_refused(scope, 403)
        await receive()
        await _refusal(FOREIGN)(scope, receive, send)

    def _answer(self, scope: Scope, headers: Headers, origin: str | None, *, granted: bool) -> Response | None:
        """None for what may go on."""
        if origin is not None and not granted:
            return _refusal(FOREIGN)
        if scope["method"] == "OPTIONS" and origin is not None and "access-control-request-method" in headers:
            return Response(status_code=204, headers=_preflight(headers))
        if origin is None and headers.get("sec-fetch-site") in ELSEWHERE and not _is_navigation(headers):
            return _refusal(UNASKED)
        return None

    def _may(self, origin: str, headers: Headers) -> bool:
        """A page of this very gateway may; in development those of this machine as well."""
        normal = _normal(origin)
        if normal in self._allowed or (self._own is not None and normal == self._own):
            return True
        return _is_host(origin, headers.get("host", "")) or (self._development and _is_local(origin))


def told_always(scheme: str) -> Mapping[str, str]:
    """The headers of an answer of the graph that says nothing of this itself."""
    return SECURED if scheme == "https" else PLAIN


def _mind(told: MutableHeaders, scope: Scope) -> None:
    """What the answer itself says has precedence."""
    page = told.get("content-type", "").startswith("text/html")
    _default(told, ALWAYS)
    _default(told, {} if page else NOT_PAGES)
    _default(told, PRIVATE if scope["path"] == GRAPH else {})
    _default(told, SECURE if scope["scheme"] == "https" else {})


def _default(told: MutableHeaders, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        told.setdefault(name, value)


def _grant(told: MutableHeaders, origin: str) -> None:
    told["access-control-allow-origin"] = origin
    told["access-control-expose-headers"] = TOLD
    told["cross-origin-resource-policy"] = "cross-origin"
    told.add_vary_header("Origin")


def _preflight(headers: Headers) -> dict[str, str]:
    return {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": headers.get("access-control-request-headers", ""),
        "access-control-max-age": REMEMBERED,
    }


def _refusal(why: str) -> Response:
    return response(errors.refusal(Forbidden(why)), 403, JSON, {})


def _is_navigation(headers: Headers) -> bool:
    """A link that somebody followed: it carries no key, and leads to GraphiQL where there is one."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


def _normal(origin: str) -> str:
    """Without a port that goes without saying."""
    parts = _split(origin)
    return "null" if parts is None else f"{parts.scheme}://{parts.hostname}:{_port(parts)}"


def _is_host(origin: str, host: str) -> bool:
    """By host and port: a proxy may have taken the TLS away."""
    parts = _split(origin)
    own = _split(f"{parts.scheme}://{host}") if parts else None
    return parts is not None and own is not None and (parts.hostname, _port(parts)) == (own.hostname, _port(own))


def _is_local(origin: str) -> bool:
    parts = _split(origin)
    if parts is None or parts.hostname is None:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def _split(origin: str) -> SplitResult | None:
    """None for what is no origin of a page: `null`, a file's, an extension's."""
    try:
        parts = urlsplit(origin)
        known = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0 and not _goes_on(parts.netloc)
    except ValueError:
        return None
    return parts if known else None


def _goes_on(place: str) -> bool:
    """Whether something that is no port stands after an address in brackets, which nobody else looks at."""
    _, bracket, after = place.partition("]")
    return bool(bracket) and after[:1] not in ("", ":")


def _port(parts: SplitResult) -> int:
    return parts.port or PORTS[parts.scheme]
