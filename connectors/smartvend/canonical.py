"""What SmartVend signs: the body as its JavaScript sorts it and prints it again, byte for byte.

https://api.smartvend.ru/ "Webhook authentication". Members that JavaScript loses on the way (`__proto__`, all but the
last of equal names, digits beyond a double) are not signed: act on `value`, never on the body."""

import json
import re
from collections.abc import Iterable
from json.encoder import encode_basestring
from math import isfinite
from typing import Any

from connectors.body import depth
from connectors.deliveries import ESCAPE, refused, storable

DEEPEST = 200  # a delivery is four deep; Python gives up at some 900
LOST = "__proto__"  # setting it sets no member
INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
INDICES = 2**32 - 1
HALF = re.compile("[\ud800-\udfff]")
PLAIN_NAMES = re.compile(r"[A-Za-z]\w*(?:,[A-Za-z]\w*)*", re.ASCII)
PLAIN_DIGITS = 15
WORDS = {None: "null", True: "true", False: "false"}


class _NotPlain(Exception):
    """Python would print it differently, or that cannot be excluded."""


def canonical(body: bytes) -> bytes:
    """Raises ValueError where JavaScript reads no JSON, or where it is nested deeper than `DEEPEST`."""
    text = body.decode("utf-8", "replace")  # as Node decodes; json.loads(bytes) would take UTF-16, too
    try:
        return _printed(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _printed(text: str) -> bytes:
    try:
        return _quickly(text)
    except (_NotPlain, UnicodeEncodeError):
        return _exactly(text)


def value(signed: bytes) -> Any:
    """The JSON of a canonical form."""
    found = json.loads(signed.decode())
    return storable(found) if ESCAPE in signed else found


def _quickly(text: str) -> bytes:
    """Python's own way to sort and print, where what it reads leaves no room for a difference: names of ASCII letters
    and digits, numbers that both print alike, whole characters."""
    found = PLAIN_DECODER.decode(text)
    _check_depth(text, found)
    return PLAIN_ENCODER.encode(found).encode()


def _exactly(text: str) -> bytes:
    found = DECODER.decode(text)
    _check_depth(text, found)
    return "".join(_pieces(found)).encode()


def _check_depth(text: str, found: Any) -> None:
    if text.count("[") + text.count("{") > DEEPEST and depth(found) > DEEPEST:
        raise ValueError("it is nested too deeply")


def _plain_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if pairs and not PLAIN_NAMES.fullmatch(",".join([name for name, _ in pairs])):
        raise _NotPlain
    return dict(pairs)


def _plain_whole(text: str) -> int:
    if len(text) > PLAIN_DIGITS:
        raise _NotPlain
    return int(text)


def _plain_fraction(text: str) -> float:
    """Both print the shortest digits that mean the number; they part at the exponents, and at 1.0."""
    found = float(text)
    if found.is_integer() or not 1e-4 <= abs(found) < 1e15:
        raise _NotPlain
    return found


PLAIN_DECODER = json.JSONDecoder(
    object_pairs_hook=_plain_object, parse_int=_plain_whole, parse_float=_plain_fraction, parse_constant=refused
)
PLAIN_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)
DECODER = json.JSONDecoder(parse_int=float, parse_constant=refused)


def _pieces(found: Any) -> Iterable[str]:
    """Piece by piece, without recursion. In `ahead`, texts in a tuple are ready to be printed."""
    ahead: list[Any] = [found]
    while ahead:
        item = ahead.pop()
        if isinstance(item, tuple):
            yield item[0]
        elif isinstance(item, dict):
            yield "{"
            ahead.append(("}",))
            names = _names(item)
            for place in range(len(names) - 1, -1, -1):
                comma = "," if place else ""
                ahead += item[names[place]], (f"{comma}{_quoted(names[place])}:",)
        elif isinstance(item, list):
            yield "["
            ahead.append(("]",))
            for place in range(len(item) - 1, -1, -1):
                ahead += (item[place], (",",)) if place else (item[place],)
        else:
            yield _scalar(item)


def _scalar(item: str | float | None) -> str:
    if isinstance(item, str):
        return _quoted(item)
    if item is None or isinstance(item, bool):
        return WORDS[item]
    return number(item)


def _names(item: dict[str, Any]) -> list[str]:
    """Array indices come first, by number, wherever they are set; the rest is sorted by UTF-16 code units."""
    indices = [name for name in item if _is_index(name)]
    others = [name for name in item if name != LOST and not _is_index(name)]
    return sorted(indices, key=int) + sorted(others, key=_code_units)


def _is_index(name: str) -> bool:
    return INDEX.fullmatch(name) is not None and int(name) < INDICES


def _code_units(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _quoted(text: str) -> str:
    quoted = encode_basestring(text)
    return quoted if quoted.isascii() else HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", quoted)


def number(found: float) -> str:
    """As ECMAScript's Number::toString has it; JSON.stringify prints what is not finite as null."""
    if not isfinite(found):
        return "null"
    if found == 0:
        return "0"
    sign = "-" if found < 0 else ""
    digits, point = _digits(repr(abs(found)))
    if not -6 < point <= 21:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return sign + digits + "0" * (point - len(digits))
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _digits(text: str) -> tuple[str, int]:
    """The significant digits of a positive number, and where its point is, counted from the first of them."""
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    return digits.rstrip("0"), len(whole) - leading + int(exponent or 0)
