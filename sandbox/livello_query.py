"""How Livello reads the parameters of its lists: three ways of paging, four of sorting, and texts with commas."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.datastructures import QueryParams
from starlette.requests import Request

from sandbox.livello_fleet import Row, iso
from sandbox.livello_gate import Problem

USUAL, LARGEST = 25, 100
BERLIN = "Europe/Berlin"
Columns = Mapping[str, Callable[[Row], Any]]


def by_page(query: QueryParams, rows: list[Row]) -> Row:
    page, limit = number(query, "page", 1, least=1), _limit(query)
    return {"total": len(rows), "data": rows[(page - 1) * limit : page * limit]}


def by_offset(query: QueryParams, rows: list[Row], name: str) -> Row:
    skip, limit = number(query, name, 0, least=0), _limit(query)
    return {"total": len(rows), "data": rows[skip : skip + limit]}


def _limit(query: QueryParams) -> int:
    return min(LARGEST, number(query, "limit", USUAL, least=1))


def number(query: QueryParams, name: str, otherwise: int, *, least: int) -> int:
    text = query.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise Problem(400, f"{name} must be a whole number from {least}")
    return int(text)


def ordered(rows: Iterable[Row], query: QueryParams, name: str, columns: Columns, *, usual: int) -> list[Row]:
    """By the column that the parameter names; an unknown one falls back to the first without a word.

    `usual`: the direction where none is asked for. What has no value comes last on the way up."""
    key = columns.get(query.get(name, ""), next(iter(columns.values())))
    way = query.get("sort", str(usual))
    if way not in ("1", "-1"):
        raise Problem(400, "sort must be 1 or -1")
    return sort(rows, key, down=way == "-1")


def sort(rows: Iterable[Row], key: Callable[[Row], Any], *, down: bool) -> list[Row]:
    valued = [(key(row), row) for row in rows]
    known = sorted((one for one in valued if one[0] is not None), key=lambda one: one[0], reverse=down)
    absent = [one for one in valued if one[0] is None]
    return [row for _, row in (absent + known if down else known + absent)]


def column(*path: str) -> Callable[[Row], Any]:
    """Reads a member of a member; None where there is none."""

    def value(row: Row) -> Any:
        found: Any = row
        for name in path:
            found = found.get(name)
        return found

    return value


def amount(*path: str) -> Callable[[Row], float | None]:
    """Numbers come as numbers or as texts."""
    found = column(*path)
    return lambda row: None if found(row) is None else float(found(row))


def matching(query: QueryParams, rows: Iterable[Row], **members: Callable[[Row], Any]) -> list[Row]:
    """Those with one of the values that a parameter lists with commas between; one that is absent lets all through."""
    asked = {name: query[name].split(",") for name in members if query.get(name)}
    return [row for row in rows if all(members[name](row) in values for name, values in asked.items())]


def containing(query: QueryParams, rows: Iterable[Row], name: str, member: Callable[[Row], Any]) -> list[Row]:
    part = query.get(name, "").casefold()
    return [row for row in rows if part in (member(row) or "").casefold()]


def between(request: Request, rows: Iterable[Row], member: str, since: str, until: str) -> list[Row]:
    """Both ends are inclusive; the texts have one form and so order as the times do."""
    first, last = _moment(request, since), _moment(request, until)
    return [row for row in rows if (first is None or first <= row[member]) and (last is None or row[member] <= last)]


def _moment(request: Request, name: str) -> str | None:
    """A time without an offset is one of the time zone that a header names, which is Berlin's unasked."""
    text, zone = request.query_params.get(name), request.headers.get("x-timezone", BERLIN)
    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Problem(400, "x-timezone must be an IANA time zone") from None
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(400, f"{name} must be ISO 8601") from None
    return iso((found if found.tzinfo else found.replace(tzinfo=there)).astimezone(UTC))


def truth(query: QueryParams, name: str) -> bool | None:
    text = query.get(name)
    if text not in (None, "true", "false"):
        raise Problem(400, f"{name} must be true or false")
    return None if text is None else text == "true"


def one(rows: Iterable[Row], native: str, what: str) -> Row:
    if not (native.isascii() and native.isdigit()):
        raise Problem(400, "id must be a number")
    found = next((row for row in rows if row["id"] == int(native)), None)
    if found is None:
        raise Problem(404, f"{what} not found")
    return found


def local(request: Request, text: str) -> datetime:
    """A time on the clocks that a header names, which are Berlin's unasked."""
    there = ZoneInfo(request.headers.get("x-timezone", BERLIN))
    return datetime.fromisoformat(text).astimezone(there).replace(tzinfo=None)
