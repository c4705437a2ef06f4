"""What stands before Livello's routes: tokens for clients, their scopes, and how many requests there may be."""

import base64
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

CREDENTIALS = {"client_id": "lv_m2m_5d0c77e1", "client_secret": "sk_live_9f3be1d2a4c84f6b"}
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
}
Handle = Callable[[Request], Any]
Change = Callable[[Request, dict[str, Any]], Any]
Endpoint = Callable[[Request], Awaitable[Response]]


class Problem(Exception):
    """Problem details, RFC 7807."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail

    def response(self, request: Request, headers: Mapping[str, str]) -> Response:
        title, path = TITLES[self.status], request.url.path
        body = {
            "type": f"https://api.livello.com/errors/{title.lower().replace(' ', '-')}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
            "instance": path[path.index("/api/v1") :],
        }
        return JSONResponse(body, self.status, headers, media_type="application/problem+json")


class Allowance:
    """So many requests in a window of time, which opens with the first of them."""

    def __init__(self, now: Callable[[], datetime], requests: int, seconds: int) -> None:
        self._now, self._requests, self._seconds = now, requests, seconds
        self._opened, self._spent = 0.0, 0

    def take(self) -> None:
        self._roll()
        if self._spent >= self._requests:
            raise Problem(429, f"Rate limit exceeded: {self._requests} requests in {self._seconds} seconds")
        self._spent += 1

    def headers(self, status: int) -> dict[str, str]:
        self._roll()
        reset = str(max(1, round(self._opened + self._seconds - self._now().timestamp())))
        told = {
            "RateLimit-Limit": str(self._requests),
            "RateLimit-Remaining": str(self._requests - self._spent),
            "RateLimit-Reset": reset,
        }
        return {**told, "Retry-After": reset} if status == 429 else told

    def _roll(self) -> None:
        now = self._now().timestamp()
        if now >= self._opened + self._seconds:
            self._opened, self._spent = now, 0


class Gate:
    """One client. `life`: seconds that its tokens live; `hourly`: requests an hour; `logins`: token requests a minute;
    `allowed`: addresses and networks that may have tokens."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        life: int,
        hourly: int,
        logins: int,
        scopes: str,
        allowed: Sequence[str] | None,
    ) -> None:
        self._now, self._life, self._scopes = now, life, scopes
        self._allowed = None if allowed is None else [ip_network(one) for one in allowed]
        self._requests = Allowance(now, hourly, 3600)
        self._token_requests = Allowance(now, logins, 60)
        self._token: tuple[str, float] | None = None
        self._issued = 0
        self._revoked = False

    def forget_token(self) -> None:
        """The token that was handed out is no longer good; the next one is another."""
        self._token = None

    def revoke_client(self) -> None:
        """At once, and for good: neither the token nor the credentials are taken any more."""
        self._revoked = True

    async def issue(self, request: Request) -> Response:
        """The same token for the same credentials until it ends, and each time with its whole life."""
        try:
            self._token_requests.take()
            self._check_credentials(request, await _object(request))
        except Problem as problem:
            return problem.response(request, self._token_requests.headers(problem.status))
        answer = {"access_token": self.hand_out(), "token_type": "Bearer", "expires_in": self._life}
        return JSONResponse({**answer, "scope": self._scopes}, headers=self._token_requests.headers(200))

    def hand_out(self) -> str:
        now = self._now().timestamp()
        if self._token is None or self._token[1] <= now:
            self._issued += 1
            self._token = self._jwt(int(now)), int(now) + self._life
        return self._token[0]

    def read(self, scope: str, handle: Handle) -> Endpoint:
        """An operation that the scope is needed for."""

        async def endpoint(request: Request) -> Response:
            try:
                self._admit(request, scope)
                return JSONResponse(handle(request), headers=self._requests.headers(200))
            except Problem as problem:
                return problem.response(request, self._requests.headers(problem.status))

        return endpoint

    def write(self, scope: str | None, change: Change, status: int = 201) -> Endpoint:
        """As `read`, for one that makes something of a JSON object, or with another `status` changes it.

        `scope`: None where the documents name none."""

        async def endpoint(request: Request) -> Response:
            try:
                self._admit(request, scope)
                made = change(request, await _object(request))
                return JSONResponse(made, status, headers=self._requests.headers(status))
            except Problem as problem:
                return problem.response(request, self._requests.headers(problem.status))

        return endpoint

    def drop(self, scope: str, handle: Handle) -> Endpoint:
        """As `read`, for one that says nothing."""

        async def endpoint(request: Request) -> Response:
            try:
                self._admit(request, scope)
                handle(request)
                return Response(status_code=204, headers=self._requests.headers(204))
            except Problem as problem:
                return problem.response(request, self._requests.headers(problem.status))

        return endpoint

    def _admit(self, request: Request, scope: str | None) -> None:
        self._check_token(request.headers.get("authorization", ""))
        self._requests.take()
        if scope is not None:
            self._check_scope(scope)

    async def nowhere(self, request: Request) -> Response:
        problem = Problem(404, f"Cannot {request.method} {request.url.path}")
        return problem.response(request, self._requests.headers(404))

    def _check_credentials(self, request: Request, body: dict[str, Any]) -> None:
        absent = [name for name in (*CREDENTIALS, "grant_type") if not isinstance(body.get(name), str)]
        if absent:
            raise Problem(400, f"{', '.join(absent)} must be a string")
        if body["grant_type"] != "client_credentials":
            raise Problem(400, "grant_type must be client_credentials")
        if self._revoked or any(body[name] != value for name, value in CREDENTIALS.items()):
            raise Problem(401, "Invalid client credentials")
        host = ip_address(request.client.host if request.client else "0.0.0.0")  # noqa: S104  an address, not a socket
        if self._allowed is not None and not any(host in network for network in self._allowed):
            raise Problem(403, "Token requests are not allowed from this address")

    def _check_token(self, given: str) -> None:
        if self._token is None or self._revoked or self._token[1] <= self._now().timestamp():
            raise Problem(401, "The token is missing, unknown or expired")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token[0]}".encode()):
            raise Problem(401, "The token is missing, unknown or expired")

    def _check_scope(self, scope: str) -> None:
        if scope not in self._scopes.split():
            raise Problem(403, f"Insufficient scope. Required: {scope}")

    def _jwt(self, now: int) -> str:
        claims = {"sub": CREDENTIALS["client_id"], "iat": now, "exp": now + self._life, "jti": self._issued}
        signed = ".".join(_coded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        mac = hmac.digest(CREDENTIALS["client_secret"].encode(), signed.encode(), "sha256")
        return f"{signed}.{_coded(mac)}"


async def _object(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Problem(400, "The body must be application/json")
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Problem(400, "The body must be a JSON object")
    return body


def _coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
