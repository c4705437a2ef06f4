"""What an account records of one kind, sales or events: the list, narrowed ones, and single records."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Generic, TypeVar

from domain.errors import VendorError
from domain.paging import Slice
from domain.times import Span
from resolvers.cache import Cache, Tally
from resolvers.instead import FromReports
from resolvers.stretches import Machines, Recorded
from resolvers.timeline import Read, Timeline

T = TypeVar("T", bound=Recorded)

HISTORY = timedelta(days=731)
SINGLE = 2_048  # records that are kept for who asks for one by its id


@dataclass(frozen=True, slots=True)
class Narrowing(Generic[T]):
    """What a list is narrowed to; equal names narrow alike. `read`: a way to read little else, if there is one."""

    name: str
    keep: Callable[[T], bool]
    read: Read[T] | None = None


class Log(Generic[T]):
    """`read` and `one` are the connector's: the list, and one record by its native id."""

    def __init__(
        self,
        read: Read[T],
        one: Callable[[str], Awaitable[T | None]],
        *,
        ttl: float,
        late: Callable[[float], VendorError],
        instead: FromReports[T] | None = None,
    ) -> None:
        self._read = read
        self._one = one
        self._ttl = ttl
        self._late = late
        self._instead = instead
        self._single: Cache[str, T | None] = Cache(ttl=ttl, size=SINGLE, late=late)
        self._narrowed: dict[str, tuple[Narrowing[T], Timeline[T]]] = {}
        self.whole = self._timeline(read, instead)

    def narrowed(self, narrowing: Narrowing[T]) -> Timeline[T]:
        """A timeline of its own, so that it keeps nothing of what is not asked for."""
        found = self._narrowed.get(narrowing.name)
        if found is None:
            read = _keeping(narrowing.read or self._read, narrowing.keep)
            instead = None if self._instead is None else replace(self._instead, keep=narrowing.keep)
            found = self._narrowed[narrowing.name] = narrowing, self._timeline(read, instead)
        return found[1]

    async def find(self, native: str, timeout: float) -> T | None:  # noqa: ASYNC109  see Cache
        return (await self._single.get(native, lambda: self._one(native), timeout)).value

    def report(self, item: T) -> None:
        """What the vendor told by itself joins what its list told."""
        self._single.put(item.ref.native, item)
        self.whole.report(item)
        for narrowing, timeline in self._narrowed.values():
            if narrowing.keep(item):
                timeline.report(item)

    @property
    def counts(self) -> Tally:
        return Tally.total([self._single.counts, *(timeline.counts for timeline in self._timelines())])

    def forget(self, native: str) -> None:
        """One of its records was changed, so that it may be in other lists now."""
        self._single.forget(native)
        for timeline in self._timelines():
            timeline.forget()

    async def aclose(self) -> None:
        for timeline in self._timelines():
            await timeline.aclose()
        await self._single.aclose()

    def _timelines(self) -> list[Timeline[T]]:
        return [self.whole, *(timeline for _, timeline in self._narrowed.values())]

    def _timeline(self, read: Read[T], instead: FromReports[T] | None) -> Timeline[T]:
        newest = None if instead is None else instead.newest
        return Timeline(read, ttl=self._ttl, horizon=HISTORY, late=self._late, tell=self._hear, instead=newest)

    def _hear(self, items: Sequence[T]) -> None:
        """Whoever asks for one of them next has no need to ask the vendor."""
        for item in items:
            self._single.put(item.ref.native, item)


def _keeping(read: Read[T], keep: Callable[[T], bool]) -> Read[T]:
    async def kept(span: Span, want: int, machines: Machines) -> Slice[T]:
        found = await read(span, want, machines)
        return replace(found, items=[item for item in found.items if keep(item)])

    return kept
