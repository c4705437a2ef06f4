"""GraphiQL, in development: the page and what it is made of, from the gateway's own files.

`make graphiql` builds them from the folder graphiql. Each is kept compressed and sent so, to whoever takes it so."""

from collections.abc import Mapping
from functools import cache
from gzip import decompress
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

PAGE = "page.html"
MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".txt": "text/plain"}
# The editor writes its colours and its rulers as styles into the page. It has no way to mark them as its own, so that
# styles within the page have to be allowed; scripts within it are not. What it may load or ask is this gateway alone.
RULES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "worker-src": "'self'",
    "connect-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
POLICY = "; ".join(f"{name} {value}" for name, value in RULES.items())


class Built(NamedTuple):
    compressed: bytes
    etag: str


@cache
def _files() -> Mapping[str, Built]:
    """By name, without `.gz`."""
    found = ((one.name.removesuffix(".gz"), one.read_bytes()) for one in (files("gateway") / "static").iterdir())
    return {name: Built(content, f'"{sha256(content).hexdigest()[:32]}"') for name, content in found}


def page(request: Request) -> Response:
    return _sent(request, PAGE)


def file(request: Request) -> Response:
    """Raises HTTPException for a name that is none of theirs."""
    name: str = request.path_params["name"]
    if name == PAGE or name not in _files():
        raise HTTPException(404)
    return _sent(request, name)


def _sent(request: Request, name: str) -> Response:
    built = _files()[name]
    headers = {
        "cache-control": "no-cache",
        "content-security-policy": POLICY,
        "etag": built.etag,
        "vary": "Accept, Accept-Encoding",
        "x-content-type-options": "nosniff",
    }
    if request.headers.get("if-none-match") == built.etag:
        return Response(status_code=304, headers=headers)
    content = built.compressed
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
    else:
        content = decompress(content)
    return Response(content, headers=headers, media_type=MEDIA[name[name.rindex(".") :]])


def address(base: str, query: str, key: str) -> str:
    """Where GraphiQL opens with a query in it, signed in: what stands after `#` stays in the browser."""
    return f"{base}/graphql#{urlencode({'query': query, 'key': key})}"
