"""SmartEPI: dispensers of protective equipment, known only by what they handed out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import httpx2

from connectors.base import Account, Delivery
from connectors.guard import Guard
from connectors.newest import newest, together
from connectors.parsing import stamp
from connectors.smartepi import hooks, parse
from connectors.smartepi.client import LARGEST, PAGES, SmartEPIClient
from domain.facts import Fact
from domain.model import Capability, Machine, Product, Sale, SaleKind, UnavailableReason
from domain.paging import Listing, Slice
from domain.times import Span

OVERLAP = timedelta(minutes=5)


class SmartEPI:
    capabilities = frozenset({Capability.SALES, Capability.EVENTS, Capability.WEBHOOKS})
    sale_kinds = frozenset(one.kind for one in parse.TRANSACTIONS)
    by_machine = False

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = SmartEPIClient(account, client)
        self.guard: Guard = self._client.guard
        self._signing = hooks.signing(account)
        self._devices: dict[str, parse.Device] = {}
        self._whole: dict[str, bool] = {}

    async def sign_in(self) -> None:
        await self._client.sign_in()

    def refusal(self, _: Capability) -> UnavailableReason | None:
        return None

    async def aclose(self) -> None:
        return

    async def products(self) -> Listing[Product]:
        raw = [row async for page in self._client.pages("list-products") for row in page]
        return Listing(parse.products(self.account, raw))

    async def machines(self) -> Listing[Machine]:
        """Every device that was ever seen. The whole history is read once; then only what has come since."""
        newest_seen = max((device.seen_at for device in self._devices.values()), default=None)
        since = (
            newest_seen - OVERLAP if newest_seen is not None and len(self._whole) == len(parse.TRANSACTIONS) else None
        )
        lists = await asyncio.gather(*(self._rows(one, since) for one in parse.TRANSACTIONS))
        for native, device in parse.devices(self.account, (row for rows in lists for row in rows)).items():
            known = self._devices.get(native)
            self._devices[native] = device if known is None else known.joined(device)
        found = [parse.machine(self.account, native, device) for native, device in self._devices.items()]
        return Listing(found, complete=all(self._whole.values()))

    async def _rows(self, transaction: parse.Transaction, since: datetime | None) -> list[Any]:
        query = {} if since is None else {"createdSince": int(since.timestamp())}
        found: list[Any] = []
        pages = 0
        async for page in self._client.pages(transaction.operation, query):
            found.extend(page)
            pages += 1
        if since is None:
            self._whole[transaction.operation] = pages < PAGES
        return found

    async def sales(self, span: Span, want: int, machines: frozenset[str] | None) -> Slice[Sale]:
        return await self.sales_of_kinds(self.sale_kinds, span, want, machines)

    async def sales_of_kinds(
        self, kinds: frozenset[SaleKind], span: Span, want: int, machines: frozenset[str] | None
    ) -> Slice[Sale]:
        """A window goes with no other filter, so that machines are picked out here."""

        def counts(sale: Sale) -> bool:
            return machines is None or (sale.machine_ref is not None and sale.machine_ref.native in machines)

        async def pages(transaction: parse.Transaction) -> AsyncIterator[Sequence[Sale]]:
            query = {"createdSince": int(span.since.timestamp()), "createdUntil": ceil(span.until.timestamp())}
            limit = min(LARGEST, want + 1) if machines is None else LARGEST
            async for page in self._client.pages(transaction.operation, query, limit):
                yield [parse.sale(self.account, transaction, row) for row in page]

        wanted = (transaction for transaction in parse.TRANSACTIONS if transaction.kind in kinds)
        lists = (newest(pages(transaction), span, want, counts) for transaction in wanted)
        return together(await asyncio.gather(*lists))

    async def sale(self, native: str) -> Sale | None:
        """From the second in which it was recorded: the vendor gives no single transaction."""
        letter, _, rest = native.partition(":")
        wanted, _, digits = rest.rpartition("@")
        created = stamp(digits)
        transaction = next((one for one in parse.TRANSACTIONS if one.letter == letter), None)
        if transaction is None or created is None:
            return None
        query = {"createdSince": created, "createdUntil": created}
        async for page in self._client.pages(transaction.operation, query):
            for row in page:
                sale = parse.sale(self.account, transaction, row)
                if sale.vendor_id == wanted:
                    return sale
        return None

    def verify(self, delivery: Delivery) -> Any:
        return hooks.verify(self._signing, delivery)

    def facts(self, signed: Any, delivery: Delivery) -> Sequence[Fact]:
        return hooks.facts(self.account, signed, delivery.received_at)

    def address(self, machine: str | None) -> str:
        return hooks.address(self.account, machine)

    def learned(self, native: str, name: str | None, seen_at: datetime) -> Machine:
        named_at = None if name is None else seen_at
        return parse.machine(self.account, native, parse.Device(name, named_at, seen_at))


def connect(account: Account, client: httpx2.AsyncClient) -> SmartEPI:
    return SmartEPI(account, client)
