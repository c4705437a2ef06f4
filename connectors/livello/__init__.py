"""Livello: kiosks that know their stock by weight, in a tree of organizations."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx2

from connectors.base import Account
from connectors.guard import Guard
from connectors.livello import client as api
from connectors.livello import parse
from connectors.livello.client import LARGEST, LivelloClient, chunks
from connectors.newest import newest, together
from connectors.parsing import stamp
from domain.errors import VendorError
from domain.model import (
    Capability,
    Machine,
    MachineEvent,
    Organization,
    Product,
    Sale,
    SaleKind,
    Slot,
    UnavailableReason,
)
from domain.paging import Listing, Slice
from domain.times import Span, utc_now

SCOPES = {
    Capability.SLOTS: api.INVENTORY,
    Capability.STOCK_COUNTS: api.INVENTORY,
    Capability.SALES: api.TRANSACTIONS,
    Capability.EVENTS: api.ALERTS,
    Capability.TEMPERATURE: api.KIOSKS,
}
MILLISECOND = timedelta(milliseconds=1)


class Livello:
    capabilities = frozenset(SCOPES)
    sale_kinds = frozenset({SaleKind.PURCHASE})
    slots_at_once = 1

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = LivelloClient(account, client)
        self.guard: Guard = self._client.guard

    async def sign_in(self) -> None:
        await self._client.sign_in()

    def refusal(self, capability: Capability) -> UnavailableReason | None:
        scope = SCOPES.get(capability)
        return UnavailableReason.NOT_PERMITTED if scope is not None and self._client.lacks(scope) else None

    async def aclose(self) -> None:
        return

    async def machines(self) -> Listing[Machine]:
        return Listing(parse.machines(self.account, await self._client.kiosks(), utc_now()))

    async def organizations(self) -> Listing[Organization]:
        return Listing(parse.organizations(self.account, await self._client.organizations()))

    async def products(self) -> Listing[Product]:
        return Listing(parse.products(self.account, await self._client.products()))

    async def slots(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        """A request for each kiosk: the vendor has no list of inventories."""
        found = await asyncio.gather(*map(self._slots_of, machines))
        return dict(zip(machines, found, strict=True))

    async def _slots_of(self, serial: str) -> Sequence[Slot] | VendorError:
        try:
            return parse.slots(self.account, serial, await self._client.inventory(serial), utc_now())
        except VendorError as error:
            return error

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        async def pages(serials: list[str] | None) -> AsyncIterator[Sequence[Sale]]:
            skip, total = 0, 1
            limit = min(LARGEST, want + 1)
            while skip < total:
                raw, total = await self._client.transactions(
                    since=span.since, until=_last(span), serials=serials, limit=limit, skip=skip
                )
                skip += len(raw) or total
                yield [parse.sale(self.account, row) for row in raw]

        parts = (newest(pages(serials), span, want) for serials in chunks(machines))
        return together(await asyncio.gather(*parts))

    async def sale(self, native: str) -> Sale | None:
        found = await self._client.transaction(native)
        return None if found is None else parse.sale(self.account, found)

    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        async def pages(serials: list[str] | None) -> AsyncIterator[Sequence[MachineEvent]]:
            offset, total = 0, 1
            limit = min(LARGEST, want + 1)
            while offset < total:
                raw, total = await self._client.alerts(until=_last(span), serials=serials, limit=limit, offset=offset)
                offset += len(raw) or total
                yield [parse.event(self.account, row) for row in raw]

        parts = (newest(pages(serials), span, want) for serials in chunks(machines))
        return together(await asyncio.gather(*parts))

    async def event(self, native: str) -> MachineEvent | None:
        wanted, _, digits = native.partition("@")
        created = stamp(digits)
        if created is None:
            return None
        moment = datetime.fromtimestamp(created / 1000, UTC)
        found = await self.events(Span(moment, moment + MILLISECOND), LARGEST, None)
        return next((event for event in found.items if event.vendor_id == wanted), None)


def _last(span: Span) -> datetime:
    """The span's end as the vendor takes it: inclusive, in milliseconds, and rather too late than too early."""
    return span.until + MILLISECOND


def connect(account: Account, client: httpx2.AsyncClient) -> Livello:
    return Livello(account, client)
