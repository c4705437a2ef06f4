"""Answers that a vendor gives again, word for word: they are not decoded again, and their rows are not read again.

A fleet that is asked every few seconds mostly tells what it told before: its catalogue, its stock, what it sold. It is
asked all the same; only what came is not worked through once more. What its rows were read as stays with the body, and
goes with it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from cachetools import LRUCache

SIZE = 8 * 1024 * 1024  # bytes of bodies that are kept
LARGEST = SIZE // 8  # bytes of one
SEEN = 16_384  # bodies that came once are known by their hash
DEEP = 3  # objects within one another, above a list of rows

Key = tuple[str, str, bytes]  # account, operation, body


Reading = tuple[str, object, Any]  # what a row was read as, what that depended on besides, and the value


class Known(NamedTuple):
    """A body that came before. `alike`: it differs in nothing from what such an answer is taken to be."""

    data: Any
    size: int
    alike: bool


class Unchanged:
    """The bodies that came last, of all accounts. One is kept when it comes for the second time: most of those that
    change come only once. `found`: by account, how often one was known.

    What is kept is shared by all who ask: nobody may write into it."""

    def __init__(self, size: int = SIZE) -> None:
        self._seen: LRUCache[int, None] = LRUCache(SEEN)
        self._bodies = _Bodies(size)
        self.found: Counter[str] = Counter()

    @property
    def readings(self) -> dict[int, Reading | None]:
        """What the rows of kept bodies were read as, by the id of a row's object; None of what was not read yet."""
        return self._bodies.readings

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self._bodies.currsize)

    def find(self, account: str, operation: str, body: bytes) -> Known | None:
        known = self._bodies.get((account, operation, body))
        self.found[account] += known is not None
        return known

    def meet(self, account: str, operation: str, body: bytes, data: Any, *, alike: bool) -> None:
        """It is not known yet; `data`: what it was decoded to."""
        key = (account, operation, body)
        mark = hash(key)
        if len(body) > min(LARGEST, self._bodies.maxsize):
            return
        if mark in self._seen:
            self._bodies[key] = Known(data, len(body), alike)
        else:
            self._seen[mark] = None


class _Bodies(LRUCache[Key, Known]):
    """Each key is set once: whoever sets it has not found it."""

    def __init__(self, size: int) -> None:
        super().__init__(size, getsizeof=lambda body: body.size)
        self.readings: dict[int, Reading | None] = {}

    def __setitem__(self, key: Key, body: Known) -> None:
        super().__setitem__(key, body)
        self.readings.update((id(row), None) for row in _rows(body.data))

    def __delitem__(self, key: Key) -> None:
        for row in _rows(self[key].data):
            del self.readings[id(row)]
        super().__delitem__(key)


def _rows(data: Any, deep: int = DEEP) -> Iterator[Any]:
    """The objects in an answer's lists, and those above the lists."""
    if type(data) is list:
        yield from (item for item in data if type(item) is dict)
    elif type(data) is dict and deep:
        yield data
        for value in data.values():
            yield from _rows(value, deep - 1)
