"""How long an answer is worked at in one go, before others have their turn."""

import asyncio
import time

LONGEST_SECONDS = 0.01


class Pace:
    """Lets others have their turn where an answer is long in the making. It counts from the first look in one round of
    the event loop; the round after that begins anew."""

    __slots__ = ("_turns", "_until")

    def __init__(self) -> None:
        self._until: float | None = None
        self._turns: asyncio.Lock | None = None

    @property
    def over(self) -> bool:
        """Whether this round has been at it for long enough."""
        now = time.perf_counter()
        if self._until is None:
            self._until = now + LONGEST_SECONDS
            asyncio.get_running_loop().call_soon(self._anew)
            return False
        return now > self._until

    def _anew(self) -> None:
        self._until = None

    async def turn(self) -> None:
        """In a round of its own: many that wait for one at once are not all let go in the same."""
        if self._turns is None:
            self._turns = asyncio.Lock()
        async with self._turns:
            await asyncio.sleep(0)
