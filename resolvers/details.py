"""What some vendors tell of one machine at a time: each asked for by itself, and kept for a while."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from connectors.base import Connector
from connectors.reading import ReadsCash, ReadsConfig, ReadsSession
from domain.details import MachineCash, MachineConfig, MachineSession
from domain.errors import VendorError
from resolvers.cache import Cache

MACHINES = 4_096  # of which something is kept
T = TypeVar("T")
Late = Callable[[float], VendorError]


class Detail(Generic[T]):
    def __init__(self, read: Callable[[str], Awaitable[T]], seconds: float, late: Late) -> None:
        self._read = read
        self._cache: Cache[str, T] = Cache(ttl=seconds, size=MACHINES, late=late)

    async def get(self, machine: str, timeout: float) -> T:  # noqa: ASYNC109  see Cache
        """Raises VendorError."""
        return (await self._cache.get(machine, lambda: self._read(machine), timeout)).value

    def forget(self, machine: str) -> None:
        self._cache.forget(machine)

    async def aclose(self) -> None:
        await self._cache.aclose()


class Details:
    """One account's; None is what its vendor does not tell."""

    def __init__(self, has: Connector, seconds: float, late: Late) -> None:
        self.session: Detail[MachineSession | None] | None = (
            Detail(has.session, seconds, late) if isinstance(has, ReadsSession) else None
        )
        self.cash: Detail[MachineCash] | None = Detail(has.cash, seconds, late) if isinstance(has, ReadsCash) else None
        self.config: Detail[MachineConfig] | None = (
            Detail(has.config, seconds, late) if isinstance(has, ReadsConfig) else None
        )

    def forget(self, machine: str) -> None:
        """Something was done to it."""
        for detail in (self.session, self.cash, self.config):
            if detail is not None:
                detail.forget(machine)

    async def aclose(self) -> None:
        for detail in (self.session, self.cash, self.config):
            if detail is not None:
                await detail.aclose()
