"""Fleets and fridges as EatMachine makes them. https://api.eatmachine.io "Create a Fleet" and "Create a Fridge".

A fridge's webhook address is set with it and never after, and before it has an id: so what stands for it there is made
up. The address is bound to the fridge that the answer names or, where no answer came, to the first that is told of
there, which is none of the configuration: those have addresses of their own. The `initKey` of the answer links the
hardware: it is a secret."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.base import Account, Secret
from connectors.parsing import Raw, need, record, text
from connectors.reaching import leads_inside
from domain.capabilities import UnavailableReason
from domain.errors import Unsupported
from domain.estate import CreateFleet, CreateMachine
from domain.facts import Fact, Observation
from domain.model import MachineGroup
from domain.orders import Order
from domain.refs import Kind
from domain.times import utc_now

NEW = "new-"  # what stands for a fridge in an address that was made before it had an id begins so
CREATE_FLEET, CREATE_FRIDGE = "create-fleet", "create-fridge"
SETTINGS: Mapping[str, str] = {
    "least_celsius": "temperatureMinAlert",
    "most_celsius": "temperatureMaxAlert",
    "kiosk_url": "kioskUrl",
    "heartbeat_seconds": "heartbeatInterval",
}


def token(account: Account, secret: Secret, place: str) -> str:
    return hmac.digest(secret.reveal().encode(), f"{account.key}/{place}".encode(), "sha256").hex()


def request(account: Account, order: Order) -> VendorRequest | None:
    """None for what is no such order."""
    match order:
        case CreateFleet():
            return VendorRequest(operation=CREATE_FLEET, body={"name": order.name})
        case CreateMachine():
            body = {"fleet_id": order.group, "settings": _settings(account, order)}
            return VendorRequest(operation=CREATE_FRIDGE, body=body)
    return None


async def check_address(account: Account) -> None:
    """Raises Unsupported where the vendor would be told of an address in a private network."""
    if account.webhooks_url is not None and await leads_inside(account.webhooks_url, account.reach):
        raise Unsupported(
            "server.public_url leads into a private network, where the vendor's reports do not arrive",
            UnavailableReason.NOT_PERMITTED,
        )


def binding(place: str, native: str) -> tuple[str, str]:
    """What is known for ever of an address that is some fridge's, and of one that is this one's."""
    return f"bound:{place}", f"bound:{place}:{native.lower()}"


def bindings(place: str, native: str, at: datetime) -> Sequence[Fact]:
    seen = Observation(machine=native, at=at, alive=None)
    return [
        Fact(identity=identity, machine=native, recorded_at=at, occurred_at=at, content=seen)
        for identity in binding(place, native)
    ]


def _settings(account: Account, order: CreateMachine) -> dict[str, Any]:
    if account.webhooks_url is None or account.webhook is None:
        raise Unsupported("a fridge without an address for its webhooks tells nothing", UnavailableReason.NOT_PERMITTED)
    place = NEW + order.place
    address = f"{account.webhooks_url}/{place}/{token(account, account.webhook.keys[0], place)}"
    told = {member: _plain(getattr(order, name)) for name, member in SETTINGS.items()}
    return {**{member: value for member, value in told.items() if value is not None}, "webhookUrl": address}


def _plain(value: Any) -> Any:
    """A decimal as JSON's number."""
    if value is None or isinstance(value, str | int):
        return value
    return int(value) if value == int(value) else float(value)


def shown(body: Any) -> Any:
    """Less the address, which is as good as a password."""
    settings = body.get("settings") if isinstance(body, dict) else None
    return body if settings is None else {**body, "settings": {**settings, "webhookUrl": "***"}}


def made(account: Account, request: VendorRequest, answer: Any) -> Taken:
    """Raises VendorProtocolError where the answer does not tell what was made."""
    what = "fleet" if request.operation == CREATE_FLEET else "fridge"
    read = _fleet if request.operation == CREATE_FLEET else lambda row: _fridge(account, _place(request), row)
    return record(account, what, answer, lambda row: read(row["data"]))


def _fleet(row: Raw) -> Taken:
    native = need(row["uuid"])
    return Taken(done=True, result={"uuid": native, "name": text(row.get("name")) or native})


def _place(request: VendorRequest) -> str:
    address: str = request.body["settings"]["webhookUrl"]
    return address.split("/")[-2]


def _fridge(account: Account, place: str, row: Raw) -> Taken:
    """It is known from then on, though it has not spoken."""
    native, key = need(row["uuid"]), text(row.get("initKey"))
    known = _known(native, row)
    return Taken(
        done=True,
        result={"uuid": native},
        subject=account.to(Kind.MACHINE, native),
        facts=[known, *bindings(place, native, known.recorded_at)],
        told_once=None if key is None else Secret(key),
    )


def _known(native: str, row: Raw) -> Fact:
    told, now = row.get("fleet"), utc_now()
    fleet: Raw = told if isinstance(told, dict) else {}
    group = text(fleet.get("uuid"))
    of = None if group is None else MachineGroup(id=group, name=text(fleet.get("name")) or group)
    return Fact(
        identity=f"created:{native}",
        machine=native,
        recorded_at=now,
        occurred_at=now,
        content=Observation(machine=native, at=now, alive=None, group=of),
    )
