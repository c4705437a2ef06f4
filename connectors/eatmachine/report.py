"""What a fridge reports, taken apart. KeyError, TypeError or ValueError is raised where a part is not as documented."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, iso, need, number, text
from connectors.reporting import Delivery
from domain.facts import CommandWord, Observation, Scan, TagLinks
from domain.model import DoorState, MachineGroup, Temperature
from domain.refs import Kind
from domain.temperatures import TemperatureLimits

DOORS = {"unlocked": DoorState.UNLOCKED, "opened": DoorState.OPENED, "closed": DoorState.CLOSED}
DOOR, INVENTORY, TEMPERATURE, LINKED, SHUTDOWN = "door-status", "inventory", "temperature", "product-linked", "shutdown"
OPEN, FAILED = "open", "failed"
LONGEST_WORD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One delivery. `data` is empty where it is no object; `uuid`, `status` and `slug` are its command's, `told_at` its
    fridge's time."""

    row: Raw
    received_at: datetime
    machine: str
    type: str
    data: Raw
    fridge: Raw
    command: Raw
    uuid: str | None
    status: str | None
    slug: str | None
    told_at: datetime | None

    @property
    def at(self) -> datetime:
        """The vendor's time, but none later than the delivery: a clock that is ahead would outlast all that follows."""
        told = self.told_at or iso(self.command.get("updatedAt"))
        return self.received_at if told is None else min(told, self.received_at)

    @property
    def fleeting(self) -> bool:
        """Nothing tells it apart from another of the same content."""
        return self.uuid is None and self.told_at is None

    @property
    def failed(self) -> bool:
        return self.status == FAILED


def taken_apart(row: Raw, delivery: Delivery) -> Report:
    """Whose it is, its address tells: where its fridge is named, it is that one."""
    fridge, command = member(row, "fridge"), member(row, "command")
    return Report(
        row=row,
        received_at=delivery.received_at,
        machine=need(delivery.machine),
        type=need(word_of(row["type"])),
        data=member(row, "data"),
        fridge=fridge,
        command=command,
        uuid=word_of(command.get("uuid")),
        status=word_of(command.get("status")),
        slug=word_of(member(command, "type").get("slug")),
        told_at=iso(fridge.get("lastActivity")),
    )


def member(found: Any, name: str) -> Raw:
    """An object that may be absent, null or, in what is no report at all, anything else."""
    inner = found.get(name) if isinstance(found, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def word_of(value: Any) -> str | None:
    """A word of the vendor's becomes part of what identifies the report."""
    found = text(value)
    if found is not None and len(found) > LONGEST_WORD:
        raise ValueError("a word is too long")
    return found


def observation(report: Report) -> Observation:
    """Only a door's own report is a step of its command: others carry along what the door was before."""
    stepped = report.type == DOOR
    return Observation(
        machine=report.machine,
        at=report.at,
        command=report.uuid if stepped else None,
        alive=report.type != SHUTDOWN,
        door=door(report) if stepped else _door(report.fridge.get("doorStatus")),
        temperature=measured(report) or _remembered(report),
        limits=None if measured(report) is None else limits(report),
        scan=_scan(report) if report.type == INVENTORY else None,
        group=_group(member(report.fridge, "fleet")),
    )


def door(report: Report) -> DoorState | None:
    """None only where a command failed to tell."""
    found = _door(report.data.get("status"))
    if found is None and not report.failed:
        raise ValueError("the door's status is missing")
    return found


def _door(status: Any) -> DoorState | None:
    word = text(status)
    return None if word is None else DOORS.get(word, DoorState.UNKNOWN)


def measured(report: Report) -> Temperature | None:
    found = celsius(report.data.get("temperature")) if report.type == TEMPERATURE else None
    return None if found is None else Temperature(celsius=found, measured_at=report.at)


def limits(report: Report) -> TemperatureLimits | None:
    settings = member(report.fridge, "settings")
    least, most = (celsius(settings.get(name)) for name in ("temperatureMinAlert", "temperatureMaxAlert"))
    return None if least is None and most is None else TemperatureLimits(least=least, most=most)


def _remembered(report: Report) -> Temperature | None:
    """What the fridge measured last, whenever that was."""
    found = celsius(report.fridge.get("temperature"))
    return None if found is None else Temperature(celsius=found, measured_at=None)


def celsius(value: Any) -> float | None:
    found = number(value)
    if found is not None and not isfinite(float(found)):
        raise ValueError("a temperature beyond all measure")
    return None if found is None else float(found)


def _scan(report: Report) -> Scan | None:
    found = tags(report)
    if found is None:
        return None
    return Scan(tags=found, opening=report.uuid if report.slug == OPEN else None)


def tags(report: Report) -> frozenset[str] | None:
    """The whole list; None only where a command failed to tell.

    `removed` and `added` are to the last list that the vendor knows of, which need not be the last that came."""
    if report.failed and report.data.get("epcs") is None:
        return None
    return frozenset(map(_tag, _list(report.data["epcs"])))


def _tag(epc: Any) -> str:
    """Hex digits: their case means nothing."""
    return need(epc).strip().lower()


def _list(found: Any) -> Sequence[Any]:
    if not isinstance(found, list):
        raise TypeError("a list was expected")
    return found


def _group(fleet: Raw) -> MachineGroup | None:
    native = text(fleet.get("uuid"))
    return None if native is None else MachineGroup(id=native, name=text(fleet.get("name")) or native)


def links(account: Account, report: Report) -> TagLinks:
    native, name = product(report)
    return TagLinks(product=account.to(Kind.PRODUCT, native), product_name=name, tags=codes(report))


def product(report: Report) -> tuple[str, str]:
    """Its id and its name."""
    found = report.row["product"]
    native = need(word_of(found["uuid"]))
    return native, text(found.get("name")) or native


def codes(report: Report) -> Sequence[str]:
    """The tags that were linked."""
    return tuple(_tag(item["code"]) for item in _list(report.row["data"]))


def command_word(report: Report, uuid: str) -> CommandWord:
    became = text(report.data.get("status")) if report.type == DOOR else None
    return CommandWord(
        command=uuid,
        machine=report.machine,
        word=report.status,
        step=became or report.type,
        message=text(report.command.get("message")),
    )
