"""How long what can wait waits for room in a budget."""

import asyncio
import time
from dataclasses import dataclass

from connectors.guard import Traffic
from domain.errors import VendgraphError, VendorRateLimited

LAP = 0.2  # seconds between looks whether what can wait has become urgent


@dataclass(slots=True)
class Pace:
    """Waits for the budget to have room for what can wait, until `ends` on the monotonic clock; `urgent`: not any more,
    for somebody waits behind it."""

    ends: float
    urgent: bool = False

    def allows(self, error: VendgraphError) -> bool:
        """Whether it is only too early."""
        return isinstance(error, VendorRateLimited) and not error.sent and time.monotonic() < self.ends

    @property
    def traffic(self) -> Traffic:
        return Traffic.COMMAND if self.urgent else Traffic.BULK

    async def pause(self, error: VendgraphError) -> None:
        """For as long as the vendor, or the budget, says; or until it is urgent, once."""
        until = time.monotonic() + max(LAP, getattr(error, "retry_after", None) or LAP)
        urgent = self.urgent
        while time.monotonic() < min(until, self.ends) and self.urgent is urgent:  # noqa: ASYNC110  a bound, too
            await asyncio.sleep(LAP)
