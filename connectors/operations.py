"""A vendor's operations by name: method, path, and what may be done with them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from connectors.budget import Traffic

ENDPOINT = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s?#]*)")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`path` may hold {placeholders}. `documented`: by the vendor, else assumed. `reads`: it may be repeated."""

    name: str
    method: str
    path: str
    documented: bool
    traffic: Traffic = Traffic.QUERY
    reads: bool = True

    def fill(self, values: Mapping[str, object]) -> str:
        return filled(self.path, values)


def filled(path: str, values: Mapping[str, object]) -> str:
    """The path with its placeholders replaced. Raises ValueError for a value that would make it another path."""

    def value(found: re.Match[str]) -> str:
        text = str(values[found[1]])
        if text in ("", ".", ".."):
            raise ValueError(f"{text!r} is no {found[1]}")
        return quote(text, safe="")

    return PLACEHOLDER.sub(value, path)


def table(*operations: Operation) -> Mapping[str, Operation]:
    return {operation.name: operation for operation in operations}


def overridden(operations: Mapping[str, Operation], endpoints: Mapping[str, str]) -> Mapping[str, Operation]:
    """`endpoints`: name -> "METHOD /path". Raises ValueError for one that is unknown or cannot be read."""
    changed = dict(operations)
    for name, text in endpoints.items():
        found = ENDPOINT.fullmatch(text)
        if name not in operations:
            raise ValueError(f"endpoints.{name}: there is no such operation: {', '.join(sorted(operations))}")
        if found is None:
            raise ValueError(f'endpoints.{name}: "METHOD /path" is expected')
        unknown = set(PLACEHOLDER.findall(found[2])) - set(PLACEHOLDER.findall(operations[name].path))
        if unknown or re.search(r"[{}]", PLACEHOLDER.sub("", found[2])):
            raise ValueError(f"endpoints.{name}: {found[2]} has placeholders that {operations[name].path} has not")
        changed[name] = replace(operations[name], method=found[1], path=found[2], documented=False)
    return changed
