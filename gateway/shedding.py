"""Turns callers away while the event loop is late. Deliveries are never turned away, nor is who watches."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.errors import RateLimited
from gateway import errors
from gateway.accept import answer_type
from gateway.answers import response
from gateway.lag import Lag
from gateway.request_ids import note

SHED = ("/graphql", "/exports/")
AGAIN_SECONDS = 2
WHY = "the gateway has more to do than it can: try again in a moment"


def turned_away() -> RateLimited:
    return RateLimited(WHY, AGAIN_SECONDS)


class Shedding:
    """ASGI middleware. Sockets that are open see to it themselves."""

    def __init__(self, app: ASGIApp, lag: Lag) -> None:
        self._app = app
        self._lag = lag

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._lag.shedding or not scope["path"].startswith(SHED):
            await self._app(scope, receive, send)
            return
        self._lag.shed += 1
        error = turned_away()
        note(scope, code=error.code.value)
        media = answer_type(Headers(scope=scope).get("accept", ""))
        headers = {"retry-after": str(AGAIN_SECONDS)}
        await response(errors.refusal(error), 503, media, headers)(scope, receive, send)
