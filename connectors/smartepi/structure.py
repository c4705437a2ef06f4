"""Reading SmartEPI's people and structure."""

import asyncio
from typing import Any

from connectors.base import Account
from connectors.smartepi import records
from connectors.smartepi.client import SmartEPIClient
from connectors.smartepi.records import EMPLOYEES, GROUPS, UNITS
from domain.errors import VendorError, VendorProtocolError, VendorRejected
from domain.paging import Listing
from domain.people import EntitlementGroup, OrganizationUnit, PersonRecord, UnitKind


class Structure:
    """What a connector with a client inherits of it."""

    account: Account
    _client: SmartEPIClient

    async def people(self) -> Listing[PersonRecord]:
        return records.people(self.account, await self._client.all(EMPLOYEES))

    async def person(self, native: str) -> PersonRecord | None:
        found = await self._client.one(EMPLOYEES, native)
        return None if found is None else records.person(self.account, found[0])

    async def units(self) -> Listing[OrganizationUnit]:
        """Of all kinds. A kind that the vendor does not let us read, as one revision has it of access groups, leaves
        the others as they are, and so does one that cannot be read."""
        lists = await asyncio.gather(*(self._units(kind) for kind in UNITS))
        told = [one for one in lists if not isinstance(one, VendorError)]
        if not told:
            raise next(one for one in lists if isinstance(one, VendorError))
        complete = len(told) == len(lists) and all(one.complete for one in told)
        return Listing([unit for one in told for unit in one.items], complete=complete)

    async def _units(self, kind: UnitKind) -> Listing[OrganizationUnit] | VendorRejected | VendorProtocolError:
        try:
            found: list[Any] = await self._client.all(UNITS[kind])
            return records.units(self.account, kind, found)
        except (VendorRejected, VendorProtocolError) as error:
            return error

    async def unit(self, native: str) -> OrganizationUnit | None:
        named = records.unit_of(native)
        found = None if named is None else await self._client.one(UNITS[named[0]], named[1])
        return None if named is None or found is None else records.unit(self.account, named[0], found[0])

    async def groups(self) -> Listing[EntitlementGroup]:
        return records.groups(self.account, await self._client.all(GROUPS))

    async def group(self, native: str) -> EntitlementGroup | None:
        found = await self._client.one(GROUPS, native)
        return None if found is None else records.group(self.account, found[0])
