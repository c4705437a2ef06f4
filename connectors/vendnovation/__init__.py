"""VendNovation: vending machines of any maker, with counted selections, at sites."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx2

from connectors.base import Account, Taken, VendorRequest
from connectors.guard import Guard
from connectors.parsing import readable
from connectors.vendnovation import orders, parse, records
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
from domain.orders import Order
from domain.paging import Listing, Slice
from domain.times import Span, utc_now

T = TypeVar("T", Sale, MachineEvent)

MINUTE = timedelta(minutes=1)
MILLISECONDS = re.compile(r"[0-9]{1,14}")


class VendNovation:
    capabilities = frozenset(
        {
            Capability.SLOTS,
            Capability.STOCK_COUNTS,
            Capability.SALES,
            Capability.EVENTS,
            Capability.SET_PRICE,
            Capability.UPDATE_PLANOGRAM,
        }
    )
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
        return parse.machines(self.account, await self._client.machines(), utc_now())

    async def organizations(self) -> Listing[Organization]:
        return parse.organizations(self.account, await self._client.organizations())

    async def places(self) -> Listing[Place]:
        return parse.places(self.account, await self._client.sites())

    async def products(self) -> Listing[Product]:
        return parse.products(self.account, await self._client.products())

    async def slots(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        """Those of many machines in one list; an error is every machine's that was asked for with it."""
        parts = [machines[at : at + IDS_AT_ONCE] for at in range(0, len(machines), IDS_AT_ONCE)]
        found = await asyncio.gather(*map(self._slots_of, parts))
        return {machine: slots for part in found for machine, slots in part.items()}

    async def _slots_of(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        try:
            raw, at = await self._client.selections(machines), utc_now()
        except VendorError as error:
            return dict.fromkeys(machines, error)
        # A filter that is not honoured is ignored without a word: what was not asked for is left out.
        by_machine = parse.by_machine(raw)
        return {machine: self._read_slots(by_machine.get(machine, []), at) for machine in machines}

    def _read_slots(self, raw: list[Any], at: datetime) -> Sequence[Slot] | VendorError:
        try:
            return [parse.slot(self.account, row, at) for row in raw]
        except VendorError as error:
            return error

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        async def fetch(window: Span, room: int) -> Window[Sale]:
            raw = await self._client.transactions(window, room, machines)
            if raw.rows is None:
                return Window(None, raw.total)
            told = self._read_sales(raw.rows)
            inside = _inside(told.items, window, machines)
            return Window(inside, len(inside), told.complete)

        return await self._sales.read(span, want, machines, fetch)

    async def sale(self, native: str) -> Sale | None:
        wanted, span = _around(native)
        rows = [] if span is None else await self._client.transaction(wanted, span)
        return next((sale for sale in self._read_sales(rows).items if sale.vendor_id == wanted), None)

    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        async def fetch(window: Span, room: int) -> Window[MachineEvent]:
            found: list[MachineEvent] = []
            dated = complete = True
            async for page in self._client.alerts(window, machines):
                told = self._read_events(page.rows)
                dated = dated and all(event.recorded_at in _wider(window) for event in told.items)
                complete = complete and told.complete
                found += told.items
                if dated and len(found) > room and not page.last:
                    return Window(None, len(found))
            if not dated:
                raise DatesIgnored(Slice(_inside(found, span, machines), span.since, complete))
            inside = _inside(found, window, machines)
            return Window(inside, len(inside), complete)

        try:
            return await self._alerts.read(span, want, machines, fetch)
        except DatesIgnored as ignored:
            return ignored.everything

    async def event(self, native: str) -> MachineEvent | None:
        wanted, span = _around(native)
        rows = [] if span is None else await self._client.alert(wanted, span)
        return next((event for event in self._read_events(rows).items if event.vendor_id == wanted), None)

    def check(self, order: Order) -> None:
        orders.check(order, self.account.currency)

    async def prepare(self, order: Order) -> VendorRequest:
        return await orders.prepare(self._client, order)

    async def send(self, request: VendorRequest) -> Taken:
        return await orders.send(self._client, request)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        return self._client.shown(request)

    async def fulfilled(self, order: Order) -> bool | None:
        return await orders.fulfilled(self._client, order)

    def _read_sales(self, rows: Sequence[Any]) -> Listing[Sale]:
        return readable(self.account, "transaction", rows, lambda row: records.sale(self.account, row))

    def _read_events(self, rows: Sequence[Any]) -> Listing[MachineEvent]:
        return readable(self.account, "alert", rows, lambda row: records.event(self.account, row))


class DatesIgnored(Exception):
    """The alerts' route gave what was not asked for: `everything` of the span was among it, whatever the dates."""

    def __init__(self, everything: Slice[MachineEvent]) -> None:
        super().__init__()
        self.everything = everything


def _wider(window: Span) -> Span:
    """What a window may bring when its ends are rounded."""
    return Span(window.since - MINUTE, window.until + MINUTE)


def _around(native: str) -> tuple[str, Span | None]:
    """The vendor's id, and a minute on either side of the time that goes with it: unasked, a week counts.

    The text comes from a caller, so that it may hold anything: then there is no time in it."""
    wanted, _, recorded = native.rpartition("@")
    if not wanted or MILLISECONDS.fullmatch(recorded) is None:
        return wanted, None
    moment = datetime.fromtimestamp(int(recorded) / 1000, UTC)
    return wanted, Span(moment - MINUTE, moment + MINUTE)


def _inside(rows: Iterable[T], window: Span, machines: frozenset[str] | None) -> list[T]:
    """Filters that a route does not honour are ignored without a word: what was not asked for is left out here."""
    return [row for row in rows if row.recorded_at in window and (machines is None or _machine(row) in machines)]


def _machine(row: T) -> str | None:
    return None if row.machine_ref is None else row.machine_ref.native


def connect(account: Account, client: httpx2.AsyncClient) -> VendNovation:
    return VendNovation(account, client)
