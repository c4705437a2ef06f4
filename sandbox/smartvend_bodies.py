"""What SmartVend's operations take: members by name and type, and nothing else."""

from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any
from uuid import UUID

Body = dict[str, Any]

PER_PAGE = 1000
LANGUAGES = ("en", "pt", "es", "de", "fr", "ru")
TYPES = ("coffee", "impulse")
EVENT_WORDS = {
    "status": ("relevant", "irrelevant"),
    "level": ("info", "warning", "danger"),
    "source": ("user", "controller"),
}
ID_FILTERS = ("controllerIds", "collaboratorIds", "groupIds")
# The names of further members were lost with the documents, so that nobody can send them.
CONFIG: Mapping[str, str] = (
    dict.fromkeys(("re", "in", "hl", "bp", "qr", "2f", "vg", "vl", "da", "mv", "co", "1l", "1t", "1w"), "boolean")
    | dict.fromkeys(("sm", "bm", "em", "cd", "qt", "2a", "2t", "vt", "vr", "ti", "tg", "fc", "sp"), "number")
    | dict.fromkeys(("2c", "2r", "2l", "2p", "td", "wf", "wn", "wp", "wt", "an", "al", "ap", "sa"), "string")
    | dict.fromkeys(("ha", "hp", "1a", "3a", "3p"), "string")
)


class Malformed(ValueError):
    """A body that is not what the operation takes: HTTP 400."""


def only(body: Any, *needed: str, optional: Collection[str] = ()) -> Body:
    if not isinstance(body, dict):
        raise Malformed("an object is expected")
    if missing := [name for name in needed if name not in body]:
        raise Malformed(f"{', '.join(missing)} is required")
    if unknown := body.keys() - {*needed, *optional}:
        raise Malformed(f"{', '.join(sorted(unknown))} is not expected")
    return body


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number" if isinstance(value, int) or isfinite(value) else "no number"
    return "string" if isinstance(value, str) else "neither boolean, number nor string"


def number(body: Body, name: str) -> float:
    if kind(body.get(name)) != "number":
        raise Malformed(f"{name} must be a number")
    found: float = body[name]
    return found


def whole(body: Body, name: str) -> int:
    value = number(body, name)
    if value != int(value):
        raise Malformed(f"{name} must be a whole number")
    return int(value)


def uuid(value: Any, name: str) -> str:
    try:
        return str(UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise Malformed(f"{name} must be a UUID") from None


def word(body: Body, name: str, words: Collection[str]) -> str:
    value = body.get(name)
    if value not in words:
        raise Malformed(f"{name} must be one of {', '.join(words)}")
    return str(value)


def rows(body: Body, name: str) -> list[Any]:
    value = body.get(name)
    if not isinstance(value, list):
        raise Malformed(f"{name} must be an array")
    return value


def page(body: Body) -> tuple[int, int]:
    """The page's number, from 1, and how many rows it has."""
    pagination = only(body["pagination"], "currentPage", "perPage")
    number_, per_page = whole(pagination, "currentPage"), whole(pagination, "perPage")
    if number_ < 1 or not 1 <= per_page <= PER_PAGE:
        raise Malformed(f"currentPage is 1 or more, perPage from 1 to {PER_PAGE}")
    return number_, per_page


def dates(body: Body) -> tuple[float, float]:
    """UNIX seconds, both inclusive."""
    found = only(body["dateRange"], "from", "to")
    return number(found, "from"), number(found, "to")


def filters(body: Body) -> Body:
    found = only(body["filters"], optional=(*ID_FILTERS, "searchString"))
    if kind(found.get("searchString", "")) != "string":
        raise Malformed("searchString must be a string")
    ids = {name: [uuid(value, name) for value in rows(found, name)] for name in ID_FILTERS if name in found}
    return found | ids


def event_words(body: Body) -> Body:
    """The filters of events that stand beside `filters`."""
    return {name: word(body, name, words) for name, words in EVENT_WORDS.items() if name in body}


def config(value: Any) -> Body:
    found = only(value, optional=CONFIG)
    for name, told in found.items():
        if kind(told) != CONFIG[name]:
            raise Malformed(f"{name} must be a {CONFIG[name]}")
    if len(found.get("td", "FFFF")) != 4:
        raise Malformed("td has 4 characters")
    return found


def cell(value: Any) -> Body:
    found = only(value, "columnNumber", "rowNumber", "price", "productId")
    product = found["productId"]
    numbers = {name: whole(found, name) for name in ("columnNumber", "rowNumber", "price")}
    return {**numbers, "productId": None if product is None else uuid(product, "productId")}


def resource(value: Any) -> Body:
    found = only(value, "resourceId", "maxRefillQuantity")
    return {
        "resourceId": uuid(found["resourceId"], "resourceId"),
        "maxRefillQuantity": number(found, "maxRefillQuantity"),
    }
