"""The vendors' webhooks in the graph: what makes the sandbox send one, and what shows that it came."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.model import Vendor
from domain.refs import Kind, Ref
from sandbox.smartvend_fleet import CODES
from tests.coverage.reach import Things, keyed

EVENTS = "subscription { events { cursor event { code videoUrl badge } } }"
SALES = "subscription { sales { cursor sale { vendor kind } } }"
MACHINES = "subscription { machines { cursor changed machine { vendor lastSeenAt } } }"
COMMANDS = "subscription { commands { cursor command { kind status } } }"
SAFETY = Ref(Kind.ACCOUNT, "acme-safety", "").text
COUNTS = f'{{ node(id: "{SAFETY}") {{ ... on VendorAccount {{ webhook {{ accepted }} }} }} }}'
RESTART = "mutation ($input: MachineCommandInput!) { restartApp(input: $input) { command { id } } }"
Shown = Callable[[Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooked:
    """`make` has the sandbox send it; `document` is followed until a message `shows` it. A query is asked until its
    answer is another."""

    coordinates: Sequence[str]
    document: str
    make: Callable[[Things], None]
    shows: Shown


def _happening(vendor: Vendor, kind: str) -> Callable[[Things], None]:
    def make(things: Things) -> None:
        """At a fridge whose address is the gateway's: one that another test made has another."""
        machine = things.machine(vendor.name)["vendorId"] if vendor is Vendor.EATMACHINE else None
        things.sandbox.happen(vendor.value, kind, machine=machine)

    return make


def _event(vendor: Vendor, code: str, kind: str | None = None, member: str | None = None) -> Hooked:
    """`kind`: what happens, where it is not called so. `member`: what of the event tells what is told."""

    def shows(message: Any) -> bool:
        event = message["events"]["event"]
        return bool(event["code"] == code and (member is None or event[member]))

    more = () if member is None else (f"MachineEvent.{member}",)
    return Hooked(
        coordinates=("Subscription.events", *more),
        document=EVENTS,
        make=_happening(vendor, kind or code),
        shows=shows,
    )


def _sale(kind: str, vendor: Vendor, happening: str | None = None) -> Hooked:
    def make(things: Things) -> None:
        if happening is None:
            things.sandbox.sell(vendor.value)
        else:
            things.sandbox.happen(vendor.value, happening)

    sold = {"vendor": vendor.name, "kind": kind}
    return Hooked(
        coordinates=("Subscription.sales",),
        document=SALES,
        make=make,
        shows=lambda message: message["sales"]["sale"] == sold,
    )


def _alive(message: Any) -> bool:
    told = message["machines"]
    return told["machine"]["vendor"] == "EATMACHINE" and "lastSeenAt" in told["changed"]


def _restart(things: Things) -> None:
    """Nothing but an acknowledgement follows it."""
    things.gateway.ask(RESTART, {"input": keyed(machineId=things.machine("EATMACHINE")["id"])})


SMARTVEND: Mapping[str, Hooked] = {
    "sale": _sale("PURCHASE", Vendor.SMARTVEND),
    "event": _event(Vendor.SMARTVEND, CODES[0]),
}
SMARTEPI: Mapping[str, Hooked] = {
    "webhook.test": Hooked(  # it leaves nothing but a count
        coordinates=("VendorAccount.webhook",),
        document=COUNTS,
        make=_happening(Vendor.SMARTEPI, "webhook.test"),
        shows=lambda answer: answer["node"]["webhook"]["accepted"] > 0,
    ),
    "withdrawal.created": _sale("WITHDRAWAL", Vendor.SMARTEPI, "withdrawal"),
    "return.created": _sale("RETURN", Vendor.SMARTEPI, "return"),
    "exchange.created": _sale("EXCHANGE", Vendor.SMARTEPI, "exchange"),
    "training_record.created": _event(Vendor.SMARTEPI, "training_record.created", "training_record"),
}
EATMACHINE: Mapping[str, Hooked] = {
    "heartbeat": Hooked(
        coordinates=("Subscription.machines", "Machine.lastSeenAt"),
        document=MACHINES,
        make=_happening(Vendor.EATMACHINE, "heartbeat"),
        shows=_alive,
    ),
    "door-status": _event(Vendor.EATMACHINE, "door-status"),
    "screen-status": _event(Vendor.EATMACHINE, "screen-status"),
    "shutdown": _event(Vendor.EATMACHINE, "shutdown", "reboot"),
    "boot": _event(Vendor.EATMACHINE, "boot", "reboot"),
    "inventory": _event(Vendor.EATMACHINE, "inventory"),
    "video": _event(Vendor.EATMACHINE, "video", member="videoUrl"),
    "temperature": _event(Vendor.EATMACHINE, "temperature"),
    "product-linked": _event(Vendor.EATMACHINE, "product-linked", "refill"),
    "badge-presented": _event(Vendor.EATMACHINE, "badge-presented", member="badge"),
    "ack": Hooked(
        coordinates=("Subscription.commands", "Command.status"),
        document=COMMANDS,
        make=_restart,
        shows=lambda message: message["commands"]["command"] == {"kind": "RESTART_APP", "status": "SUCCEEDED"},
    ),
}
HOOKS: Mapping[Vendor, Mapping[str, Hooked]] = {
    Vendor.SMARTVEND: SMARTVEND,
    Vendor.SMARTEPI: SMARTEPI,
    Vendor.EATMACHINE: EATMACHINE,
}
