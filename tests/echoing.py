"""Vendors that repeat in every answer all that was sent to them, keys and tokens too, and fail in a way of their own.

The first part of a path names the way."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "canary-token-9a1c6e"
STATUSES = (400, 401, 403, 404, 408, 409, 422, 429, 500, 503)
BODIES = ("html", "junk", "refusal", "redirect", "hang")
WAYS = (*(f"status-{status}" for status in STATUSES), *BODIES, "login-401", "login-500", "login-junk")
LOGINS = ("/auth/token", "/authenticate/", "/auth/login", "/token-test/")


def vendors() -> Starlette:
    return Starlette(routes=[Route("/{way}/{vendor}/{path:path}", _answer, methods=["GET", "POST"])])


async def _answer(request: Request) -> Response:
    way = request.path_params["way"]
    words = await _all_that_was_sent(request)
    if request.url.path.endswith(LOGINS):
        if not way.startswith("login-"):
            return JSONResponse({"access_token": TOKEN, "accessToken": TOKEN, "token": TOKEN, "expires_in": 3600})
        way = way.removeprefix("login-")
    if way == "hang":
        await request.receive()  # until the gateway has had enough
        way = "status-504"
    if way == "junk":
        return Response(f'{{"message": "{words}"', media_type="application/json")
    if way == "html":
        return Response(f"<p>{words}", media_type="text/html")
    if way == "redirect":
        return Response(status_code=302, headers={"location": f"http://127.0.0.1:9/?{words}"[:2000]})
    if way == "refusal":
        return JSONResponse({"id": "1", "result": {"$case": "badRequest", "badRequest": _problem(words)}})
    return JSONResponse(_problem(words), int(way.rpartition("-")[2]), headers={"retry-after": "1"})


async def _all_that_was_sent(request: Request) -> str:
    headers = " ".join(f"{name}={value}" for name, value in request.headers.items() if name not in ("accept", "host"))
    body = (await request.body()).decode().replace('"', "'")
    return f"{headers} {body}"[-180:] if len(body) > 60 else f"{body} {headers}"[-180:]


def _problem(words: str) -> Mapping[str, Any]:
    """In every vendor's dialect."""
    return {"message": words, "Message": words, "detail": words, "title": words, "code": words}
