"""What one account's vendor answered other than it was taken to: counted by what it was, and told once.

As many differences are told apart as paths are known, each with a few words: no vendor can fill the memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import structlog

from connectors.shapes import AnyShape, Check
from domain.drift import Drift, DriftKind
from domain.times import utc_now

log = structlog.get_logger()

WORDS = 20  # of one member that are told apart
OTHER_WORD = "another word"

Checks = Mapping[str, Check]
Key = tuple[str, str, DriftKind, str]  # operation, path, kind, what was seen


def checks(shapes: Mapping[str, AnyShape]) -> Checks:
    """By operation."""
    return {operation: shape.at("") for operation, shape in shapes.items()}


@dataclass(slots=True)
class Tally:
    """`first` is what it is, as it was met first; `untold`: how many of them are not kept yet."""

    first: Drift
    last_seen_at: datetime
    count: int = 0
    untold: int = 0


class Drifts:
    """`checks`: other operations' answers are not looked at. `counts`: by operation and kind, since
    this process began."""

    def __init__(self, checks: Checks | None = None, now: Callable[[], datetime] = utc_now) -> None:
        self.counts: Counter[tuple[str, DriftKind]] = Counter()
        self._checks = checks or {}
        self._now = now
        self._tallies: dict[Key, Tally] = {}
        self._words: Counter[tuple[str, str]] = Counter()
        self._known: set[str] = set()

    def begin(self, known: Iterable[Drift]) -> None:
        """What is kept of before is no news."""
        for one in known:
            self._known.add(one.fingerprint)
            if one.kind is DriftKind.UNKNOWN_WORD:
                self._words[one.operation, one.path] += 1

    @property
    def seen(self) -> list[Drift]:
        """By this process."""
        return [replace(one.first, count=one.count, last_seen_at=one.last_seen_at) for one in self._tallies.values()]

    @property
    def untold(self) -> list[Drift]:
        """What was counted and is not kept yet, each with just that count."""
        return [
            replace(one.first, count=one.untold, last_seen_at=one.last_seen_at)
            for one in self._tallies.values()
            if one.untold
        ]

    def told(self, kept: Iterable[Drift]) -> None:
        """These are kept now."""
        for one in kept:
            self._tallies[one.operation, one.path, one.kind, one.seen].untold -= one.count

    def look(self, account: str, vendor: str, operation: str, answer: Any) -> bool:
        """Whether nothing differs, which costs a look at the type of each member. Never raises."""
        alike = True

        def found(path: str, kind: DriftKind, expected: str, seen: str) -> None:
            nonlocal alike
            alike = False
            self._note(account, vendor, operation, (path, kind, expected, seen))

        check = self._checks.get(operation)
        if check is not None:
            check(answer, found)
        return alike

    def _note(self, account: str, vendor: str, operation: str, differs: tuple[str, DriftKind, str, str]) -> None:
        """`differs`: path, kind, what was expected and what was seen."""
        path, kind, _, seen = differs
        tally = self._tallies.get((operation, path, kind, seen)) or self._met(account, vendor, operation, differs)
        tally.count += 1
        tally.untold += 1
        tally.last_seen_at = self._now()
        self.counts[operation, kind] += 1

    def _met(self, account: str, vendor: str, operation: str, differs: tuple[str, DriftKind, str, str]) -> Tally:
        """A word too many counts as another word, and as no more."""
        path, kind, expected, seen = differs
        mark = fingerprint(vendor, operation, path, kind, seen)
        if kind is DriftKind.UNKNOWN_WORD and mark not in self._known:
            self._words[operation, path] += 1
            if self._words[operation, path] > WORDS:
                seen, mark = OTHER_WORD, fingerprint(vendor, operation, path, kind, OTHER_WORD)
        known = self._tallies.get((operation, path, kind, seen))
        if known is not None:
            return known
        now = self._now()
        first = Drift(
            operation=operation,
            path=path,
            kind=kind,
            expected=expected,
            seen=seen,
            fingerprint=mark,
            count=0,
            first_seen_at=now,
            last_seen_at=now,
        )
        self._tell(account, first)
        tally = self._tallies[operation, path, kind, seen] = Tally(first, now)
        return tally

    def _tell(self, account: str, drift: Drift) -> None:
        if drift.fingerprint in self._known:
            return
        self._known.add(drift.fingerprint)
        log.warning(
            "vendor drifts",
            account=account,
            operation=drift.operation,
            path=drift.path,
            kind=drift.kind.value,
            expected=drift.expected,
            seen=drift.seen,
            fingerprint=drift.fingerprint,
        )


def fingerprint(vendor: str, operation: str, path: str, kind: DriftKind, seen: str) -> str:
    return sha256(f"{vendor}\0{operation}\0{path}\0{kind.value}\0{seen}".encode()).hexdigest()[:16]
