"""Answers that are kept as bytes, for as long as everything that they were made of stands.

A field's resolver can tell what it reads: `strawberry.field(metadata={READS: reads})`. `reads` is called with what the
resolver is called with, just before it, and gives readings, or None where what it would read is not there yet. As long
as they stand, the resolver would give the same for the same arguments and the same scope, and so would whatever is read
off its value as an attribute. An answer is kept where every resolver that it was made by has told; one that has not
told once makes an operation one that is never kept."""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Protocol

from cachetools import LRUCache

READS = "compiled.reads"
SIZE = 64 * 1024 * 1024  # bytes of answers that are kept
LARGEST = SIZE // 16  # bytes of one
READING = 64  # bytes that one more reading takes, or so: none holds on to what was read
SEEN = 16_384  # keys that were asked for are known by their hash
BESIDE = 1_024  # bytes that any answer takes beside its own, or so


class Reading(Protocol):
    def stands(self) -> bool:
        """Whether what was read would be read again."""
        ...


@dataclass(slots=True, eq=False)
class Kept:
    """`encoded`: the answer's data as JSON; `objects`: how many there are in it; `tag`: for whoever tells it apart;
    `asked`: bytes of its key, where that may be long."""

    encoded: bytes
    objects: int
    readings: Collection[Reading]
    tag: str = ""
    asked: int = 0


class Seen:
    """What was asked for, known by its hash, so that to remember thousands that never come again costs little."""

    def __init__(self) -> None:
        self._marks: LRUCache[int, None] = LRUCache(SEEN)

    def before(self, key: Hashable) -> bool:
        """Whether it was asked for before; from now on it was."""
        mark = hash(key)
        known = mark in self._marks
        self._marks[mark] = None
        return known


class Keeper:
    """Keeps the answers that were asked for last, `size` bytes of them. `hits` and `misses` are counted.

    A key tells all that an answer depends on besides its readings: the operation's number, its variables, and the
    scope, which is who asks in so far as that makes a difference. What has fallen stays until as much else was asked
    for, so that neither a key nor a reading may hold on to anything large; and what is asked for once is mostly never
    asked for again, and not worth keeping."""

    def __init__(self, size: int = SIZE) -> None:
        self._kept: LRUCache[Hashable, Kept] = LRUCache(size, getsizeof=_size)
        self._seen = Seen()
        self.hits = 0
        self.misses = 0

    def find(self, key: Hashable) -> Kept | None:
        kept = self._kept.get(key)
        if kept is None:
            self.misses += 1
            return None
        for reading in kept.readings:
            if not reading.stands():
                del self._kept[key]
                self.misses += 1
                return None
        self.hits += 1
        return kept

    def is_asked_again(self, key: Hashable, /) -> bool:
        """For each time that it is asked for: what comes of it is to be kept from the second on."""
        return self._seen.before(key)

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Unless something has fallen meanwhile, or it is too large."""
        if _size(kept) <= min(LARGEST, self._kept.maxsize) and all(one.stands() for one in kept.readings):
            self._kept[key] = kept

    @property
    def size(self) -> int:
        """Bytes, or so."""
        return int(self._kept.currsize)

    def __len__(self) -> int:
        return len(self._kept)


def _size(kept: Kept) -> int:
    return BESIDE + kept.asked + len(kept.encoded) + READING * len(kept.readings)
