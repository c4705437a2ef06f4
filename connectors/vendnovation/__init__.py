"""VendNovation: vending machines of any maker, with counted selections, at sites."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx2

from connectors.base import Account
from connectors.guard import Guard
from connectors.parsing import stamp
from connectors.vendnovation import parse
from connectors.vendnovation.client import IDS_AT_ONCE, LARGEST, WIDEST, VendNovationClient
from connectors.windows import Window, Windows
from domain.errors import VendorError
from domain.model import (
    Capability,
    Machine,
    MachineEvent,
    Organization,
    Place,
    Product,
    Sale,
    SaleKind,
    Slot,
    UnavailableReason,
)
from domain.paging import Listing, Slice
from domain.times import Span, utc_now

T = TypeVar("T", Sale, MachineEvent)

MINUTE = timedelta(minutes=1)


class VendNovation:
    capabilities = frozenset({Capability.SLOTS, Capability.STOCK_COUNTS, Capability.SALES, Capability.EVENTS})
    sale_kinds = frozenset({SaleKind.PURCHASE})
    slots_at_once = IDS_AT_ONCE

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = VendNovationClient(account, client)
        self.guard: Guard = self._client.guard
        self._sales = Windows(WIDEST, LARGEST)
        self._alerts = Windows(WIDEST, LARGEST)

    async def sign_in(self) -> None:
        await self._client.sign_in()

    def refusal(self, _: Capability) -> UnavailableReason | None:
        return None

    async def aclose(self) -> None:
        return

    async def machines(self) -> Listing[Machine]:
        return Listing(parse.machines(self.account, await self._client.machines(), utc_now()))

    async def organizations(self) -> Listing[Organization]:
        return Listing(parse.organizations(self.account, await self._client.organizations()))

    async def places(self) -> Listing[Place]:
        return Listing(parse.places(self.account, await self._client.sites()))

    async def products(self) -> Listing[Product]:
        return Listing(parse.products(self.account, await self._client.products()))

    async def slots(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        """Those of many machines in one list; an error is every machine's that was asked for with it."""
        parts = [machines[at : at + IDS_AT_ONCE] for at in range(0, len(machines), IDS_AT_ONCE)]
        found = await asyncio.gather(*map(self._slots_of, parts))
        return {machine: slots for part in found for machine, slots in part.items()}

    async def _slots_of(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        by_machine: dict[str, list[Slot]] = {machine: [] for machine in machines}
        try:
            raw, at = await self._client.selections(machines), utc_now()
            for slot in (parse.slot(self.account, row, at) for row in raw):
                # A filter that is not honoured is ignored without a word: what was not asked for is left out.
                by_machine.get(slot.machine_ref.native, []).append(slot)
        except VendorError as error:
            return dict.fromkeys(machines, error)
        return dict[str, Sequence[Slot] | VendorError](by_machine)

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        async def fetch(window: Span, room: int) -> Window[Sale]:
            raw = await self._client.transactions(window, room, machines)
            return _inside(window, raw, lambda row: parse.sale(self.account, row))

        return await self._sales.read(span, want, machines, fetch)

    async def sale(self, native: str) -> Sale | None:
        wanted, span = _around(native)
        rows = [] if span is None else await self._client.transaction(wanted, span)
        found = (parse.sale(self.account, row) for row in rows)
        return next((sale for sale in found if sale.vendor_id == wanted), None)

    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        async def fetch(window: Span, room: int) -> Window[MachineEvent]:
            found = await self._alerts_of(machines, window, room)
            if any(event.recorded_at not in _wider(window) for event in found):
                raise DatesIgnored
            if len(found) > room:
                return Window(None, len(found))
            inside = [event for event in found if event.recorded_at in window]
            return Window(inside, len(inside))

        try:
            return await self._alerts.read(span, want, machines, fetch)
        except DatesIgnored:
            everything = await self._alerts_of(machines, span, None)
            return Slice([event for event in everything if event.recorded_at in span], span.since)

    async def _alerts_of(self, machines: frozenset[str] | None, span: Span, room: int | None) -> list[MachineEvent]:
        return [parse.event(self.account, row) for row in await self._client.alerts(machines, span, room)]

    async def event(self, native: str) -> MachineEvent | None:
        wanted, span = _around(native)
        rows = [] if span is None else await self._client.alert(wanted, span)
        found = (parse.event(self.account, row) for row in rows)
        return next((event for event in found if event.vendor_id == wanted), None)


class DatesIgnored(Exception):
    """The alerts' route gave what was not asked for: it gives all there is, whatever the dates."""


def _wider(window: Span) -> Span:
    """What a window may bring when its ends are rounded."""
    return Span(window.since - MINUTE, window.until + MINUTE)


def _around(native: str) -> tuple[str, Span | None]:
    """The vendor's id, and a minute on either side of the time that goes with it: unasked, a week counts."""
    wanted, _, digits = native.partition("@")
    recorded = stamp(digits)
    if recorded is None:
        return wanted, None
    moment = datetime.fromtimestamp(recorded / 1000, UTC)
    return wanted, Span(moment - MINUTE, moment + MINUTE)


def _inside(window: Span, raw: Window[Any], read: Callable[[Any], T]) -> Window[T]:
    """Dates that a route does not honour are ignored without a word: what lies outside is left out here."""
    if raw.rows is None:
        return Window(None, raw.total)
    found = [item for item in map(read, raw.rows) if item.recorded_at in window]
    return Window(found, len(found))


def connect(account: Account, client: httpx2.AsyncClient) -> VendNovation:
    return VendNovation(account, client)
