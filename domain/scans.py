"""What scans of a machine's tags prove to have left it, where later ones have overtaken an earlier one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.facts import Observation

Tags = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Settled:
    """`sold`: what was found to be gone by it, and is not to be found gone by another."""

    at: datetime
    tags: Tags
    sold: Tags


def held(arrived: Iterable[Observation], observed: Observation) -> Tags | None:
    """What the machine held before a scan, less what later ones have proved to be sold. None where nobody knows.

    `arrived`: what was observed of the machine so far, in the order in which it arrived."""
    settled: list[_Settled] = []
    for one in arrived:
        if one.scan is not None:
            before = None if one.scan.opening is None else _held(settled, one.at)
            settled.append(_Settled(one.at, one.scan.tags, (before or Tags()) - one.scan.tags))
    return _held(settled, observed.at)


def _held(settled: list[_Settled], at: datetime) -> Tags | None:
    """Of two scans at the same time the one that arrived last counts."""
    earlier = [one for one in settled if one.at <= at]
    if not earlier:
        return None
    last = max(reversed(earlier), key=lambda one: one.at)
    return last.tags.difference(*(one.sold for one in settled if one.at > at))
