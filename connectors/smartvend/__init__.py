"""SmartVend: coffee and impulse machines behind controllers, with prices but no stock."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import httpx2

from connectors.acting import Taken, VendorRequest
from connectors.base import Account
from connectors.guard import Guard
from connectors.parsing import ROW_ALONE, Raw, readable, text, unix, word
from connectors.reporting import Delivery
from connectors.smartvend import config, hooks, orders, parse
from connectors.smartvend.cash import collection, counted
from connectors.smartvend.client import SmartVendClient
from connectors.smartvend.ingredients import ingredients
from connectors.smartvend.texts import Texts
from connectors.windows import NO_LIMIT, Window, Windows
from domain.capabilities import Capability, UnavailableReason
from domain.details import Ingredient, Language, MachineCash, MachineConfig
from domain.errors import VendorError
from domain.facts import Fact
from domain.model import Connectivity, Machine, MachineEvent, Product, Slot
from domain.orders import Order
from domain.paging import Listing, Slice
from domain.sales import Sale, SaleKind
from domain.stock import CashCollection
from domain.times import Span, utc_now

T = TypeVar("T", Sale, MachineEvent, CashCollection)

SECOND = timedelta(seconds=1)
LANGUAGE = Language.EN  # of events where no other is asked for


class SmartVend:
    capabilities = orders.ACTS | {
        Capability.SLOTS,
        Capability.SALES,
        Capability.EVENTS,
        Capability.WEBHOOKS,
        Capability.CASH_COLLECTIONS,
    }
    sale_kinds = frozenset({SaleKind.PURCHASE})
    by_machine = False
    slots_at_once = 1

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = SmartVendClient(account, client)
        self._keys = hooks.public_keys(account)
        self.guard: Guard = self._client.guard
        self._sales = Windows()
        self._events = Windows()
        self._collections = Windows()
        self._dictionaries = {one: Texts(partial(self._dictionary, one)) for one in Language}
        self._texts = self._dictionaries[LANGUAGE]
        self._orders = orders.Orders(account, self._client)

    async def sign_in(self) -> None:
        await self._client.controllers()

    def refusal(self, _: Capability) -> UnavailableReason | None:
        return None

    async def aclose(self) -> None:
        for texts in self._dictionaries.values():
            await texts.aclose()

    async def machines(self) -> Listing[Machine]:
        return parse.machines(self.account, await self._client.controllers(), utc_now())

    async def products(self) -> Listing[Product]:
        return parse.products(self.account, await self._client.products())

    async def slots(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        """A request for each machine: the vendor has no list of matrices."""
        found = await asyncio.gather(*map(self._slots_of, machines))
        return dict(zip(machines, found, strict=True))

    async def _slots_of(self, machine: str) -> Sequence[Slot] | VendorError:
        try:
            return parse.slots(self.account, machine, await self._client.matrix(machine), utc_now())
        except VendorError as error:
            return error

    async def ingredients(self, machine: str) -> Sequence[Ingredient]:
        return ingredients(self.account, await self._client.matrix(machine))

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        return await self._sales.read(span, want, machines, lambda window, room: self._sales_in(window, room, machines))

    async def sale(self, native: str) -> Sale | None:
        return await _find(native, self._sales_in)

    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        return await self._events.read(
            span, want, machines, lambda window, room: self._events_in(window, room, machines)
        )

    async def event(self, native: str) -> MachineEvent | None:
        return await _find(native, self._events_in)

    async def collections(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[CashCollection]:
        return await self._collections.read(
            span, want, machines, lambda window, room: self._collections_in(window, room, machines)
        )

    async def collection(self, native: str) -> CashCollection | None:
        return await _find(native, self._collections_in)

    async def cash(self, machine: str) -> MachineCash:
        return counted(self.account, await self._client.state(machine), utc_now())

    async def connectivity(self, machine: str) -> Connectivity:
        told = await self._client.connection(machine)
        return word(parse.CONNECTIVITY, told.get("connectionStatus"), Connectivity.UNKNOWN)

    async def config(self, machine: str) -> MachineConfig:
        return config.shown(self.account, await self._client.config(machine), utc_now())

    async def translated(self, event: MachineEvent, language: Language) -> str | None:
        key = text((event.vendor_data or {}).get("localizeKey"))
        return None if key is None else (await self._dictionaries[language].get()).get(key)

    def verify(self, delivery: Delivery) -> Any:
        return hooks.verify(self._keys, delivery)

    def facts(self, signed: Any, delivery: Delivery) -> Sequence[Fact]:  # noqa: ARG002  all that counts is signed
        return hooks.facts(self.account, signed, self._texts.known)

    async def warm_up(self) -> None:
        await self._texts.get()

    def address(self, machine: str | None) -> str:
        return hooks.address(self.account, machine)

    def check(self, order: Order) -> None:
        self._orders.check(order)

    async def prepare(self, order: Order) -> VendorRequest:
        return await self._orders.prepare(order)

    async def send(self, request: VendorRequest) -> Taken:
        return await self._orders.send(request)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        return self._orders.shown(request)

    def shows(self, order: Order, sale: Sale) -> bool:
        return orders.shows(self.account, order, sale)

    async def fulfilled(self, order: Order) -> bool | None:
        return await self._orders.fulfilled(order)

    async def _sales_in(self, window: Span, room: int, machines: frozenset[str] | None) -> Window[Sale]:
        raw = await self._client.window("get-list-of-sales", "saleId", window, room, machines)
        return self._inside(window, raw, "sale", lambda row: parse.sale(self.account, row), given=ROW_ALONE)

    async def _events_in(self, window: Span, room: int, machines: frozenset[str] | None) -> Window[MachineEvent]:
        raw, texts = await asyncio.gather(
            self._client.window("get-list-of-events", "id", window, room, machines), self._texts.get()
        )
        return self._inside(window, raw, "event", lambda row: parse.event(self.account, row, texts))

    async def _collections_in(self, window: Span, room: int, machines: frozenset[str] | None) -> Window[CashCollection]:
        raw = await self._client.window("get-encashments-list", "id", window, room, machines)
        return self._inside(window, raw, "encashment", lambda row: collection(self.account, row), given=ROW_ALONE)

    def _inside(
        self, window: Span, raw: Window[Any], what: str, read: Callable[[Raw], T], given: Hashable = None
    ) -> Window[T]:
        """The range that is asked for has whole seconds, and both its ends inclusive: more comes than is meant."""
        if raw.rows is None:
            return Window(None, raw.total)
        told = readable(self.account, what, raw.rows, read, given=given)
        found = {item.ref: item for item in told.items if item.recorded_at in window}
        return Window(list(found.values()), len(found), told.complete)

    async def _dictionary(self, language: Language) -> Mapping[str, str]:
        return parse.dictionary(await self._client.dictionary(language.value))


async def _find(native: str, read: Callable[[Span, int, None], Awaitable[Window[T]]]) -> T | None:
    """The record behind a native id, from the second in which it was created."""
    try:
        since = unix(native.rpartition("@")[2])
        second = Span(since, since + SECOND)
    except (ValueError, ArithmeticError):
        return None
    window = await read(second, NO_LIMIT, None)
    return next((item for item in window.rows or () if item.ref.native == native), None)


def connect(account: Account, client: httpx2.AsyncClient) -> SmartVend:
    return SmartVend(account, client)
