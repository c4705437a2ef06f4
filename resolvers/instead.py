"""What stands in for a vendor's list that fails and of which nothing is kept: what the journal has of it by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from domain.errors import VendorError
from domain.facts import FactKind
from domain.times import END, Span
from journal.journal import Journal
from journal.reports import Watermark
from resolvers.cursors import Gap
from resolvers.stretches import NEWEST_FIRST, Machines, Recorded, Wanted, just_before, position
from resolvers.timeline import LONGEST, Found, Read

R = TypeVar("R", bound=Recorded)


@dataclass(frozen=True, slots=True, kw_only=True)
class FromReports(Generic[R]):
    """One list of an account that sends webhooks. `read` reads the journal; `begun` is when this process began."""

    journal: Journal
    account: str
    kind: FactKind
    read: Read[R]
    begun: datetime
    keep: Callable[[R], bool] = lambda _: True

    async def newest(
        self, failed: Mapping[Machines, VendorError], wanted: Wanted
    ) -> "Mapping[Machines, Found[R] | VendorError]":
        """What is known of each set; the error that there is where that is nothing."""
        try:
            mark = await self.journal.watermark(self.account, self.kind)
            parts = await self._parts(self._known(mark), failed, wanted)
        except SQLAlchemyError:
            return failed
        as_of = self.begun if mark is None else max(self.begun, mark.at)
        return {machines: _found(parts, machines, wanted, as_of, error) for machines, error in failed.items()}

    def _known(self, mark: Watermark | None) -> Sequence[Span]:
        """Where the journal has all there is: down to where the list was read, and since webhooks come in. What was
        recorded between the two, while nobody listened, it may lack."""
        if mark is None:
            return [Span(self.begun, END)]
        if mark.at >= self.begun:
            return [Span(mark.since, END)]
        return [Span(self.begun, END), Span(mark.since, mark.at)]

    async def _parts(
        self, known: Sequence[Span], sets: Mapping[Machines, object], wanted: Wanted
    ) -> Sequence[Sequence[R]]:
        """What each of these spans has, in order. All sets are read together; where one is not read whole, it ends."""
        named = [machines for machines in sets if machines is not None]
        union = named[0].union(*named[1:]) if len(named) == len(sets) else None
        room = min(LONGEST, (wanted.count + 1) * len(sets))
        parts: list[Sequence[R]] = []
        for one in known:
            span = Span(max(one.since, wanted.since), min(one.until, wanted.until))
            if span.since < span.until:
                found = await self.read(span, room, union)
                parts.append(NEWEST_FIRST.sorted(item for item in found.items if self.keep(item)))
                if found.since > span.since:
                    break
        return parts


def _found(
    parts: Sequence[Sequence[R]], machines: Machines, wanted: Wanted, as_of: datetime, error: VendorError
) -> Found[R] | VendorError:
    """All but what lies between the newest and the oldest of a part is still to be told by the vendor."""
    items: list[R] = []
    untold: list[Gap] = [wanted.gap]
    for part in parts:
        own = [item for item in part if _is_of(machines, item) and NEWEST_FIRST.holds(wanted.gap, position(item))]
        if own:
            newest, oldest = just_before(position(own[0])), position(own[-1])
            untold = [*NEWEST_FIRST.above(untold, newest), *NEWEST_FIRST.below(untold, oldest)]
            items += own
    return Found(items[: wanted.count], as_of, complete=False, error=error, untold=untold) if items else error


def _is_of(machines: Machines, item: Recorded) -> bool:
    return machines is None or (item.machine_ref is not None and item.machine_ref.native in machines)
