"""SmartVend: coffee and impulse machines behind controllers, with prices but no stock."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx2

from connectors.base import Account, Delivery
from connectors.guard import Guard
from connectors.parsing import unix
from connectors.smartvend import hooks, parse
from connectors.smartvend.client import SmartVendClient
from connectors.windows import Window, Windows
from domain.errors import VendorError
from domain.facts import Fact
from domain.model import Capability, Machine, MachineEvent, Product, Sale, Slot, UnavailableReason
from domain.paging import Listing, Slice
from domain.times import Span, utc_now

T = TypeVar("T", Sale, MachineEvent)

TEXTS_KEPT = timedelta(days=1)
SECOND = timedelta(seconds=1)


class SmartVend:
    capabilities = frozenset({Capability.SLOTS, Capability.SALES, Capability.EVENTS, Capability.WEBHOOKS})

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = SmartVendClient(account, client)
        self._keys = hooks.public_keys(account)
        self.guard: Guard = self._client.guard
        self._sales = Windows()
        self._events = Windows()
        self._texts: dict[str, str] = {}
        self._texts_until = datetime.min.replace(tzinfo=UTC)
        self._texts_lock = asyncio.Lock()

    async def sign_in(self) -> None:
        await self._client.controllers()

    def refusal(self, _: Capability) -> UnavailableReason | None:
        return None

    async def aclose(self) -> None:
        return

    async def machines(self) -> Listing[Machine]:
        return Listing(parse.machines(self.account, await self._client.controllers(), utc_now()))

    async def products(self) -> Listing[Product]:
        return Listing(parse.products(self.account, await self._client.products()))

    async def slots(self, machines: Sequence[str]) -> Mapping[str, Sequence[Slot] | VendorError]:
        """A request for each machine: the vendor has no list of matrices."""
        found = await asyncio.gather(*map(self._slots_of, machines))
        return dict(zip(machines, found, strict=True))

    async def _slots_of(self, machine: str) -> Sequence[Slot] | VendorError:
        try:
            return parse.slots(self.account, machine, await self._client.matrix(machine), utc_now())
        except VendorError as error:
            return error

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        async def fetch(window: Span, room: int) -> Window[Sale]:
            raw = await self._client.window("get-list-of-sales", "saleId", window, room, machines)
            return _inside(window, raw, lambda row: parse.sale(self.account, row))

        return await self._sales.read(span, want, machines, fetch)

    async def sale(self, native: str) -> Sale | None:
        found = await self._at("get-list-of-sales", "saleId", native)
        return None if found is None else parse.sale(self.account, found)

    async def events(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[MachineEvent]:
        texts = await self._dictionary()

        async def fetch(window: Span, room: int) -> Window[MachineEvent]:
            raw = await self._client.window("get-list-of-events", "id", window, room, machines)
            return _inside(window, raw, lambda row: parse.event(self.account, row, texts))

        return await self._events.read(span, want, machines, fetch)

    async def event(self, native: str) -> MachineEvent | None:
        found = await self._at("get-list-of-events", "id", native)
        return None if found is None else parse.event(self.account, found, await self._dictionary())

    def verify(self, delivery: Delivery) -> Any:
        return hooks.verify(self._keys, delivery)

    def facts(self, signed: Any, _: Delivery) -> Sequence[Fact]:
        return hooks.facts(self.account, signed, self._texts)

    def address(self, machine: str | None) -> str:
        return hooks.address(self.account, machine)

    async def _at(self, operation: str, id_key: str, native: str) -> Any:
        """The record behind a native id, from the second in which it was created."""
        wanted, _, rest = native.partition("@")
        created, _, controller = rest.partition("@")
        if not created.isdecimal() or not controller:
            return None
        moment = unix(created)
        window = await self._client.window(operation, id_key, Span(moment, moment), 10**6, frozenset({controller}))
        return next((row for row in window.rows or () if str(row.get(id_key)) == wanted), None)

    async def _dictionary(self) -> Mapping[str, str]:
        """Read once a day; without it an event shows its key."""
        async with self._texts_lock:
            if utc_now() >= self._texts_until:
                try:
                    self._texts = parse.dictionary(await self._client.dictionary())
                except VendorError:
                    return self._texts
                self._texts_until = utc_now() + TEXTS_KEPT
            return self._texts


def _inside(window: Span, raw: Window[Any], read: Callable[[Any], T]) -> Window[T]:
    """The range that is asked for has whole seconds, and both its ends inclusive: more comes than the window holds."""
    if raw.rows is None:
        return Window(None, raw.total)
    found = [item for item in map(read, raw.rows) if item.recorded_at in window]
    return Window(found, len(found))


def connect(account: Account, client: httpx2.AsyncClient) -> SmartVend:
    return SmartVend(account, client)
