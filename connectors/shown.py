"""Whether a vendor's record shows what was ordered."""

from collections.abc import Mapping
from typing import Any

from connectors.parsing import Raw, text


def shows(row: Raw, members: Mapping[str, Any]) -> bool | None:
    """None where all that it tells is as ordered, and it does not tell all: vendors keep back what is sensitive."""
    told = [_same(row[name], value) for name, value in members.items() if name in row]
    if not all(told):
        return False
    return True if len(told) == len(members) else None


def _same(told: Any, ordered: Any) -> bool:
    """Of an object the members that were ordered; lists in any order."""
    if isinstance(ordered, Mapping):
        return isinstance(told, Mapping) and all(_same(told.get(name), value) for name, value in ordered.items())
    if isinstance(ordered, list):
        return isinstance(told, list) and len(told) == len(ordered) and _each(told, ordered)
    return text(told) == text(ordered)


def _each(told: list[Any], ordered: list[Any]) -> bool:
    left = list(told)
    for one in ordered:
        at = next((at for at, other in enumerate(left) if _same(other, one)), None)
        if at is None:
            return False
        del left[at]
    return True
