"""Rows, filters, pages and times as VendNovation words them."""

from bisect import insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from starlette.responses import JSONResponse

Record = dict[str, Any]
Keys = dict[str, frozenset[str]]  # name of a filter -> the values under which a row is found

NEVER = datetime(1, 1, 1, tzinfo=UTC)
AREA = ("organizationIds", "accountIds", "siteIds", "machineIdentifiers")
MONTH = timedelta(days=31)
YEAR = timedelta(days=365)


class Refusal(Exception):
    """An answer of the application other than success."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.response = JSONResponse({"code": code, "message": message}, status_code=status)


def stamp(moment: datetime) -> str:
    """Without an offset, and with as many digits after the second as it needs."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds").rstrip("0").rstrip(".")


def parse_moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Refusal(400, "INVALID_REQUEST", f"{value!r} is no date and time") from None


def one(*values: object) -> frozenset[str]:
    return frozenset(str(value) for value in values if value is not None)


@dataclass(slots=True, kw_only=True)
class Entry:
    record: Record
    keys: Keys
    at: datetime = NEVER
    deleted: bool = False

    def __post_init__(self) -> None:
        """Found by the very time that is shown."""
        self.at = self.at.replace(microsecond=self.at.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True)
class Window:
    since: datetime  # inclusive
    until: datetime  # exclusive

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


@dataclass(slots=True)
class Table:
    """Its rows stand in a lasting order that says nothing about their time."""

    name: str
    _entries: list[tuple[int, str]] = field(default_factory=list)
    _by_id: dict[str, Entry] = field(default_factory=dict)

    def add(self, entry: Entry, *, key: str | None = None) -> Record:
        key = str(entry.record["id"]) if key is None else key
        insort(self._entries, (crc32(f"{self.name}:{key}".encode()), key))
        self._by_id[key] = entry
        return entry.record

    def find(self, key: object) -> Entry | None:
        return self._by_id.get(str(key))

    def __iter__(self) -> Iterator[Entry]:
        return (self._by_id[key] for _, key in self._entries)

    def __len__(self) -> int:
        return len(self._by_id)

    def records(self, *, deleted: bool = False) -> list[Record]:
        return [entry.record for entry in self if entry.deleted is deleted]

    def select(self, wanted: Keys, window: Window | None = None, *, deleted: bool = False) -> list[Record]:
        """What every one of the filters finds; deleted rows only where they are asked for."""
        return [
            entry.record
            for entry in self
            if (deleted or not entry.deleted)
            and (window is None or window.holds(entry.at))
            and all(entry.keys.get(name, frozenset()) & values for name, values in wanted.items())
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a request asks for: filters, a body of rows, and a page."""

    filters: Mapping[str, Any]
    route: Mapping[str, Any]
    body: Any
    login: Mapping[str, Any]
    page: int
    size: int | None

    def wanted(self, *honoured: str, route: tuple[str, ...] = ()) -> Keys:
        """The filters that this route knows, of those sent; an empty one filters nothing."""
        sent = {name: self.filters.get(name) for name in honoured} | {name: self.route.get(name) for name in route}
        return {name: one(*values) for name, values in sent.items() if isinstance(values, list) and values}

    def window(self, now: datetime, widest: timedelta | None = None) -> Window:
        since, until = self.filters.get("startDate"), self.filters.get("endDate")
        end = now if until is None else parse_moment(until)
        start = now - timedelta(days=7) if since is None else parse_moment(since)
        return Window(start if widest is None or end - start <= widest else end - widest, end)

    @property
    def deleted(self) -> bool:
        return self.filters.get("includeDeleted") is True

    def answer(self, rows: list[Record], largest: int = 100) -> JSONResponse:
        size = min(self.size or largest, largest)
        return JSONResponse(rows[(self.page - 1) * size : self.page * size])
