"""SmartEPI: dispensers of protective equipment, known only by what they handed out."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from itertools import pairwise
from math import ceil
from typing import Any

import httpx2

from connectors.acting import Taken, VendorRequest
from connectors.base import Account
from connectors.guard import Guard
from connectors.newest import newest, together
from connectors.parsing import ROW_ALONE, readable
from connectors.reporting import Delivery
from connectors.smartepi import bodies, hooks, orders, parse, products
from connectors.smartepi.client import LARGEST, PRODUCT, SmartEPIClient
from connectors.smartepi.history import History
from connectors.smartepi.structure import Structure
from domain.capabilities import Capability, UnavailableReason
from domain.catalogue import ORDERS as CATALOGUE
from domain.facts import Fact
from domain.model import Machine, Product
from domain.orders import Order
from domain.paging import Listing, Slice
from domain.people_orders import PEOPLE_ORDERS
from domain.refs import Ref
from domain.sales import Sale, SaleKind
from domain.times import Span

PATIENCE = 0.8  # of the account's time limit: a query waits a little longer for its source
NATIVE = re.compile(r"(?P<letter>[wrx]):(?P<id>.+)@(?P<second>[0-9]{1,11})", re.DOTALL)


class SmartEPI(Structure):
    capabilities = frozenset({Capability.SALES, Capability.EVENTS, Capability.WEBHOOKS, *PEOPLE_ORDERS, *CATALOGUE})
    sale_kinds = frozenset(one.kind for one in parse.TRANSACTIONS)
    by_machine = False

    def __init__(self, account: Account, client: httpx2.AsyncClient, *, patience: float | None = None) -> None:
        self.account = account
        self._client = SmartEPIClient(account, client)
        self.guard: Guard = self._client.guard
        self._signing = hooks.signing(account)
        self._history = History(account, self._client)
        self._patience = PATIENCE * self.guard.timeout if patience is None else patience

    async def sign_in(self) -> None:
        await self._client.sign_in()

    def refusal(self, _: Capability) -> UnavailableReason | None:
        return None

    async def aclose(self) -> None:
        await self._history.aclose()

    async def products(self) -> Listing[Product]:
        raw = [row async for page in self._client.pages("list-products") for row in page]
        return parse.products(self.account, raw)

    async def machines(self) -> Listing[Machine]:
        """Every device that was ever seen, or, while a long past is being read, those that are known so far."""
        complete = await self._history.catch_up(self._patience)
        found = [parse.machine(self.account, *device) for device in self._history.devices.items()]
        return Listing(found, complete=complete, growing=self._history.reading)

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        return await self.sales_of_kinds(self.sale_kinds, span, want, machines)

    async def sales_of_kinds(
        self, kinds: frozenset[SaleKind], span: Span, want: int, machines: frozenset[str] | None
    ) -> Slice[Sale]:
        """A window goes with no other filter, so that machines are picked out here."""

        def counts(sale: Sale) -> bool:
            return machines is None or (sale.machine_ref is not None and sale.machine_ref.native in machines)

        complete = True

        async def pages(transaction: parse.Transaction) -> AsyncIterator[Sequence[Sale]]:
            nonlocal complete
            query = {"createdSince": int(span.since.timestamp()), "createdUntil": ceil(span.until.timestamp())}
            limit = min(LARGEST, want + 1) if machines is None else LARGEST
            async for page in self._client.pages(transaction.operation, query, limit):
                told = self._read(transaction, page)
                complete = complete and told.complete
                yield _thinned(told.items, counts)

        if machines is not None and not machines:
            return Slice([], span.since)
        wanted = (transaction for transaction in parse.TRANSACTIONS if transaction.kind in kinds)
        lists = (newest(pages(transaction), span, want, counts) for transaction in wanted)
        found = together(await asyncio.gather(*lists))
        return Slice(list(filter(counts, found.items)), found.since, complete)

    def _read(self, transaction: parse.Transaction, page: Sequence[Any]) -> Listing[Sale]:
        return readable(
            self.account,
            transaction.kind.value.lower(),
            page,
            lambda row: parse.sale(self.account, transaction, row),
            given=ROW_ALONE,
        )

    async def sale(self, native: str) -> Sale | None:
        """From the second in which it was recorded: the vendor gives no single transaction."""
        named = NATIVE.fullmatch(native)
        if named is None:
            return None
        transaction = next(one for one in parse.TRANSACTIONS if one.letter == named["letter"])
        second = int(named["second"])
        query = {"createdSince": second, "createdUntil": second}
        async for page in self._client.pages(transaction.operation, query):
            for sale in self._read(transaction, page).items:
                if sale.vendor_id == named["id"]:
                    return sale
        return None

    def check(self, order: Order) -> None:
        if isinstance(order, products.ORDERED):
            products.request(order)
        else:
            bodies.body(order)

    async def prepare(self, order: Order) -> VendorRequest:
        if isinstance(order, products.ORDERED):
            return await products.prepare(self._client, order)
        return await orders.prepare(self._client, order)

    async def send(self, request: VendorRequest) -> Taken:
        if request.operation.endswith(f"-{PRODUCT}"):
            return await products.send(self._client, request)
        return await orders.send(self._client, request)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        return self._client.shown(request)

    async def fulfilled(self, order: Order) -> Ref | bool | None:
        if isinstance(order, products.ORDERED):
            return await products.fulfilled(self._client, order)
        return await orders.fulfilled(self._client, order)

    def verify(self, delivery: Delivery) -> Any:
        return hooks.verify(self._signing, delivery)

    def facts(self, signed: Any, delivery: Delivery) -> Sequence[Fact]:
        return hooks.facts(self.account, signed, delivery.received_at)

    def address(self, machine: str | None) -> str:
        return hooks.address(self.account, machine)

    def learned(self, native: str, name: str | None, seen_at: datetime) -> Machine:
        named_at = None if name is None else seen_at
        return parse.machine(self.account, native, parse.Device(name, named_at, seen_at))


def _thinned(page: Sequence[Sale], counts: Callable[[Sale], bool]) -> list[Sale]:
    """A page without what does not count, for a whole past may be searched for one device.

    The ends stay, for the list's order is seen by them, and so does all of a page that is out of order."""
    ordered = all(later.recorded_at <= earlier.recorded_at for earlier, later in pairwise(page))
    ends = (page[0], page[-1]) if page else ()
    return [sale for sale in page if not ordered or counts(sale) or any(sale is end for end in ends)]


def connect(account: Account, client: httpx2.AsyncClient) -> SmartEPI:
    return SmartEPI(account, client)
