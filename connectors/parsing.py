"""Reading vendors' JSON: strict on what is needed, lenient on what may be new or missing.

A reader raises KeyError, TypeError or ValueError; that becomes one VendorProtocolError that names the record, so
that parse modules say only what a vendor's words mean."""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from operator import is_
from typing import Any, TypeVar

import structlog

from connectors.base import Account
from connectors.unchanged import Reading
from domain.errors import VendorProtocolError
from domain.money import Money, from_cents
from domain.paging import Listing
from domain.times import EPOCH

log = structlog.get_logger()

T = TypeVar("T")
Raw = Mapping[str, Any]

MILLISECONDS_FROM = 10**11  # a UNIX time above this counts milliseconds: as seconds it lies in the year 5138
DIGITS = 24  # of a number: a product of it and a quantity is still exact
BEFORE_POINT = 18
LEAST = -40  # digits before the point: a double that should be zero may be off by so little
PLAIN = 10**15  # an int below it, or a float from its inverse on, is not out of proportion
LONGEST_STAMP = 13  # digits: milliseconds until the year 2286
NESTED = (dict, list)
NOTHING: dict[int, Reading | None] = {}  # is known of rows that are always read
UNKNOWN: Reading = ("", None, None)
ROW_ALONE = ()  # what a value is given that depends on nothing else
FRACTION = re.compile(r"\.(\d+)")


def records(account: Account, what: str, rows: Iterable[Any], parse: Callable[[Raw], T]) -> list[T]:
    """Each row parsed; `what` names the rows in the error, such as "sale"."""
    return [record(account, what, row, parse) for row in rows]


def readable(
    account: Account,
    what: str,
    rows: Iterable[Any],
    parse: Callable[[Raw], T],
    *,
    given: Hashable = None,
    again: Callable[[T], T] | None = None,
) -> Listing[T]:
    """Those rows that can be parsed. One that cannot be costs the others nothing: the list is not complete then.

    `given`: all that a value depends on besides its row and the account, but for the time; where it is told, rows of an
    answer that came before are not parsed again. `again` makes of such a value what it is at this time."""
    found: list[T] = []
    faults: list[VendorProtocolError] = []
    readings = NOTHING if given is None else account.unchanged.readings
    for row in rows:
        known = readings.get(id(row), UNKNOWN)
        if known and known[0] == what and known[1] == given:
            found.append(known[2] if again is None else again(known[2]))
            continue
        try:
            value = record(account, what, row, parse)
        except VendorProtocolError as fault:
            faults.append(fault)
            continue
        found.append(value)
        if known is not UNKNOWN:
            readings[id(row)] = (what, given, value)
    if faults:
        log.warning("unreadable", account=account.key, kind=what, count=len(faults), error=faults[0].message)
    return Listing(found, complete=not faults)


def listing(
    account: Account,
    what: str,
    rows: Sequence[Any],
    parse: Callable[[Raw], T],
    *,
    given: Hashable = None,
    again: Callable[[T], T] | None = None,
) -> Listing[T]:
    """A whole list, as `readable`. Raises VendorProtocolError where no row can be read: then it is not the rows."""
    found = readable(account, what, rows, parse, given=given, again=again)
    if rows and not found.items:
        record(account, what, rows[0], parse)
    return found


def record(account: Account, what: str, row: Any, parse: Callable[[Raw], T]) -> T:
    try:
        return parse(row)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        name = next((row[key] for key in ("id", "_id", "saleId") if key in row), "?") if isinstance(row, dict) else "?"
        raise VendorProtocolError(
            f"{what} {name} cannot be read: {type(error).__name__} {error}"[:300],
            account=account.key,
            vendor=account.vendor.value,
        ) from error


def rows(account: Account, what: str, found: Any) -> Sequence[Any]:
    """`found` where it is a list, else a protocol error."""
    if isinstance(found, list):
        return found
    raise VendorProtocolError(f"{what}: a list was expected", account=account.key, vendor=account.vendor.value)


