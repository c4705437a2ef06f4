"""How long lists were when they were read last: so much of one is asked for at once the next time.

Where it has become shorter, a page is asked for in vain; where it has grown, what is lacking is asked for after."""

from collections.abc import Hashable

from cachetools import LRUCache

LISTS = 256  # that are remembered


class Lengths:
    """In rows, or in pages: whoever tells them knows."""

    def __init__(self) -> None:
        self._known: LRUCache[Hashable, int] = LRUCache(LISTS)

    def of(self, which: Hashable) -> int:
        """0 of a list that was never read."""
        return self._known.get(which, 0)

    def tell(self, which: Hashable, length: int) -> None:
        self._known[which] = length
