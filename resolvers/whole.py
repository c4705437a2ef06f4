"""An account's lists that are always read whole: machines, organizations, places, products."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from domain.paging import Listing
from domain.refs import Ref
from resolvers.cache import Cache, Cached
from resolvers.standing import Reading

T = TypeVar("T", bound="HasRef")


class HasRef(Protocol):
    @property
    def ref(self) -> Ref: ...


@dataclass(frozen=True, slots=True)
class Indexed(Generic[T]):
    """A whole list, and where to find each of its things by native id."""

    items: Sequence[T]
    complete: bool
    growing: bool
    by_native: Mapping[str, T]

    @classmethod
    def of(cls, listing: Listing[T]) -> "Indexed[T]":
        return cls(listing.items, listing.complete, listing.growing, {item.ref.native: item for item in listing.items})


class Whole(Generic[T]):
    """`seconds`: how long its source may keep somebody waiting."""

    def __init__(
        self, read: Callable[[], Awaitable[Listing[T]]], cache: "Cache[str, Indexed[T]]", seconds: float
    ) -> None:
        self._read = read
        self.cache = cache
        self.seconds = seconds

    async def get(self, timeout: float) -> Cached[Indexed[T]]:  # noqa: ASYNC109  see Cache
        """What is still growing is asked for again the next time."""
        found = await self.cache.get("", self._load, timeout)
        if found.value.growing:
            self.forget()
        return found

    def peek(self) -> Indexed[T] | None:
        return self.cache.peek("")

    def kept(self) -> Indexed[T] | None:
        """What was told last, fresh or not."""
        return self.cache.kept("")

    def reading(self) -> Reading | None:
        """None where it is not fresh."""
        return self.cache.reading("")

    def amend(self, change: Callable[[T], T], native: str) -> bool:
        """Shows one of its things as it has become since; False where it is not in the list that is kept."""
        kept = self.kept()
        item = None if kept is None else kept.by_native.get(native)
        if kept is None or item is None:
            return False
        changed = change(item)
        items = [changed if one.ref.native == native else one for one in kept.items]
        self.cache.amend("", replace(kept, items=items, by_native={**kept.by_native, native: changed}))
        return True

    def extend(self, join: Callable[[Listing[T]], Listing[T]]) -> None:
        """Shows more than the list that is kept told."""
        kept = self.kept()
        if kept is not None:
            self.cache.amend("", Indexed.of(join(Listing(kept.items, kept.complete, kept.growing))))

    def forget(self) -> None:
        self.cache.forget("")

    async def _load(self) -> Indexed[T]:
        return Indexed.of(await self._read())
