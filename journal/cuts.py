"""Which of a report's time is read from the sums of days, and which from the lines of sales. Times are microseconds
since 1970. Pure."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import NamedTuple

from domain import periods

DAY = periods.DAY // periods.MICROSECOND
QUARTER = periods.HOUR // periods.MICROSECOND // 4  # clocks are ahead of UTC by some of them, everywhere by now
SHIFT = DAY // 4


class Grain(Enum):
    """What a day is summed up by, besides kind, way of paying and currency. The numbers stand in stores."""

    QUARTERS = 1
    MACHINES = 2
    PRODUCTS = 3
    SHIFTS = 4  # products by a quarter of a day, of which days on other clocks are made but for their edges

    @property
    def width(self) -> int:
        """What lies closer together is not told apart."""
        return WIDTHS[self]


WIDTHS: Mapping[Grain, int] = {
    Grain.QUARTERS: QUARTER,
    Grain.MACHINES: DAY,
    Grain.PRODUCTS: DAY,
    Grain.SHIFTS: SHIFT,
}
FINER: Mapping[Grain, Grain] = {Grain.PRODUCTS: Grain.SHIFTS}  # which tells apart the same, in more rows


class Run(NamedTuple):
    """`grain` is None for the lines themselves."""

    grain: Grain | None
    since: int
    until: int


def grain_of(*, machine: bool, product: bool, hourly: bool, offset: int) -> Grain | None:
    """The one that tells apart what is wanted in fewest rows; None where only the lines do."""
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
        yield from _within_day(at, end, grain if at // DAY in summed else None)
        at = end


def _within_day(since: int, until: int, grain: Grain | None) -> Iterator[Run]:
    """What is no whole width of the grain is made of the finer one, and then of lines."""
    if since >= until:
        return
    if grain is None:
        yield Run(None, since, until)
        return
    first, last = -(-since // grain.width) * grain.width, until // grain.width * grain.width
    finer = FINER.get(grain)
    if first >= last:
        yield from _within_day(since, until, finer)
        return
    yield from _within_day(since, first, finer)
    yield Run(grain, first, last)
    yield from _within_day(last, until, finer)


def shared(
    spans: Mapping[int, tuple[int, int]], grain: Grain | None, summed: Mapping[int, AbstractSet[int]]
) -> dict[Run, list[int]]:
    """The runs of several accounts, each with those whose it is."""
    found: dict[Run, list[int]] = {}
    for account, (since, until) in spans.items():
        for run in runs(since, until, grain, summed.get(account, frozenset())):
            found.setdefault(run, []).append(account)
    return found
