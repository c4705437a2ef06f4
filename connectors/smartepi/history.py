"""Which devices there are: only the transactions tell, so that their whole past is read once, and then what is new."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.base import Account
from connectors.parsing import readable
from connectors.smartepi import parse
from connectors.smartepi.client import SmartEPIClient
from connectors.smartepi.parse import TRANSACTIONS, Device, Transaction
from domain.errors import VendorError, VendorUnavailable
from domain.times import utc_now

OVERLAP = timedelta(minutes=5)  # what is recorded while pages are read may be missed by them


@dataclass(slots=True)
class Reach:
    """Everything of a list from `oldest` to `newest` was read; `whole`: there is nothing older."""

    newest: datetime | None = None
    oldest: datetime | None = None
    whole: bool = False


class History:
    """Nothing in the lists ever changes, so what was read stays read, whatever becomes of the reading."""

    def __init__(self, account: Account, client: SmartEPIClient) -> None:
        self.devices: dict[str, Device] = {}
        self._account = account
        self._client = client
        self._reach = {transaction: Reach() for transaction in TRANSACTIONS}
        self._pages = 0
        self._before = 0  # the pages before the reading that is under way
        self._readable = True  # what could not be read may have told of a device
        self._flight: asyncio.Task[bool] | None = None
        self._began = 0.0  # on the loop's clock

    @property
    def reading(self) -> bool:
        return self._flight is not None

    async def catch_up(self, patience: float) -> bool:
        """Whether `devices` are all there are. A long past is read on when nobody waits any more.

        `patience`: so many seconds after the reading has begun nobody waits for its end. Raises VendorError where
        nothing could be read, or nothing was by then."""
        now = asyncio.get_running_loop().time()
        if self._flight is None:
            self._began, self._before = now, self._pages
            self._flight = asyncio.create_task(self._read())
            self._flight.add_done_callback(self._landed)
        flight = self._flight
        await asyncio.wait({flight}, timeout=max(0.0, self._began + patience - now))
        if not flight.done() and self._pages == self._before:
            raise VendorUnavailable(
                f"smartepi told nothing within {patience:.1f} s", account=self._account.key, vendor="smartepi"
            )
        return flight.done() and flight.result()

    def _landed(self, flight: asyncio.Task[bool]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # nobody may be left to take it

    async def _read(self) -> bool:
        """Each list for itself, so that one that fails does not undo the others."""
        before = self._pages
        outcomes = await asyncio.gather(*map(self._read_list, TRANSACTIONS), return_exceptions=True)
        errors = [outcome for outcome in outcomes if outcome is not None]
        for error in errors:
            if self._pages == before or not isinstance(error, VendorError):
                raise error
        return self._readable and not errors

    async def _read_list(self, transaction: Transaction) -> None:
        reach = self._reach[transaction]
        if reach.newest is not None:
            await self._read_new(transaction, reach, reach.newest)
        if reach.newest is None or not reach.whole:
            await self._read_old(transaction, reach)

    async def _read_new(self, transaction: Transaction, reach: Reach, newest: datetime) -> None:
        """The newest come first, so that there is a gap until all have come."""
        since = min(newest, utc_now()) - OVERLAP  # a time in the future would hide all that comes before it
        async for page in self._client.pages(transaction.operation, {"createdSince": int(since.timestamp())}):
            newest = max([newest, *self._keep(transaction, page)])
        reach.newest = newest

    async def _read_old(self, transaction: Transaction, reach: Reach) -> None:
        """Backwards, from where the last reading stopped."""
        query = {} if reach.oldest is None else {"createdUntil": int(reach.oldest.timestamp())}
        async for page in self._client.pages(transaction.operation, query):
            moments = self._keep(transaction, page)
            if moments:
                reach.newest = reach.newest or max(moments)
                reach.oldest = min(moments)
        reach.whole = True

    def _keep(self, transaction: Transaction, page: Sequence[Any]) -> list[datetime]:
        """The times of the transactions."""
        self._pages += 1
        what = transaction.kind.value.lower()
        found = readable(self._account, what, page, lambda row: parse.sighting(self._account, transaction, row))
        self._readable = self._readable and found.complete
        for sighting in found.items:
            if sighting.device is not None:
                device, known = Device.of(sighting), self.devices.get(sighting.device)
                self.devices[sighting.device] = device if known is None else known.joined(device)
        return [sighting.at for sighting in found.items]

    async def aclose(self) -> None:
        flight = self._flight
        if flight is not None:
            flight.cancel()
            await asyncio.wait({flight})
