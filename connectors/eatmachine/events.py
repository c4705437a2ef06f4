"""A fridge's reports as events for people to read, without what is nobody's business."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from connectors.base import Account
from connectors.eatmachine.report import (
    DOOR,
    INVENTORY,
    LINKED,
    LONGEST_WORD,
    SHUTDOWN,
    TEMPERATURE,
    Report,
    codes,
    door,
    limits,
    measured,
    product,
    tags,
)
from connectors.parsing import text
from domain.model import DoorState, EventState, MachineEvent, Severity, Trust, Vendor
from domain.refs import Kind

VIDEO, BADGE = "video", "badge-presented"
ADDRESS = re.compile(r"https?://", re.IGNORECASE)
LONGEST_ADDRESS, LONGEST_BADGE = 2_048, 256
DOOR_MESSAGES = {
    DoorState.UNLOCKED: "The door was unlocked",
    DoorState.OPENED: "The door was opened",
    DoorState.CLOSED: "The door was closed",
}
MESSAGES = {
    "screen-status": "The screen reported its status",
    SHUTDOWN: "The fridge is shutting down",
    VIDEO: "A video was recorded",
    BADGE: "A badge was presented",
    "boot": "The fridge has started",
}
SECRETS = frozenset({"badge_token", "badgeToken", "url", "video", "webhookUrl", "kioskUrl", "initKey"})


def event(account: Account, report: Report, native: str) -> MachineEvent:
    """The vendor gives it no id: `native` stands for one."""
    grave = report.failed or report.type == SHUTDOWN or _excess(report) is not None
    return MachineEvent(
        ref=account.to(Kind.EVENT, native),
        machine_ref=account.to(Kind.MACHINE, report.machine),
        vendor=Vendor.EATMACHINE,
        vendor_id=native,
        code=report.type,
        message=_failure(report) if report.failed else _message(report),
        severity=Severity.WARNING if grave else Severity.INFO,
        state=EventState.UNKNOWN,
        source=None,
        recorded_at=report.received_at,
        occurred_at=report.at,
        trust=Trust.SECRET_URL,
        vendor_data=shown(report.row),
        video_url=_video(report),
        badge=_badge(report),
    )


def _video(report: Report) -> str | None:
    """A film of its own, or the one of the command that it came of."""
    found = report.data.get("url") if report.type == VIDEO else report.command.get("video")
    return found if isinstance(found, str) and len(found) <= LONGEST_ADDRESS and ADDRESS.match(found) else None


def _badge(report: Report) -> str | None:
    found = text(report.data.get("badge_token")) if report.type == BADGE else None
    return None if found is None or len(found) > LONGEST_BADGE else found


def _failure(report: Report) -> str:
    words = text(report.command.get("message"))
    what = f"The command {report.slug} failed" if report.slug else "A command failed"
    return f"{what}: {words[:LONGEST_WORD]}" if words else what


def _message(report: Report) -> str:
    worded = WORDED.get(report.type)
    return worded(report) if worded else MESSAGES.get(report.type, f"{report.type} was reported")


def _door(report: Report) -> str:
    return DOOR_MESSAGES.get(door(report) or DoorState.UNKNOWN, "The door reported a status that is not known")


def _inventory(report: Report) -> str:
    return f"{len(tags(report) or ())} tags were counted"


def _temperature(report: Report) -> str:
    found = measured(report)
    return (
        f"The temperature is {found.celsius:g} °C{_excess(report) or ''}" if found else "The temperature is not known"
    )


def _linked(report: Report) -> str:
    return f"{len(codes(report))} tags were linked to {product(report)[1]}"


WORDED: Mapping[str, Callable[[Report], str]] = {
    DOOR: _door,
    INVENTORY: _inventory,
    TEMPERATURE: _temperature,
    LINKED: _linked,
}


def _excess(report: Report) -> str | None:
    """How a measured temperature lies outside the fridge's limits."""
    found, known = measured(report), limits(report)
    if found is None or known is None:
        return None
    if known.least is not None and found.celsius < known.least:
        return f", below its limit of {known.least:g} °C"
    if known.most is not None and found.celsius > known.most:
        return f", above its limit of {known.most:g} °C"
    return None


def shown(value: Any) -> Any:
    """Without badges, and without addresses of any kind: our own, with its secret, is among the fridge's settings."""
    if isinstance(value, Mapping):
        kept = ((key, item) for key, item in value.items() if key not in SECRETS)
        return {key: shown(item) for key, item in kept if not _is_address(item)}
    return [shown(item) for item in value if not _is_address(item)] if isinstance(value, list) else value


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and "://" in value
