"""What stands before VendNovation's routes: the API key, the limits of its plan, and tokens."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.vendnovation_tables import Call, Refusal

TOKEN_LIFE = timedelta(days=3)


class Throttle:
    """A bucket that refills by the second, and a quota that starts anew at midnight UTC."""

    def __init__(self, now: Callable[[], datetime], *, per_second: float, burst: int, per_day: int) -> None:
        self._now, self._per_second, self._burst, self._per_day = now, per_second, burst, per_day
        self._left, self._seen = float(burst), now()
        self._day, self._used = date.min, 0

    def refusal(self) -> str | None:
        """Why the request is turned away, or None where it counts."""
        moment = self._now()
        if moment.date() != self._day:
            self._day, self._used = moment.date(), 0
        elapsed = max(0.0, (moment - self._seen).total_seconds())
        self._left = min(float(self._burst), self._left + elapsed * self._per_second)
        self._seen = moment
        if self._left < 1:
            return "Too Many Requests"
        if self._used >= self._per_day:
            return "Limit Exceeded"
        self._left -= 1
        self._used += 1
        return None


class Gate:
    """The API gateway: its refusals carry a `message` only."""

    def __init__(self, app: ASGIApp, *, key: str, throttle: Throttle) -> None:
        self._app, self._key, self._throttle = app, key, throttle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._refusal(Headers(scope=scope)) or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> Response | None:
        if headers.get("x-api-key") != self._key:
            return JSONResponse({"message": "Forbidden"}, status_code=403)
        reason = self._throttle.refusal()
        return JSONResponse({"message": reason}, status_code=429) if reason else None


class Tokens:
    def __init__(self, now: Callable[[], datetime], rng: Random) -> None:
        self._now, self._rng = now, rng
        self._expiry: dict[str, datetime] = {}

    def issue(self) -> tuple[str, datetime, datetime]:
        issued = self._now()
        token = str(UUID(int=self._rng.getrandbits(128), version=4))
        self._expiry[token] = issued + TOKEN_LIFE
        return token, issued, issued + TOKEN_LIFE

    def check(self, token: str | None) -> None:
        expiry = self._expiry.get(token or "")
        if expiry is None or expiry <= self._now():
            raise Refusal(401, "INVALID_ACCESS_TOKEN", "The access token is missing, unknown or expired.")


def american(moment: datetime) -> str:
    """Month first and on a clock of twelve hours, without leading zeros before the colon."""
    return f"{moment.month}/{moment.day}/{moment.year} {moment:%I:%M:%S %p}".replace(" 0", " ")


async def read_call(request: Request) -> Call:
    sent = await _json(request)
    return Call(
        filters=_mapping(sent.get("requestFilter")),
        route=_mapping(sent.get("routeFilter")),
        body=sent.get("body"),
        login=sent,
        page=_positive(request.headers.get("page")) or 1,
        size=_positive(request.headers.get("size")),
    )


async def _json(request: Request) -> Mapping[str, Any]:
    if not await request.body():
        return {}
    try:
        sent = await request.json()
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise Refusal(400, "INVALID_REQUEST", "The body must be a JSON object.")
    return sent


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _positive(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and int(text) > 0 else None
