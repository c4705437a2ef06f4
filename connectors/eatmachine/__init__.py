"""EatMachine: fridges that know their stock by RFID tags. The vendor lists nothing: they report by webhook.

https://api.eatmachine.io"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx2

from connectors.base import Account, Delivery, KnownMachine, Links
from connectors.eatmachine import hooks
from connectors.eatmachine.tags import catalogue, stock, taken
from connectors.http import Operation, VendorHTTP, table
from connectors.login import Token, TokenLogin
from connectors.parsing import text
from domain.errors import VendorForbidden, VendorProtocolError, VendorUnauthorized
from domain.facts import Fact, Observation
from domain.model import (
    Capability,
    Connectivity,
    DoorState,
    Machine,
    MachineKind,
    Product,
    Slot,
    UnavailableReason,
    Vendor,
    why_absent,
)
from domain.paging import Listing
from domain.refs import Kind
from domain.times import utc_now

BASE_URL = "https://api.eatmachine.io"
UNSUPPORTED = frozenset({"serialNumber", "model", "location"})

OPERATIONS = table(
    Operation(name="who-am-i", method="GET", path="/auth/me", documented=True),
    Operation(name="login", method="POST", path="/auth/login", documented=True),
)


def explain(data: Any) -> str | None:
    """The message, and the names of the fields that are at fault; what is said of them may repeat what was sent."""
    if not isinstance(data, dict):
        return None
    fields = data.get("data")
    named = f"({', '.join(fields)})" if isinstance(fields, dict) and fields else None
    return " ".join(found for found in (text(data.get("message")), named) if found) or None


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
        }
    )

    def __init__(self, account: Account, client: httpx2.AsyncClient) -> None:
        self.account = account
        self.guard = account.guarded()
        self._known_since = utc_now()
        key = account.credentials.get("api_key")
        login = TokenLogin(self._fetch_token, lambda token: ("authorization", f"Bearer {token}"), guard=self.guard)
        self._http = VendorHTTP(
            account=account,
            base_url=account.base_url or BASE_URL,
            operations=OPERATIONS,
            guard=self.guard,
            client=client,
            auth=login if key is None else None,
            explain=explain,
            headers={} if key is None else {"authorization": f"Bearer {key.reveal()}"},
        )

    async def _fetch_token(self) -> Token:
        """Short-lived, the documents say, and not how short: it is kept until it is refused."""
        body = {name: self.account.credentials[name].reveal() for name in ("username", "password")}
        try:
            answer = await self._http.json("login", body=body, login=False)
        except VendorForbidden as error:  # with which status it refuses a password is not documented
            raise VendorUnauthorized(error.message, account=error.account, vendor=error.vendor) from None
        value = text(answer.get("token")) if isinstance(answer, dict) else None
        if value is None:
            raise VendorProtocolError(
                "eatmachine's answer to login holds no token", account=self.account.key, vendor="eatmachine"
            )
        return Token(value, None)

    async def sign_in(self) -> None:
        await self._http.json("who-am-i")

    def refusal(self, _: Capability) -> UnavailableReason | None:
        return None

    async def aclose(self) -> None:
        return

    async def machines(self) -> Listing[Machine]:
        """Without a request: the vendor has no list of fridges."""
        return Listing([_fridge(self.account, fridge, self._known_since) for fridge in self.account.machines])

    def verify(self, delivery: Delivery) -> Any:
        return hooks.verify(self.account, delivery)

    def facts(self, signed: Any, delivery: Delivery) -> Sequence[Fact]:
        return hooks.facts(self.account, signed, delivery)

    def address(self, machine: str | None) -> str:
        return hooks.address(self.account, machine)

    def learned(self, native: str, name: str | None, seen_at: datetime) -> Machine:
        return _fridge(self.account, KnownMachine(id=native, name=name or native), seen_at)

    def taken(self, observed: Observation, before: frozenset[str] | None, links: Links, now: datetime) -> Fact | None:
        return taken(self.account, observed, before, links, now)

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
