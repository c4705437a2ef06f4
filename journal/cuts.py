"""Which of a report's time is read from the sums of days, and which from the lines of sales. Times are microseconds
since 1970. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import NamedTuple

from domain import periods

DAY = periods.DAY // periods.MICROSECOND
QUARTER = periods.HOUR // periods.MICROSECOND // 4  # clocks are ahead of UTC by some of them, everywhere by now


class Grain(Enum):
    """What a day is summed up by, besides kind, way of paying and currency. The numbers stand in stores."""

    QUARTERS = 1
    MACHINES = 2
    PRODUCTS = 3

    @property
    def width(self) -> int:
        """What lies closer together is not told apart."""
        return QUARTER if self is Grain.QUARTERS else DAY


class Run(NamedTuple):
    """`grain` is None for the lines themselves."""

    grain: Grain | None
    since: int
    until: int


def grain_of(*, machine: bool, product: bool, hourly: bool, offset: int) -> Grain | None:
    """The one that tells apart what is wanted; None where only the lines do."""
    if machine or product:
        if hourly or (machine and product):
            return None
        return Grain.MACHINES if machine else Grain.PRODUCTS
    return None if hourly and offset % QUARTER else Grain.QUARTERS


def runs(since: int, until: int, grain: Grain | None, summed: AbstractSet[int]) -> list[Run]:
    """In order, without a gap. `summed`: the days since 1970 whose sums are good. Lines come a day at a time: what is
    sorted to be grouped stays small, which is several times as fast as all at once."""
    found: list[Run] = []
    for run in _runs(since, until, grain, summed):
        last = found[-1] if found else None
        if last is not None and last.grain is run.grain is not None:
            found[-1] = Run(run.grain, last.since, run.until)
        else:
            found.append(run)
    return found


def _runs(since: int, until: int, grain: Grain | None, summed: AbstractSet[int]) -> Iterator[Run]:
    at = since
    while at < until:
        end = min(until, (at // DAY + 1) * DAY)
        first = last = end
        if grain is not None and at // DAY in summed:
            first, last = -(-at // grain.width) * grain.width, end // grain.width * grain.width
        if first < last:
            parts: Sequence[Run] = (Run(None, at, first), Run(grain, first, last), Run(None, last, end))
        else:
            parts = (Run(None, at, end),)
        yield from (part for part in parts if part.since < part.until)
        at = end


def shared(
    spans: Mapping[int, tuple[int, int]], grain: Grain | None, summed: Mapping[int, AbstractSet[int]]
) -> dict[Run, list[int]]:
    """The runs of several accounts, each with those whose it is."""
    found: dict[Run, list[int]] = {}
    for account, (since, until) in spans.items():
        for run in runs(since, until, grain, summed.get(account, frozenset())):
            found.setdefault(run, []).append(account)
    return found
