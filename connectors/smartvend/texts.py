"""The texts of events by their keys: read once a day, and never waited for long."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from domain.errors import VendorError

KEPT = 86_400.0  # seconds
TRIED_AGAIN = 60.0  # seconds after a failure
PATIENCE = 1.0  # seconds: an event can be shown without its text, but not when it is too late


class Texts:
    def __init__(
        self,
        read: Callable[[], Awaitable[Mapping[str, str]]],
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._patience = patience
        self._clock = clock
        self._known: Mapping[str, str] = {}
        self._good_until = float("-inf")
        self._flight: asyncio.Task[None] | None = None

    async def get(self) -> Mapping[str, str]:
        """What is known by now. Yesterday's are good enough not to wait for today's."""
        if self._flight is None and self._clock() >= self._good_until:
            self._flight = asyncio.create_task(self._renew())
        if self._flight is not None and not self._known:
            await asyncio.wait({self._flight}, timeout=self._patience)
        return self._known

    async def _renew(self) -> None:
        kept = TRIED_AGAIN
        try:
            self._known = await self._read()
            kept = KEPT
        except VendorError:
            pass  # it is logged below, and the account's status tells of it
        finally:
            self._good_until = self._clock() + kept
            self._flight = None

    async def aclose(self) -> None:
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait({self._flight})
