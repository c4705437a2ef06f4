"""How SmartEPI turns requests away: plainly at its gateway, with problem details behind it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

BEARER = re.compile(r"Bearer (\S+)")
TITLES = {400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 422: "Unprocessable Entity"}


class Problem(Exception):
    """An error of the application, RFC 7807; `token` ends the type."""

    def __init__(self, status: int, token: str, detail: str) -> None:
        super().__init__(detail)
        body = {
            "type": f"urn:smartepi:error:{token}",
            "title": TITLES[status],
            "status": status,
            "detail": detail,
        }
        self.response = JSONResponse(
            body, status_code=status, headers=request_id(), media_type="application/problem+json"
        )


def request_id() -> dict[str, str]:
    return {"X-Request-Id": str(uuid4())}


class Gate:
    """A missing key is 401, any other key than ours 403; then so many requests a window for all callers."""

    def __init__(
        self, app: ASGIApp, *, key: str, now: Callable[[], datetime], requests: int, per_seconds: float
    ) -> None:
        self._app, self._key, self._now = app, key, now
        self._requests, self._span = requests, timedelta(seconds=per_seconds)
        self._opened, self._used = now(), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._refusal(Headers(scope=scope)) or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> Response | None:
        sent = headers.get("authorization")
        if sent is None:
            return JSONResponse({"message": "Unauthorized"}, status_code=401)
        found = BEARER.fullmatch(sent)
        if found is None or found[1] != self._key:
            reason = "User is not authorized to access this resource with an explicit deny"
            return JSONResponse({"Message": reason}, status_code=403)
        if self._spent():
            return JSONResponse({"message": "Limit Exceeded"}, status_code=429)
        return None

    def _spent(self) -> bool:
        if self._now() - self._opened >= self._span:
            self._opened, self._used = self._now(), 0
        self._used += 1
        return self._used > self._requests
