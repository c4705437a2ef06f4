"""Stretches of what an account recorded, newest first, and the store that keeps some of them."""

import asyncio
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from domain.errors import VendorError
from domain.refs import Ref
from domain.times import Span
from resolvers.cursors import Gap, Position
from resolvers.merge import Order
from resolvers.standing import Mark

SETTLING = timedelta(minutes=1)  # a vendor's clock may run that much behind ours
INSTANT = timedelta(microseconds=1)
STRETCHES = 4  # that are kept for one set of machines
ITEMS = 12_000  # that are kept in all, at some 4 kB: a page of ten for each of a thousand machines
SETS = 4_096  # of machines
SPANS = 256  # that are remembered: most lists are of all that there ever was

NEXT = "\0"  # makes of a text the next greater one

Machines = frozenset[str] | None  # native ids, None for all
NOBODY: frozenset[str] = frozenset()


class Recorded(Protocol):
    @property
    def ref(self) -> Ref: ...
    @property
    def recorded_at(self) -> datetime: ...
    @property
    def machine_ref(self) -> Ref | None: ...


T = TypeVar("T", bound=Recorded)


def at(moment: datetime, id_: str = "") -> Position:
    """Without an id it is below all that was recorded at that time."""
    return Position(moment.isoformat(timespec="microseconds"), id_)


def just_before(place: Position) -> Position:
    """Nothing lies between the two."""
    return Position(place.key, place.id + NEXT)


def position(item: Recorded) -> Position:
    return at(item.recorded_at, item.ref.text)


def moment_of(place: Position) -> datetime:
    return datetime.fromisoformat(place.key)


NEWEST_FIRST: Order[Any] = Order(position, newest_first=True)


