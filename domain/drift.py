"""How vendors' answers differ from what they are taken to be. Neither values nor names of people are kept of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum


class DriftKind(Enum):
    UNKNOWN_WORD = "UNKNOWN_WORD"
    MISSING = "MISSING"
    RETYPED = "RETYPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """`path`: of the member in the answer, such as `data[].state`. `seen`: the word, or what sort of value it was.

    `fingerprint`: the same for the same difference, whatever account it was met in."""

    operation: str
    path: str
    kind: DriftKind
    expected: str
    seen: str
    fingerprint: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime


MOST_COUNTED = 2**31 - 1  # what the graph's numbers hold


def joined(*told: Iterable[Drift]) -> list[Drift]:
    """What several tell of one account, counted together; what was seen last comes first."""
    found: dict[str, Drift] = {}
    for one in (one for each in told for one in each):
        known = found.get(one.fingerprint)
        found[one.fingerprint] = one if known is None else _both(known, one)
    return sorted(found.values(), key=lambda one: (one.last_seen_at, one.fingerprint), reverse=True)


def _both(one: Drift, other: Drift) -> Drift:
    return replace(
        one,
        count=min(one.count + other.count, MOST_COUNTED),
        first_seen_at=min(one.first_seen_at, other.first_seen_at),
        last_seen_at=max(one.last_seen_at, other.last_seen_at),
    )
