"""Who guesses keys is slowed: so many wrong ones from an address at once, and from then on one every few seconds."""

import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from cachetools import LRUCache

from domain.errors import ErrorCode, Unauthenticated

BURST = 50
SECONDS = 2.0  # for each that is allowed again
ADDRESSES = 10_000  # that are remembered; one that is forgotten begins anew
GOOD = 10_000  # keys, each with the address that it was good from


class TooManyGuesses(Unauthenticated):
    code = ErrorCode.RATE_LIMITED

    def __init__(self, retry_after: float) -> None:
        super().__init__("too many wrong keys came from this address: try again later")
        self.retry_after = retry_after


class Guesses:
    """`clock` is monotonic, in seconds. Keys that were good from an address go on being so, whoever guesses there."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent: LRUCache[str, tuple[float, float]] = LRUCache(ADDRESSES)
        self._good: LRUCache[tuple[str, str], None] = LRUCache(GOOD)

    def allow(self, address: str | None, key: str) -> None:
        """`key`: its hash. Raises TooManyGuesses."""
        where = block(address)
        if where is None or (where, key) in self._good:
            return
        wait = (self._left(where) - BURST + 1) * SECONDS
        if wait > 0:
            raise TooManyGuesses(wait)

    def knows(self, address: str | None, key: str) -> bool:
        """Whether the key was good from there."""
        where = block(address)
        return where is None or (where, key) in self._good

    def right(self, address: str | None, key: str) -> None:
        where = block(address)
        if where is not None:
            self._good[where, key] = None

    def wrong(self, address: str | None) -> None:
        where = block(address)
        if where is not None:
            self._spent[where] = (self._left(where) + 1, self._clock())

    def _left(self, where: str) -> float:
        """Wrong ones that are still held against an address."""
        spent, at = self._spent.get(where, (0.0, 0.0))
        return max(0.0, spent - (self._clock() - at) / SECONDS)


@lru_cache(maxsize=ADDRESSES)
def block(address: str | None) -> str | None:
    """An address, or of the newer kind the network that one customer has. None where there is none to tell."""
    if address is None:
        return None
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
