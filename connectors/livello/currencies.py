"""Which currency a kiosk takes: that of its organization, for neither the kiosk nor its transactions tell one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from connectors.livello import parse
from connectors.livello.paging import Page
from domain.errors import VendorError

KEPT = 900.0  # seconds
PAUSE = 60.0  # seconds: after a list could not be had

Read = Callable[[], Awaitable[Page]]


class Currencies:
    """Learned from the lists of organizations and of kiosks, whoever reads them; asked for where nobody has.

    Where all organizations take one currency the kiosks need not be known. What cannot be found out is None.
    `patience` in seconds: what is waited for must not be lost over this. `version` is another when what is known is."""

    def __init__(
        self, organizations: Read, kiosks: Read, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._organizations = organizations
        self._kiosks = kiosks
        self._patience = patience
        self._clock = clock
        self._of_organization: dict[str, str | None] = {}
        self._owner: dict[str, str] = {}
        self._organizations_due = self._kiosks_due = clock()
        self.version = 0

    def learn_organizations(self, rows: Iterable[Any]) -> None:
        known, self._of_organization = self._of_organization, parse.currencies(rows)
        self.version += known != self._of_organization
        self._organizations_due = self._clock() + KEPT

    def learn_kiosks(self, rows: Iterable[Any]) -> None:
        known, self._owner = self._owner, parse.owners(rows)
        self.version += known != self._owner
        self._kiosks_due = self._clock() + KEPT

    async def refresh(self) -> None:
        if self._clock() >= self._organizations_due and not await self._told(self._organizations):
            self._organizations_due = self._clock() + PAUSE
        differ = len(set(self._of_organization.values())) > 1
        if differ and self._clock() >= self._kiosks_due and not await self._told(self._kiosks):
            self._kiosks_due = self._clock() + PAUSE

    async def _told(self, read: Read) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                await read()
        except (VendorError, TimeoutError):
            return False
        return True

    def of(self, serial: str | None) -> str | None:
        told = set(self._of_organization.values())
        if len(told) == 1:
            return next(iter(told))
        owner = None if serial is None else self._owner.get(serial)
        return None if owner is None else self._of_organization.get(owner)

    def only(self, serials: Sequence[str] | None, otherwise: str | None) -> str | None:
        """That of all of them, or of all kiosks; None where there are several, `otherwise` where none is known."""
        known = self._of_organization.values() if serials is None else map(self.of, serials)
        told = {currency for currency in known if currency is not None}
        if not told:
            return otherwise
        return next(iter(told)) if len(told) == 1 else None
