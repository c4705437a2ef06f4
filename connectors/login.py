"""Tokens: one flight however many ask, kept until shortly before they end, in memory only."""

import asyncio
import time
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from connectors.budget import Rate, Window
from connectors.guard import PAUSE_WITHOUT_WORD, Guard
from connectors.shared import Shared
from connectors.token import Token
from domain.errors import VendorError, VendorProtocolError, VendorRateLimited, VendorUnauthorized

__all__ = ["Token", "TokenLogin", "jwt_expiry"]

MARGIN_SECONDS = 60.0
MARGIN_SHARE = 0.1


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
        self._rate = Rate(requests=per_minute, per_seconds=60)
        self._budget = Window(self._rate, guard.clock)
        self._flight: asyncio.Task[Token] | None = None
        self._good_until = 0.0
        self._free_at = guard.clock()
        self.header = header
        self.rejected = rejected
        self.current: Token | None = None

    async def token(self) -> Token:
        """A token that is good for now. Raises VendorUnauthorized where the vendor refuses the credentials."""
        if self.current is not None and self._clock() < self._good_until:
            return self.current
        try:
            return await self._join(None)
        except VendorError:
            if self.current is None or self.current.expires_at is None or self._clock() >= self.current.expires_at:
                raise
            return self.current

    async def renewed(self, refused: Token) -> Token:
        """Another token than the one that was refused; whoever comes second takes what the first one got.

        Tokens are told apart as objects: a vendor may hand out the same text once more."""
        if self.current is not None and self.current is not refused:
            return self.current
        return await self._join(refused)

    async def _join(self, refused: Token | None) -> Token:
        """The flight is nobody's own: whoever asked first may give up, and the others still get their token."""
        if self._flight is None:
            self._flight = asyncio.create_task(self._renew(refused))
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # nobody may be left to take it

    async def _renew(self, refused: Token | None) -> Token:
        self._guard.check()
        shared = self._guard.shared
        token = await (self._ask() if shared is None else self._ask_once(shared, refused))
        self._good_until = self._end_of(token)
        self.current = token
        return token

    async def _ask_once(self, shared: Shared, refused: Token | None) -> Token:
        """Another gateway may have one by now, or be about to get it."""
        async with shared.logging_in():
            kept = await shared.token()
            if kept is not None and (refused is None or kept.value != refused.value) and self._lasts(kept):
                return kept
            wait = await shared.take("logins", [self._rate], [0.0])
            if wait:
                raise self._too_many(wait)
            token = await self._ask()
            await shared.keep_token(token)
            return token

    def _lasts(self, token: Token) -> bool:
        return token.expires_at is None or self._clock() < self._end_of(token)

    async def _ask(self) -> Token:
        try:
            token = await self._fetch()
        except VendorUnauthorized as error:
            if error.sent:
                self.current = None
                self._guard.refuse_credentials(error)
            # A login may also be refused with 403: there is nothing else yet that could be forbidden.
            raise VendorUnauthorized(
                error.message,
                account=error.account,
                vendor=error.vendor,
                retry_after=error.retry_after,
                sent=error.sent,
            ) from None
        if not (token.value.isascii() and token.value.isprintable()):
            raise VendorProtocolError(
                f"{self._guard.vendor}'s token fits into no header",
                account=self._guard.account,
                vendor=self._guard.vendor,
            )
        return token

    def _end_of(self, token: Token) -> float:
        """A token that is new and has ended already tells of clocks that disagree: its refusal will tell its end.

        One that was had before is all that there is until it ends: asking again gives it again."""
        now = self._clock()
        if token.expires_at is None or token.expires_at <= now:
            return float("inf")
        if self.current is not None and self.current.value == token.value:
            return token.expires_at
        return token.expires_at - min(MARGIN_SECONDS, (token.expires_at - now) * MARGIN_SHARE)

    def spend(self) -> None:
        """For each login that goes over the wire. Raises VendorRateLimited where there were too many."""
        wait = max(self._budget.wait(), self._free_at - self._guard.clock())
        if wait > 0:
            raise self._too_many(wait)
        self._budget.take()

    def _too_many(self, wait: float) -> VendorError:
        return VendorRateLimited(
            f"{self._guard.vendor} allows no more logins for now",
            account=self._guard.account,
            vendor=self._guard.vendor,
            retry_after=wait,
            sent=False,
        )

    def pause(self, seconds: float | None) -> None:
        """The vendor said to wait with logins, as `Guard.pause`: a token that is still good is used meanwhile."""
        self._free_at = self._guard.clock() + (PAUSE_WITHOUT_WORD if seconds is None else seconds)


def jwt_expiry(token: str) -> float | None:
    """The `exp` of a JWT in UNIX seconds, unverified: it is ours to use, not to trust. None where it has none."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, Base64Error, ValueError, KeyError, TypeError):
        return None
