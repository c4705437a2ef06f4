"""VendNovation: vending machines of any maker, with counted selections, at sites."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx2

from connectors.acting import Taken, VendorRequest
from connectors.base import Account
from connectors.guard import Guard
from connectors.parsing import ROW_ALONE, readable
from connectors.vendnovation import backoffice, orders, parse, records, sessions, stock
from connectors.vendnovation.client import IDS_AT_ONCE, LARGEST, WIDEST, VendNovationClient
from connectors.vendnovation.dates import around, inside, wider, within
from connectors.windows import Window, Windows
from domain import backoffice as asked
from domain import upkeep
from domain.backoffice import (
    CustomerAccount,
    EventType,
    ProductCount,
    SaleMetadata,
    ServiceSession,
    ServiceSessionEvent,
)
from domain.capabilities import Capability, UnavailableReason
from domain.errors import VendorError
from domain.model import Machine, MachineEvent, Organization, Place, Product, Slot
from domain.orders import Order
from domain.paging import Listing, Slice
from domain.refs import Ref
from domain.sales import Sale, SaleKind
from domain.stock import MovementKind, StockMovement
from domain.times import Span, utc_now


class VendNovation:
    capabilities = frozenset(
        {
            Capability.SLOTS,
            Capability.STOCK_COUNTS,
            Capability.SALES,
            Capability.EVENTS,
            Capability.SET_PRICE,
            Capability.UPDATE_PLANOGRAM,
            Capability.STOCK_MOVEMENTS,
            Capability.ADJUST_STOCK,
            *upkeep.ORDERS,
            *asked.ORDERS,
        }
    )
    sale_kinds = frozenset({SaleKind.PURCHASE})
    movement_kinds = frozenset(MovementKind) - {MovementKind.REMOVAL}
    slots_at_once = IDS_AT_ONCE
    metadata_at_once = LARGEST

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = VendNovationClient(account, client)
        self.guard: Guard = self._client.guard
        self._sales = Windows(WIDEST, LARGEST)
        self._alerts = Windows(WIDEST, LARGEST)
        self._adjustments = Windows(WIDEST, LARGEST)

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
        """One that cannot be read is left out."""
        try:
            return parse.slots(self.account, raw, at)
        except VendorError as error:
            return error

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        return await within(self._sales, self._client.transactions, self._read_sales, span, want, machines)

    async def sale(self, native: str) -> Sale | None:
        wanted, span = around(native)
        rows = [] if span is None else await self._client.transaction(wanted, span)
        return next((sale for sale in self._read_sales(rows).items if sale.vendor_id == wanted), None)

    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        async def fetch(window: Span, room: int) -> Window[MachineEvent]:
            found: list[MachineEvent] = []
            dated = complete = True
            async for page in self._client.alerts(window, machines):
                told = self._read_events(page.rows)
                dated = dated and all(event.recorded_at in wider(window) for event in told.items)
                complete = complete and told.complete
                found += told.items
                if dated and len(found) > room and not page.last:
                    return Window(None, len(found))
            if not dated:
                raise DatesIgnored(Slice(inside(found, span, machines), span.since, complete))
            kept = inside(found, window, machines)
            return Window(kept, len(kept), complete)

        try:
            return await self._alerts.read(span, want, machines, fetch)
        except DatesIgnored as ignored:
            return ignored.everything

    async def event(self, native: str) -> MachineEvent | None:
        wanted, span = around(native)
        rows = [] if span is None else await self._client.alert(wanted, span)
        return next((event for event in self._read_events(rows).items if event.vendor_id == wanted), None)

    async def movements(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[StockMovement]:
        return await within(self._adjustments, self._client.adjustments, self._read_movements, span, want, machines)

    async def movement(self, native: str) -> StockMovement | None:
        wanted, span = around(native)
        rows = [] if span is None else await self._client.adjustments_in(span)
        return next((one for one in self._read_movements(rows).items if one.vendor_id == wanted), None)

    async def event_types(self) -> Sequence[EventType]:
        return await backoffice.event_types(self._client)

    async def customer_accounts(self) -> Sequence[CustomerAccount]:
        return await backoffice.customers(self._client)

    async def products_sold(self, span: Span) -> Sequence[ProductCount]:
        return await backoffice.products_sold(self._client, span)

    async def sale_metadata(self, sales: Sequence[str]) -> Mapping[str, SaleMetadata | VendorError]:
        return await backoffice.metadata(self._client, sales)

    async def service_sessions(self, span: Span) -> Sequence[ServiceSession]:
        return await sessions.sessions(self._client, span)

    async def service_session_events(self, session: str) -> Sequence[ServiceSessionEvent]:
        return await sessions.events(self._client, session)

    def check(self, order: Order) -> None:
        orders.check(order, self.account.currency)

    async def prepare(self, order: Order) -> VendorRequest:
        return await orders.prepare(self._client, order)

    async def send(self, request: VendorRequest) -> Taken:
        return await orders.send(self._client, request)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        return self._client.shown(request)

    async def fulfilled(self, order: Order) -> Ref | bool | None:
        return await orders.fulfilled(self._client, order)

    def _read_sales(self, rows: Sequence[Any]) -> Listing[Sale]:
        return readable(self.account, "transaction", rows, lambda row: records.sale(self.account, row), given=ROW_ALONE)

    def _read_events(self, rows: Sequence[Any]) -> Listing[MachineEvent]:
        return readable(self.account, "alert", rows, lambda row: records.event(self.account, row), given=ROW_ALONE)

    def _read_movements(self, rows: Sequence[Any]) -> Listing[StockMovement]:
        return stock.movements(self.account, rows)


class DatesIgnored(Exception):
    """The alerts' route gave what was not asked for: `everything` of the span was among it, whatever the dates."""

    def __init__(self, everything: Slice[MachineEvent]) -> None:
        super().__init__()
        self.everything = everything


def connect(account: Account, client: httpx2.AsyncClient) -> VendNovation:
    return VendNovation(account, client)
