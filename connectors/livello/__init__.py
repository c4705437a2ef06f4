"""Livello: kiosks that know their stock by weight, in a tree of organizations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx2

from connectors.acting import Taken, VendorRequest
from connectors.analytics import Analytics
from connectors.base import Account
from connectors.guard import Guard
from connectors.livello import (
    alerts,
    changes,
    details,
    orders,
    parse,
    promotions,
    records,
    refills,
    sessions,
    temperatures,
    terminals,
    user_orders,
    users,
)
from connectors.livello import client as api
from connectors.livello.analytics import LivelloAnalytics
from connectors.livello.client import LivelloClient
from connectors.livello.paging import LARGEST, Page, chunks, walk
from connectors.livello.records import MILLISECOND
from connectors.newest import Recorded, newest, together
from domain.backoffice import EventType
from domain.capabilities import Capability, UnavailableReason
from domain.details import MachineSession, ProductLine, TaxRate
from domain.errors import VendorError
from domain.model import Machine, MachineEvent, Organization, Product, Slot
from domain.orders import Order, SetPrice
from domain.paging import Listing, Slice
from domain.people import PersonRecord
from domain.people_orders import CreatePerson, UpdatePerson
from domain.promotions import PromoCode
from domain.refs import Ref
from domain.sales import Sale, SaleKind
from domain.stock import MovementKind, StockMovement
from domain.temperatures import Readings
from domain.terminals import MachineTerminal
from domain.times import Span, utc_now

SCOPES = {
    Capability.SLOTS: (api.INVENTORY,),
    Capability.STOCK_COUNTS: (api.INVENTORY,),
    Capability.SALES: (api.TRANSACTIONS,),
    Capability.EVENTS: (api.ALERTS,),
    Capability.TEMPERATURE: (api.KIOSKS,),
    Capability.STOCK_MOVEMENTS: (api.REFILLS,),
    Capability.SET_PRICE: (api.PRICES, api.INVENTORY),  # which product line a slot has, its inventory tells
    Capability.CREATE_PERSON: (api.USERS_WRITE, api.USERS),
    Capability.UPDATE_PERSON: (api.USERS_WRITE, api.USERS),
    Capability.CREATE_PRODUCT: (api.PRICES,),
    Capability.UPDATE_PRODUCT: (api.PRICES,),
    Capability.DELETE_PRODUCT: (api.PRICES,),
    Capability.CREATE_ORGANIZATION: (),  # the documents name no scope for it
    Capability.UPDATE_ORGANIZATION: (),
    Capability.CREATE_PROMO_CODES: (api.PROMO_WRITE,),
    Capability.SET_PROMO_ELIGIBILITY: (api.PROMO_WRITE,),
}
MINUTE = timedelta(minutes=1)
AT_ONE_TIME = 25  # alerts: more than any millisecond brings

R = TypeVar("R", bound=Recorded)
Serials = list[str] | None


class Livello:
    capabilities = frozenset(SCOPES)
    sale_kinds = frozenset({SaleKind.PURCHASE})
    movement_kinds = frozenset({MovementKind.RESTOCK, MovementKind.REMOVAL})
    slots_at_once = 1

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = LivelloClient(account, client)
        self._currencies = self._client.currencies
        self.analytics: Analytics = LivelloAnalytics(account, self._client)
        self.guard: Guard = self._client.guard

    async def sign_in(self) -> None:
        await self._client.sign_in()

    def refusal(self, capability: Capability) -> UnavailableReason | None:
        lacking = any(map(self._client.lacks, SCOPES.get(capability, ())))
        return UnavailableReason.NOT_PERMITTED if lacking else None

    async def aclose(self) -> None:
        await self._client.aclose()

    async def machines(self) -> Listing[Machine]:
        found = await self._client.kiosks()
        located = not self._client.lacks(api.ORGANIZATIONS)
        return parse.machines(self.account, found, utc_now(), located=located)

    async def organizations(self) -> Listing[Organization]:
        return parse.organizations(self.account, await self._client.organizations())

    async def products(self) -> Listing[Product]:
        return parse.products(self.account, await self._client.products())

    async def people(self) -> Listing[PersonRecord]:
        return users.people(self.account, await self._client.users())

    async def person(self, native: str) -> PersonRecord | None:
        found = await self._client.user(native)
        return None if found is None else users.person(self.account, found)

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

        async def page(serials: Serials, skip: int) -> Page:
            asked = self._client.transactions(
                since=span.since, until=_last(span), serials=serials, limit=limit, skip=skip
            )
            found, _ = await asyncio.gather(asked, self._currencies.refresh())
            return found

        def read(rows: list[Any]) -> Listing[Sale]:
            return records.sales(self.account, rows, self._currency, self._currencies.version)

        return await self._newest("sales", page, read, span, want, machines)

    async def sale(self, native: str) -> Sale | None:
        await self._client.need(api.TRANSACTIONS)
        found, _ = await asyncio.gather(self._client.transaction(native), self._currencies.refresh())
        return None if found is None else records.sale(self.account, found, self._currency)

    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        limit = min(LARGEST, want + 1)

        async def page(serials: Serials, offset: int) -> Page:
            return await self._client.alerts(until=_last(span), serials=serials, limit=limit, offset=offset)

        return await self._newest("events", page, lambda rows: records.events(self.account, rows), span, want, machines)

    async def _newest(
        self,
        what: str,
        page: Callable[[Serials, int], Awaitable[Page]],
        read: Callable[[list[Any]], Listing[R]],
        span: Span,
        want: int,
        machines: frozenset[str] | None,
    ) -> Slice[R]:
        """All machines at once, or as many at a time as fit into a request. Of a span as long as one that was read
        before, as many pages are asked for at once as there were."""
        complete, lengths = True, self._client.lengths

        async def pages(serials: Serials) -> AsyncIterator[Sequence[R]]:
            nonlocal complete
            which = (what, None if serials is None else tuple(serials), round((span.until - span.since) / MINUTE))
            async for one in walk(lambda at: page(serials, at), want, min(LARGEST, want + 1), lengths.of(which)):
                lengths.tell(which, one.total)
                told = read(one.rows)
                complete = complete and told.complete
                yield told.items

        parts = await asyncio.gather(*(newest(pages(serials), span, want) for serials in chunks(machines)))
        return replace(together(parts), complete=complete) if parts else Slice((), span.since)

    async def event(self, native: str) -> MachineEvent | None:
        wanted, moment = records.alert_of(native)
        if moment is None:
            return None
        found = await self.events(Span(moment, moment + MILLISECOND), AT_ONE_TIME, None)
        return next((event for event in found.items if event.vendor_id == wanted), None)

    async def movements(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[StockMovement]:
        """A refill tells of several, or of none."""
        limit = min(LARGEST, want + 1)

        async def page(serials: Serials, skip: int) -> Page:
            return await self._client.refills(
                since=span.since, until=_last(span), serials=serials, limit=limit, skip=skip
            )

        return await self._newest(
            "movements", page, lambda rows: refills.movements(self.account, rows), span, want, machines
        )

    async def temperatures(self, machine: str, span: Span) -> Readings:
        granularity, seconds = temperatures.resolution(span)
        found = await self._client.temperatures(granularity, machine, span.since, _last(span))
        return temperatures.readings(self.account, found, seconds)

    async def movement(self, native: str) -> StockMovement | None:
        found = await self._client.refill(refills.refill_of(native))
        told = () if found is None else refills.movements_of(self.account, found)
        return next((one for one in told if one.ref.native == native), None)

    async def session(self, machine: str) -> MachineSession | None:
        return sessions.session(self.account, await self._client.session(machine))

    async def terminal(self, machine: str) -> MachineTerminal:
        return terminals.terminal(self.account, await self._client.kiosk(machine), utc_now())

    async def event_types(self) -> Sequence[EventType]:
        return alerts.event_types(self.account, await self._client.alert_types())

    async def tax_rates(self, organization: str) -> Sequence[TaxRate]:
        return details.tax_rates(self.account, await self._client.vat_rates(organization))

    async def product_lines(self, organization: str) -> Sequence[ProductLine]:
        return details.product_lines(self.account, await self._client.product_lines(organization))

    async def promo_code(self, code: str) -> PromoCode | None:
        found = await self._client.found("get-promocode", api.PROMO_READ, code=code)
        return None if found is None else promotions.promo_code(self.account, found)

    def check(self, order: Order) -> None:
        match order:
            case CreatePerson() | UpdatePerson():
                user_orders.body(order)
            case SetPrice():
                orders.check(order)
            case _:
                changes.check(self.account, order)

    async def prepare(self, order: Order) -> VendorRequest:
        if isinstance(order, CreatePerson | UpdatePerson):
            return await user_orders.prepare(self._client, order)
        return await orders.prepare(self._client, order)

    async def send(self, request: VendorRequest) -> Taken:
        if request.operation.endswith("-user"):
            return await user_orders.send(self._client, request)
        return await orders.send(self._client, request)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        return self._client.shown(request)

    async def fulfilled(self, order: Order) -> Ref | bool | None:
        if isinstance(order, CreatePerson | UpdatePerson):
            return await user_orders.fulfilled(self._client, order)
        return await orders.fulfilled(self._client, order)


def _last(span: Span) -> datetime:
    """The span's end as the vendor takes it: inclusive, in milliseconds, and rather too late than too early."""
    return span.until + MILLISECOND


def connect(account: Account, client: httpx2.AsyncClient) -> Livello:
    return Livello(account, client)