def text(value: Any) -> str | None:
    """Ids and names come as text or as numbers; what is empty, or neither, says nothing."""
    if type(value) is str:
        return value or None
    if value is None or value == "" or isinstance(value, bool | dict | list):
        return None
    return str(value)


def need(value: Any) -> str:
    found = text(value)
    if found is None:
        raise ValueError("a text is missing")
    return found


def truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def word(words: Mapping[str, T] | Mapping[bool, T], value: Any, otherwise: T) -> T:
    """What one of a vendor's words means; `otherwise` where it is none of them, or no word at all."""
    known: Mapping[Any, T] = words
    return known.get(value, otherwise) if isinstance(value, str | bool) else otherwise


def number(value: Any) -> Decimal | None:
    """An exact decimal from a JSON number or a text; a float by its shortest form, which is what was sent.

    A number that is out of all proportion is refused: it would not stay exact, or would be too long to write."""
    if type(value) is int and -PLAIN < value < PLAIN:
        return Decimal(value)
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(f"{str(value)[:40]!r} is no number") from None
    if type(value) is float and (value == 0 or 1 / PLAIN < abs(value) < PLAIN):
        return found
    _, digits, exponent = found.as_tuple()
    before_point = len(digits) + exponent if isinstance(exponent, int) else BEFORE_POINT + 1
    if len(digits) > DIGITS or before_point > BEFORE_POINT or before_point < LEAST:
        raise ValueError(f"{str(value)[:40]!r} is no number, or too long a one")
    return found


def whole(value: Any) -> int | None:
    if type(value) is int and -PLAIN < value < PLAIN:
        return value
    found = number(value)
    if found is None:
        return None
    if found != found.to_integral_value():
        raise ValueError(f"{value!r} is no whole number")
    return int(found)


def count(value: Any) -> int | None:
    """None for what is no count: a page can be read without."""
    try:
        found = whole(value)
    except (TypeError, ValueError):
        return None
    return found if found is not None and found >= 0 else None


def money(value: Any, currency: str | None) -> Money | None:
    """Major units. Without a currency there is no money: an amount of nothing known says nothing."""
    amount = number(value)
    return None if amount is None or currency is None else Money(amount, currency)


def cents(value: Any, currency: str | None) -> Money | None:
    amount = whole(value)
    return None if amount is None or currency is None else from_cents(amount, currency)


def unix(value: Any) -> datetime:
    """UNIX seconds, or milliseconds where the number is too large to be seconds."""
    seconds = number(value)
    if seconds is None:
        raise ValueError("a time is missing")
    if seconds > MILLISECONDS_FROM:
        seconds = seconds / 1000
    return EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def stamp(digits: str) -> int | None:
    """The UNIX time within an id, in seconds or milliseconds: callers make ids up, and then there is none."""
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST_STAMP else None


def iso(value: Any) -> datetime | None:
    """ISO 8601 with any number of fraction digits; without an offset it is UTC; year 1 means never."""
    if value is None or value == "":
        return None
    trimmed = FRACTION.sub(lambda found: "." + found[1][:6].ljust(6, "0"), str(value))
    moment = datetime.fromisoformat(trimmed)
    if moment.year == 1:
        return None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)


def need_iso(value: Any) -> datetime:
    found = iso(value)
    if found is None:
        raise ValueError("a time is missing")
    return found


def without(row: Raw, secrets: frozenset[str]) -> Raw:
    """The vendor's own record, less the members that hold secrets, at any depth; itself where it holds none."""
    cleaned = {
        key: less
        for key, value in row.items()
        if type(value) in NESTED and (less := _clean(value, secrets)) is not value
    }
    if not cleaned and secrets.isdisjoint(row):
        return row
    return {key: cleaned.get(key, value) for key, value in row.items() if key not in secrets}


def _clean(value: Any, secrets: frozenset[str]) -> Any:
    if type(value) is dict:
        return without(value, secrets)
    items = [_clean(item, secrets) if type(item) in NESTED else item for item in value]
    return value if all(map(is_, items, value)) else items
