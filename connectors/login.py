"""Tokens: one flight however many ask, kept until shortly before they end, in memory only."""

import asyncio
import time
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.budget import Rate, Window
from connectors.guard import Guard
from domain.errors import VendorProtocolError, VendorRateLimited, VendorUnauthorized

MARGIN_SECONDS = 60.0
MARGIN_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Token:
    """`expires_at` in UNIX seconds, None where the vendor does not say. `scope`: None where it tells none."""

    value: str
    expires_at: float | None
    scope: frozenset[str] | None = None

    def __repr__(self) -> str:
        return "Token(***)"


class TokenLogin:
    """`fetch` asks the vendor for a token; `header(value)` is the header that carries it.

    `rejected(status, data)` tells whether an answer means that the token is no longer good.
    `per_minute`: how many tokens may be asked for in a minute, as the vendor documents. `clock`: UNIX seconds."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Token]],
        header: Callable[[str], tuple[str, str]],
        *,
        guard: Guard,
        rejected: Callable[[int, Any], bool] = lambda status, _: status == 401,
        per_minute: int = 10,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fetch = fetch
        self._guard = guard
        self._clock = clock
        self._budget = Window(Rate(requests=per_minute, per_seconds=60), guard.clock)
        self._flight: asyncio.Task[Token] | None = None
        self._good_until = 0.0
        self.header = header
        self.rejected = rejected
        self.current: Token | None = None

    async def token(self) -> Token:
        """A token that is good for now. Raises VendorUnauthorized where the vendor refuses the credentials."""
        if self.current is not None and self._clock() < self._good_until:
            return self.current
        return await self._join()

    async def renewed(self, refused: Token) -> Token:
        """Another token than the one that was refused; whoever comes second takes what the first one got.

        Tokens are told apart as objects: a vendor may hand out the same text once more."""
        if self.current is not None and self.current is not refused:
            return self.current
        return await self._join()

    async def _join(self) -> Token:
        """The flight is nobody's own: whoever asked first may give up, and the others still get their token."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._renew())
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # nobody may be left to take it

    async def _renew(self) -> Token:
        self._guard.check()
        self._spend()
        try:
            token = await self._fetch()
        except VendorUnauthorized as error:
            if error.sent:
                self.current = None
                self._guard.refuse_credentials(error)
            raise
        if not (token.value.isascii() and token.value.isprintable()):
            raise VendorProtocolError(
                f"{self._guard.vendor}'s token fits into no header",
                account=self._guard.account,
                vendor=self._guard.vendor,
            )
        self._good_until = self._end_of(token)
        self.current = token
        return token

    def _end_of(self, token: Token) -> float:
        """A token that is new and has ended already tells of clocks that disagree: its refusal will tell its end."""
        now = self._clock()
        if token.expires_at is None or token.expires_at <= now:
            return float("inf")
        if self.current is not None and token.value == self.current.value:
            return token.expires_at  # handed out again until it ends: to ask earlier brings nothing
        return token.expires_at - min(MARGIN_SECONDS, (token.expires_at - now) * MARGIN_SHARE)

    def _spend(self) -> None:
        wait = self._budget.wait()
        if wait:
            raise VendorRateLimited(
                f"{self._guard.vendor} allows {self._budget.size} token requests a minute",
                account=self._guard.account,
                vendor=self._guard.vendor,
                retry_after=wait,
                sent=False,
            )
        self._budget.take()


def jwt_expiry(token: str) -> float | None:
    """The `exp` of a JWT in UNIX seconds, unverified: it is ours to use, not to trust. None where it has none."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, Base64Error, ValueError, KeyError, TypeError):
        return None
