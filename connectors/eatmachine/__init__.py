"""EatMachine: fridges that know their stock by RFID tags. The vendor lists nothing: they report by webhook.

https://api.eatmachine.io"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx2

from connectors.acting import Taken, VendorRequest
from connectors.base import Account, KnownMachine
from connectors.eatmachine import estate, hooks, orders
from connectors.eatmachine.client import EatMachineClient
from connectors.eatmachine.movements import moved
from connectors.eatmachine.tags import catalogue, stock, taken
from connectors.guard import Guard
from connectors.reporting import Delivery, Links
from domain.capabilities import Capability, UnavailableReason
from domain.commands import Progress
from domain.errors import BadInput
from domain.estate import CreateMachine
from domain.facts import CommandWord, Fact, Observation
from domain.model import Connectivity, DoorState, Machine, MachineKind, Product, Slot, Vendor, why_absent
from domain.orders import Order
from domain.paging import Listing
from domain.refs import Kind
from domain.times import utc_now

UNSUPPORTED = frozenset({"serialNumber", "model", "location"})


class EatMachine:
    """What can be read is what is known beforehand: the fridges of the configuration. The rest they report."""

    by_machine = True
    capabilities = frozenset(
        {
            Capability.SLOTS,
            Capability.STOCK_COUNTS,
            Capability.SALES,
            Capability.EVENTS,
            Capability.WEBHOOKS,
            Capability.TEMPERATURE,
            Capability.DOOR,
            Capability.STOCK_MOVEMENTS,
            *orders.SLUGS,
            Capability.CREATE_FLEET,
            Capability.CREATE_MACHINE,
        }
    )

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self._client = EatMachineClient(account, client)
        self.guard: Guard = self._client.guard
        self._known_since = utc_now()

    async def sign_in(self) -> None:
        await self._client.sign_in()

    def refusal(self, _: Capability) -> UnavailableReason | None:
        return None

    async def aclose(self) -> None:
        return

    async def machines(self) -> Listing[Machine]:
        """Without a request: the vendor has no list of fridges."""
        return Listing([_fridge(self.account, fridge, self._known_since) for fridge in self.account.machines])

    def check(self, order: Order) -> None:
        if estate.request(self.account, order) is None:
            orders.request(order)

    async def prepare(self, order: Order) -> VendorRequest:
        making = estate.request(self.account, order)
        if making is not None:
            if isinstance(order, CreateMachine):
                await estate.check_address(self.account)
            return making
        found = orders.request(order)
        try:
            self._client.shown(found)
        except ValueError as error:
            raise BadInput(f"there is no such fridge: {error}") from None
        return found

    async def send(self, request: VendorRequest) -> Taken:
        answer = await self._client.send(request)
        if request.operation in (estate.CREATE_FLEET, estate.CREATE_FRIDGE):
            return estate.made(self.account, request, answer)
        return orders.accepted(self.account, answer)

    def shown(self, request: VendorRequest) -> tuple[str, str, Any]:
        method, path, body = self._client.shown(request)
        return method, path, estate.shown(body)

    def progress(self, kind: Capability, word: CommandWord) -> Progress | None:
        return orders.progress(kind, word)

    def verify(self, delivery: Delivery) -> Any:
        return hooks.verify(self.account, delivery)

    def binding(self, signed: Any, delivery: Delivery) -> tuple[str, str] | None:
        return hooks.binding(signed, delivery)

    def facts(self, signed: Any, delivery: Delivery) -> Sequence[Fact]:
        return hooks.facts(self.account, signed, delivery)

    def address(self, machine: str | None) -> str:
        return hooks.address(self.account, machine)

    def learned(self, native: str, name: str | None, seen_at: datetime) -> Machine:
        return _fridge(self.account, KnownMachine(id=native, name=name or native), seen_at)

    def taken(self, observed: Observation, before: frozenset[str] | None, links: Links, now: datetime) -> Fact | None:
        return taken(self.account, observed, before, links, now)

    def moved(self, scan: Fact, before: frozenset[str] | None, links: Links, now: datetime) -> Sequence[Fact]:
        return moved(self.account, scan, before, links, now)

    def stock(self, machine: str, tags: frozenset[str], links: Links, at: datetime) -> Sequence[Slot]:
        return stock(self.account, machine, tags, links, at)

    def catalogue(self, links: Links) -> Sequence[Product]:
        return catalogue(self.account, links)


def _fridge(account: Account, fridge: KnownMachine, since: datetime) -> Machine:
    """`since`: nothing was told yet, so the time that the gateway learned of it stands for its state."""
    return Machine(
        ref=account.to(Kind.MACHINE, fridge.id),
        vendor=Vendor.EATMACHINE,
        organization_ref=None,
        place_ref=None,
        vendor_id=fridge.id,
        serial_number=None,
        name=fridge.name,
        model=None,
        kind=MachineKind.FRIDGE,
        group=None,
        location=None,
        connectivity=Connectivity.UNKNOWN,
        last_seen_at=None,
        door=DoorState.UNKNOWN,
        temperature=None,
        unavailable=why_absent(
            UNSUPPORTED,
            serialNumber=None,
            model=None,
            group=None,
            location=None,
            connectivity=None,
            lastSeenAt=None,
            door=None,
            temperature=None,
            slots=None,
        ),
        observed_at=since,
        vendor_data=None,
    )


def connect(account: Account, client: httpx2.AsyncClient) -> EatMachine:
    return EatMachine(account, client)
