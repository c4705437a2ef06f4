"""How vendors' answers differ from what they are taken to be. Neither values nor names of people are kept of it."""

from dataclasses import dataclass
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
