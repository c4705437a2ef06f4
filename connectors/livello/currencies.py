"""Which currency a kiosk takes: that of its organization, for neither the kiosk nor its transactions tell one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from connectors.livello import parse
from connectors.livello.client import LivelloClient
from connectors.livello.paging import Page
from domain.errors import VendorError

KEPT = 900.0  # seconds
PAUSE = 60.0  # seconds: after a list could not be had
PATIENCE = 0.5  # of a request's time: what is waited for must not be lost over this


class Currencies:
    """Learned from the lists of organizations and of kiosks, whoever reads them; asked for where nobody has.

    Where all organizations take one currency the kiosks need not be known. What cannot be found out is None."""

    def __init__(self, client: LivelloClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._of_organization: dict[str, str | None] = {}
        self._owner: dict[str, str] = {}
        self._organizations_due = self._kiosks_due = clock()

    def learn_organizations(self, rows: Iterable[Any]) -> None:
        self._of_organization = parse.currencies(rows)
        self._organizations_due = self._clock() + KEPT

    def learn_kiosks(self, rows: Iterable[Any]) -> None:
        self._owner = parse.owners(rows)
        self._kiosks_due = self._clock() + KEPT

    async def refresh(self) -> None:
        if self._clock() >= self._organizations_due:
            found = await self._ask(self._client.organizations)
            if found is None:
                self._organizations_due = self._clock() + PAUSE
            else:
                self.learn_organizations(found.rows)
        if len(set(self._of_organization.values())) > 1 and self._clock() >= self._kiosks_due:
            found = await self._ask(self._client.kiosks)
            if found is None:
                self._kiosks_due = self._clock() + PAUSE
            else:
                self.learn_kiosks(found.rows)

    async def _ask(self, read: Callable[[], Awaitable[Page]]) -> Page | None:
        try:
            async with asyncio.timeout(self._client.guard.timeout * PATIENCE):
                return await read()
        except (VendorError, TimeoutError):
            return None

    def of(self, serial: str | None) -> str | None:
        told = set(self._of_organization.values())
        if len(told) == 1:
            return next(iter(told))
        owner = None if serial is None else self._owner.get(serial)
        return None if owner is None else self._of_organization.get(owner)
