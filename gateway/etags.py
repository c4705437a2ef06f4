"""What a client has already, it need not be sent again: RFC 9110, sections 13.1.2 and 15.4.5."""

from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

HEADERS = {"cache-control": "private, no-cache", "vary": "Accept, Authorization"}  # kept, but asked about each time


def tag_of(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:32]}"'


def is_known(tag: str, if_none_match: str) -> bool:
    """Whether it is among those that a client has."""
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return bool(known & {tag, "*"})


def revalidated(request: Request, answer: Response) -> Response:
    """The answer with a tag of what it holds; or that this is what the client has."""
    tag = tag_of(bytes(answer.body))
    answer.headers.update({**HEADERS, "etag": tag})
    if not is_known(tag, request.headers.get("if-none-match", "")):
        return answer
    kept = {name: value for name, value in answer.headers.items() if name not in ("content-length", "content-type")}
    return Response(status_code=304, headers=kept)
