"""Faults of the configuration in an operator's words: where, why, and what would be right; never the value."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

Place = tuple[str | int, ...]

OURS = "fault"
WORDS: Mapping[str, str] = {
    "missing": "is missing",
    "string_type": "a text in quotes is expected",
    "dict_type": "a table is expected",
    "model_type": "a table is expected",
    "list_type": "a list is expected",
    "tuple_type": "a text is expected, or a list of two while one takes over from the other",
    "too_long": "there are too many of them",
    "too_short": "there has to be one at least",
}


def fault(reason: str, *below: str | int) -> PydanticCustomError:
    """To be raised in a validator. `below`: where it is, from the place that is being validated."""
    return PydanticCustomError(OURS, "{reason}", {"reason": reason, "below": below})


def told(error: ValidationError, root: type[BaseModel], raw: Any) -> Iterable[str]:
    """One line a fault; `raw` is what was validated."""
    for detail in error.errors(include_input=False, include_url=False):
        place: Place = detail["loc"]
        if detail["type"] == OURS:
            place = (*place, *detail["ctx"]["below"])
        yield f"{where(place, raw)}: {_reason(detail, root)}"


def where(place: Place, raw: Any) -> str:
    """The key with all that it stands in: `accounts.3.limits.requests (acme-coffee)`."""
    name = _name(place, raw)
    return ".".join(map(str, place)) + (f" ({name})" if name else "")


def _reason(detail: ErrorDetails, root: type[BaseModel]) -> str:
    if detail["type"] == "extra_forbidden":
        return f"there is no such key here: there are {', '.join(_keys(root, detail['loc'][:-1]))}"
    return WORDS.get(detail["type"]) or detail["msg"].replace("Input should", "it should")


def _keys(root: type[BaseModel], place: Place) -> list[str]:
    """The keys that a table of the configuration may have."""
    kind: Any = root
    for part in place:
        kind = get_args(kind)[0] if isinstance(part, int) else kind.model_fields[part].annotation
    return sorted(kind.model_fields)


def _name(place: Place, raw: Any) -> str | None:
    """What a member of a list calls itself: `accounts.3` alone is hard to find in a file."""
    for part in place:
        if isinstance(part, int):
            item = raw[part] if isinstance(raw, list) else None
            named = item.get("key", item.get("name")) if isinstance(item, dict) else None
            return named if isinstance(named, str) else None
        raw = raw.get(part) if isinstance(raw, dict) else None
    return None