@lru_cache(maxsize=SPANS)
def _ends(span: Span) -> tuple[Position, Position]:
    """Just above all that is in it, and just below."""
    return at(span.until), at(span.since)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`count` items of a gap, or all there are, within `span`."""

    span: Span
    gap: Gap
    count: int

    @property
    def since(self) -> datetime:
        """Nothing that was recorded before is wanted."""
        return self.span.since if self.gap.before is None else max(self.span.since, moment_of(self.gap.before))

    @property
    def until(self) -> datetime:
        """Just above where the gap begins, for items may share its time."""
        if self.gap.after is None:
            return self.span.until
        return min(self.span.until, moment_of(self.gap.after) + INSTANT)


@dataclass(slots=True, eq=False)
class Stretch(Generic[T]):
    """Everything from `since` up to `until`, in order. `head`: it began at the newest that there was.

    `complete` is false where some that there are could not be read."""

    until: datetime
    since: datetime
    head: bool
    as_of: datetime
    fresh_until: float
    items: list[T] = field(default_factory=list)
    places: list[Position] = field(default_factory=list)
    complete: bool = True
    proven: datetime | None = None  # how far the vendor's record had come, by its own clock, when this was read
    flight: "asyncio.Task[VendorError | None] | None" = None
    tries: int = 0  # how often it was lengthened since it last reached as far as was wanted
    mark: Mark = field(default_factory=Mark)  # falls when it is changed, or is no longer what its set is read from

    @property
    def begun(self) -> bool:
        return self.since < self.until

    def covers(self, top: datetime) -> bool:
        """Whether it has all that a page can see that goes on from there.

        Near the time at which it was read that is only sure down from the newest item that was there."""
        if not self.begun or top == self.until:
            return top == self.until
        newest = self.since if self.proven is None else self.proven + INSTANT
        return self.since <= top <= min(self.until, max(newest, self.as_of - SETTLING))

    @property
    def top(self) -> Position:
        """What lies before it may have been recorded since."""
        if self.places:
            return just_before(self.places[0])
        return at(self.as_of - SETTLING)

    def add(self, item: T, place: Position) -> None:
        """Items come in order, the older after the newer. When the last has come, it has changed."""
        self.items.append(item)
        self.places.append(place)

    def insert(self, item: T, place: Position) -> None:
        """One that was reported since it was read, where it belongs; what it has already stays as it is."""
        inside = self.since <= item.recorded_at and (self.head or item.recorded_at < self.until)
        if not self.begun or not inside:
            return
        index = self._below(just_before(place))
        if index < len(self.places) and self.places[index] == place:
            return
        self.changed()
        self.items.insert(index, item)
        self.places.insert(index, place)
        self.until = max(self.until, item.recorded_at + INSTANT)

    def changed(self) -> None:
        self.mark.fall()
        self.mark = Mark()

    def found(self, wanted: Wanted) -> Sequence[T]:
        """As many as are wanted of those that it has."""
        first, last = self._bounds(wanted)
        return self.items[first : min(last, first + wanted.count)]

    def count(self, wanted: Wanted) -> int:
        """How many it has of all that lie where some are wanted."""
        first, last = self._bounds(wanted)
        return max(0, last - first)

    def _bounds(self, wanted: Wanted) -> tuple[int, int]:
        (after, before), places = wanted.gap, self.places
        top, bottom = _ends(wanted.span)
        first = 0 if not places or places[0] < top else self._below(top)
        last = len(places) if not places or places[-1] >= bottom else self._below(bottom)
        if after is not None:
            first = max(first, self._below(after))
        if before is not None:
            last = min(last, self._below(just_before(before)))
        return first, last

    def _below(self, place: Position) -> int:
        """The index of the first that lies strictly below a place."""
        places = self.places
        return bisect_left(range(len(places)), True, key=lambda index: places[index] < place)


class Stretches(Generic[T]):
    """Some stretches of some sets of machines: those that were asked for last, and no more items than `size`."""

    def __init__(self, size: int = ITEMS) -> None:
        self._size = size
        self._sets: OrderedDict[Machines, list[Stretch[T]]] = OrderedDict()

    def of(self, machines: Machines) -> Sequence[Stretch[T]]:
        """The one that was begun last comes first."""
        kept = self._sets.get(machines)
        if kept is None:
            return ()
        self._sets.move_to_end(machines)
        return kept

    def add(self, machines: Machines, stretch: Stretch[T]) -> None:
        """The newest head stays among those that are kept: it stands in for what a failing vendor does not tell."""
        kept = [stretch, *self._sets.get(machines, ())]
        _fall(kept)  # another may be read by now
        if len(kept) > STRETCHES:
            head = next((one for one in kept if one.head and one.begun), None)
            kept.remove(next(one for one in reversed(kept) if one is not head))
        self._sets[machines] = kept
        self._sets.move_to_end(machines)

    def drop(self, machines: Machines, stretch: Stretch[T]) -> None:
        kept = self._sets.get(machines)
        if kept is not None and stretch in kept:
            _fall(kept)
            kept.remove(stretch)
            if not kept:
                del self._sets[machines]

    def trim(self) -> None:
        """The set that was asked for last is kept, however much it has."""
        excess = len(self) - self._size
        for machines in list(self._sets)[:-1]:
            if excess <= 0 and len(self._sets) <= SETS:
                return
            gone = self._sets.pop(machines)
            _fall(gone)
            excess -= sum(len(stretch.items) for stretch in gone)

    def clear(self) -> None:
        for kept in self._sets.values():
            _fall(kept)
        self._sets.clear()

    def having(self, machine: str | None) -> Iterator[Stretch[T]]:
        """Those of all machines, and of the sets that this one is in."""
        for machines, kept in self._sets.items():
            if machines is None or machine in machines:
                yield from kept

    def __iter__(self) -> Iterator[Stretch[T]]:
        return (stretch for kept in self._sets.values() for stretch in kept)

    def __len__(self) -> int:
        """How many items there are in all."""
        return sum(len(stretch.items) for stretch in self)


def _fall(stretches: Sequence[Stretch[Any]]) -> None:
    for stretch in stretches:
        stretch.changed()
