"""SmartEPI's lists: filters, order and cursors."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from sandbox.smartepi_gate import Problem
from sandbox.smartepi_records import Item, Kind, Record

ALPHABETICAL = ("name", "code")
Position = tuple[int | str, int]  # what the list is ordered by, and the number of the item


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    kind: Kind
    equal: Mapping[str, str]
    prefixes: Mapping[str, str]
    since: int | None
    until: int | None
    limit: int

    @property
    def order(self) -> str | None:
        """The member by which the list ascends; None where it is newest first."""
        return next((name for name in ALPHABETICAL if name in self.prefixes), None)

    @property
    def digest(self) -> str:
        """Of all that a cursor must not be carried to another list over; the limit may change."""
        asked = [self.kind.path, dict(self.equal), dict(self.prefixes), self.since, self.until]
        return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

    def admits(self, item: Item) -> bool:
        record = item.record
        return (
            (self.since is None or item.created >= self.since)
            and (self.until is None or item.created <= self.until)
            and all(record.get(name) == value for name, value in self.equal.items())
            and all(_folded(record.get(name)).startswith(value) for name, value in self.prefixes.items())
        )

    def position(self, item: Item) -> Position:
        return (_folded(item.record.get(self.order)) if self.order else item.created), item.number

    def ordered(self, items: list[Item]) -> Iterable[Item]:
        return sorted(items, key=self.position) if self.order else reversed(items)


def read_question(kind: Kind, sent: Mapping[str, str]) -> Question:
    """Parameters that the list does not know are ignored."""
    equal = {name: sent[name] for name in kind.filters if name in sent}
    window = [name for name in ("createdSince", "createdUntil") if kind.dated and name in sent]
    if len(equal) > 1:
        raise Problem(400, "bad_request", "Only one of the relationship filters can be used at a time.")
    if equal and window:
        raise Problem(400, "bad_request", "A relationship filter and a time window exclude each other.")
    times = {name: _whole(name, sent[name], 0, 2**53) for name in window}
    return Question(
        kind=kind,
        equal=equal,
        prefixes={name: _folded(sent[name]) for name in kind.searches if name in sent},
        since=times.get("createdSince"),
        until=times.get("createdUntil"),
        limit=_whole("limit", sent.get("limit", "20"), 1, 100),
    )


def page(question: Question, items: list[Item], cursor: str | None) -> Record:
    after = None if cursor is None else _read_cursor(question, cursor)
    rows = (item for item in question.ordered(items) if question.admits(item))
    rest = rows if after is None else (item for item in rows if _is_beyond(question, item, after))
    found = list(islice(rest, question.limit + 1))
    shown = found[: question.limit]
    more = len(found) > len(shown)
    return {
        "data": [item.record for item in shown],
        "cursor": _cursor(question, shown[-1]) if more else None,
    }


def _is_beyond(question: Question, item: Item, after: Position) -> bool:
    place = question.position(item)
    return place > after if question.order else place < after


def _cursor(question: Question, item: Item) -> str:
    return urlsafe_b64encode(json.dumps([question.digest, *question.position(item)]).encode()).decode()


def _read_cursor(question: Question, cursor: str) -> Position:
    try:
        digest, value, number = json.loads(urlsafe_b64decode(cursor))
    except (ValueError, TypeError, binascii.Error):
        digest, value, number = None, None, None
    kept = isinstance(value, str if question.order else int) and isinstance(number, int)
    if digest != question.digest or not kept:
        raise Problem(400, "bad_request", "The cursor is not of this list.")
    return value, number


def _whole(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise Problem(400, "bad_request", f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def _folded(value: Any) -> str:
    return str(value or "").casefold()
