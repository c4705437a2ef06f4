"""Livello: kiosks that know their stock by weight, in a tree of organizations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import httpx2

from connectors.base import Account
from connectors.guard import Guard
from connectors.livello import client as api
from connectors.livello import parse
from connectors.livello.client import LivelloClient
from connectors.livello.paging import LARGEST, Page, chunks, walk
from connectors.livello.parse import MILLISECOND
from connectors.newest import Recorded, newest, together
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
AT_ONE_TIME = 25  # alerts: more than any millisecond brings

T = TypeVar("T")
R = TypeVar("R", bound=Recorded)


class Livello:
    capabilities = frozenset(SCOPES)
    sale_kinds = frozenset({SaleKind.PURCHASE})
    slots_at_once = 1

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = LivelloClient(account, client)
        self._currencies = self._client.currencies
        self.guard: Guard = self._client.guard

    async def sign_in(self) -> None:
        await self._client.sign_in()

    def refusal(self, capability: Capability) -> UnavailableReason | None:
        scope = SCOPES.get(capability)
        return UnavailableReason.NOT_PERMITTED if scope is not None and self._client.lacks(scope) else None

    async def aclose(self) -> None:
        return

    async def machines(self) -> Listing[Machine]:
        found = await self._client.kiosks()
        located = not self._client.lacks(api.ORGANIZATIONS)
        return _listing(parse.machines(self.account, found.rows, utc_now(), located=located), found)

    async def organizations(self) -> Listing[Organization]:
        found = await self._client.organizations()
        return _listing(parse.organizations(self.account, found.rows), found)

    async def products(self) -> Listing[Product]:
        found = await self._client.products()
        return _listing(parse.products(self.account, found.rows), found)

    async def slots(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        """A request for each kiosk: the vendor has no list of inventories."""
        found = await asyncio.gather(*map(self._slots_of, machines))
        return dict(zip(machines, found, strict=True))

    async def _slots_of(self, serial: str) -> Sequence[Slot] | VendorError:
        try:
            found, at = await self._client.inventory(serial), utc_now()
            if not parse.tells_currencies(found):
                await self._currencies.refresh()
            return parse.slots(self.account, serial, found, self._currency(serial), at)
        except VendorError as error:
            return error

    def _currency(self, serial: str | None) -> str | None:
        return self._currencies.of(serial) or self.account.currency

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        limit = min(LARGEST, want + 1)
        await self._client.need(api.TRANSACTIONS)

        async def pages(serials: list[str] | None) -> AsyncIterator[Sequence[Sale]]:
            async def page(skip: int) -> Page:
                asked = self._client.transactions(
                    since=span.since, until=_last(span), serials=serials, limit=limit, skip=skip
                )
                found, _ = await asyncio.gather(asked, self._currencies.refresh())
                return found

            async for raw in walk(page, want):
                yield parse.sales(self.account, raw, self._currency)

        return await _newest(pages, span, want, machines)

    async def sale(self, native: str) -> Sale | None:
        await self._client.need(api.TRANSACTIONS)
        found, _ = await asyncio.gather(self._client.transaction(native), self._currencies.refresh())
        return None if found is None else parse.sale(self.account, found, self._currency)

    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        limit = min(LARGEST, want + 1)

        async def pages(serials: list[str] | None) -> AsyncIterator[Sequence[MachineEvent]]:
            def page(offset: int) -> Awaitable[Page]:
                return self._client.alerts(until=_last(span), serials=serials, limit=limit, offset=offset)

            async for raw in walk(page, want):
                yield parse.events(self.account, raw)

        return await _newest(pages, span, want, machines)

    async def event(self, native: str) -> MachineEvent | None:
        wanted, moment = parse.alert_of(native)
        if moment is None:
            return None
        found = await self.events(Span(moment, moment + MILLISECOND), AT_ONE_TIME, None)
        return next((event for event in found.items if event.vendor_id == wanted), None)


def _listing(items: Sequence[T], found: Page) -> Listing[T]:
    """What was told twice, or could not be read, leaves fewer than there are."""
    return Listing(items, complete=len(items) >= found.total)


async def _newest(
    pages: Callable[[list[str] | None], AsyncIterator[Sequence[R]]],
    span: Span,
    want: int,
    machines: frozenset[str] | None,
) -> Slice[R]:
    """All machines at once, or as many at a time as fit into a request."""
    parts = await asyncio.gather(*(newest(pages(serials), span, want) for serials in chunks(machines)))
    return together(parts) if parts else Slice((), span.since)


def _last(span: Span) -> datetime:
    """The span's end as the vendor takes it: inclusive, in milliseconds, and rather too late than too early."""
    return span.until + MILLISECOND


def connect(account: Account, client: httpx2.AsyncClient) -> Livello:
    return Livello(account, client)
