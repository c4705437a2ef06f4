"""What kinds of alerts there are: "Get all alert type definitions"."""

from collections.abc import Sequence
from typing import Any

from connectors.base import Account
from connectors.livello.records import SEVERITIES
from connectors.parsing import Raw, listing, need, text
from domain.backoffice import EventType


def event_types(account: Account, found: Sequence[Any]) -> Sequence[EventType]:
    return listing(account, "alert type", found, _type).items


def _type(row: Raw) -> EventType:
    return EventType(
        code=need(row["type"]),
        category=text(row.get("category")),
        severity=SEVERITIES.get((text(row.get("defaultSeverity")) or "").casefold()),
        description=text(row.get("description")),
    )
